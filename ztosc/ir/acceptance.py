"""`accept widening`: what somebody signs for when a change of the network widens it.

Guarantees: an acceptance names access as a rule does, or topics one by one; a topic equals another if and only if both are written alike.
"""

from __future__ import annotations

from collections.abc import Iterable

from ztosc.ir.base import Model
from ztosc.ir.guards import text as guard_text
from ztosc.ir.values import TRUE, Guard, Ports, Ref, Validity
from ztosc.logic import ports
from ztosc.source import Span

RELATIONS = ("carries ", "admits ", "releases ", "above ")
"""Clauses that are written behind the name, and not as `CLAUSE of NAME`."""


class Topic(Model):
    """One guarantee, membership or number: `kind` and `name` say whose, `clause` which of it."""

    kind: str
    name: str
    clause: str = ""

    def text(self) -> str:
        """The topic as `accept widening` names it."""
        match self.kind:
            case "assert" | "test" | "lock":
                return f"{self.kind} {quoted(self.name)}"
            case "comply" | "separate":
                return f"{self.kind} {self.name}"
            case "accept":
                return f"accept widening {self.name}"
            case "manage":
                return f"manage from {self.name}"
            case "waive" | "control" | "node":
                return f"{self.kind} {self.name} {self.clause}"
            case "person" | "device":
                return f"{self.kind} {quoted(self.name)} {self.clause}"
            case "rule":
                return f"{self.name} {self.clause}"
            case "link":
                return f"{self.clause} of link {self.name.replace('--', ' -- ')}"
            case _:
                kind = "device" if self.kind == "class" else self.kind
                return f"{kind} {self.name} {self.clause}" if self.clause.startswith(RELATIONS) else f"{self.clause} of {kind} {self.name}"


class AcceptedAccess(Model):
    """Access that may be gained: all of it, by these subjects, to these targets, on these ports, under this guard, in this time."""

    subjects: tuple[Ref, ...]
    targets: tuple[Ref, ...]
    ports: Ports | None = None
    """Absent: what the target service listens on."""
    guard: Guard = TRUE
    validity: Validity = Validity()


class Acceptance(Model):
    """`accept widening WHAT because "…" approved by "…"`."""

    access: AcceptedAccess | None = None
    topics: tuple[Topic, ...] = ()
    because: str
    approved_by: tuple[str, ...]
    origin: Span

    def named(self) -> str:
        """What it names, as it would be written."""
        if self.access is None:
            return "; ".join(topic.text() for topic in self.topics)
        on = f" on {ports.text(self.access.ports)}" if self.access.ports is not None else ""
        when = f" when {guard_text(self.access.guard)}" if self.access.guard != TRUE else ""
        return rule_name(self.access.subjects, self.access.targets) + on + when


def rule_name(subjects: Iterable[Ref], targets: Iterable[Ref]) -> str:
    """How a rule is named: `a, b to c`, each in alphabetical order."""
    return f"{_names(subjects)} to {_names(targets)}"


def _names(refs: Iterable[Ref]) -> str:
    return ", ".join(sorted({ref.name for ref in refs}))


def quoted(text: str) -> str:
    """A text as the language writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def waiver_clause(control: str, scope: Iterable[str]) -> str:
    """What is waived of a profile: the control, and where."""
    names = ", ".join(sorted(scope))
    return f"{quoted(control)} for {names}" if names else quoted(control)
