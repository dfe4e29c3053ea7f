"""What was told of a network is told again only of the same verdicts, sources, code and time, and is the same in every format."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.cli.test_recall import SMALL, Shelf
from tests.support import AT
from ztosc.cli import retold
from ztosc.cli.app import app
from ztosc.cli.recall import compile_again
from ztosc.cli.retold import Retold
from ztosc.compiler import verify_session
from ztosc.ir.verdict import Verdict
from ztosc.report import MODULES
from ztosc.source import MemoryLoader

MORE = b"""
role guest { from desks }
allow guest to web on tcp/443
allow guest to web on tcp/8443
allow staff to racks on any between 08:00 and 18:00
assert guest never reaches web
"""
TEXT = SMALL + MORE
FORMS = ["text", *MODULES]


class OneShelf:
    """`disk_cache` that always opens the same one."""

    def __init__(self, shelf: Shelf | None) -> None:
        self.shelf = shelf

    def __call__(self) -> OneShelf:
        return self

    def __enter__(self) -> Shelf | None:
        return self.shelf

    def __exit__(self, *_: object) -> None:
        return None


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    made = Shelf()
    monkeypatch.setattr(retold, "disk_cache", OneShelf(made))
    return made


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Counts how often somebody really looked."""
    import ztosc.verify.findings

    ran: list[str] = []
    explain, find = retold.explained, ztosc.verify.findings.find

    def explaining(*args: Any) -> tuple[Verdict, ...]:
        ran.append("explained")
        return explain(*args)

    def finding(*args: Any) -> Any:
        ran.append("findings")
        return find(*args)

    monkeypatch.setattr(retold, "explained", explaining)
    monkeypatch.setattr(ztosc.verify.findings, "find", finding)
    return ran


def told(text: bytes = TEXT, at: int = AT) -> Retold:
    compiled = compile_again(MemoryLoader({"main.ztos": text}), at, None)
    assert compiled.network is not None, compiled.diagnostics
    return Retold(compiled, compiled.network, verify_session(compiled.network))


def everything(of: Retold) -> tuple[Any, ...]:
    return of.verdicts(), of.findings(), of.levels()


def test_what_is_told_again_is_what_was_told(shelf: Shelf, looked: list[str]) -> None:
    first = everything(told())
    assert looked == ["explained", "findings"] and len(shelf.entries) == 3
    assert (
        [each.verdict for each in first[0]] == ["refuted"]
        and first[0][0].explanation
        and len(first[1]) >= 2
        and sum(first[2].values()) >= 3
    )
    assert everything(told()) == first
    assert looked == ["explained", "findings"], "nobody looked again"


@pytest.mark.parametrize("form", FORMS)
def test_a_command_says_the_same_the_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "main.ztos").write_bytes(TEXT)
    monkeypatch.setenv("ZTOSC_CACHE", str(tmp_path / "cache"))
    command = ["verify", str(tmp_path / "project"), "--at", "2026-11-22", "--format", form]
    said = [CliRunner().invoke(app, command, standalone_mode=False) for _ in range(2)]
    monkeypatch.setenv("ZTOSC_CACHE", "off")
    said.append(CliRunner().invoke(app, command, standalone_mode=False))
    assert {each.return_value for each in said} == {1} and len({each.output for each in said}) == 1 and "ZT44" in said[0].output


def test_another_source_another_clock(shelf: Shelf, looked: list[str]) -> None:
    """Spans move with a comment; a witness has its instant; findings stay while the clock means the same to the rules."""
    first = everything(told())
    assert everything(told(b"# moved\n" + TEXT)) != first and looked == ["explained", "findings"] * 2
    later = everything(told(at=AT + 7 * 86_400))
    assert looked == ["explained", "findings"] * 2 + ["explained"], "the same day of a week means the same"
    assert later[1:] == first[1:] and later[0] != first[0]
    everything(told(at=AT + 3_600 * 9))
    assert looked[5:] == ["explained", "findings"], "the window is another way round"
    everything(told(at=1_803_000_000))
    assert looked[7:] == ["explained", "findings"], "a grant is over"


def test_a_verdict_that_is_another_is_explained_anew(shelf: Shelf, looked: list[str]) -> None:
    """An entry with an outcome, or a witness, that was not found now is not believed; nor is one that says `proved`."""
    first = told().verdicts()
    key = next(iter(shelf.entries))
    kept = json.loads(zlib.decompress(shelf.entries[key]))
    kept[0]["explanation"]["sentence"] = "told again"
    shelf.entries[key] = zlib.compress(json.dumps(kept).encode())
    again = told().verdicts()
    explanation = first[0].explanation
    assert explanation is not None and again[0].explanation == explanation.model_copy(update={"sentence": "told again"})
    for change in ({"verdict": "proved"}, {"statement": "another"}, {"witness": {"hops": []}}, {"origin": None}):
        shelf.entries[key] = zlib.compress(json.dumps([{**kept[0], **change}]).encode())
        assert told().verdicts() == first, change
    for length in (0, 2):
        shelf.entries[key] = zlib.compress(json.dumps(kept * length).encode())
        assert told().verdicts() == first
    assert looked == ["explained"] * 7


@pytest.mark.parametrize(
    "entry", [b"", b"{", zlib.compress(b"{"), zlib.compress(b"[7]"), zlib.compress(b'[{"code": "ZT000"}]'), zlib.compress(b"\xff")]
)
def test_an_entry_that_does_not_fit_is_none(shelf: Shelf, entry: bytes) -> None:
    first = everything(told())
    shelf.entries = dict.fromkeys(shelf.entries, entry)
    assert everything(told()) == first


def test_without_a_cache_everything_is_looked_for(monkeypatch: pytest.MonkeyPatch, looked: list[str]) -> None:
    monkeypatch.setattr(retold, "disk_cache", OneShelf(None))
    assert everything(told()) == everything(told()) and looked == ["explained", "findings"] * 2


def test_where_all_is_proved_there_is_nothing_to_explain(shelf: Shelf, looked: list[str]) -> None:
    assert told(SMALL).verdicts() == () and looked == [] and not shelf.entries
