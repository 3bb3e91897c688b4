"""The steps in their order, from the site: the one list that a plan prints and an apply performs."""

from __future__ import annotations

from provision.step import Site, Step
from provision.steps import adopt, care, data, files, hardening, life, machine, network, units, ups


def steps(site: Site) -> tuple[Step, ...]:
    """All steps; each may rely on the ones before it."""
    return (
        machine.name(site),
        files.users(site),
        machine.packages(site),
        adopt.adopt(site),
        files.folders(site),
        files.settings(site),
        units.programs(site),
        machine.journal(site),
        units.units(site),
        life.life(site),
        hardening.hardening(site),
        network.firewall(site),
        network.names(site),
        network.time(site),
        ups.ups(site),
        data.custody(site),
        data.database(site),
        data.repository(site),
        units.certificates(site),
        units.front(site),
        # before the scheduler runs, which would begin a backup of its own
        data.first_admin(site),
        data.first_backup(site),
        care.care(site),
        units.services(site),
        network.address(site),
        units.answers(site),
    )
