"""`Program`: the sources with every name bound and every expression typed; sugar still in it.

Guarantees: what is here was checked against the tables in `clauses`; what was wrong is not here, but its name is still known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ztosc.ir.acceptance import Topic
from ztosc.ir.compliance import Compliance, Profile
from ztosc.ir.intent import Governance
from ztosc.ir.inventory import Inventory
from ztosc.ir.secrets import PublicKey
from ztosc.ir.values import Guard, Ports, Value
from ztosc.semantics.literals import Moment
from ztosc.source import Source, Span

NOTHING_ASKED = Governance()
NOBODY = Inventory()


@dataclass(frozen=True, slots=True)
class Symbol:
    """A declared name: what it is and where."""

    name: str
    kind: str
    module: str
    span: Span


@dataclass(frozen=True, slots=True)
class Reference:
    """A use of a name. `via` is the group that stood for it."""

    symbol: Symbol
    span: Span
    via: str | None = None

    @property
    def name(self) -> str:
        return self.symbol.name

    @property
    def kind(self) -> str:
        return self.symbol.kind


@dataclass(frozen=True, slots=True)
class Bound:
    """A checked declaration: its clauses as typed values by key, and where each stands."""

    kind: str
    name: str
    span: Span
    doc: str
    fields: dict[str, Any]
    spans: dict[str, Span]
    children: tuple[Bound, ...] = ()
    governance: Governance = NOTHING_ASKED


@dataclass(frozen=True, slots=True)
class BoundRule:
    """A checked rule."""

    effect: str
    subjects: tuple[Reference, ...]
    targets: tuple[Reference, ...]
    ports: Ports | None
    guard: Guard
    windows: tuple[tuple[int, int], ...]
    days: tuple[int, ...]
    starts: Moment | None
    ends: Moment | None
    fields: dict[str, Any]
    doc: str
    span: Span
    spans: dict[str, Span]


@dataclass(frozen=True, slots=True)
class BoundAssertion:
    """A checked assertion."""

    claim: str
    subjects: tuple[Reference, ...]
    targets: tuple[Reference, ...]
    through: tuple[Reference, ...]
    countries: tuple[tuple[str, tuple[str, ...]], ...]
    failures: int
    failing: str
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class BoundExpect:
    """A checked `expect` line."""

    effect: str
    target: Reference | None
    """Nothing where a group is named that has no members, or a name that is not there, which is an error already."""
    ports: Ports | None
    span: Span


@dataclass(frozen=True, slots=True)
class BoundTest:
    """A checked test."""

    name: str
    subjects: tuple[Reference, ...]
    source: Reference | None
    attributes: tuple[tuple[str, Value], ...]
    instant: Moment | None
    expects: tuple[BoundExpect, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class BoundAcceptance:
    """A checked `accept widening`: of access, said as a rule says it, or of the topics that it names."""

    access: BoundRule | None
    topics: tuple[Topic, ...]
    because: str
    approved_by: tuple[str, ...]
    doc: str
    span: Span


@dataclass(slots=True)
class Program:
    """Everything the sources say, bound."""

    sources: dict[str, Source] = field(default_factory=dict)
    symbols: dict[str, Symbol] = field(default_factory=dict)
    declarations: list[Bound] = field(default_factory=list)
    separations: list[tuple[tuple[Reference, ...], Span]] = field(default_factory=list)
    rules: list[BoundRule] = field(default_factory=list)
    assertions: list[BoundAssertion] = field(default_factory=list)
    tests: list[BoundTest] = field(default_factory=list)
    quarantines: list[Bound] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    compliance: list[Compliance] = field(default_factory=list)
    waivers: list[Bound] = field(default_factory=list)
    acceptances: list[BoundAcceptance] = field(default_factory=list)
    inventory: Inventory = NOBODY
    public_keys: tuple[PublicKey, ...] = ()

    def of(self, kind: str) -> list[Bound]:
        """The declarations of a kind, by name; nodes of all sites among them."""
        found = [each for each in self.declarations if each.kind == kind]
        found.extend(child for each in self.declarations for child in each.children if child.kind == kind)
        return sorted(found, key=lambda each: (each.name, each.span))
