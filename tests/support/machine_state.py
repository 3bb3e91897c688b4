"""What an installation leaves on a machine, to be compared with what another one left."""

from __future__ import annotations

import re

from tests.support.machine import Machine, manifest
from tests.support.machine_room import Room
from tests.support.machine_run import until_well

# different on every machine by nature: what is random, what carries the address, what a running system writes
OWN = (
    r"^/etc/slrt/(secrets|tls)/|^/var/lib/(slrt|slrt-front|slrt-provision|slrt-install|slrt-power)/|^/srv/backup/"
    r"|^/etc/(ssl/certs/|ca-certificates|nut/upsd\.users|nut/upsmon\.conf|group-?|gshadow-?|passwd-?|shadow-?|subuid|subgid)"
)
VOLATILE = (
    r"^/var/lib/(slrt-(sticks|care|lan|dns)|chrony|slrt/clock\.json|apt|dpkg|systemd|nut|dbus|private|logrotate|ucf|avahi-autoipd|slrt/backup|slrt/database)(/|$)|^/srv/backup/(slrt|carried-log)/"
    r"|^/etc/(machine-id|resolv\.conf|\.pwd\.lock|ld\.so\.cache|slrt/secrets/.*|passwd-|shadow-|group-|gshadow-)$|/__pycache__"
)


def state(machine: Machine) -> dict[str, str]:
    """What an installation leaves, without the contents that are each machine's own."""
    found = manifest(machine, ignore=VOLATILE)
    digest = re.compile(r" ?\b[0-9a-f]{64}$")
    kept = {path: digest.sub("", facts) if re.search(OWN, path) else facts for path, facts in found.items()}
    asked = "systemctl list-unit-files --state=enabled,masked --no-legend | awk '{print $1, $2}'"
    for name, command in {"packages": "dpkg-query -W -f '${Package} ${db:Status-Status}\\n'", "units": asked}.items():
        kept |= {f"{name} {line}": "" for line in machine.run(command).out.splitlines()}
    kept |= {f"secret {name}": "" for name in machine.run("ls /etc/slrt/secrets").out.split()}
    return kept


def undisturbed(room: Room, release: str) -> dict[str, str]:
    """The state of the machine that was installed in one go."""
    machine = room.installed(release)
    until_well(machine)
    found = state(machine)
    machine.destroy()
    return found
