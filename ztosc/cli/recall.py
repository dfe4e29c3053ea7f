"""What an unchanged project compiled to the last time, so that it need not be compiled again.

Guarantees: the same `Compiled` as compiling gives. An entry belongs to every byte that compiling read, to what it looked for and did not
find, and to the code, standard library and zone database that made it; it holds from one instant that the policy names to the next.
Only what has no error is kept, and what is kept is typed anew when it is read: an entry that does not fit is none. Verdicts are never kept.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache as once
from importlib.metadata import version
from pathlib import Path

from pydantic import TypeAdapter

from ztosc import __version__
from ztosc.allocate import Lock
from ztosc.allocate.lock import Record
from ztosc.collector import uncollected
from ztosc.compiler import Compiled, compile_project
from ztosc.diagnostics import Diagnostic, Report
from ztosc.ir.base import Model
from ztosc.ir.network import Network
from ztosc.resources import grammar_file, stdlib_files
from ztosc.source import Loader, Source, SourceMissing, SourceRefused
from ztosc.syntax import Cache
from ztosc.syntax.decode import decode

PACKAGE = Path(__file__).resolve().parents[1]
INSTANT = re.compile(rb"[0-9]{9,12}")
"""What may be an instant from `EARLIEST` on: any digits, since one too many costs nothing but a shorter life."""
EARLIEST = 10**8
"""In 1973. Nothing is kept for a clock before it."""
MOST = 1 << 29
"""Bytes that an entry may unfold to."""


class Kept(Model):
    """What an entry says besides the network and what was said about it."""

    asked: tuple[tuple[str, str], ...]
    """Files that were asked for besides those that a loader lists, and what came."""
    since: int
    before: int
    """It holds from the first instant on, and at the second not any more."""
    sources: tuple[str, ...]
    digest: str
    lock_of: str
    generation: int
    records: tuple[Record, ...]
    locked: bool


_DIAGNOSTICS = TypeAdapter(tuple[Diagnostic, ...])


@dataclass
class Watched:
    """A loader that remembers what it was asked for."""

    below: Loader
    asked: dict[str, str] = field(default_factory=dict)

    def names(self) -> tuple[str, ...]:
        """Those of the loader."""
        return self.below.names()

    def read(self, name: str) -> bytes:
        """What the loader gives."""
        self.asked[name] = _answer(self.below, name)
        return self.below.read(name)


def compile_again(loader: Loader, at: int, cache: Cache | None, *, base: bool = False) -> Compiled:
    """`compile_project`, or what it gave the last time for the same sources."""
    if cache is None:
        return compile_project(loader, at, cache, base=base)
    listed = {name: _answer(loader, name) for name in loader.names()}
    key = _key(listed, base)
    found = _recalled(cache.get([key]).get(key), loader, at)
    if found is not None:
        return found
    watched = Watched(loader)
    compiled = compile_project(watched, at, cache, base=base)
    if compiled.network is not None and compiled.lock is not None and not compiled.failed and at >= EARLIEST:
        others = tuple(sorted((name, answer) for name, answer in watched.asked.items() if name not in listed))
        cache.put({key: _entry(compiled, compiled.network, compiled.lock, others)})
    return compiled


def _recalled(entry: bytes | None, loader: Loader, at: int) -> Compiled | None:
    """What an entry says; nothing where it is not of these sources or of this time."""
    if entry is None:
        return None
    try:
        unfolder = zlib.decompressobj()
        said, about, whole = unfolder.decompress(entry, MOST).split(b"\n")
        kept = Kept.model_validate_json(about)
        if not kept.since <= at < kept.before or any(_answer(loader, name) != answer for name, answer in kept.asked):
            return None
        with uncollected():
            network, diagnostics = Network.model_validate_json(whole), _DIAGNOSTICS.validate_json(said)
    except (ValueError, zlib.error):
        return None
    network = network.model_copy(update={"at": at})
    lock = Lock(kept.lock_of, kept.generation, {(record.kind, record.name): record for record in kept.records})
    return Compiled(diagnostics, _sources(kept.sources, loader), network.intent, network, lock, kept.locked, kept.digest)


def _entry(compiled: Compiled, network: Network, lock: Lock, asked: tuple[tuple[str, str], ...]) -> bytes:
    """What is kept of a result that has no error."""
    whole = network.model_dump_json().encode()
    intent, _, _ = whole.rpartition(f',"at":{network.at},"prefix":'.encode())
    instants = {int(number) for number in set(INSTANT.findall(intent or whole))}
    kept = Kept(
        asked=asked,
        since=max((each for each in instants if each <= network.at), default=EARLIEST),
        before=min((each for each in instants if each > network.at), default=1 << 40),
        sources=tuple(compiled.sources),
        digest=compiled.digest,
        lock_of=lock.network,
        generation=lock.generation,
        records=tuple(lock.records.values()),
        locked=compiled.locked,
    )
    return zlib.compress(b"\n".join((_DIAGNOSTICS.dump_json(compiled.diagnostics), kept.model_dump_json().encode(), whole)), 1)


def _sources(names: Iterable[str], loader: Loader) -> dict[str, Source]:
    """The texts again: a file is the project's where the project has one of its name."""
    standard = {f"std/{path.name}": path for path in stdlib_files()}
    found = {}
    for name in names:
        try:
            data = loader.read(name)
        except (SourceMissing, SourceRefused):
            data = standard[name].read_bytes()
        found[name] = decode(name, data, Report()) or Source(name, "")
    return found


def _answer(loader: Loader, name: str) -> str:
    """What a loader says to a name: the digest of the bytes, or why there are none."""
    try:
        return hashlib.sha256(loader.read(name)).hexdigest()
    except SourceMissing:
        return "missing"
    except SourceRefused as refused:
        return refused.reason


@once
def maker() -> bytes:
    """What made an entry: the code, the grammar, the standard library, and the zones."""
    digest = hashlib.sha256(f"{__version__} {version('tzdata')} {version('pydantic')}".encode())
    code = sorted(PACKAGE.rglob("*.py"))
    for file in (*code, grammar_file("ztos.lark"), grammar_file("terminals.lark"), *stdlib_files()):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.digest()


def _key(listed: dict[str, str], base: bool) -> bytes:
    said = json.dumps([base, sorted(listed.items())]).encode()
    return hashlib.sha256(b"compiled" + maker() + said).digest()
