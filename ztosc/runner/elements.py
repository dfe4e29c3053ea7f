"""Elements of dynamic sets, each with the instant at which it ends: what the firewall's loader makes timeouts of.

Guarantees: every value that comes to stand in a command is a set's name, an address or the mark of its own form; a key that is missing
or unknown, an instant that is none, or an element that is there twice, is a `BadFile`, and nothing is done.
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from typing import Any

from ztosc.runner.wanted import BadFile

SCHEMA = 1
SESSIONS, TIME = re.compile(r"zt_s_[0-9a-f]{12}"), re.compile(r"zt_o_[0-9a-f]{12}")
OPEN = "ipv6"
"""What stands in the set of a time that has come."""
LAST = 253_402_300_800
"""The year 10000: an instant, and not milliseconds."""


@dataclass(frozen=True, slots=True)
class Element:
    """A key of a set until an instant, in seconds since 1970."""

    set: str
    key: str
    until: int
    confirmed: int | None = None
    """When the facts behind it were last confirmed, where that is said."""

    def left(self, now: float) -> int:
        """Whole milliseconds; none or less where the instant has passed."""
        return int((self.until - now) * 1000)


def parse(content: bytes) -> tuple[Element, ...]:
    """The file. Raises `BadFile`."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadFile(f"it is no JSON: {error}") from error
    if not isinstance(found, dict) or found.keys() != {"schema_version", "elements"} or found["schema_version"] != SCHEMA:
        raise BadFile(f"elements of version {SCHEMA} are expected")
    if not isinstance(found["elements"], list):
        raise BadFile("`elements` is no list")
    elements = tuple(_element(each) for each in found["elements"])
    if len({(each.set, each.key) for each in elements}) < len(elements):
        raise BadFile("an element is there twice")
    return elements


def _element(found: Any) -> Element:
    if not isinstance(found, dict) or found.keys() - {"confirmed"} != {"set", "key", "until"}:
        raise BadFile("an element has `set`, `key` and `until`, and may have `confirmed`")
    confirmed = instant(found["confirmed"]) if "confirmed" in found else None
    return Element(*place(found["set"], found["key"]), instant(found["until"]), confirmed)


def instant(found: Any) -> int:
    """Seconds since 1970. Raises `BadFile`."""
    if not isinstance(found, int) or isinstance(found, bool) or not 0 < found < LAST:
        raise BadFile(f"{found!r} is no instant in seconds")
    return found


def place(name: Any, key: Any) -> tuple[str, str]:
    """A set and what stands in it, in canonical text. Raises `BadFile`."""
    if not isinstance(name, str) or not isinstance(key, str):
        raise BadFile("a set and a key are texts")
    if TIME.fullmatch(name) and key == OPEN:
        return name, key
    if SESSIONS.fullmatch(name):
        return name, _address(key)
    raise BadFile(f"{key!r} cannot stand in {name!r}")


def _address(text: str) -> str:
    try:
        found = ipaddress.IPv6Address(text)
    except ValueError as error:
        raise BadFile(f"{text!r} is no IPv6 address") from error
    if found.scope_id is not None or found.ipv4_mapped is not None:
        raise BadFile(f"{text!r} is no address of a session")
    return str(found)


def refused(elements: tuple[Element, ...], now: float) -> tuple[Element, ...]:
    """Those whose instant has passed."""
    return tuple(each for each in elements if each.left(now) <= 0)
