"""Sets of (IP protocol, port) as a normal form of boxes.

A protocol without ports fills 0-65535, as a match on "any port" would; ICMP echo is the pair (58, 128): ICMPv6's number and
its echo-request type (RFC 4443 §4.1), standing for both families. Guarantees: equal sets are equal tuples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from ztosc.logic import intervals
from ztosc.logic.intervals import Intervals

PORTS: Intervals = ((0, 65535),)
PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132, "icmp": 58}
NAMES = {number: name for name, number in PROTOCOLS.items()}
ECHO = (58, 128)
ICMPV6 = 58
WITH_PORTS = frozenset({6, 17, 33, 132, 136})
"""Protocols whose header opens with source and destination port: TCP, UDP, DCCP, SCTP, UDP-Lite."""

Box = tuple[int, int, int, int]
"""(first protocol, last protocol, first port, last port), ends included."""

Boxes = tuple[Box, ...]

CACHED = 1 << 14


def boxes(parts: Iterable[Box]) -> Boxes:
    """The normal form of a union of boxes: maximal runs of protocols with the same ports."""
    parts = list(parts)
    if len(parts) == 1 and parts[0][0] <= parts[0][1] and parts[0][2] <= parts[0][3]:
        return (parts[0],)
    edges = sorted({edge for low, high, _, _ in parts for edge in (low, high + 1)})
    rows: list[tuple[int, int, Intervals]] = []
    for start, stop in pairwise(edges):
        ports = intervals.normalize((a, b) for low, high, a, b in parts if low <= start <= high)
        if not ports:
            continue
        if rows and rows[-1][1] + 1 == start and rows[-1][2] == ports:
            rows[-1] = (rows[-1][0], stop - 1, ports)
        else:
            rows.append((start, stop - 1, ports))
    return tuple((low, high, a, b) for low, high, ports in rows for a, b in ports)


ANY: Boxes = ((0, 255, 0, 65535),)


@lru_cache(maxsize=CACHED)
def union(*sets: Boxes) -> Boxes:
    """What is in any of the sets."""
    return boxes(box for each in sets for box in each)


def _combine(left: Boxes, right: Boxes, keep: bool) -> Boxes:
    edges = sorted({0, 256} | {edge for low, high, _, _ in (*left, *right) for edge in (low, high + 1)})
    result: list[Box] = []
    for start, stop in pairwise(edges):
        a, b = _ports_at(left, start), _ports_at(right, start)
        ports = intervals.intersect(a, b) if keep else intervals.subtract(a, b)
        result.extend((start, stop - 1, low, high) for low, high in ports)
    return boxes(result)


def _meet(one: Box, other: Box) -> bool:
    return one[0] <= other[1] and other[0] <= one[1] and one[2] <= other[3] and other[2] <= one[3]


def _ports_at(parts: Boxes, protocol: int) -> Intervals:
    return intervals.normalize((a, b) for low, high, a, b in parts if low <= protocol <= high)


@lru_cache(maxsize=CACHED)  # policies name few sets of ports, and compare them for every pair
def subtract(left: Boxes, right: Boxes) -> Boxes:
    """What is in `left` and not in `right`."""
    if len(left) == 1 and not any(_meet(left[0], box) for box in right):
        return left  # most that is compared is one port beside others
    return _combine(left, right, keep=False)


@lru_cache(maxsize=CACHED)
def intersect(left: Boxes, right: Boxes) -> Boxes:
    """What is in both."""
    return _combine(left, right, keep=True)


def contains(parts: Boxes, protocol: int, port: int) -> bool:
    """Whether one protocol and port is in the set."""
    return any(low <= protocol <= high and a <= port <= b for low, high, a, b in parts)


def samples(*sets: Boxes) -> Iterator[tuple[int, int]]:
    """One (protocol, port) from each cell that the boundaries of the given sets cut the space into; exhaustive for those sets."""
    parts = [box for each in sets for box in each]
    protocols = sorted({0} | {edge for low, high, _, _ in parts for edge in (low, high + 1) if edge <= 255})
    ports = sorted({0} | {edge for _, _, low, high in parts for edge in (low, high + 1) if edge <= 65535})
    return ((protocol, port) for protocol in protocols for port in ports)


@lru_cache(maxsize=CACHED)
def text(parts: Boxes) -> str:
    """The set as the language writes it: `tcp/443, udp/5000-5100`."""
    return ", ".join(_box_text(box) for box in parts) or "nothing"


def _box_text(box: Box) -> str:
    low, high, first, last = box
    if box == ANY[0]:
        return "any"
    if (low, high, first, last) == (ECHO[0], ECHO[0], ECHO[1], ECHO[1]):
        return "icmp"
    if low == high and low in WITH_PORTS and low in NAMES:
        return f"{NAMES[low]}/{first}" if first == last else f"{NAMES[low]}/{first}-{last}"
    protocol = f"proto/{low}" if low == high else f"proto/{low}-{high}"
    return protocol if (first, last) == PORTS[0] else f"{protocol} port {first}-{last}"
