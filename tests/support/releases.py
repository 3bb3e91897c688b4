"""The release after this one, made from a copy of the project on a test machine: with a migration more, and broken in ways that an upgrade
must notice."""

from __future__ import annotations

from dataclasses import dataclass

from appliance import __version__
from appliance.database import newest_revision
from tests.support.machine import SOURCE, Machine

NEXT = "/root/next-release"
NEXT_VERSION = f"{__version__.rpartition('.')[0]}.{int(__version__.rpartition('.')[2]) + 1}"
MIGRATION = '''"""One table more, with a row."""
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{number}", "{before}", None, None


def upgrade() -> None:
    op.create_table("next_thing", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("INSERT INTO next_thing (id) VALUES (1)")
'''
NUMBER = f"{int(newest_revision()) + 1:04}"


@dataclass(frozen=True)
class Release:
    """The name of the folder it has on the machine, and its version."""

    name: str
    version: str

    @property
    def program(self) -> str:
        """The start of a command of its provisioning."""
        return f"/opt/slrt/releases/{self.name}/venv/bin/slrt-provision"


def make_next(machine: Machine, version: str = NEXT_VERSION) -> Release:
    """Put the tree of the next release on the machine, and have it prepared there."""
    migration = MIGRATION.format(number=NUMBER, before=newest_revision())
    machine.run(f"rm -rf {NEXT} && cp -a {SOURCE} {NEXT}")
    machine.put(f"{NEXT}/appliance/migrations/versions/{NUMBER}_next_thing.py", migration)
    machine.run(f"sed -i 's/^__version__ = .*/__version__ = \"{version}\"/' appliance/__init__.py", folder=NEXT)
    name = machine.run("./install.sh release", folder=NEXT).out.strip()
    machine.run("./install.sh prepare", folder=NEXT, seconds=400)
    return Release(name, version)


# what is done in the folder of the libraries of a sound release
FLAWS = {
    "page": "echo '{% include \"gone.html\" %}' > webui/templates/sign_in.html",
    "migration": f"echo '    op.execute(\"DROP TABLE nothing\")' >> appliance/migrations/versions/{NUMBER}_next_thing.py",
    "watcher": "sed -i 's/^if __name__ == .__main__.:/&\\n    raise SystemExit(1)/' appliance/watcher.py && grep -q 'raise SystemExit(1)' appliance/watcher.py",
}


def spoil(machine: Machine, sound: Release, flaw: str) -> Release:
    """A copy of a prepared release with a flaw: an installation of its own would take a minute and be the same."""
    name = f"{sound.name}{flaw}"
    machine.run(
        f"rm -rf {name} && cp -a {sound.name} {name}"
        f" && sed -i 's#releases/{sound.name}#releases/{name}#g' $(find {name}/venv/bin -type f ! -name '*.pyc') {name}/venv/pyvenv.cfg"
        f" && cd {name}/venv/lib/python3*/site-packages && {FLAWS[flaw]}",
        folder="/opt/slrt/releases",
    )
    return Release(name, sound.version)


def release_of(machine: Machine) -> str:
    """The name of the release in use."""
    return machine.run("basename $(readlink /opt/slrt/current)").out.strip()


TABLES = """
import sqlite3
base = sqlite3.connect("file:/var/lib/slrt/database/slrt.db?mode=ro", uri=True)
print(base.execute("SELECT version_num FROM alembic_version").fetchone()[0])
print(base.execute("SELECT count(*) FROM sqlite_master WHERE name = 'next_thing'").fetchone()[0])
"""


def tables_of(machine: Machine) -> tuple[str, bool]:
    """The revision of the database, and whether the table of the next release is in it."""
    revision, there = machine.run("python3 -", user="slrt", stdin=TABLES.encode()).out.split()
    return revision, there == "1"
