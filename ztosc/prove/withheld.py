"""A node's files together with the file of the network that withholds addresses: what passes where both are loaded.

Guarantees: what is withheld is read back from the bundle; where that file is missing or cannot be read, everything is, as on the node.
"""

from __future__ import annotations

from collections.abc import Iterable

from ztosc.backends.base import Bundle, Enforcement, Placement, ReadFault, Withholds
from ztosc.logic import addresses, intervals, regions
from ztosc.logic.intervals import Intervals


def withheld(placements: Iterable[Placement], bundle: Bundle) -> Intervals:
    """Addresses that no grant of any node leads to or comes from."""
    found = [_read(each.target, bundle, each.place) for each in placements if isinstance(each.target, Withholds)]
    return intervals.union(*found) if found else (addresses.EVERY,)


def _read(target: Withholds, bundle: Bundle, place: str) -> Intervals:
    try:
        return target.withheld(target.read(bundle.at(place)))  # type: ignore[attr-defined]
    except ReadFault:
        return (addresses.EVERY,)  # told where the file is read


def without(found: Enforcement, gone: Intervals) -> Enforcement:
    """What is left of files that heed what is withheld; of others, all that they say."""
    if not found.heeds:
        return found
    return Enforcement(
        segments={key: left for key, boxes in found.segments.items() if (left := _left(boxes, 1, gone))},
        outside={key: left for key, boxes in found.outside.items() if (left := _left(boxes, 2, gone))},
        inbound=_left(found.inbound, 2, gone),
        management=found.management,
        observed=found.observed,
        hosts=found.hosts,
        leaving=found.leaving,
        times=found.times,
        sessions=found.sessions,
        heeds=True,
    )


def _left(boxes: regions.Boxes, ends: int, gone: Intervals) -> regions.Boxes:
    """Boxes without those addresses in their first dimensions, which are the ends of a flow."""
    for dimension in range(ends):
        boxes = tuple(
            (*box[:dimension], part, *box[dimension + 1 :]) for box in boxes for part in intervals.subtract((box[dimension],), gone)
        )
    return regions.normalize(boxes)
