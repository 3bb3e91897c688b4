"""Photos as a camera writes them."""

from __future__ import annotations

import io

from PIL import Image


def photo(colour: str = "peru", size: tuple[int, int] = (640, 480), *, with_place: bool = False) -> bytes:
    """A JPEG; `with_place` puts a position and the camera's name into it."""
    exif = Image.Exif()
    if with_place:
        exif[0x010F] = "KAMERA-RAHASIA"
        exif.get_ifd(0x8825)[1] = "S"
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, "JPEG", exif=exif)
    return written.getvalue()
