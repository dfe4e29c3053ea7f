"""`contract.json`: which sets of sessions there are, who may stand in them, and how old the facts behind them may be.

Guarantees: one model has one text, ASCII alone, and the reader takes no other. What `ztosc.runner.contract` holds every element to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise

from ztosc.backends.nftables import canonical
from ztosc.backends.nftables.model import Admitted, Contract
from ztosc.backends.nftables.sets import set_of
from ztosc.logic import addresses, intervals
from ztosc.nodes.spec import NodeSpec, intervals_of, ranges

PATH = "contract.json"


def contract(spec: NodeSpec) -> Contract:
    """Of every condition that asks for a session."""
    conditions = {each.id: each for each in spec.conditions}
    found = (
        Admitted(
            set=set_of(conditions[each.condition]),
            stale=each.stale,
            within=ranges(intervals.union(*(_ipv6(intervals_of(admission.addresses)) for admission in each.admissions))),
        )
        for each in spec.contract
        if each.holds == "sessions"
    )
    return Contract(sets=tuple(sorted(found, key=lambda each: each.set)))


def _ipv6(parts: intervals.Intervals) -> intervals.Intervals:
    """A set of sessions holds no others."""
    return intervals.subtract(parts, addresses.ALL4)


def written(model: Contract) -> bytes:
    """The file: a set a line, with a pair of ends for each range."""
    sets = ",".join("\n" + json.dumps(each.model_dump()) for each in model.sets)
    return f'{{"schema_version": {canonical.SCHEMA}, "sets": [{sets}\n]}}\n'.encode("ascii")


def read(content: bytes) -> Contract:
    """The model that a file means. Raises `ReadFault`."""
    return canonical.read(PATH, content, Contract, written, _wrong)


def _wrong(model: Contract) -> Iterator[str]:
    if any(left.set >= right.set for left, right in pairwise(model.sets)):
        yield "the sets are not in order, each once"
    for each in model.sets:
        try:
            same = ranges(_ipv6(intervals_of(each.within))) == each.within
        except ValueError:
            same = False
        if not same or (each.stale is not None and each.stale <= 0):
            yield f"who may stand in `{each.set}`, or for how long, is not in normal form"
