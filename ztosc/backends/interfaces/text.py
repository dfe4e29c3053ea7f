"""`interfaces.json`, written and read: canonical JSON, one record a line, sorted keys, ASCII alone.

Guarantees: one model has one text, and the reader takes no other; whatever it does not know is a `ReadFault` with its line.
"""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import Any

from pydantic import ValidationError

from ztosc.backends.base import ReadFault
from ztosc.backends.interfaces.model import Interfaces
from ztosc.ir.base import Model

LISTS = ("ports", "interfaces", "routes", "rules")


def written(model: Interfaces) -> bytes:
    """The file's bytes."""
    head = model.model_dump(exclude=set(LISTS))
    parts = [f'"{name}": {json.dumps(value, sort_keys=True)}' for name, value in head.items()]
    parts += [_records(name, getattr(model, name)) for name in LISTS]
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode("ascii")


def _records(name: str, records: tuple[Model, ...]) -> str:
    lines = ",\n".join(json.dumps(record.model_dump(exclude_none=True), sort_keys=True) for record in records)
    return f'"{name}": [\n{lines}\n]' if lines else f'"{name}": []'


def read(path: str, content: bytes) -> Interfaces:
    """The model that a file means. Raises `ReadFault`."""
    try:
        table = json.loads(content.decode("ascii"), object_pairs_hook=_once)
        model = Interfaces.model_validate_json(json.dumps(table))
    except UnicodeDecodeError as error:
        raise ReadFault(path, content[: error.start].count(b"\n") + 1, "this is not ASCII") from error
    except json.JSONDecodeError as error:
        raise ReadFault(path, error.lineno, f"this is no JSON: {error.msg}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReadFault(path, _line(content, first["loc"]), f"{where or 'the file'}: {first['msg']}") from error
    except (RecursionError, ValueError) as error:
        raise ReadFault(path, 1, f"this cannot be read: {error}") from error
    line = _first_difference(written(model), content)
    if line:
        raise ReadFault(path, line, "this is not the canonical text of what it says")
    return model


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key is given twice")
    return table


def _line(content: bytes, place: tuple[int | str, ...]) -> int:
    """The line of a record, for it stands alone on its line."""
    lines = content.splitlines()
    if len(place) < 2 or not isinstance(place[1], int):
        return 1
    start = next((number for number, line in enumerate(lines, start=1) if line.startswith(f'"{place[0]}": ['.encode())), 0)
    return start + 1 + place[1]


def _first_difference(wanted: bytes, found: bytes) -> int:
    pairs = zip_longest(wanted.split(b"\n"), found.split(b"\n"))
    return next((number for number, (left, right) in enumerate(pairs, start=1) if left != right), 0)
