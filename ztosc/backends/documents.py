"""JSON documents as artifacts: one canonical text for a model, and back.

Guarantees: a document that was changed, cut short or extended is refused with its line; the same model gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from ztosc.backends.base import Artifact, ReadFault
from ztosc.backends.manifest import Manifest

Document = TypeVar("Document", bound=BaseModel)


def write(manifest: Manifest, model: BaseModel) -> tuple[Artifact, ...]:
    """The one file that a manifest declares, with a model as its content."""
    (kind,) = manifest.artifacts
    text = json.dumps(model.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=True)
    return (Artifact(kind.path, f"{text}\n".encode(), kind.mode, kind.owner),)


def read(manifest: Manifest, model: type[Document], artifacts: Iterable[Artifact]) -> Document:
    """The model in that file. Raises `ReadFault`."""
    (kind,) = manifest.artifacts
    found = {artifact.path: artifact.content for artifact in artifacts}
    if set(found) != {kind.path}:
        raise ReadFault(kind.path, 1, f"exactly `{kind.path}` is expected")
    try:
        return model.model_validate_json(found[kind.path])
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReadFault(kind.path, _line(found[kind.path], where), f"{where or 'the document'}: {first['msg']}") from None


def _line(content: bytes, where: str) -> int:
    """The line of the last name of a path, where it can be told."""
    name = where.rsplit(".", 1)[-1]
    lines = content.decode(errors="replace").splitlines()
    return next((number for number, line in enumerate(lines, start=1) if name and f'"{name}"' in line), 1)
