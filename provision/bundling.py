"""Makes the signed bundle: `install.sh bundle` starts it on a machine with a network. A front door: it gathers and writes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance import __version__, usage
from appliance.errors import ApplianceError
from provision import sbom
from provision.bundle import Manifest, read_bundle
from provision.bundle_debs import Deb, fetch_debs
from provision.bundle_wheels import build_wheel, fetch_wheels, name_and_version
from provision.bundle_writing import members, read_signing_key, write_bundle
from provision.packages import needed
from provision.preflight import own_words
from provision.step import source_tree

# from these an upgrade may go to this version at once; keep in step with the migrations
UPGRADES_FROM = ("0.1.0",)
OPENER = "provision/open_bundle.sh"

Say = Callable[[str], None]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Folder tujuan (bawaan: folder ini)."
)
@click.option("--key", type=click.Path(dir_okay=False, path_type=Path), help="Kunci penanda tangan.")
@click.option("--debian", default="12,13", show_default=True, help="Rilis Debian yang dimuat.")
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), help="Folder unduhan untuk pembuatan berikutnya.")
def bundle(out: Path, key: Path | None, debian: str, cache: Path | None) -> None:
    """Membuat satu berkas bertanda tangan untuk memasang simpul tanpa jaringan."""
    if key is None:
        raise click.UsageError(
            "Bundel harus ditandatangani: sebutkan --key KUNCI. Kunci baru dibuat dengan: ./install.sh bundle --new-key KUNCI"
        )
    if not debian or not set(debian.split(",")) <= {"12", "13"}:
        raise click.BadParameter("diharapkan 12, 13 atau 12,13", param_hint="--debian")
    releases = tuple(sorted({int(number) for number in debian.split(",")}))
    made = make_bundle(source_tree(), out, key, releases, cache or _cache(), click.echo)
    shutil.copyfile(source_tree() / OPENER, out / "install.sh")
    known = read_bundle(made, None)
    click.echo(
        f"Bundel   : {made} ({made.stat().st_size >> 20} MiB, {len(known.manifest.members)} berkas), bersama {out / 'install.sh'}"
    )
    click.echo(f"Kunci    : {known.fingerprint}")
    click.echo("Salin keduanya ke stik. Di mesin tanpa jaringan, sebagai root: bash /media/stik/install.sh")


def make_bundle(source: Path, out: Path, key: Path, releases: tuple[int, ...], cache: Path, say: Say) -> Path:
    """Gather everything and write `out`/slrt-node-VERSION.slrt. Raises ApplianceError; then nothing is left in `out`."""
    signer = read_signing_key(key)
    built, release = _built(source), own_words(source, "release").decode().strip()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="slrt-bundle-") as folder:
        work = Path(folder)
        files, components = _program(source, work), []
        for debian in releases:
            say(f"Paket Debian {debian}")
            debs, placed = _packages(debian, work / f"debs-{debian}", cache)
            files |= placed
            components += [sbom.deb_component(deb.name, deb.version, deb.architecture, debian, deb.sha256) for deb in debs]
            say(f"  {len(debs)} paket, {sum(deb.size for deb in debs) >> 20} MiB")
        say("Pustaka Python")
        libraries, built_here = _libraries(releases, source, work / "wheels", built)
        say(f"  {len(libraries)} berkas; dibangun di sini, karena tanpa wheel: {', '.join(built_here) or 'tidak ada'}")
        components += [_wheel(path) for path in libraries]
        program = _program_wheel(work, built)
        files |= {f"wheels/{path.name}": path for path in (*libraries, program)}
        (work / "sbom.json").write_bytes(sbom.render(__version__, release, built, components))
        files["sbom.json"] = work / "sbom.json"
        target = out / f"slrt-node-{__version__}.slrt"
        write_bundle(target, Manifest(__version__, release, built, UPGRADES_FROM, members(files)), files, signer)
    return target


def _program(source: Path, work: Path) -> dict[str, Path]:
    (work / "source.tar").write_bytes(own_words(source, "pack"))
    return {"install.sh": source / OPENER, "source.tar": work / "source.tar"}


def _packages(debian: int, repository: Path, cache: Path) -> tuple[list[Deb], dict[str, Path]]:
    repository.mkdir()
    debs = fetch_debs(debian, needed(debian), cache / f"debian-{debian}", repository)
    return debs, {f"debs/{debian}/{path.name}": path for path in repository.iterdir()}


def _libraries(releases: tuple[int, ...], source: Path, folder: Path, built: str) -> tuple[list[Path], list[str]]:
    """The libraries as wheels in `folder`, and the names of the sources that had to be built for that."""
    folder.mkdir()
    for debian in releases:
        fetch_wheels(debian, source, folder)
    sources = sorted(path for path in folder.iterdir() if path.suffix != ".whl")
    for path in sources:
        build_wheel(path, folder, built)
        path.unlink()
    return sorted(folder.iterdir()), [path.name for path in sources]


def _program_wheel(work: Path, built: str) -> Path:
    """The program as a wheel, made of exactly the sources that are in the bundle."""
    tree, folder = work / "program", work / "program-wheel"
    for made in (tree, folder):
        made.mkdir()
    subprocess.run(["tar", "-C", str(tree), "-xf", str(work / "source.tar")], check=True)
    build_wheel(tree, folder, built)
    (wheel,) = folder.iterdir()
    return wheel


def _wheel(path: Path) -> sbom.Component:
    return sbom.wheel_component(*name_and_version(path.name), path.name, hashlib.sha256(path.read_bytes()).hexdigest())


def _built(source: Path) -> str:
    """The day of the sources, so that the same sources give the same bundle: told from outside, by git, else today."""
    told = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not told:
        asked = ["git", "-C", str(source), "log", "-1", "--format=%ct"]
        told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    moment = datetime.fromtimestamp(int(told), UTC) if told.isdigit() else datetime.now(UTC)
    return moment.date().isoformat()


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slrt-bundle"


def main() -> None:
    """Run the command; an error of ours becomes two lines and its exit code."""
    try:
        bundle.main(standalone_mode=False)
    except ApplianceError as error:
        click.echo(f"Gagal: {error.message}\nLangkah berikutnya: {error.hint}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        usage.show(error)
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Dibatalkan.", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
