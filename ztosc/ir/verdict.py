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


class Verdict(Model):
    """The outcome of one claim."""

    kind: Literal["assert", "control", "proof"]
    property: str
    statement: str
    origin: Span | None
    verdict: Outcome
    reason: str = ""
    witness: Witness = Witness()
