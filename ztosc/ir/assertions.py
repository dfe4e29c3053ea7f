"""Assertions and tests: what the sources claim of the network, in resolved form. Their meaning stands in docs/language.md."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ztosc.ir.base import Model
from ztosc.ir.values import Jurisdiction, Ports, Ref, Value
from ztosc.source import Span


class Claim(Model):
    """What every assertion has: the sentence as the source writes it, and where."""

    statement: str
    origin: Span


class NeverReaches(Claim):
    """`A never reaches B`: no flow may be initiated."""

    kind: Literal["never-reaches"] = "never-reaches"
    subjects: tuple[Ref, ...]
    targets: tuple[Ref, ...]


class Isolated(Claim):
    """`A isolated from B except through S`: no chain of flows either."""

    kind: Literal["isolated"] = "isolated"
    subjects: tuple[Ref, ...]
    targets: tuple[Ref, ...]
    through: tuple[Ref, ...] = ()


class OnlyReach(Claim):
    """`only A, B reach C`: every initiator outside C is one of A, B."""

    kind: Literal["only-reach"] = "only-reach"
    subjects: tuple[Ref, ...]
    targets: tuple[Ref, ...]


class Reaches(Claim):
    """`A reaches B despite k failures`."""

    kind: Literal["reaches"] = "reaches"
    subjects: tuple[Ref, ...]
    targets: tuple[Ref, ...]
    failures: int = 0
    failing: Literal["any", "links", "nodes"] = "any"


class StaysWithin(Claim):
    """`L stays within J`: rests, travels and is answered to inside J only."""

    kind: Literal["stays-within"] = "stays-within"
    label: str
    jurisdiction: Jurisdiction


class NeverFlowsDown(Claim):
    """`L never flows down except by S`: no data of L reaches what carries only labels below it."""

    kind: Literal["never-flows-down"] = "never-flows-down"
    label: str
    through: tuple[Ref, ...] = ()


Assertion = Annotated[NeverReaches | Isolated | OnlyReach | Reaches | StaysWithin | NeverFlowsDown, Field(discriminator="kind")]


class Given(Model):
    """Who acts in a test: roles in a segment, or one segment, device class, service or external."""

    subjects: tuple[Ref, ...]
    source: Ref
    """The segment or external the flow starts in."""
    attributes: tuple[tuple[str, Value], ...] = ()
    instant: int | None = None
    """Seconds since 1970; absent: the compiler's `--at`."""


class Expectation(Model):
    """`expect allow|deny to TARGET on PORTS`: every protocol and port of `ports` must be decided so."""

    effect: Literal["allow", "deny"]
    target: Ref
    ports: Ports | None = None
    origin: Span


class Test(Model):
    """A `test` block."""

    __test__ = False  # not a pytest class, in spite of its name

    name: str
    given: Given
    expects: tuple[Expectation, ...]
    origin: Span
