"""What a bundle is made of, as a CycloneDX 1.5 list that other tools can compare with lists of known faults."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

NAMESPACE = uuid.UUID("5f0c8a0e-3a54-4f0f-9c5e-6d6e6f646500")


@dataclass(frozen=True)
class Component:
    """One thing in the bundle. `purl` names it the world over."""

    name: str
    version: str
    purl: str
    sha256: str

    def describe(self) -> dict[str, object]:
        """Itself in CycloneDX's words."""
        hashes = [{"alg": "SHA-256", "content": self.sha256}]
        named = {"type": "library", "bom-ref": self.purl, "name": self.name, "version": self.version, "purl": self.purl}
        return {**named, "hashes": hashes}


def deb_component(name: str, version: str, architecture: str, debian: int, sha256: str) -> Component:
    """A package of Debian."""
    distribution = f"arch={architecture}&distro=debian-{debian}"
    return Component(name, version, f"pkg:deb/debian/{quote(name)}@{quote(version)}?{distribution}", sha256)


def wheel_component(name: str, version: str, file: str, sha256: str) -> Component:
    """A library of Python; `file` tells its builds apart."""
    return Component(name, version, f"pkg:pypi/{name}@{quote(version)}?file_name={quote(file)}", sha256)


def render(version: str, release: str, built: str, components: Iterable[Component]) -> bytes:
    """The list as a file; the same components give the same bytes."""
    listed = [component.describe() for component in sorted(components, key=lambda one: one.purl)]
    program = {"type": "application", "bom-ref": f"slrt-node@{release}", "name": "slrt-node", "version": version}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, json.dumps([release, listed]))}",
        "version": 1,
        "metadata": {"timestamp": f"{built}T00:00:00Z", "component": program},
        "components": listed,
        "dependencies": [{"ref": program["bom-ref"], "dependsOn": [one["bom-ref"] for one in listed]}],
    }
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()
