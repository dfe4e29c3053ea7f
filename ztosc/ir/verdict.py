"""Verdicts: proved, refuted with a replayed witness, unknown, unsupported. Only `proved` is success."""

from __future__ import annotations

from typing import Literal

from ztosc.ir.base import Model
from ztosc.ir.flow import Flow
from ztosc.source import Span

Outcome = Literal["proved", "refuted", "unknown", "unsupported"]


class Hop(Model):
    """One step of a witness: a flow that `decide` allows, by which rule, in words; or a step of a path over the nodes."""

    text: str
    flow: Flow | None = None
    rule: Span | None = None


class Witness(Model):
    """What refutes a claim, step by step."""

    hops: tuple[Hop, ...] = ()


class Region(Model):
    """A part of what is affected, in words: whoever is one of `who` in one of `sources` may reach each of `targets` on `ports`.

    `guard` is what they must fulfil, `time` when (both empty where nothing is asked); `rule` is the grant that opens it.
    """

    who: tuple[str, ...]
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    ports: str
    guard: str = ""
    time: str = ""
    rule: Span | None = None


class Refutation(Model):
    """Why a claim does not hold, for a reader who has to mend it.

    `region` is everything affected and not one example of it; `ways` are the hops in order, each with its rule; `nearest` is what is
    allowed close by. `test` is a block of the language to paste behind the claim: it fails now and passes once this is mended; where no
    block can say it, it is empty and `untestable` says why.
    """

    sentence: str
    region: tuple[Region, ...] = ()
    ways: tuple[Hop, ...] = ()
    nearest: str = ""
    test: str = ""
    untestable: str = ""


class Verdict(Model):
    """The outcome of one claim."""

    kind: Literal["assert", "control", "proof"]
    property: str
    statement: str
    origin: Span | None
    verdict: Outcome
    reason: str = ""
    witness: Witness = Witness()
    explanation: Refutation | None = None
    """Of a refuted claim."""
