"""Who and what there is: people, devices, and where replicas run, as the inventory lists them.

Guarantees: every role, class, segment, service and node is declared, and every attribute has a value of its declared type.
"""

from __future__ import annotations

from ztosc.ir.base import Model
from ztosc.ir.values import Value
from ztosc.source import Span


class Listed(Model):
    """What every entry has: an identifier of its kind, the facts about it, the place it stands."""

    name: str
    attributes: tuple[tuple[str, Value], ...] = ()
    """Sorted by attribute; an attribute that is not here is absent."""
    origin: Span


class Person(Listed):
    """Somebody, with all roles they hold."""

    full_name: str = ""
    roles: tuple[str, ...] = ()
    """As written, without what they include."""


class Device(Listed):
    """A thing of a class, and the proofs by which it is recognised."""

    device_class: str
    segment: str | None = None
    """Where it belongs; absent: wherever its class is admitted."""
    mac: str | None = None
    certificate: str | None = None
    """SHA-256, `sha256:` and 64 hexadecimal digits."""


class Pin(Model):
    """A replica of a service that runs on a node."""

    service: str
    node: str
    origin: Span


class Inventory(Model):
    """All entries: people and devices by name, pins by service and node."""

    people: tuple[Person, ...] = ()
    devices: tuple[Device, ...] = ()
    pins: tuple[Pin, ...] = ()
