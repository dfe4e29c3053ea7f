"""The directory as values: its schema and its entries.

Guarantees: entries stand in the order of the tree, parents first and siblings by name; values of an attribute are sorted, each once.
"""

from __future__ import annotations

from typing import Literal

from ztosc.ir.base import Model

Kind = Literal["text", "exact", "word", "octets", "integer", "boolean", "time", "dn"]
"""text: free, one value; exact: machine-made text; word: IA5; octets: free text of which several may stand side by side."""

Attributes = dict[str, tuple[str, ...]]
Entries = dict[str, Attributes]
"""By distinguished name."""


class AttributeType(Model):
    """RFC 4512 §4.1.2. `number` is below the arc of attribute types, that of `facts` below its own."""

    number: int
    name: str
    kind: Kind
    description: str
    single: bool = True
    fact: bool = False


class ObjectClass(Model):
    """RFC 4512 §4.1.1. `number` is below the arc of classes."""

    number: int
    name: str
    description: str
    kind: Literal["STRUCTURAL", "AUXILIARY"] = "STRUCTURAL"
    must: tuple[str, ...] = ("cn",)
    may: tuple[str, ...] = ()


class Schema(Model):
    """Our part of the server's schema, in the order in which it is written."""

    types: tuple[AttributeType, ...]
    classes: tuple[ObjectClass, ...]


class Directory(Model):
    """The two files."""

    schema_file: Schema
    entries: Entries
