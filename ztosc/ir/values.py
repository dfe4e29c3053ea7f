"""Small values that the whole IR shares: references, ports, places on the map, attribute types, guards, time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from ztosc.ir.base import Model
from ztosc.logic import ports
from ztosc.logic.ports import Boxes

RefKind = Literal["role", "segment", "device", "service", "external", "label", "system", "segments"]


class Ref(Model):
    """A resolved name. `segments` named `*` is every segment (prelude grants only)."""

    kind: RefKind
    name: str
    via: str | None = None
    """The group through which the source named it, for findings about grants that widen."""

    def same(self, other: Ref) -> bool:
        """Whether both name one thing, however the source came to it."""
        return (self.kind, self.name) == (other.kind, other.name)


Ports = Boxes
"""Boxes of (first protocol, last protocol, first port, last port); see `ztosc.logic.ports`."""


def have_common(one: Ports, other: Ports) -> bool:
    """Whether two sets of ports share one."""
    return bool(ports.intersect(one, other))


class Jurisdiction(Model):
    """A set of countries. `text` is what the source says (`EU`), `countries` the codes it stands for, sorted."""

    text: str
    countries: tuple[str, ...]

    @classmethod
    def of(cls, places: Iterable[tuple[str, tuple[str, ...]]]) -> Jurisdiction:
        """Countries and blocs, each as written and with its codes, as one set."""
        written = list(places)
        codes = sorted({code for _, each in written for code in each})
        return cls(text=", ".join(text for text, _ in written), countries=tuple(codes))

    def holds(self, country: str | None) -> bool:
        """Whether a place in `country` lies inside; a place without a country is inside nothing."""
        return country is not None and (country in self.countries or country.split("-", 1)[0] in self.countries)


class BoolType(Model):
    """`bool`."""

    kind: Literal["bool"] = "bool"


class EnumType(Model):
    """`one of a, b`, or `ordered a < b` where order has meaning; `values` in the order of the source."""

    kind: Literal["enum"] = "enum"
    values: tuple[str, ...]
    ordered: bool


class RangeType(Model):
    """`0..100`, ends included."""

    kind: Literal["range"] = "range"
    low: int
    high: int


class CountryType(Model):
    """An ISO 3166 code."""

    kind: Literal["country"] = "country"


class InstantType(Model):
    """Seconds since 1970-01-01T00:00Z."""

    kind: Literal["instant"] = "instant"


class DurationType(Model):
    """Seconds."""

    kind: Literal["duration"] = "duration"


AttributeType = Annotated[BoolType | EnumType | RangeType | CountryType | InstantType | DurationType, Field(discriminator="kind")]

Value = bool | int | str
"""A value of an attribute: bool, enum word or country as text, range, instant and duration as integers."""

Operator = Literal["==", "!=", "<", "<=", ">", ">=", "in"]


class Constant(Model):
    """A value written in the guard; `in` has several."""

    kind: Literal["constant"] = "constant"
    values: tuple[Value, ...]


class OtherAttribute(Model):
    """The value of another attribute of the same type."""

    kind: Literal["attribute"] = "attribute"
    attribute: str


class Now(Model):
    """The instant of the flow."""

    kind: Literal["now"] = "now"


Operand = Annotated[Constant | OtherAttribute | Now, Field(discriminator="kind")]


class Compare(Model):
    """An atom: unknown where an attribute is absent."""

    kind: Literal["compare"] = "compare"
    attribute: str
    operator: Operator
    operand: Operand


class AllOf(Model):
    """Conjunction; of nothing, it is true."""

    kind: Literal["all"] = "all"
    parts: tuple[Guard, ...] = ()


class AnyOf(Model):
    """Disjunction; of nothing, it is false."""

    kind: Literal["any"] = "any"
    parts: tuple[Guard, ...] = ()


class Negation(Model):
    """Three-valued negation: of unknown, unknown."""

    kind: Literal["not"] = "not"
    part: Guard


Guard = Annotated[Compare | AllOf | AnyOf | Negation, Field(discriminator="kind")]

TRUE = AllOf()


def all_of(*guards: Guard) -> Guard:
    """The conjunction, flat and without repetition."""
    asking = [guard for guard in guards if not (isinstance(guard, AllOf) and not guard.parts)]
    if not asking:
        return TRUE
    if len(asking) == 1 and not isinstance(asking[0], AllOf):
        return asking[0]
    parts: list[Guard] = []
    for guard in asking:
        for part in guard.parts if isinstance(guard, AllOf) else (guard,):
            if part not in parts:
                parts.append(part)
    return parts[0] if len(parts) == 1 else AllOf(parts=tuple(parts))


class Window(Model):
    """`between START and END on DAYS`: half-open, in wall-clock time of `zone`. Past midnight it belongs to the day it began."""

    start: int
    """Seconds from midnight."""
    end: int
    """Seconds from midnight, excluded; at most `start` where the window passes midnight."""
    days: tuple[int, ...]
    """Days on which it begins, Monday 0."""
    zone: str
    """IANA name."""


class Validity(Model):
    """When a rule is in force: `not_before` <= t < `not_after` (seconds since 1970, UTC) and, if any window is given, inside one."""

    not_before: int | None = None
    not_after: int | None = None
    windows: tuple[Window, ...] = ()


AllOf.model_rebuild()
AnyOf.model_rebuild()
Negation.model_rebuild()
