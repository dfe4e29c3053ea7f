"""The ground of every IR type: frozen, strict, nothing unknown; one canonical JSON and its digest.

Guarantees: two models that mean the same have the same canonical bytes. Origins (file and line) are left out of them, so that a
comment or a moved line changes no digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict

PROVENANCE = frozenset({"origin", "origins"})


class Model(BaseModel):
    """A value of the IR."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Writer:
    """Writes canonical JSON without origins, and what many models share as one object once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, str]] = {}  # with the model, so that its id stays its own

    def fields(self, kind: Any, values: Mapping[str, Any]) -> str:
        """What a model of a class with these values for all its fields is written as."""
        said = []
        for field, name in _fields(kind):
            value = values[field]
            plain = _PLAIN.get(type(value))
            said.append(name + (plain(value) if plain else self.value(value)))
        return f"{{{','.join(said)}}}"

    def value(self, value: Any) -> str:
        """A model, or a value that a field of one may have. Raises `TypeError` for any other."""
        known = self._known.get(id(value))
        if known is not None:
            return known[1]
        kind = type(value)
        if kind in _PLAIN:
            return _PLAIN[kind](value)
        if kind is tuple:
            return f"[{','.join([self.value(each) for each in value])}]"
        if issubclass(kind, Model):
            said = self.fields(kind, value.__dict__)
        elif is_dataclass(kind):  # made in such numbers that a model was too dear
            said = self.fields(kind, {each.name: getattr(value, each.name) for each in fields(kind)})
        else:
            raise TypeError(f"{kind.__name__} has no canonical JSON")
        self._known[id(value)] = value, said
        return said


_quoted: Callable[[str], str] = json.encoder.encode_basestring
_PLAIN: dict[type, Callable[[Any], str]] = {
    str: _quoted,
    int: int.__repr__,
    bool: lambda value: "true" if value else "false",
    type(None): lambda value: "null",
}


@cache
def _fields(kind: Any) -> tuple[tuple[str, str], ...]:
    """The fields that say what a model means, sorted, and how each begins."""
    return tuple((name, f"{_quoted(name)}:") for name in sorted(_names(kind) - PROVENANCE))


def _names(kind: Any) -> set[str]:
    return set(kind.model_fields) if issubclass(kind, Model) else {each.name for each in fields(kind)}


def canonical(model: Model, *, provenance: bool = False) -> bytes:
    """Canonical JSON: UTF-8, sorted keys, no spaces; without origins unless `provenance`."""
    if provenance:
        return json.dumps(model.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return Writer().value(model).encode()


def digest(model: Model) -> str:
    """`sha256:` and the hex digest of the canonical JSON."""
    return "sha256:" + hashlib.sha256(canonical(model)).hexdigest()
