"""Certificates: one verdict with what is needed to check it again, beside the network it is about.

Guarantees: a certificate names its network by digest and clock and repeats its claim in full; its evidence is one of the kinds below, each
of which can be checked without knowing how it was found (docs/decisions/0024).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ztosc.ir.assertions import Assertion
from ztosc.ir.base import Model
from ztosc.ir.flow import Flow, Place
from ztosc.ir.values import Ref


class Arrival(Model):
    """A segment or external that is reached, and the first instant at which it may be (seconds since 1970)."""

    place: Place
    arrival: int


class SliceText(Model):
    """The question whether one kind of initiator may get from a place to an end while these rules are in force, as SMT-LIB.

    `who` is `host`, `person`, `person as ROLE`, `device NAME` or `service NAME`; `allows` and `denies` are ids of rules, sorted. The
    text is to be unsatisfiable.
    """

    source: Place
    who: str
    destination: Place
    allows: tuple[str, ...]
    denies: tuple[str, ...]
    outside: tuple[str, ...] = ()
    """Subjects of whom the initiator must be none, in the order of the claim."""
    free: bool = False
    """Whether the initiator may without any rule: both ends are replicas of one service, on what it listens on."""
    smt2: str


class Slices(Model):
    """Nobody may: of each pair of ends there is either no grant at all, or a text that no principal satisfies."""

    kind: Literal["slices"] = "slices"
    slices: tuple[SliceText, ...]


class Closed(Model):
    """A set of places with their arrivals that holds where the claim begins, and that no hop leaves."""

    kind: Literal["closed"] = "closed"
    places: tuple[Arrival, ...]


class Flows(Model):
    """What refutes: flows, each of which is allowed, in order of time."""

    kind: Literal["flows"] = "flows"
    flows: tuple[Flow, ...]


class Shut(Model):
    """What refutes `reaches`: at an instant nobody of the subject gets from the start (absent: it comes from nowhere) to the target."""

    kind: Literal["shut"] = "shut"
    subject: Ref
    start: Place | None
    target: Ref
    instant: int


class Cut(Model):
    """What refutes `reaches … despite`: links and nodes (`link` or `node`, name) after whose failure nothing answers one of the start."""

    kind: Literal["cut"] = "cut"
    subject: Ref
    start: Place
    target: Ref
    instant: int
    node: str
    failed: tuple[tuple[str, str], ...]


class NodePaths(Model):
    """From one node of a start, paths (names of nodes, this one first) to instances of a target that no single failure breaks two of."""

    node: str
    paths: tuple[tuple[str, ...], ...]


class Way(Model):
    """How one start reaches one target: flows of which one is allowed whatever rules are in force, and the paths below them."""

    subject: Ref
    start: Place
    target: Ref
    flows: tuple[Flow, ...]
    nodes: tuple[NodePaths, ...]


class Paths(Model):
    """Every start reaches every target."""

    kind: Literal["paths"] = "paths"
    ways: tuple[Way, ...]


class Nothing(Model):
    """There is no evidence that a checker could use, and why."""

    kind: Literal["none"] = "none"
    reason: str


Evidence = Annotated[Slices | Closed | Flows | Shut | Cut | Paths | Nothing, Field(discriminator="kind")]


class Certificate(Model):
    """One verdict with its evidence."""

    certificate: Literal[1] = 1
    ztosc: str
    network: str
    """The digest of the network."""
    at: int
    """The clock from which on the claim is about every instant."""
    claim: Assertion
    outcome: Literal["proved", "refuted", "unknown", "unsupported"]
    evidence: Evidence
