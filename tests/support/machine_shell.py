"""Test machines by hand, as root from the project's root:

python -m tests.support.machine_shell up bookworm        boots a bare Debian with a copy of the project, prints its number
python -m tests.support.machine_shell run 3 'COMMAND'    runs a command in machine 3, in the project's folder
python -m tests.support.machine_shell push 3             copies the project again
python -m tests.support.machine_shell boot|journal|down 3
python -m tests.support.machine_shell shell 3
"""

from __future__ import annotations

import subprocess
import sys

from tests.support.machine import SOURCE, Machine, new_machine
from tests.support.machine_bed import Bed, identity
from tests.support.machine_tree import keep_downloads


def up(release: str) -> None:
    """Boot a machine that lives on after this process."""
    machine = new_machine(release)
    (machine.bed.folder / "owner").write_text(identity(1))
    (machine.bed.folder / "release").write_text(release)
    machine.boot()
    machine.put_project()
    print(f"{machine.bed.number}    # {release} at {machine.address}, project in {SOURCE}, disk below {machine.bed.root}")


def attach(number: str) -> Machine:
    """The machine that an earlier `up` left running."""
    bed = Bed(int(number))
    release = bed.folder / "release"
    if not release.exists():
        sys.exit(f"no machine {number}; known: {sorted(path.parent.name for path in bed.folder.parent.glob('bed-*/release'))}")
    return Machine(bed, release.read_text(), ())


def run(number: str, command: str) -> int:
    """Run a command with this terminal's own input and output."""
    return subprocess.run(attach(number).enter(command, folder=SOURCE), check=False).returncode


def main(words: list[str]) -> int:
    """Carry out one of the commands above."""
    match words:
        case ["up", release]:
            up(release)
        case ["run", number, command]:
            return run(number, command)
        case ["shell", number]:
            return run(number, "exec bash -i")
        case ["push", number]:
            attach(number).put_project()
        case ["boot", number]:
            attach(number).boot()
        case ["journal", number]:
            print(attach(number).journal())
        case ["down", number]:
            machine = attach(number)
            keep_downloads(machine.release, machine.bed.upper)
            machine.destroy()
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
