"""`windows.json`: when the clock alone opens something, in seconds of UTC. What `ztosc.runner.windows` reads on the node.

Guarantees: one model has one text, ASCII alone, and the reader takes no other; of one key the times are sorted and apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise

from ztosc.backends.nftables import canonical
from ztosc.backends.nftables.model import Timed, Windows
from ztosc.backends.nftables.sets import set_of
from ztosc.nodes.spec import NodeSpec

PATH = "windows.json"
OPEN = "ipv6"
"""What stands in the set of a time that has come."""


def windows(spec: NodeSpec) -> Windows:
    """Of every condition that asks for the time, and of endpoints that fulfil one at some times."""
    conditions = {each.id: each for each in spec.conditions}
    found = (
        Timed(set=set_of(conditions[each.condition]), key=opening.address or OPEN, open=opening.times)
        for each in spec.contract
        for opening in each.openings
    )
    return Windows(since=spec.life[0], until=spec.life[1], windows=tuple(sorted(found, key=lambda each: (each.set, each.key))))


def written(model: Windows) -> bytes:
    """The file: a pair of instants a line."""
    head = json.dumps({"schema_version": canonical.SCHEMA, "since": model.since, "until": model.until})
    return f'{head[:-1]}, "windows": [{",".join(_record(each) for each in model.windows)}\n]}}\n'.encode("ascii")


def _record(timed: Timed) -> str:
    times = ",\n".join(json.dumps(pair) for pair in timed.open)
    return f'\n{json.dumps({"set": timed.set, "key": timed.key})[:-1]}, "open": [\n{times}]}}'


def read(content: bytes) -> Windows:
    """The model that a file means. Raises `ReadFault`."""
    return canonical.read(PATH, content, Windows, written, _wrong)


def _wrong(model: Windows) -> Iterator[str]:
    keys = [(each.set, each.key) for each in model.windows]
    if any(left >= right for left, right in pairwise(keys)):
        yield "the keys are not in order, each once"
    for each in model.windows:
        edges = [instant for pair in each.open for instant in pair]
        if any(left >= right for left, right in pairwise(edges)):
            yield f"the times of `{each.key}` in `{each.set}` are not in order, or touch"
        elif edges and not model.since <= edges[0] < edges[-1] <= model.until:
            yield f"the times of `{each.key}` in `{each.set}` are not between `since` and `until`"
