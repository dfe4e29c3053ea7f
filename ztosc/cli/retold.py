"""What was told of an unchanged network the last time: why its claims do not hold, what it grants beyond need, what its grants rest on.

Guarantees: every claim is judged anew, and what was told of it is told again only where the verdict is the same to the last field of its
witness. An entry belongs to the bytes of every source, to the network, and to the code that made it; the findings besides to all that
time can still mean to the rules, in that order. An entry that does not fit is none, and then everything is looked for.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeVar

from pydantic import TypeAdapter

from ztosc.cli.cache import disk_cache
from ztosc.cli.recall import MOST, maker
from ztosc.collector import uncollected
from ztosc.compiler import Compiled
from ztosc.diagnostics import Diagnostic
from ztosc.ir.clock import is_over
from ztosc.ir.network import Network
from ztosc.ir.verdict import Verdict
from ztosc.verify import Assurances, Session, explained
from ztosc.verify.moments import Timeline
from ztosc.verify.scope import Undecided

Told = TypeVar("Told")
Findings = tuple[Diagnostic, ...]
_VERDICTS = TypeAdapter(tuple[Verdict, ...])
_FINDINGS = TypeAdapter(Findings)
_LEVELS = TypeAdapter(dict[str, int])


class Retold:
    """What is said of one network's verdicts and grants, found anew or told again."""

    def __init__(self, compiled: Compiled, network: Network, session: Session) -> None:
        self.network, self.session, self.sources = network, session, compiled.sources
        texts = sorted(
            (name, hashlib.sha256(each.text.encode("utf-8", "surrogatepass")).hexdigest()) for name, each in self.sources.items()
        )
        self._about = json.dumps([compiled.digest, session.rlimit, texts]).encode()

    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts of now, with why those that refute do."""
        bare = self.session.verdicts
        if all(each.verdict != "refuted" for each in bare):
            return bare
        key = self._key("explained", self.network.at)

        def fits(told: Sequence[Verdict]) -> bool:
            return tuple(each.model_copy(update={"explanation": None}) for each in told) == bare

        def explain() -> tuple[Verdict, ...]:
            return explained(self.network, bare, self.sources, self.session.finder.slices)

        return _again(key, _VERDICTS, explain, fits)

    def findings(self) -> Findings:
        """What the policy grants beyond its need."""
        from ztosc.verify.findings import find

        return self._while_time_means_the_same("findings", _FINDINGS, lambda: find(self.network, self.session.finder.slices))

    def levels(self) -> dict[str, int]:
        """How many grants rest on which assurance."""
        return self._while_time_means_the_same("levels", _LEVELS, lambda: dict(Counter[str](Assurances(self.network).levels())))

    def _while_time_means_the_same(self, kind: str, adapter: TypeAdapter[Told], find: Callable[[], Told]) -> Told:
        return _again(self._key(kind, self._time), adapter, find, lambda told: True) if self._time is not None else find()

    @cached_property
    def _time(self) -> str | None:
        """All that the clock can mean from now on; nothing where that cannot be told."""
        timeline = Timeline(self.network)
        try:
            return repr((timeline.ways, [is_over(each, self.network.at) for each in timeline.validities]))
        except Undecided:
            return None

    def _key(self, kind: str, when: object) -> bytes:
        return hashlib.sha256(maker() + kind.encode() + self._about + repr(when).encode()).digest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _again(key: bytes, adapter: TypeAdapter[Told], find: Callable[[], Told], fits: Callable[[Told], bool]) -> Told:
    """What is kept under a key, where it fits; what is found otherwise, which is kept from then on."""
    with disk_cache() as cache:
        if cache is None:
            return find()
        kept = _read(cache.get([key]).get(key), adapter)
        if kept is not None and fits(kept):
            return kept
        found = find()
        cache.put({key: zlib.compress(adapter.dump_json(found), 1)})
        return found


def _read(entry: bytes | None, adapter: TypeAdapter[Told]) -> Told | None:
    """An entry as what it should be, if it is."""
    if entry is None:
        return None
    try:
        with uncollected():
            return adapter.validate_json(zlib.decompressobj().decompress(entry, MOST))
    except (ValueError, zlib.error):
        return None
