"""The targets of this installation: ours by name, third parties' by entry points.

Guarantees: order by name; one backend a name and one a folder of the bundle, and ours cannot be replaced; nothing of a project is
looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, TypeGuard, cast

from ztosc.backends.base import Backend, BackendFault, NetworkBackend

OURS = ("bind", "frr", "interfaces", "keyplan", "ldap", "macsec", "nftables", "prometheus", "underlay", "wireguard")
"""Modules of this package, each with a `BACKEND`. A new target of ours adds its name here, and nothing else outside its folders."""

GROUP = "ztosc.targets"
"""Entry points of third parties: each loads to a `Backend` or `NetworkBackend` value."""


FOLDER = re.compile(r"[a-z][a-z0-9-]*")
TAKEN = ("nodes",)
"""Folders of the bundle that are no target's."""


@lru_cache(maxsize=1)
def targets() -> tuple[Backend | NetworkBackend, ...]:
    """Every target, by name. Raises `BackendFault` where two share one, or a folder of the bundle."""
    found: dict[str, Backend | NetworkBackend] = {name: import_module(f"ztosc.backends.{name}").BACKEND for name in OURS}
    for point in entry_points(group=GROUP):
        backend: Backend | NetworkBackend = point.load()
        if backend.name in found:
            raise BackendFault(f"two targets are called {backend.name}")
        found[backend.name] = backend
    check_folders(found[name] for name in sorted(found))
    return tuple(found[name] for name in sorted(found))


def check_folders(found: Iterable[Backend | NetworkBackend]) -> None:
    """Raises `BackendFault` where a target of the network has a folder that it cannot have."""
    taken = set(TAKEN)
    for target in found:
        if is_network_wide(target):
            if target.bundle_folder in taken or not FOLDER.fullmatch(target.bundle_folder):
                raise BackendFault(f"target {target.name} cannot have the folder `{target.bundle_folder}` of the bundle")
            taken.add(target.bundle_folder)


def is_network_wide(target: Any) -> TypeGuard[NetworkBackend]:
    """Whether a target writes about the network instead of about each node."""
    return hasattr(target, "bundle_folder")


def backends() -> tuple[Backend, ...]:
    """The targets on nodes, by name."""
    return tuple(cast(Backend, target) for target in targets() if not is_network_wide(target))


def network_backends() -> tuple[NetworkBackend, ...]:
    """The targets of the network, by name."""
    return tuple(target for target in targets() if is_network_wide(target))


def backend(name: str) -> Backend:
    """The target on nodes of a name. Raises `KeyError`."""
    for found in backends():
        if found.name == name:
            return found
    raise KeyError(name)
