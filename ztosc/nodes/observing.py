"""Segments that only observe: what would be denied on its way there is let through and logged.

Guarantees: it is the destination that counts, so a segment that enforces is never reached because another observes; nothing from
outside and nothing to a node itself is let through that no rule allows.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.logic import intervals
from ztosc.nodes.reach import of_prefixes
from ztosc.nodes.spec import Observed, ranges
from ztosc.nodes.view import Local


def observed(local: Local) -> tuple[Observed, ...]:
    """What a node must know of them; nothing where no segment lives."""
    return tuple(_observed(local)) if local.places else ()


def _observed(local: Local) -> Iterator[Observed]:
    for name in sorted(name for name, segment in local.whole.segments.items() if segment.observe):
        plan = local.whole.plans[name]
        gateways = of_prefixes(place.gateway for place in plan.places)
        yield Observed(
            segment=name,
            vni=plan.vni,
            destinations=ranges(intervals.subtract(of_prefixes(place.prefix for place in plan.places), gateways)),
            here=ranges(local.behind_ports(name)) if name in local.places else (),
            origin=local.whole.segments[name].origin,
        )
