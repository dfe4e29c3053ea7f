"""LDIF (RFC 2849): content records, written and read without a library, each the other's judge in the tests with ldap3 and slapd.

Guarantees: what is not printable ASCII, or would be misread at either end, is base64; lines are folded at 76 columns; the reader takes
nothing from anywhere else (`:<` is refused), no change records, and no bytes that it would write differently. There is no `version:`
line: slapadd takes it for an attribute.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from ztosc.backends.base import ReadFault
from ztosc.backends.ldap.model import Attributes, Entries

WIDTH = 76
SAFE = re.compile(r"(?![ :<])[\x20-\x7e]*(?<! )")
LINE = re.compile(r"(?P<type>[A-Za-z][A-Za-z0-9-]*)(?P<mark>::?<?) ?(?P<value>.*)")


def text(entries: Entries) -> bytes:
    """The file of some entries, in their order."""
    return "\n".join(_record(name, attributes) for name, attributes in entries.items()).encode()


def _record(name: str, attributes: Attributes) -> str:
    lines = [_line("dn", name)]
    lines.extend(_line(attribute, value) for attribute, values in attributes.items() for value in values)
    return "".join(lines)


def _line(attribute: str, value: str) -> str:
    line = f"{attribute}: {value}" if SAFE.fullmatch(value) else f"{attribute}:: {base64.b64encode(value.encode()).decode()}"
    return f"{line}\n" if len(line) <= WIDTH else _folded(line)


def _folded(line: str) -> str:
    parts = [line[:WIDTH], *(line[at : at + WIDTH - 1] for at in range(WIDTH, len(line), WIDTH - 1))]
    return "\n ".join(parts) + "\n"


def read(path: str, content: bytes) -> tuple[Entries, dict[str, int]]:
    """Entries by name, and the line where each begins. Raises `ReadFault`."""
    try:
        lines = content.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise ReadFault(path, 1 + content[: error.start].count(b"\n"), "LDIF is ASCII") from error
    if lines.pop():
        raise ReadFault(path, len(lines) + 1, "the last line does not end")
    entries: Entries = {}
    places: dict[str, int] = {}
    for start, record in _records(path, lines):
        name, attributes = _entry(path, record)
        if name in entries:
            raise ReadFault(path, start, f"`{name}` stands there twice")
        entries[name], places[name] = attributes, start
    return entries, places


Logical = tuple[int, str]
"""Line number and unfolded text."""


def _records(path: str, lines: list[str]) -> Iterator[tuple[int, list[Logical]]]:
    record: list[Logical] = []
    for number, line in enumerate([*lines, ""], start=1):
        if line.startswith(" ") and record:
            record[-1] = (record[-1][0], record[-1][1] + line[1:])
        elif line:
            record.append((number, line))
        elif record:
            yield record[0][0], record
            record = []
        else:
            raise ReadFault(path, number, "an entry is expected")


def _entry(path: str, record: list[Logical]) -> tuple[str, Attributes]:
    pairs = [(number, *_pair(path, number, line)) for number, line in record]
    (first, kind, name), *rest = pairs
    if kind != "dn":
        raise ReadFault(path, first, "an entry begins with its name")
    found: dict[str, list[str]] = {}
    for number, attribute, value in rest:
        if attribute in ("dn", "changetype", "control", "version"):
            raise ReadFault(path, number, f"`{attribute}` is no attribute")
        values = found.setdefault(attribute, [])
        if value in values or next(reversed(found)) != attribute:
            raise ReadFault(path, number, f"`{attribute}` is given twice, or apart")
        values.append(value)
    return name, {attribute: tuple(values) for attribute, values in found.items()}


def _pair(path: str, number: int, line: str) -> tuple[str, str]:
    match = LINE.fullmatch(line)
    if match is None or match["mark"] not in (":", "::"):
        raise ReadFault(path, number, "attribute and value are expected, in this file itself")
    value = match["value"]
    if match["mark"] == "::":
        try:
            value = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ReadFault(path, number, "the value is not base64 of UTF-8") from error
    if f"{_line(match['type'], value)}".replace("\n ", "") != f"{line}\n":
        raise ReadFault(path, number, "the value could be written in another way, and only one is taken")
    return match["type"], value
