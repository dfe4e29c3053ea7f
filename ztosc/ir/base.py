"""The ground of every IR type: frozen, strict, nothing unknown; one canonical JSON and its digest.

Guarantees: two models that mean the same have the same canonical bytes. Origins (file and line) are left out of them, so that a
comment or a moved line changes no digest.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel, ConfigDict

PROVENANCE = frozenset({"origin", "origins"})


class Model(BaseModel):
    """A value of the IR."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


def _meaning(table: dict[str, Any]) -> dict[str, Any]:
    for key in PROVENANCE & table.keys():
        del table[key]
    return table


def canonical(model: Model, *, provenance: bool = False) -> bytes:
    """Canonical JSON: UTF-8, sorted keys, no spaces; without origins unless `provenance`."""
    dumped = json.loads(model.model_dump_json(), object_hook=None if provenance else _meaning)
    return json.dumps(dumped, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(model: Model) -> str:
    """`sha256:` and the hex digest of the canonical JSON."""
    return "sha256:" + hashlib.sha256(canonical(model)).hexdigest()
