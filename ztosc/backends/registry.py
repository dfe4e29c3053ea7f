"""The targets of this installation: ours by name, third parties' by entry points.

Guarantees: order by name; one backend a name, and ours cannot be replaced; nothing of a project is looked at.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points

from ztosc.backends.base import Backend, BackendFault

OURS = ("bind", "nftables")
"""Modules of this package, each with a `BACKEND`. A new target of ours adds its name here, and nothing else outside its folders."""

GROUP = "ztosc.targets"
"""Entry points of third parties: each loads to a `Backend` value."""


@lru_cache(maxsize=1)
def backends() -> tuple[Backend, ...]:
    """Every backend, by name. Raises `BackendFault` where two share one."""
    found: dict[str, Backend] = {name: import_module(f"ztosc.backends.{name}").BACKEND for name in OURS}
    for point in entry_points(group=GROUP):
        backend: Backend = point.load()
        if backend.name in found:
            raise BackendFault(f"two targets are called {backend.name}")
        found[backend.name] = backend
    return tuple(found[name] for name in sorted(found))


def backend(name: str) -> Backend:
    """The backend of a name. Raises `KeyError`."""
    for found in backends():
        if found.name == name:
            return found
    raise KeyError(name)
