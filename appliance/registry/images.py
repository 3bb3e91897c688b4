"""Pictures: the one adapter to Pillow. What comes in is decoded and written anew, so that nothing but the picture is stored.

Place and time of the camera (EXIF), hidden content and odd formats are gone afterwards.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from appliance.errors import InvalidInput

LONGEST_SIDE = 1600
THUMBNAIL_SIDE = 240
QUALITY = 82
# A camera of 50 megapixels; what claims to be bigger is a trap or a mistake. A JPEG is decoded small at once, a PNG never.
MAX_PIXELS = 50_000_000
MAX_PIXELS_PNG = 16_000_000
TOO_BIG = "Foto terlalu besar ukurannya (JPEG paling banyak 50, PNG 16 megapiksel). Perkecil dahulu."
_FORMATS = ("JPEG", "PNG")
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


@dataclass(frozen=True)
class Picture:
    """A JPEG ready to be stored, and a small one of it."""

    jpeg: bytes
    thumbnail: bytes
    width: int
    height: int


def read_picture(content: bytes) -> Picture:
    """The picture in `content` (JPEG or PNG), upright, at most LONGEST_SIDE long, without anything else.

    Raises InvalidInput when it is damaged, of another kind, or bigger than MAX_PIXELS.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _read(content)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InvalidInput({"file": TOO_BIG}) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise InvalidInput({"file": "Foto rusak atau tidak dapat dibaca. Ambil foto ulang, lalu kirim lagi."}) from error


def _read(content: bytes) -> Picture:
    # The library that makes PDFs has Pillow accept cut-off pictures, everywhere: half of a paper is no paper.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
        if opened.format == "PNG" and opened.width * opened.height > MAX_PIXELS_PNG:
            raise InvalidInput({"file": TOO_BIG})
        opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        picture = ImageOps.exif_transpose(opened)
    picture = _on_white(picture)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    small = picture.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return Picture(_jpeg(picture), _jpeg(small), picture.width, picture.height)


def _on_white(picture: Image.Image) -> Image.Image:
    """Without transparency, which a JPEG does not have."""
    if picture.mode not in ("RGBA", "LA", "PA") and "transparency" not in picture.info:
        return picture.convert("RGB")
    solid = picture.convert("RGBA")
    white = Image.new("RGB", solid.size, "white")
    white.paste(solid, mask=solid.getchannel("A"))
    return white


def _jpeg(picture: Image.Image) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=QUALITY, optimize=True)
    return written.getvalue()
