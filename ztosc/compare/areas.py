"""Areas of flows: cut where something may tell them apart, and put together again as large as they can be said.

Guarantees: cells share no port and cover every port on which a set of the two networks speaks; merging loses nothing and adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ztosc.ir.flow import Place
from ztosc.logic import ports
from ztosc.source import Span
from ztosc.verify.slices import Kind, PortClass, Slice

Lines = tuple[Span, ...]


@dataclass(frozen=True)
class Area:
    """A product of flows: each kind from each source to each end on each port, for the principals of a diagram, at each moment."""

    kinds: tuple[Kind, ...]
    """`ANYONE` alone stands for every kind that there is at the sources; people who act in separated roles are none of it."""
    who: int
    sources: int
    ends: tuple[Place, ...]
    ports: ports.Boxes
    moments: int
    """Bits of `Access.instants`."""
    old: Lines
    new: Lines
    accepted: int = -1
    """Which acceptance names it."""


Found = dict[tuple[Kind, int, Lines, Lines, int, Place], dict[ports.Boxes, dict[int, int]]]
"""By kind, principals, lines, acceptance and end; then by ports and by moments: the sources."""


def grid(sets: tuple[ports.Boxes, ...], within: ports.Boxes) -> Iterator[tuple[int, int, int]]:
    """One port for each way in which sets overlap where some boxes are, with the bits of the sets that hold it."""
    seen: set[int] = set()
    for protocol, port in ports.samples(*sets, within):
        if not ports.contains(within, protocol, port):
            continue
        mask = sum(1 << index for index, boxes in enumerate(sets) if ports.contains(boxes, protocol, port))
        if mask and mask not in seen:
            seen.add(mask)
            yield protocol, port, mask


def region(sets: Sequence[ports.Boxes], mask: int) -> ports.Boxes:
    """Every port of a cell."""
    found = ports.ANY
    for index, boxes in enumerate(sets):
        found = (ports.intersect if mask >> index & 1 else ports.subtract)(found, boxes)
    return found


def class_of(cut: Slice, cell: Sequence[ports.Boxes]) -> PortClass | None:
    """The class of one network in which a cell of both lies."""
    speaking = sum(1 << index for index, boxes in enumerate(cut.spoken) if boxes in cell)
    return next((each for each in cut.classes if each.speaking == speaking), None)


def merged(found: Found) -> Iterator[Area]:
    """Areas as large as they can be said: over sources, ports, ends and kinds, in that order."""
    ported: dict[tuple[Kind, int, Lines, Lines, int, Place, int, int], ports.Boxes] = {}
    for (kind, who, old, new, number, end), cells in found.items():
        for boxes, sources in cells.items():
            together: dict[int, int] = {}
            for bit, at in sources.items():
                together[at] = together.get(at, 0) | 1 << bit
            for at, mask in together.items():
                key = (kind, who, old, new, number, end, at, mask)
                ported[key] = ports.union(ported.get(key, ()), boxes)
    ended: dict[tuple[Kind, int, Lines, Lines, int, int, int, ports.Boxes], tuple[Place, ...]] = {}
    for (kind, who, old, new, number, end, at, mask), boxes in ported.items():
        about = (kind, who, old, new, number, at, mask, boxes)
        ended[about] = (*ended.get(about, ()), end)
    kinds: dict[tuple[int, Lines, Lines, int, int, int, ports.Boxes, tuple[Place, ...]], tuple[Kind, ...]] = {}
    for (kind, who, old, new, number, at, mask, boxes), places in ended.items():
        rest = (who, old, new, number, at, mask, boxes, places)
        kinds[rest] = (*kinds.get(rest, ()), kind)
    for (who, old, new, number, at, mask, boxes, places), several in kinds.items():
        yield Area(several, who, mask, places, boxes, at, old, new, number)
