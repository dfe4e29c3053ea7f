"""Attribute types: from words, to words, and which values they have."""

from __future__ import annotations

from typing import cast

from ztosc.ir.values import (
    AttributeType,
    BoolType,
    CountryType,
    DurationType,
    EnumType,
    InstantType,
    Operator,
    RangeType,
    Value,
)
from ztosc.semantics import literals
from ztosc.syntax import ast

SIMPLE: dict[str, AttributeType] = {"bool": BoolType(), "country": CountryType(), "instant": InstantType(), "duration": DurationType()}


class NotAValue(ValueError):
    """A word that is no value of a type; its text says which would be."""


def attribute_type(written: ast.AttributeType) -> AttributeType:
    """The type that a declaration's words say. Raises `BadLiteral`."""
    first = written.words[0]
    if first.text in SIMPLE:
        return SIMPLE[first.text]
    if first.kind == "RANGE":
        low, high = (int(part[:12]) for part in first.text.split(".."))
        if low >= high:
            raise literals.BadLiteral("the lower end comes first")
        return RangeType(low=low, high=high)
    names = [word for word in written.words[1:] if word.kind == "NAME"]
    if len({word.text for word in names}) < len(names):
        raise literals.BadLiteral("a value stands there twice")
    if any(word.kind == "COMPARE" and word.text != "<" for word in written.words):
        raise literals.BadLiteral("an order is written with `<`, the least first")
    return EnumType(values=tuple(word.text for word in names), ordered=first.text == "ordered")


def is_ordered(kind: AttributeType) -> bool:
    """Whether `<` means something."""
    return kind.ordered if isinstance(kind, EnumType) else isinstance(kind, RangeType | InstantType | DurationType)


def is_word_of(kind: AttributeType, word: str) -> bool:
    """Whether a bare word is a value of the type."""
    return word in kind.values if isinstance(kind, EnumType) else isinstance(kind, BoolType) and word in ("true", "false")


def operator(text: str) -> Operator:
    """An operator of the grammar as one of the IR."""
    return cast(Operator, text)


def value(kind: AttributeType, word: ast.Word, zone: str) -> Value:
    """A word as a value of the type. Raises `NotAValue` or `BadLiteral`."""
    match kind:
        case BoolType() if word.text in ("true", "false"):
            return word.text == "true"
        case EnumType(values=values) if word.text in values:
            return word.text
        case RangeType(low=low, high=high) if word.kind == "INT":
            return literals.integer(word, low, high)
        case DurationType() if word.kind == "DURATION":
            return literals.duration(word)
        case InstantType() if word.kind == "INSTANT":
            return literals.moment(word).start(zone)
        case _:
            raise NotAValue(f"it is {text(kind)}")


def text(kind: AttributeType) -> str:
    """A type in the reader's words."""
    match kind:
        case EnumType(values=values, ordered=ordered):
            return ("ordered " if ordered else "one of ") + (" < " if ordered else ", ").join(values)
        case RangeType(low=low, high=high):
            return f"a number {low}..{high}"
        case _:
            return {"bool": "true or false", "country": "a country", "instant": "an instant", "duration": "a duration"}[kind.kind]
