"""JSON files of which one model has one text: read back, and refused where they are anything else.

Guarantees: ASCII alone; a file that is not byte for byte what its model is written as is a `ReadFault` with a line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import zip_longest
from typing import TypeVar

from pydantic import ValidationError

from ztosc.backends.base import ReadFault
from ztosc.ir.base import Model

Kind = TypeVar("Kind", bound=Model)
SCHEMA = 1


def read(path: str, content: bytes, kind: type[Kind], written: Callable[[Kind], bytes], wrong: Callable[[Kind], Iterable[str]]) -> Kind:
    """The model that a file means; `wrong` says what no model may mean. Raises `ReadFault`."""
    try:
        found = json.loads(content.decode("ascii"))
        if not isinstance(found, dict) or found.pop("schema_version", None) != SCHEMA:
            raise ReadFault(path, 1, f"version {SCHEMA} is expected")
        model = kind.model_validate_json(json.dumps(found))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ReadFault(path, 1, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except (RecursionError, ValueError) as error:
        raise ReadFault(path, 1, f"this cannot be read: {error}") from error
    for reason in wrong(model):
        raise ReadFault(path, 1, reason)
    lines = enumerate(zip_longest(written(model).split(b"\n"), content.split(b"\n")), start=1)
    for line in (number for number, (left, right) in lines if left != right):
        raise ReadFault(path, line, "this is not the canonical text of what it says")
    return model
