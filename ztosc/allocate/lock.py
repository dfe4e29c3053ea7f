"""`ztos.lock`: the numbers that were given, one record a line.

Guarantees: parsing back what was rendered gives the same lock; a file that was edited by hand, or of another format, is never used
(a checksum over its records tells).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ztosc.diagnostics import Report
from ztosc.ir.base import Model
from ztosc.source import Span

LOCK_FILE = "ztos.lock"
SCHEMA = 1
QUARANTINE = 3
"""Generations for which a number that was given up is kept from other names."""

RESTORE = (
    f"restore the last good `{LOCK_FILE}` from version control; only if there is none, delete it and build anew, which may move addresses"
)


class Record(Model):
    """A number and whose it is. `retired`: the generation in which its name was gone. `digest`: of what a serial counts."""

    kind: str
    name: str
    value: int | str
    retired: int | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Lock:
    """All records by kind and name, and how often they changed."""

    network: str
    generation: int = 0
    records: dict[tuple[str, str], Record] = field(default_factory=dict)


def _record_line(record: Record) -> str:
    return json.dumps(record.model_dump(exclude_none=True), sort_keys=True, ensure_ascii=False)


def _checksum(network: str, generation: int, lines: list[str]) -> str:
    body = "\n".join([str(SCHEMA), network, str(generation), *lines])
    return "sha256:" + hashlib.sha256(body.encode()).hexdigest()


def render_lock(lock: Lock) -> bytes:
    """The file's bytes."""
    lines = [_record_line(lock.records[key]) for key in sorted(lock.records)]
    head = [f'{{"schema": {SCHEMA},', f'"network": {json.dumps(lock.network)},', f'"generation": {lock.generation},']
    head.append(f'"checksum": "{_checksum(lock.network, lock.generation, lines)}",')
    return "\n".join([*head, '"records": [', ",\n".join(lines), "]}", ""]).encode()


def parse_lock(data: bytes, report: Report) -> Lock | None:
    """The lock in a file; nothing, and an error with a way out, where it cannot be used."""
    try:
        table = json.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        _edited("it is not JSON any more", line, report)
        return None
    if not isinstance(table, dict):
        _edited("it is not a lock", 1, report)
        return None
    return _checked(table, report)


def _edited(why: str, line: int, report: Report) -> None:
    report.error("ZT310", f"`{LOCK_FILE}` was edited by hand: {why}", Span(LOCK_FILE, line, 1, line, 1), help=RESTORE)


def _checked(table: dict[str, Any], report: Report) -> Lock | None:
    schema = table.get("schema")
    start = Span(LOCK_FILE, 1, 1, 1, 1)
    if isinstance(schema, int) and schema > SCHEMA:
        report.error(
            "ZT312", f"`{LOCK_FILE}` has format {schema}; this ztosc knows up to {SCHEMA}", start, help="use the newer ztosc that wrote it"
        )
        return None
    if isinstance(schema, int) and schema < SCHEMA:
        report.error(
            "ZT311", f"`{LOCK_FILE}` has the older format {schema}", start, help=f"build once with the ztosc that wrote it, then {RESTORE}"
        )
        return None
    try:
        records = TypeAdapter(tuple[Record, ...]).validate_json(json.dumps(table["records"]))
        network, generation = str(table["network"]), int(table["generation"])
    except (KeyError, TypeError, ValueError, ValidationError):
        _edited("a record is broken", 1, report)
        return None
    if table.get("checksum") != _checksum(network, generation, [_record_line(record) for record in records]):
        _edited("its records do not match its checksum", 4, report)
        return None
    return Lock(network, generation, {(record.kind, record.name): record for record in records})
