"""Whether entries are what a server would take, and whether whatever one of them refers to is there.

Guarantees: every entry has its parent above it, every attribute and class is defined, what a class demands is there, values have the form
of their syntax, and every distinguished name leads to an entry. Entries stand in the one order in which they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ztosc.backends.ldap.model import Attributes, Entries, Kind, Schema
from ztosc.backends.ldap.names import Path, split, value_of
from ztosc.backends.ldap.schema import classes_of, types_of

FORMS: dict[Kind, re.Pattern[str]] = {
    "text": re.compile(r".+", re.S),
    "exact": re.compile(r".+", re.S),
    "word": re.compile(r"[\x20-\x7e]+"),
    "octets": re.compile(r".+", re.S),
    "integer": re.compile(r"0|-?[1-9][0-9]*"),
    "boolean": re.compile(r"TRUE|FALSE"),
    "time": re.compile(r"[0-9]{14}Z"),
    "dn": re.compile(r".+", re.S),
}


def problem(schema: Schema, entries: Entries) -> tuple[str, str] | None:
    """The first entry that is wrong, and why; `None` where all are right."""
    return next(_Check(schema, entries).problems(), None) if entries else ("", "there is no entry")


class _Check:
    """Entries against a schema."""

    def __init__(self, schema: Schema, entries: Entries) -> None:
        self.entries = entries
        self.types = types_of(schema)
        self.classes = classes_of(schema)

    def problems(self) -> Iterator[tuple[str, str]]:
        paths: list[Path] = []
        for name in self.entries:
            try:
                paths.append(split(name))
            except ValueError as error:
                yield name, str(error)
                return
        known = set(paths)
        for (name, attributes), path, before in zip(self.entries.items(), paths, ((), *paths), strict=False):
            if not before < path:
                yield name, "it does not stand in the order of the tree"
            if path != paths[0] and path[:-1] not in known:
                yield name, "there is no entry above it"
            for reason in (*self._attributes(path, attributes), *self._classes(attributes)):
                yield name, reason

    def _attributes(self, path: Path, attributes: Attributes) -> Iterator[str]:
        naming, value = value_of(path[-1])
        if value not in attributes.get(naming, ()):
            yield f"it lacks the `{naming}` by which it is named"
        for attribute, values in attributes.items():
            if attribute in self.types:
                yield from self._values(attribute, values)
            else:
                yield f"attribute `{attribute}` is not defined"

    def _values(self, attribute: str, values: tuple[str, ...]) -> Iterator[str]:
        kind, single = self.types[attribute]
        if single and len(values) > 1:
            yield f"`{attribute}` has one value"
        if tuple(sorted(values)) != values:
            yield f"values of `{attribute}` are not in order"
        for value in values:
            if not FORMS[kind].fullmatch(value):
                yield f"`{value[:80]}` is no value of `{attribute}`"
            elif kind == "dn" and value not in self.entries:
                yield f"`{attribute}` leads to `{value}`, which is not there"

    def _classes(self, attributes: Attributes) -> Iterator[str]:
        classes = attributes.get("objectClass", ())
        for name in classes:
            if name not in self.classes:
                yield f"class `{name}` is not defined"
                return
        found = [self.classes[name] for name in classes]
        if [kind for kind, _, _ in found].count("STRUCTURAL") != 1:
            yield "it has not exactly one structural class"
        for attribute in (name for _, must, _ in found for name in must):
            if attribute not in attributes:
                yield f"it lacks `{attribute}`"
        allowed = {"objectClass", *(name for _, must, may in found for name in (*must, *may))}
        for attribute in sorted(set(attributes) - allowed):
            yield f"none of its classes has `{attribute}`"
