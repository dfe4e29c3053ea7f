"""Parsing gives a tree for any text, and one mistake costs one line."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import HOSPITAL
from ztosc.diagnostics import Report
from ztosc.source import Source
from ztosc.syntax import ast, parse

HOSPITAL_TEXT = (HOSPITAL / "network.ztos").read_text()


def read(text: str) -> tuple[ast.Module, Report]:
    report = Report()
    return parse(Source("x.ztos", text), report), report


def only(text: str) -> ast.Statement:
    module, report = read(text)
    assert not report.items, [item.message for item in report.items]
    (statement,) = module.statements
    return statement


def test_the_hospital_parses_without_a_word() -> None:
    module, report = read(HOSPITAL_TEXT)
    assert report.items == []
    assert len(module.statements) == 35


@pytest.mark.parametrize("word", ["segment", "allow", "to", "at", "on", "when", "deny", "within", "test", "only", "from", "any"])
def test_a_keyword_can_be_a_name(word: str) -> None:
    segment = only(f"segment {word} {{ at {word}; carries {word} }}")
    assert isinstance(segment, ast.Declaration)
    assert segment.name.text == word
    rule = only(f"allow {word} to {word} on tcp/1")
    assert isinstance(rule, ast.PolicyRule)
    assert (rule.subjects[0].text, rule.targets[0].text) == (word, word)


@pytest.mark.parametrize("line", ["segment x { atx }", "allow a to b onion", "allow ato b", "role r { fromm x }"])
def test_a_keyword_is_a_whole_word(line: str) -> None:
    _, report = read(line)
    assert [item.code for item in report.items] in (["ZT105"], ["ZT106"])


def test_spans_count_code_points_from_one() -> None:
    module, _ = read("# größe\nregion ä { }\nregion b { country US }")
    statement = module.statements[-1]
    assert isinstance(statement, ast.Declaration)
    assert (statement.name.span.line, statement.name.span.column, statement.name.span.end_column) == (3, 8, 9)


def test_docs_belong_to_what_follows() -> None:
    statement = only("## One.\n## Two.\nregion b { country US }")
    assert isinstance(statement, ast.Declaration)
    assert statement.doc == "One.\nTwo."


def test_docs_inside_a_block() -> None:
    site = only("site s in r {\n  ## The first.\n  node n { underlay ::1; serves gateway }\n}")
    assert isinstance(site, ast.Declaration)
    (node,) = site.items
    assert isinstance(node, ast.Declaration)
    assert node.doc == "The first."


@pytest.mark.parametrize(
    "text",
    [
        'allow a to b\n  on tcp/1\n  when x.y\n    and z.w\n  until 2027-01-01\n  because "c"',
        'allow a to b # why\n  # a comment between\n  on tcp/1 when x.y and z.w until 2027-01-01 because "c"',
        'allow a to b on [tcp/1] when (x.y\n and z.w) until 2027-01-01 because "c"',
        'allow a to b on tcp/1 when x.y and z.w\n  until 2027-01-01 because "c" { }',
    ],
)
def test_a_line_that_starts_with_a_clause_word_continues(text: str) -> None:
    rule = only(text)
    assert isinstance(rule, ast.PolicyRule)
    assert [clause.key for clause in rule.clauses] == ["on", "when", "until", "because"]


def test_from_continues_only_before_an_instant() -> None:
    role = only("role r { requires a.b\n from s }")
    assert isinstance(role, ast.Declaration)
    assert [clause.key for clause in role.clauses()] == ["requires", "from"]
    rule = only("allow a to b on tcp/1\n from 2027-01-01")
    assert isinstance(rule, ast.PolicyRule)
    assert rule.clauses[-1].key == "from"


def test_one_mistake_costs_one_line() -> None:
    module, report = read("segment a { at s\n  carrys phi\n  size 64\n}\nsegment b { at s }\n")
    assert [(item.code, item.span.line if item.span else 0, item.help) for item in report.items] == [
        ("ZT106", 2, "did you mean `carries`?")
    ]
    first = module.statements[0]
    assert isinstance(first, ast.Declaration)
    assert [clause.key for clause in first.clauses()] == ["at", "size"]
    assert len(module.statements) == 2


def test_a_broken_header_still_declares_its_name() -> None:
    module, report = read("service web upon vault { listen tcp/443 }")
    assert len(report.items) == 1
    (statement,) = module.statements
    assert isinstance(statement, ast.Declaration)
    assert (statement.kind, statement.name.text, statement.broken) == ("service", "web", True)


def test_an_unclosed_block_does_not_swallow_the_next_statement() -> None:
    module, report = read("segment a { at s\nsegment b { at s }\nrole r { from b }\n")
    assert [item.code for item in report.items] == ["ZT103"]
    assert len(module.statements) == 3


@pytest.mark.parametrize("text", ["group g = a,\n b", "role r { requires a.b and\n c.d }"])
def test_a_list_broken_after_its_comma_has_its_own_code(text: str) -> None:
    _, report = read(text)
    assert [item.code for item in report.items] == ["ZT104"]


@pytest.mark.parametrize(
    "text",
    [
        "comply hipaa",
        "template t() { }",
        "template t(a, b: int = 1) { segment ${a} { at s; size ${b} }; new u(x: ${a}) }",
        "new t(a: x, b: 2001:db8::1, c: tcp/443, d: 06:00)",
        'quarantine x from 2027-01-01 because "y"',
        "segment x { at s; mdns; multicast; multicast ff05::/16; access tunnel; observe; stretched; ipv4 10.0.0.0/8 }",
        'waive p "1" for a, b until 2027-01-01 because "c" { approved by "d" }',
        'accept widening a to b on tcp/1 when c.d because "e" approved by "f" { ticket "T" }',
        'accept widening within, observe of segment a because "b" approved by "c"',
        'accept widening waive p "1" for a because "b" approved by "c"',
        'profile p over a { control "1" error "t" { each flow f where f.target carries a and not f.subject is role } }',
        "break-glass role r for 1h { from s; stale 5m }",
        "assert a never flows down except by b, c",
        'partner p { domain "p.example"; ca "sha256:00" }',
        'allow a to b on tcp/1 stale 5m { releases c because "d"; log to e; idle 15m }',
    ],
)
def test_every_form_of_statement_is_read(text: str) -> None:
    module, report = read(text)
    assert not report.items and len(module.statements) == 1


@pytest.mark.slow
def test_three_thousand_mutations_give_a_tree_each() -> None:
    dice = random.Random(20261122)
    alphabet = [*'{}()[];,"#\n abz09:/.-<>=!', "allow ", "segment ", "\n}", "\n{", "until ", "é", "\t", "and\n"]
    for _ in range(3000):
        text = HOSPITAL_TEXT
        for _ in range(dice.randint(1, 4)):
            place = dice.randrange(len(text))
            cut = place + dice.choice([0, 0, 1, 3, 12])
            text = text[:place] + dice.choice(alphabet) * dice.randint(0, 2) + text[cut:]
        module, _ = read(text)
        assert isinstance(module, ast.Module)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(alphabet='segmntaloi {}()[];,"#\n:/.-<=1\\é', max_size=120))
def test_any_text_gives_a_tree(text: str) -> None:
    module, _ = read(text)
    assert isinstance(module, ast.Module)
