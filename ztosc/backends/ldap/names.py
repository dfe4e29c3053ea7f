"""Distinguished names (RFC 4514), written as OpenLDAP writes them back, so that what is read again is equal to the byte.

Guarantees: `split` undoes `join`; a name of ours has one attribute an RDN, and no escape but a backslash with two hexadecimal digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

ESCAPED = re.compile(r'[,+"<>;=\\\x00]|\A[# ]| \Z')
RDN = re.compile(r'(?P<type>[A-Za-z][A-Za-z0-9-]*)=(?P<value>(?:[^,+"<>;=\\\x00]|\\[0-9A-F]{2})+)')

LONGEST = 240
"""Bytes of a component: OpenLDAP keeps it twice in one key of at most 511 bytes."""

Path = tuple[str, ...]
"""RDNs from the suffix down; the suffix itself, last component first, is the first element."""


def rdn(attribute: str, value: str) -> str:
    """One component of a name. Raises `ValueError` for a value that no name can hold."""
    component = f"{attribute}={ESCAPED.sub(_hex, value)}"
    if not value or len(component.encode()) > LONGEST:
        raise ValueError(f"{value!r} cannot name an entry: it is empty, or longer than {LONGEST} bytes")
    return component


def _hex(match: re.Match[str]) -> str:
    return f"\\{ord(match.group()):02X}"


def value_of(component: str) -> tuple[str, str]:
    """The attribute and the value of a component."""
    attribute, _, value = component.partition("=")
    return attribute, re.sub(r"\\([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), value)


def join(path: Iterable[str]) -> str:
    """The name of a path: the deepest component first."""
    return ",".join(reversed(tuple(path)))


def split(name: str) -> Path:
    """The path of a name. Raises `ValueError` for what is no name of ours."""
    parts = name.split(",")
    if not all(RDN.fullmatch(part) and len(part.encode()) <= LONGEST for part in parts):
        raise ValueError(f"{name!r} is no distinguished name")
    return tuple(reversed(parts))


def suffix(domain: str) -> Path:
    """The path of a DNS domain (RFC 2247)."""
    return tuple(rdn("dc", label) for label in reversed(domain.split(".")))
