"""Numbers by name.

Guarantees: a name keeps its number; a new name starts looking at a place given by its own hash, so that what it gets hardly ever
depends on others; no two live names of a pool share a number, nor does a new one get what was given up less than three generations ago.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from ztosc.allocate.lock import QUARANTINE, Lock, Record


class PoolExhausted(Exception):
    """A pool has no number left; `kind` and `size` say which."""

    def __init__(self, kind: str, size: int) -> None:
        super().__init__(f"all {size} numbers of `{kind}` are given")
        self.kind, self.size = kind, size


class Pools:
    """Hands out numbers against the last lock, and says what the next one is."""

    def __init__(self, lock: Lock) -> None:
        self._old = lock
        self._given: dict[tuple[str, str], Record] = {}
        self._taken: dict[str, set[int | str]] = {}
        for (kind, _), record in lock.records.items():
            if not self._is_free_again(record):
                self._taken.setdefault(kind, set()).add(record.value)

    def _is_free_again(self, record: Record) -> bool:
        """Whether the quarantine of a number that was given up ends with the generation being made."""
        return record.retired is not None and self._old.generation + 1 - record.retired >= QUARANTINE

    def numbers(self, kind: str, names: Iterable[str], values: range, blocked: frozenset[int] = frozenset()) -> dict[str, int]:
        """A number out of `values` for each name, none of them in `blocked`."""
        return {name: self.number(kind, name, values, blocked) for name in sorted(set(names))}

    def number(self, kind: str, name: str, values: range, blocked: frozenset[int] = frozenset()) -> int:
        """The number of one name. Raises `PoolExhausted`."""
        old = self._old.records.get((kind, name))
        value = old.value if old is not None else None
        if not isinstance(value, int) or value not in values or value in blocked:
            value = self._search(kind, name, values, blocked)
        self._keep(Record(kind=kind, name=name, value=value))
        return value

    def _search(self, kind: str, name: str, values: range, blocked: frozenset[int]) -> int:
        taken = self._taken.setdefault(kind, set())
        start = int.from_bytes(hashlib.sha256(f"{kind}\0{name}".encode()).digest()[:8]) % len(values)
        for step in range(min(len(values), len(taken) + len(blocked) + 1)):
            value = values[(start + step) % len(values)]
            if value not in taken and value not in blocked:
                return value
        raise PoolExhausted(kind, len(values))

    def text(self, kind: str, name: str, chosen: str) -> str:
        """A text chosen once: the locked one, else `chosen`."""
        old = self._old.records.get((kind, name))
        value = str(old.value) if old is not None else chosen
        self._keep(Record(kind=kind, name=name, value=value))
        return value

    def serial(self, name: str, digest: str) -> int:
        """A serial that grows by one whenever the digest of what it counts changes."""
        old = self._old.records.get(("serial", name))
        value = int(old.value) + (old.digest != digest or old.retired is not None) if old is not None else 1
        self._keep(Record(kind="serial", name=name, value=value, digest=digest))
        return value

    def _keep(self, record: Record) -> None:
        self._given[(record.kind, record.name)] = record
        self._taken.setdefault(record.kind, set()).add(record.value)

    def next_lock(self, network: str) -> Lock:
        """The lock after this allocation: the same value where nothing changed."""
        generation = self._old.generation + 1
        records = dict(self._given)
        for key, record in self._old.records.items():
            if key in records:
                continue
            if not self._is_free_again(record):
                retired = record.retired if record.retired is not None else generation
                records[key] = record.model_copy(update={"retired": retired})
        live = {key: record for key, record in self._old.records.items() if record.retired is None}
        if live == self._given and self._old.network == network:
            return self._old
        return Lock(network, generation, records)
