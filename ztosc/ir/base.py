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


def _meaning(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _meaning(item) for key, item in value.items() if key not in PROVENANCE}
    if isinstance(value, list):
        return [_meaning(item) for item in value]
    return value


def canonical(model: Model, *, provenance: bool = False) -> bytes:
    """Canonical JSON: UTF-8, sorted keys, no spaces; without origins unless `provenance`."""
    dumped = model.model_dump(mode="json")
    return json.dumps(dumped if provenance else _meaning(dumped), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(model: Model) -> str:
    """`sha256:` and the hex digest of the canonical JSON."""
    return "sha256:" + hashlib.sha256(canonical(model)).hexdigest()
