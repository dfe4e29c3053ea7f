"""The name server as values.

Guarantees: names without a last dot in `Names`, absolute in zones; record values in dnspython's canonical text.
"""

from __future__ import annotations

from ztosc.ir.base import Model
from ztosc.nodes.spec import ZoneSpec


class Names(Model):
    """What `named.conf` says."""

    listen: tuple[str, ...]
    clients: tuple[str, ...]
    recursion: tuple[str, ...]
    dns64: str | None
    zones: tuple[str, ...]


class Configuration(Model):
    """`named.conf` and the zones."""

    title: str
    names: Names
    zones: tuple[ZoneSpec, ...]


def zone_file(zone: str) -> str:
    """Where a zone's records are, below the target's folder."""
    return f"zones/{zone.rstrip('.')}.zone"
