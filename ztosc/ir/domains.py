"""In which isolation domain two segments meet.

Guarantees: packets of a flow, answers included, hold the data of both ends, so they may travel in the stricter of the two domains alone;
where neither bound is inside the other there is no such domain.
"""

from __future__ import annotations

from ztosc.ir.network import IsolationDomain
from ztosc.ir.values import Jurisdiction


def meeting(one: IsolationDomain, other: IsolationDomain) -> IsolationDomain | None:
    """The domain in which both exchange packets: the one whose bound is inside the other's. Two that are alike: the first by name."""
    first, second = sorted((one, other), key=lambda domain: domain.name)
    if _inside(first.within, second.within):
        return first
    return second if _inside(second.within, first.within) else None


def _inside(bound: Jurisdiction | None, wider: Jurisdiction | None) -> bool:
    """Whether whoever keeps the one keeps the other."""
    return wider is None or (bound is not None and set(bound.countries) <= set(wider.countries))
