"""The public keys of nodes, from `keys/wireguard/<node>/<epoch>.pub`.

Guarantees: a key is 32 bytes in base64 and belongs to one node alone; a file that is none, or of a node that there is not, is an error
at its place. Private keys have no place in a project, and a file that looks like one is an error too.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable

from ztosc.diagnostics import Label, Report, suggestion
from ztosc.ir.secrets import PublicKey
from ztosc.source import Loader, SourceMissing, SourceRefused, Span

FOLDER = "keys/wireguard/"
FILE = re.compile(r"(?P<epoch>[1-9][0-9]{0,5})\.pub")
LENGTH = 32


def key_file(node: str, epoch: int) -> str:
    """Where the public key of a node's epoch stands in a project."""
    return f"{FOLDER}{node}/{epoch}.pub"


def read_public_keys(loader: Loader, nodes: Iterable[str], report: Report) -> tuple[PublicKey, ...]:
    """Every usable public key, by holder and epoch."""
    known = set(nodes)
    found: list[PublicKey] = []
    first: dict[str, str] = {}
    for name in loader.names():
        if name.startswith(FOLDER):
            key = _read(loader, name, known, report)
            if key is not None and _is_own(name, key, first, report):
                found.append(key)
    return tuple(sorted(found, key=lambda key: (key.holder, key.epoch)))


def _wrong(name: str, why: str, help_: str, report: Report) -> None:
    report.error("ZT224", f"`{name}` {why}", Span(name, 1, 1, 1, 1), help=help_)


def _read(loader: Loader, name: str, nodes: set[str], report: Report) -> PublicKey | None:
    node, _, file = name.removeprefix(FOLDER).partition("/")
    epoch = FILE.fullmatch(file)
    if epoch is None:
        _wrong(
            name,
            "is no public key of an epoch",
            "the folder of a node holds `1.pub`, `2.pub` …; private keys never enter a project",
            report,
        )
        return None
    if node not in nodes:
        _wrong(name, f"belongs to no node: there is no `{node}`", suggestion(node, nodes, "delete the key of a node that is gone"), report)
        return None
    value = _value(loader, name)
    if value is None:
        _wrong(name, "is not 32 bytes in base64", "write the output of `wg pubkey` into it, nothing else", report)
        return None
    return PublicKey(purpose="wireguard", holder=node, epoch=int(epoch["epoch"]), value=value)


def _value(loader: Loader, name: str) -> str | None:
    try:
        text = loader.read(name).decode("ascii").strip()
        raw = base64.b64decode(text, validate=True)
    except (SourceMissing, SourceRefused, UnicodeDecodeError, binascii.Error):
        return None
    return text if len(raw) == LENGTH and any(raw) and base64.b64encode(raw).decode() == text else None


def _is_own(name: str, key: PublicKey, first: dict[str, str], report: Report) -> bool:
    if key.value not in first:
        first[key.value] = name
        return True
    other = Label(Span(first[key.value], 1, 1, 1, 1), "the same key")
    report.error(
        "ZT224",
        f"`{name}` holds a key that is used already",
        Span(name, 1, 1, 1, 1),
        help="make a key for each node and epoch",
        related=[other],
    )
    return False
