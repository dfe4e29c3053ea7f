"""What was compiled before is given again only for the same sources, code and time, and is the same."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from tests.support import AT, ROOT
from ztosc.cli import recall
from ztosc.cli.recall import EARLIEST, INSTANT, compile_again
from ztosc.compiler import Compiled, compile_project
from ztosc.source import DiskLoader, MemoryLoader

SMALL = b"""network little {
  domain "little.example"
  prefix fd3c:91a2:77e0::/48
  timezone Europe/Berlin
}
region here { country DE }
site main in here {
  node one {
    underlay 2001:db8:a::1
    serves gateway, reflector, resolver, directory
  }
}
segment desks { at main; admits people }
segment racks { at main }
service web on racks { listen tcp/443 }
role staff { from desks }
allow staff to web from 2027-01-10 until 2027-02-10
"""


class Shelf:
    """A cache in memory, which counts what was found of whole results."""

    def __init__(self) -> None:
        self.entries: dict[bytes, bytes] = {}
        self.whole: list[bytes] = []

    def get(self, keys: Iterable[bytes]) -> Mapping[bytes, bytes]:
        return {key: self.entries[key] for key in keys if key in self.entries}

    def put(self, entries: Mapping[bytes, bytes]) -> None:
        self.entries |= entries
        self.whole += [key for key in entries if _is_whole(entries[key])]


def _is_whole(entry: bytes) -> bool:
    try:
        return b'"network":' in zlib.decompress(entry)
    except zlib.error:
        return False


def same(one: Compiled, other: Compiled) -> bool:
    """Whether two results say the same, origins and order included."""
    assert one.network is not None and other.network is not None
    assert one.network.model_dump() == other.network.model_dump()
    assert list(one.sources.items()) == list(other.sources.items())
    assert (one.diagnostics, one.locked, one.lock, one.digest) == (other.diagnostics, other.locked, other.lock, other.digest)
    assert one.network.intent is one.intent and other.network.intent is other.intent
    return one.lock is not None and other.lock is not None and list(one.lock.records) == list(other.lock.records)


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often something is really compiled."""
    ran: list[int] = []

    def compiling(*args: object, **more: object) -> Compiled:
        ran.append(1)
        return compile_project(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(recall, "compile_project", compiling)
    return ran


@pytest.mark.parametrize("project", sorted(path.parent for path in (ROOT / "examples").rglob("ztos.toml")), ids=lambda path: path.name)
def test_every_example_comes_back_the_same(project: Path, once: list[int]) -> None:
    shelf = Shelf()
    fresh = compile_project(DiskLoader(project), AT)
    assert same(compile_again(DiskLoader(project), AT, shelf), fresh)
    assert same(compile_again(DiskLoader(project), AT, shelf), fresh)
    assert len(once) == 1


def test_it_holds_until_the_next_instant_that_the_policy_names(once: list[int]) -> None:
    loader = MemoryLoader({"network.ztos": SMALL})
    intent = compile_project(loader, AT).intent
    assert intent is not None
    validity = next(rule.validity for rule in intent.rules if rule.validity.not_before)
    assert validity.not_before is not None and validity.not_after is not None
    shelf = Shelf()
    edges = [each + step for each in (validity.not_before, validity.not_after) for step in (-1, 0, 1)]
    for at in [AT, *edges, *reversed(edges)]:
        assert same(compile_again(loader, at, shelf), compile_project(loader, at))
    assert len(once) == 5, "three times on the way up, two on the way down"


def test_any_other_byte_is_another_project(once: list[int]) -> None:
    shelf = Shelf()
    first = compile_again(MemoryLoader({"network.ztos": SMALL}), AT, shelf)
    others = [
        {"network.ztos": SMALL + b"# said\n"},
        {"network.ztos": SMALL, "more.ztos": b""},
        {"other.ztos": SMALL},
        {"network.ztos": SMALL, "ztos.toml": b'[project]\nname = "x"\n'},
        {"network.ztos": SMALL, "inventory/a.yaml": b"people: []\n"},
    ]
    for files in others:
        compile_again(MemoryLoader(files), AT, shelf)
    assert len(once) == 1 + len(others)
    assert same(compile_again(MemoryLoader({"network.ztos": SMALL}), AT, shelf), first)
    compile_again(MemoryLoader({"network.ztos": SMALL}), AT, shelf, base=True)
    assert len(once) == 2 + len(others)


def test_a_file_that_was_not_listed_counts_too(once: list[int]) -> None:
    class One(MemoryLoader):
        def names(self) -> tuple[str, ...]:
            return ("network.ztos",)

    shelf = Shelf()
    text = b'import "more.ztos"\n' + SMALL
    for more in (b"segment a { at main }\n", b"segment b { at main }\n", b"segment b { at main }\n"):
        compiled = compile_again(One({"network.ztos": text, "more.ztos": more}), AT, shelf)
        assert compiled.network is not None
        assert {segment.name for segment in compiled.network.intent.segments} == {"desks", "racks", more.split()[1].decode()}
    assert len(once) == 2


def test_other_code_made_something_else(once: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, loader = Shelf(), MemoryLoader({"network.ztos": SMALL})
    compile_again(loader, AT, shelf)
    monkeypatch.setattr(recall, "maker", lambda: b"another")
    compile_again(loader, AT, shelf)
    assert len(once) == 2


def test_what_has_an_error_is_not_kept(once: list[int]) -> None:
    shelf = Shelf()
    for _ in range(2):
        assert compile_again(MemoryLoader({"network.ztos": SMALL + b"allow nobody to web\n"}), AT, shelf).failed
    assert len(once) == 2 and not shelf.whole


def test_an_entry_that_does_not_fit_is_none(once: list[int]) -> None:
    shelf, loader = Shelf(), MemoryLoader({"network.ztos": SMALL})
    fresh = compile_again(loader, AT, shelf)
    (key,) = shelf.whole
    good = shelf.entries[key]
    body = zlib.decompress(good)
    torn = [b"", b"x", good[:-9], good[: len(good) // 2], zlib.compress(b""), zlib.compress(b"[]\n{}"), zlib.compress(body[:-2])]
    typed = [body.replace(*each) for each in ((b'"vni":', b'"vnj":'), (b'"locked":false', b'"locked":0'), (b'"allow"', b'"grant"'))]
    assert body not in typed
    for entry in (*torn, *map(zlib.compress, typed)):
        shelf.entries[key] = entry
        before = len(once)
        assert same(compile_again(loader, AT, shelf), fresh)
        assert len(once) == before + 1


def test_every_instant_of_a_dump_is_seen() -> None:
    """Those from 1973 on; for a clock before that nothing is kept."""
    assert INSTANT.findall(b'{"a":1800000000,"b":[1,253370764800],"c":null,"d":"7","e":100000000}') == [
        b"1800000000",
        b"253370764800",
        b"100000000",
    ]


def test_nothing_is_kept_for_a_clock_before_what_is_looked_for(once: list[int]) -> None:
    loader, shelf = MemoryLoader({"network.ztos": SMALL}), Shelf()
    for at in (EARLIEST - 1, EARLIEST - 1, EARLIEST, EARLIEST, EARLIEST - 1, EARLIEST + 1):
        assert same(compile_again(loader, at, shelf), compile_project(loader, at))
    assert len(once) == 4
