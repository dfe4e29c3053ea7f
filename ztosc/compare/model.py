"""What two revisions of a network differ in: access, guarantees, memberships, numbers; and what of it somebody signed for."""

from __future__ import annotations

from typing import Literal

from ztosc.ir.acceptance import Topic
from ztosc.ir.base import Model
from ztosc.ir.flow import Place
from ztosc.ir.values import Ports
from ztosc.ir.verdict import Verdict
from ztosc.source import Span

Loss = Literal["removed", "weakened", "added", "changed"]


class Condition(Model):
    """One way to be somebody whom a region is about: roles that are held and not held, and what is said of attributes, in words."""

    holding: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()


class Region(Model):
    """Flows that one revision allows and the other does not: every source with every target, on every port, for whoever meets a condition.

    No two regions of one side share a flow.
    """

    sources: tuple[Place, ...]
    who: tuple[str, ...]
    """Kinds of initiator: `anyone`, `a person`, `device CLASS`, `service NAME`, `a host`."""
    targets: tuple[Place, ...]
    ports: Ports
    on: str
    """The ports in words."""
    conditions: tuple[Condition, ...]
    """Alternatives; one without anything in it is no condition."""
    more: int = 0
    """How many further alternatives are left out."""
    time: str = ""
    """In words; empty where it is always."""
    since: int
    """The first instant at which it is so, seconds since 1970."""
    text: str
    old: tuple[Span, ...] = ()
    """The lines of the old revision that did it: those that gave it, or kept it away."""
    new: tuple[Span, ...] = ()
    accepted: Span | None = None
    accept: str = ""
    """The acceptance that would name it, but for its reason and who approves."""
    inherent: bool = False
    """What the nodes offer to every segment, and a new segment therefore has."""


class Guarantee(Model):
    """Something that the old revision promised and the new one does not, or a new exception from what is promised."""

    topic: Topic
    loss: Loss
    text: str
    before: str = ""
    after: str = ""
    old: Span | None = None
    new: Span | None = None
    accepted: Span | None = None
    accept: str = ""


class Membership(Model):
    """What a person or device has become or ceased to be. `widens`: more access may follow."""

    topic: Topic
    change: Literal["gained", "lost", "changed"]
    text: str
    before: str = ""
    after: str = ""
    widens: bool
    old: Span | None = None
    new: Span | None = None
    accepted: Span | None = None
    accept: str = ""


class Number(Model):
    """A number of the lock that a name had and has no more."""

    topic: Topic
    text: str
    before: str
    after: str
    accepted: Span | None = None
    accept: str = ""


class Idle(Model):
    """An acceptance that accepts nothing. `spent`: the old revision has it too; `unknown`: what it names is in neither."""

    topic: str
    why: Literal["spent", "unused", "unknown"]
    near: str = ""
    origin: Span


class Comparison(Model):
    """Everything that a review of a change has to know."""

    gained: tuple[Region, ...] = ()
    lost: tuple[Region, ...] = ()
    undecided: tuple[str, ...] = ()
    """Ends of flows whose access could not be compared, and why."""
    guarantees: tuple[Guarantee, ...] = ()
    memberships: tuple[Membership, ...] = ()
    numbers: tuple[Number, ...] = ()
    idle: tuple[Idle, ...] = ()
    base: tuple[Verdict, ...] = ()
    """The verdicts on assertions that only the old revision has, in the new network."""

    @property
    def changed(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.gained or self.lost or self.undecided or self.guarantees or self.memberships or self.numbers)
