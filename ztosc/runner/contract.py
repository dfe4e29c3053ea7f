"""The contract for sessions: whoever says that one is there is bounded by it, whatever it says.

Guarantees: an element stands in a set that the contract names, at an address that may be in it, and no later than the set's bound after the
facts were confirmed; one that is anything else is a `BadFile`, and nothing is done.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ztosc.runner.elements import SCHEMA, SESSIONS, Element
from ztosc.runner.wanted import BadFile


@dataclass(frozen=True, slots=True)
class Admitted:
    """What may stand in a set: addresses as numbers from the first to the last; seconds after the last confirmation, or no bound."""

    within: tuple[tuple[int, int], ...]
    stale: int | None


@dataclass(frozen=True, slots=True)
class Contract:
    """By set."""

    sets: dict[str, Admitted]

    def bounded(self, elements: Iterable[Element], now: float) -> tuple[Element, ...]:
        """The elements, each with the instant at which it must end at last. Raises `BadFile`."""
        return tuple(self._bounded(each, now) for each in elements)

    def _bounded(self, element: Element, now: float) -> Element:
        admitted = self.sets.get(element.set)
        if admitted is None:
            raise BadFile(f"no session may open `{element.set}` here")
        number = int(ipaddress.IPv6Address(element.key))
        if not any(low <= number <= high for low, high in admitted.within):
            raise BadFile(f"no session at {element.key} may open `{element.set}`: nobody who may is there")
        if admitted.stale is None:
            return element
        if element.confirmed is None:
            raise BadFile(f"`{element.set}` bounds how old its facts may be: {element.key} must say when they were `confirmed`")
        return replace(element, until=min(element.until, int(min(element.confirmed, now)) + admitted.stale))


def parse(content: bytes) -> Contract | None:
    """The file, or nothing where it is another one. Raises `BadFile`."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadFile(f"it is no JSON: {error}") from error
    if not isinstance(found, dict) or "sets" not in found:
        return None
    if found.keys() != {"schema_version", "sets"} or found["schema_version"] != SCHEMA or not isinstance(found["sets"], list):
        raise BadFile(f"a contract of version {SCHEMA} is expected")
    sets = dict(_set(each) for each in found["sets"])
    if len(sets) < len(found["sets"]):
        raise BadFile("a set is there twice")
    return Contract(sets)


def _set(found: Any) -> tuple[str, Admitted]:
    if not isinstance(found, dict) or found.keys() != {"set", "stale", "within"} or not isinstance(found["within"], list):
        raise BadFile("a set has `set`, `stale` and a list `within`")
    name, stale = found["set"], found["stale"]
    if not isinstance(name, str) or not SESSIONS.fullmatch(name):
        raise BadFile(f"{name!r} is no set of sessions")
    if stale is not None and (not isinstance(stale, int) or isinstance(stale, bool) or stale <= 0):
        raise BadFile(f"{stale!r} is no number of seconds")
    return name, Admitted(tuple(_range(each) for each in found["within"]), stale)


def _range(found: Any) -> tuple[int, int]:
    if not isinstance(found, list) or len(found) != 2 or not all(isinstance(each, str) for each in found):
        raise BadFile("a range is a pair of addresses")
    try:
        low, high = (int(ipaddress.IPv6Address(each)) for each in found)
    except ValueError as error:
        raise BadFile(str(error)) from error
    if low > high:
        raise BadFile(f"range {found[0]} to {found[1]} is reversed")
    return low, high
