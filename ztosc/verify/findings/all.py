"""Every finding of a network, in the order of the sources.

Guarantees: the same network gives the same findings on every machine; what could not be decided is said, not left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ztosc.collector import uncollected
from ztosc.diagnostics import Diagnostic, Severity, sort_diagnostics
from ztosc.ir.network import Network
from ztosc.verify.findings import assurance, breadth, claims, places
from ztosc.verify.findings.needed import Needs
from ztosc.verify.moments import Timeline
from ztosc.verify.scope import Undecided
from ztosc.verify.slices import Slices

CODES = frozenset({"ZT440", "ZT441", "ZT442", "ZT443", "ZT444", "ZT445", "ZT446", "ZT447", "ZT448", "ZT449", "ZT450", "ZT451"})
"""The codes of findings, which are warnings and remarks."""


def find(network: Network, slices: Slices | None = None) -> tuple[Diagnostic, ...]:
    """The findings of a network; give its slices where they are made already."""
    with uncollected():
        return _found(network, slices or Slices(network))


def _found(network: Network, slices: Slices) -> tuple[Diagnostic, ...]:
    kinds: tuple[Callable[[], Iterator[Diagnostic]], ...] = (
        lambda: breadth.find(slices.policy, network.at),
        lambda: places.find(slices.policy),
        lambda: claims.find(slices.policy),
        lambda: assurance.find(slices),
        lambda: Needs(slices, Timeline(network)).find(),
    )
    return sort_diagnostics(each for kind in kinds for each in _bounded(kind))


def _bounded(kind: Callable[[], Iterator[Diagnostic]]) -> Iterator[Diagnostic]:
    try:
        yield from kind()
    except Undecided as limit:
        yield Diagnostic("ZT441", f"it was not decided which rules are needed: {limit}", None, severity=Severity.INFO)
