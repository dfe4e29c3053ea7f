"""What the cache gives is what parsing gives, and what it must not give it does not."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from tests.syntax.corpus import mutations, texts
from ztosc.diagnostics import Report
from ztosc.source import Source
from ztosc.syntax import ast, parse
from ztosc.syntax.grammar import builder, lark, parser
from ztosc.syntax.stored import DIGEST
from ztosc.syntax.words import CLAUSES


class Memory(dict[bytes, bytes]):
    """A cache in memory."""

    def get(self, keys: Iterable[bytes]) -> Mapping[bytes, bytes]:  # type: ignore[override]
        return {key: self[key] for key in keys if key in self}

    def put(self, entries: Mapping[bytes, bytes]) -> None:
        self.update(entries)


def read(text: str, cache: Memory | None = None) -> tuple[ast.Module, Report]:
    report = Report()
    return parse(Source("x.ztos", text), report, cache), report


def read_counting(text: str, cache: Memory, monkeypatch: pytest.MonkeyPatch) -> tuple[ast.Module, int]:
    """A reading, and how many statements of it were parsed."""
    from ztosc.syntax.read import Reader

    parsed: list[object] = []
    statement = Reader.statement
    with monkeypatch.context() as patch:
        patch.setattr(Reader, "statement", lambda self, chunk: parsed.append(chunk) or statement(self, chunk))
        module, _ = read(text, cache)
    return module, len(parsed)


@pytest.mark.parametrize("text", texts())
def test_the_cache_gives_the_same_tree_wherever_it_stands(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Memory()
    assert read(text, cache) == read(text)
    moved = "\n# put in front\n\n" + text
    found, parsed = read_counting(moved, cache, monkeypatch)
    assert found == read(moved)[0]
    assert parsed == 0


def test_mutations_give_the_same_with_a_cache_and_without() -> None:
    cache = Memory()
    for text in mutations(7, 300, 500):
        read("   " + text, cache)
        assert read(text, cache) == read(text)
        assert read(text, cache) == read(text)


def test_only_what_has_no_mistake_is_kept() -> None:
    cache = Memory()
    read("region a { country DE }\nregion b { countri DE }\nregion c { country DE", cache)
    assert len(cache) == 1


def test_documentation_and_line_breaks_are_part_of_the_key() -> None:
    cache = Memory()
    for text in ("region a { country DE }", "## x\nregion a { country DE }", "role a { requires\n(b) }", "role a { requires (b) }"):
        assert read(text, cache) == read(text)


def sealed(key: bytes, form: Any) -> bytes:
    body = form if isinstance(form, bytes) else json.dumps(form).encode()
    return hashlib.sha256(key + body).digest() + body


@pytest.mark.parametrize(
    "entry",
    [b"", b"x" * 20, b"x" * 200, *(body for body in (b"[", b"null", b"[]", b"{}", b"[0]", b"[true]", b"[8]", b"\xff\xfe", b"[" * 100_000))],
)
def test_a_foreign_entry_is_no_entry(entry: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Memory()
    text = "region a { country DE }"
    whole, _ = read(text, cache)
    (key,) = cache
    good = cache[key]
    for bad in (entry, sealed(key, entry)):
        cache[key] = bad
        found, parsed = read_counting(text, cache, monkeypatch)
        assert (found, parsed) == (whole, 1)
        assert cache[key] == good  # and written anew


def spoil(form: Any, dice: random.Random) -> Any:
    """A form with one thing in it changed."""
    if isinstance(form, list) and form and dice.random() < 0.85:
        index = dice.randrange(len(form))
        if dice.random() < 0.1:
            return [*form[:index], *form[index + 1 :]]
        return [*form[:index], spoil(form[index], dice), *form[index + 1 :]]
    return dice.choice([None, True, -1, 0, 1, 2, 3, 10**9, 2.5, "on", "allow", [], [0, 0, 1], {}, "x" * 100])


def test_a_hostile_entry_gives_nodes_of_their_types_or_nothing() -> None:
    """It can say only pieces of the statement's own text, never anything that the classes of the AST do not allow."""
    dice = random.Random(3)
    cache = Memory()
    statements = [read(text, cache) and text for text in ("allow [a, b] to c on tcp/1 when x.y == z", "service x on y { listen tcp/1 }")]
    for text in statements:
        fresh = Memory()
        read(text, fresh)
        (key,) = fresh
        form = json.loads(fresh[key][DIGEST:])
        for _ in range(400):
            fresh[key] = sealed(key, spoil(form, dice))
            module, report = read(text, fresh)
            assert not report.items
            assert all(word.text in text and word.text for word in words(module.statements))
            repr(module)


def words(node: Any) -> list[ast.Word]:
    if isinstance(node, ast.Word):
        return [node]
    if isinstance(node, tuple):
        return [word for each in node for word in words(each)]
    fields = getattr(type(node), "__dataclass_fields__", {})
    return [word for name in fields for word in words(getattr(node, name))]


@pytest.mark.parametrize("text", texts())
def test_every_word_stands_where_it_says(text: str) -> None:
    source = Source("x.ztos", text)
    module, _ = read(text)
    found = words(module.statements)
    assert found
    for word in found:
        start, end = source.offset(word.span.line, word.span.column), source.offset(word.span.end_line, word.span.end_column)
        assert text[start:end] == word.text


def test_every_rule_of_the_grammar_is_built() -> None:
    """A rule without a method would leave a tree of lark's in the AST."""
    names = {str(rule.alias or rule.options.template_source or rule.origin.name) for rule in parser().rules}
    inlined = {name for name in names if name.startswith("_")}
    passed_on = {
        "statement",
        "claim",
        "clause",
        "waiver",
        "accepting",
        "approving",
        "governed",
        "expression",
        "argument",
        "value",
        "id",
        "address",
        "int",
        "duration",
    }
    passed_on |= {"rate", "instant", "clock", "place"} | {name for name in names if name.endswith("_item")}
    for name in names - inlined - passed_on:
        assert callable(getattr(builder(), name)), name
    assert names >= CLAUSES


def test_the_bare_parser_reads_the_same_statements() -> None:
    """What the benchmark measures against is the same grammar."""
    bare = lark(propagate_positions=True, maybe_placeholders=True)
    module, _ = read("region a { country DE }\nallow a to b")
    assert [
        tree.data for tree in (bare.parse("region a { country DE }", start="statement"), bare.parse("allow a to b", start="statement"))
    ] == [
        "region",
        "allow",
    ]
    assert len(module.statements) == 2


def test_a_run_that_finds_everything_does_not_load_lark() -> None:
    code = "import sys, ztosc.compiler, ztosc.cli.project; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
