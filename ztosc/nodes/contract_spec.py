"""The contract between a node and whoever knows its sessions: which dynamic sets there are, and what may ever stand in them.

Guarantees: plain values; addresses are ranges in canonical text.
"""

from __future__ import annotations

from typing import Literal

from ztosc.ir.base import Model

Ranges = tuple[tuple[str, str], ...]
"""Addresses from the first to the last, ends included."""


Times = tuple[tuple[int, int], ...]
"""Instants in seconds since 1970: from the first of each pair on, up to the second, which is not in it; sorted, apart."""


class Opening(Model):
    """What stands in a set at known times, whoever has a session."""

    address: str | None
    """Of an endpoint that fulfils the condition by being what it is; absent where the condition asks for the time alone."""
    times: Times


class Admission(Model):
    """Where an initiator may sit: behind an in-port here or, where that is absent, outside."""

    interface: str | None
    addresses: Ranges
    """None of them, where the segment has no hosts here."""


class DynamicSet(Model):
    """What a node's runner, and nothing else, fills for one condition, and empties again.

    An element is an address of a session (`sessions`), or whether the condition's time has come (`time`). It has a timeout that ends no
    later than the condition can hold and no later than `stale` seconds behind the last confirmation of the facts it rests on. So when
    the source of facts is silent, elements end, and what they opened closes, flows that are under way included.
    """

    condition: str
    holds: Literal["sessions", "time"]
    admissions: tuple[Admission, ...]
    """An address behind no in-port of these must not stand in it: a role holds only where it comes `from`."""
    stale: int | None
    """Seconds; the least of what the roles and rules behind it say. Absent: no bound is said."""
    standing: tuple[str, ...]
    """Endpoints that fulfil the condition by being what they are: in the file, without a timeout."""
    openings: tuple[Opening, ...] = ()
    """What the clock alone decides: of a `time` exactly one, of `sessions` endpoints that fulfil it by being what they are,
    but not always."""
