"""A packet as a hook of the kernel sees it: the dimensions of the diagrams, and what a point in them says in words.

Guarantees: every packet that can be there is a point; points that no packet can be (a slave interface without a VRF) are in no `universe`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from ztosc.logic.interval_diagrams import IntervalDiagrams
from ztosc.logic.intervals import Intervals
from ztosc.prove.firewall.program import Field, Unsupported

IIF, SDIF, OIF, CT, SADDR, DADDR, PROTO, DPORT, SPORT, TYPE, HOPLIMIT, ETHER, FRAGMENT = range(13)
HIGHEST = (0, 0, 0, 6, 2**128 - 1, 2**128 - 1, 255, 65535, 65535, 255, 255, 65535, 1)
DIMENSIONS: dict[Field, int] = {
    "iif": IIF, "sdif": SDIF, "oif": OIF, "state": CT, "direction": CT, "saddr6": SADDR, "daddr6": DADDR, "saddr4": SADDR,
    "daddr4": DADDR, "proto": PROTO, "sport": SPORT, "dport": DPORT, "icmp6": TYPE, "icmp4": TYPE, "hoplimit": HOPLIMIT,
    "ether": ETHER, "fragment": FRAGMENT,
}  # fmt: skip

NONE, ANOTHER = 0, 1
"""Interfaces by number: none at all, one that nobody names; those that are named follow."""

STATES = (
    "new", "established, from the initiator", "established, an answer", "related, from the initiator", "related, an answer",
    "untracked", "invalid",
)  # fmt: skip
NEW, ON, BACK, RELATED_ON, RELATED_BACK, UNTRACKED, INVALID = range(7)
"""What begins a flow comes first: the least packet is then one that a reader would try."""
BY_STATE = ((INVALID,), (ON, BACK), (RELATED_ON, RELATED_BACK), (NEW,), (UNTRACKED,))
"""In the order of `read.BITS`."""
ORIGINAL, REPLY = (NEW, ON, RELATED_ON), (BACK, RELATED_BACK)

ICMP6, ICMP4 = 58, 1
Hook = str
SEEN: dict[Hook, frozenset[int]] = {
    "prerouting": frozenset({IIF}),
    "input": frozenset({IIF, SDIF}),
    "forward": frozenset({IIF, SDIF, OIF}),
    "output": frozenset({OIF}),
}
"""Which interfaces a packet has at each hook."""
BRIDGED: Hook = "bridge forward"
"""Where frames pass from port to port of a bridge; they are no packets that this node routes."""
FRAMES = frozenset({IIF, OIF, ETHER, FRAGMENT})
"""What of a frame can be asked there. Connections are not tracked, and fragments are not put together."""


class Space:
    """The diagrams of one node and family, with the numbers of its interfaces and one dimension for each question to a dynamic set."""

    def __init__(self, family: int, names: Iterable[str], vrfs: Iterable[str]) -> None:
        self.family = family
        self.names = sorted(names)
        self.numbers = {name: index for index, name in enumerate(self.names, start=2)}
        last = len(self.names) + 1
        self.diagrams = IntervalDiagrams((last, last, last, *HIGHEST[3:]))
        self.vrfs = {self.numbers[name] for name in vrfs}
        self.questions: dict[tuple[str, tuple[Field, ...]], int] = {}

    def ports(self, dimension: int, names: Iterable[str]) -> int:
        """Packets whose interface is one of these."""
        return self.points(dimension, (self.numbers[name] for name in names))

    def points(self, dimension: int, values: Iterable[int]) -> int:
        """Packets with one of these values."""
        return self.diagrams.boxes((dimension,), ([(value, value)] for value in values))

    def within(self, dimension: int, parts: Intervals) -> int:
        """Packets with a value in the intervals."""
        return self.diagrams.where(dimension, parts)

    def asked(self, name: str, fields: tuple[Field, ...]) -> int:
        """Packets whose fields stand in a dynamic set, of which nothing is known."""
        key = (name, fields)
        if key not in self.questions:
            self.questions[key] = self.diagrams.dimension(1)
        return self.diagrams.where(self.questions[key], ((1, 1),))

    def universe(self, hook: Hook) -> int:
        """Every packet that a hook can see; interfaces that it has there not are free."""
        d, last = self.diagrams, len(self.names) + 1
        whole = d.all(self.within(side, ((ANOTHER, last),)) for side in (IIF, OIF) if side in _seen(hook))
        if SDIF in _seen(hook):
            whole = d.both(whole, d.either(self.points(IIF, self.vrfs), self.points(SDIF, (NONE,))))
        if self.family == 4:
            whole = d.all((whole, *(self.within(end, ((0, 2**32 - 1),)) for end in (SADDR, DADDR))))
        return whole

    def told(self, hook: Hook, point: dict[int, int]) -> str:
        """A packet in words."""
        ways = [f"{word} {self._interface(point.get(side, 0))}" for side, word in ((IIF, "in by"), (SDIF, "slave"), (OIF, "out by"))]
        kept = [way for side, way in zip((IIF, SDIF, OIF), ways, strict=True) if side in _seen(hook) and point.get(side, 0) != NONE]
        ends = f"{self._address(point.get(SADDR, 0))} -> {self._address(point.get(DADDR, 0))}"
        what = f"protocol {point.get(PROTO, 0)}, ports {point.get(SPORT, 0)} -> {point.get(DPORT, 0)}"
        if point.get(PROTO, 0) in (ICMP4, ICMP6):
            what = f"protocol {point[PROTO]}, type {point.get(TYPE, 0)}, hop limit {point.get(HOPLIMIT, 0)}"
        state = self._frame(point) if hook == BRIDGED else f"connection {STATES[point.get(CT, 0)]}"
        stands = [f"{fields[0]} in {name}" for (name, fields), dimension in self.questions.items() if point.get(dimension)]
        return ", ".join((f"{hook}: {ends}", what, *kept, state, *stands))

    def _frame(self, point: dict[int, int]) -> str:
        part = ", a fragment" if point.get(FRAGMENT) else ""
        return f"type {point.get(ETHER, 0):#06x}{part}"

    def _interface(self, number: int) -> str:
        return "an interface that is not ours" if number == ANOTHER else f"`{self.names[number - 2]}`" if number else "none"

    def _address(self, number: int) -> str:
        return str(ipaddress.IPv6Address(number) if self.family == 6 else ipaddress.IPv4Address(number))


def seen(field: Field, hook: Hook) -> None:
    """Raises `Unsupported` for an interface that a packet does not have at a hook."""
    dimension = DIMENSIONS.get(field)
    if dimension in (IIF, SDIF, OIF, ETHER, FRAGMENT) and dimension not in _seen(hook):
        raise Unsupported(f"a look at {field} in the {hook} hook")


def _seen(hook: Hook) -> frozenset[int]:
    return FRAMES if hook == BRIDGED else SEEN[hook]
