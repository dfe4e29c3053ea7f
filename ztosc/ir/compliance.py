"""Regimes as data: profiles, their controls as formulas over the model, what is complied with and what is waived.

Guarantees: every path in a condition is typed against `VIEWS`, so whoever judges a control never meets an unknown property; a waiver
always has an end and a reason.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ztosc.ir.base import Model
from ztosc.ir.values import Guard, Jurisdiction, Operator, Ref, Value
from ztosc.source import Span

Severity = Literal["error", "warning", "info"]


class Path(Model):
    """A quantified variable and the properties that lead on from it."""

    variable: str
    steps: tuple[str, ...] = ()


class IsKind(Model):
    """`f.subject is role`."""

    kind: Literal["is"] = "is"
    path: Path
    what: str


class HasClause(Model):
    """`f.rule has review`: the source says such a clause there."""

    kind: Literal["has"] = "has"
    path: Path
    clause: str


class Carries(Model):
    """`f.target carries phi`."""

    kind: Literal["carries"] = "carries"
    path: Path
    label: str


class MayCarry(Model):
    """`l may carry phi`: some set of failures sends the label's data there."""

    kind: Literal["may-carry"] = "may-carry"
    path: Path
    label: str


class LiesWithin(Model):
    """`n within EU`."""

    kind: Literal["within"] = "within"
    path: Path
    jurisdiction: Jurisdiction


class IsTrue(Model):
    """A property that is true or false."""

    kind: Literal["true"] = "true"
    path: Path


class PropertyCompare(Model):
    """`l.encryption >= hop`."""

    kind: Literal["compare"] = "compare"
    path: Path
    operator: Operator
    values: tuple[Value, ...]


class Entails(Model):
    """`f.guard implies user.mfa`: whoever satisfies the guard at `path` satisfies this one."""

    kind: Literal["entails"] = "entails"
    path: Path
    guard: Guard


class Every(Model):
    """Conjunction; of nothing, it is true."""

    kind: Literal["all"] = "all"
    parts: tuple[Condition, ...] = ()


class Some(Model):
    """Disjunction; of nothing, it is false."""

    kind: Literal["any"] = "any"
    parts: tuple[Condition, ...] = ()


class Not(Model):
    """Negation; conditions over the model are two-valued."""

    kind: Literal["not"] = "not"
    part: Condition


Condition = Annotated[
    IsKind | HasClause | Carries | MayCarry | LiesWithin | IsTrue | PropertyCompare | Entails | Every | Some | Not,
    Field(discriminator="kind"),
]

Every.model_rebuild()
Some.model_rebuild()
Not.model_rebuild()


class Quantifier(Model):
    """`each KIND VARIABLE where CONDITION`."""

    over: str
    """A key of `VIEWS`."""
    variable: str
    where: Condition = Every()


class Control(Model):
    """What a regime asks; without `require` it is `manual`: somebody must show evidence."""

    name: str
    title: str
    severity: Severity
    each: tuple[Quantifier, ...] = ()
    require: Condition | None = None
    hint: str | None = None
    manual: str | None = None
    doc: str = ""
    origin: Span


class Profile(Model):
    """A compliance regime over the labels that it protects."""

    name: str
    labels: tuple[str, ...] = ()
    controls: tuple[Control, ...] = ()
    doc: str = ""
    origin: Span


class Compliance(Model):
    """`comply PROFILE`."""

    profile: str
    origin: Span


class Waiver(Model):
    """`waive PROFILE "CONTROL" for SCOPE until INSTANT because "…"`; no scope is everywhere."""

    profile: str
    control: str
    scope: tuple[Ref, ...] = ()
    until: int
    """Seconds since 1970, excluded."""
    because: str
    approved_by: tuple[str, ...] = ()
    origin: Span


ENCRYPTION = ("none", "hop", "end-to-end")
ASSURANCE = ("none", "address", "mac", "dot1x", "tunnel")
PLACES = ("segment", "service", "external", "system")
SUBJECTS = ("role", "segment", "device", "service", "external")
EFFECTS = ("allow", "deny")

VIEWS: dict[str, dict[str, str]] = {
    "flow": {
        "source": "segment",
        "subject": "subject",
        "target": "place",
        "guard": "guard",
        "encryption": "encryption",
        "assurance": "assurance",
        "rule": "rule",
    },
    "rule": {"guard": "guard", "effect": "effect"},
    "link": {"a": "node", "b": "node", "macsec": "bool", "cost": "int", "encryption": "encryption"},
    "node": {"site": "site", "region": "region", "country": "country"},
    "site": {"region": "region", "country": "country"},
    "region": {"country": "country"},
    "segment": {"encryption": "encryption", "people": "bool", "observe": "bool", "assurance": "assurance"},
    "service": {"segment": "segment", "replicas": "int"},
    "role": {"guard": "guard", "break-glass": "bool"},
    "label": {"encryption": "encryption", "rekey": "duration", "retention": "duration"},
    "device": {"recognised": "recognised"},
    "external": {},
    "partner": {},
    "person": {"country": "country"},
}
"""What controls quantify over, and the typed properties of each. A type is another view, a value type, or a union of views."""

UNIONS: dict[str, tuple[str, ...]] = {"place": PLACES, "subject": SUBJECTS}
"""Types that are one of several kinds, told apart by `is`."""

ENUMS: dict[str, tuple[str, ...]] = {
    "encryption": ENCRYPTION,
    "assurance": ASSURANCE,
    "effect": EFFECTS,
    "recognised": ("mac", "inventory", "certificate"),
}
"""Types whose values are words; but for `effect`, in their order."""
