"""Texts to format: real ones, generated ones, and the same statements spaced as no author would."""

from __future__ import annotations

import random
import re
from dataclasses import fields, is_dataclass
from typing import Any

from tests.support import ROOT
from ztosc.diagnostics import Report
from ztosc.format import format_text
from ztosc.source import Source, Span
from ztosc.syntax import ast, parse
from ztosc.syntax.layout import CLAUSE_WORDS, TOKENS

FILES = sorted(
    [
        *ROOT.glob("examples/**/*.ztos"),
        *ROOT.glob("stdlib/*.ztos"),
        *ROOT.glob("ztosc/cli/starters/*.ztos"),
        *ROOT.glob("tests/format/*.ztos"),
    ]
)


def parsed(text: str) -> ast.Module | None:
    """The tree of a text, or nothing where it has a mistake."""
    report = Report()
    module = parse(Source("x.ztos", text), report)
    return None if report.failed else module


def formatted(text: str) -> str:
    """The canonical form of a text without mistakes."""
    report = Report()
    found = format_text(Source("x.ztos", text), report)
    assert found is not None, [(item.message, item.span) for item in report.items]
    return found


def bare(tree: Any) -> Any:
    """A tree without places. A claim quotes its text as it was written, blanks and all; those are left out."""
    if isinstance(tree, tuple):
        return [bare(each) for each in tree]
    if not is_dataclass(tree) or isinstance(tree, Source | Span):
        return tree
    named = {field.name: getattr(tree, field.name) for field in fields(tree) if field.name not in ("span", "source")}
    if isinstance(tree, ast.Assertion):
        named["text"] = "".join(named["text"].split())
    return [type(tree).__name__, *((name, bare(value)) for name, value in named.items())]


def comments(text: str) -> list[str]:
    """The comments of a text, in order."""
    return [found.group().rstrip() for found in TOKENS.finditer(text) if found.lastgroup == "comment"]


def judge(text: str) -> bool:
    """Everything that is promised, of one text; false where it has a mistake, so that nothing is promised."""
    module = parsed(text)
    if module is None:
        return False
    once = formatted(text)
    again = parsed(once)
    assert again is not None
    assert bare(again.statements) == bare(module.statements)
    assert comments(once) == comments(text)
    assert formatted(once) == once
    _look(once)
    return True


def _look(text: str) -> None:
    lines = text.split("\n")
    assert lines.pop() == "" and not (lines and (lines[0] == "" or lines[-1] == ""))
    for line, after in zip(lines, [*lines[1:], "}"], strict=True):
        assert line.rstrip() == line and "\r" not in line
        code = re.sub(r'"(?:\\.|[^"\\])*"|#.*', "", line)
        assert "\t" not in code and (len(line) - len(line.lstrip(" "))) % 2 == 0
        assert line or (after and not after.lstrip().startswith("}")), "an empty line before another one, or before a `}`"
        assert not (code.rstrip().endswith("{") and after == ""), "an empty line behind a `{`"


def respaced(text: str, dice: random.Random) -> str:
    """The same statements, with other blanks, line ends, semicolons and comments wherever these mean nothing."""
    tokens = [(found.lastgroup or "", found.group()) for found in TOKENS.finditer(text)]
    solid = [index for index, (kind, _) in enumerate(tokens) if kind not in ("blank", "newline")]
    parts: list[str] = [dice.choice(["", "\n\n", "# first\n", "\t "])]
    depth = 0
    for index, following in zip(solid, [*solid[1:], len(tokens)], strict=True):
        kind, word = tokens[index]
        depth += (word in ("(", "[")) - (word in (")", "]"))
        after = tokens[following][1] if following < len(tokens) else ""
        between = "".join(text for _, text in tokens[index + 1 : following])
        parts += [word, "\n" + _any_blank(dice) if kind == "comment" else _between(word, after, between, depth, dice)]
    return "".join(parts)


def _between(word: str, after: str, between: str, depth: int, dice: random.Random) -> str:
    """Something that may stand between two tokens in place of what does."""
    ends = depth == 0 and "\n" in between and after not in CLAUSE_WORDS
    line = dice.choice(["\n", "\r\n", "\n\n\n", "\n\t", " # said\n", "#said \n  # more\n\n", "\n## told\n", "\n  \n   "])
    if {word, after} & set("=<>!") and not between:
        return ""
    if after.startswith("#"):
        return dice.choice([" ", "", "\n", "\n\n  "])
    if word == ";" or after == ";":
        return dice.choice([" ", "", line]) if word == ";" and after not in CLAUSE_WORDS else " "
    if word == "{" or after == "}":
        return dice.choice([" ", "", "\t", line, line, " ; "])
    if ends:
        return dice.choice([line, line, line, ";", " ; ", ";" + line])
    if after in CLAUSE_WORDS or depth > 0 or (after in (")", "]") and depth == 0):
        return dice.choice([_any_blank(dice), _any_blank(dice), line])
    return _any_blank(dice) if between or not {word, after} & set(",()[]{}") else dice.choice(["", " "])


def _any_blank(dice: random.Random) -> str:
    return dice.choice([" ", " ", "  ", "\t", "     ", " \t "])


NAMES = [
    "a",
    "edge-1",
    "on",
    "when",
    "until",
    "for",
    "with",
    "from",
    "infusion-pump",
    "x9",
    "where",
    "a-very-long-name-of-a-thing-that-somebody-chose",
]


def program(dice: random.Random) -> str:
    """A text of many statements that parses, whatever they would mean."""
    return "".join(_statement(dice) + "\n" * dice.choice([1, 1, 1, 2, 3]) for _ in range(dice.randint(1, 12)))


def _names(dice: random.Random, most: int = 4) -> str:
    return ", ".join(dice.choice(NAMES) for _ in range(dice.choice([1, 1, 2, most])))


def _listed(dice: random.Random) -> str:
    return f"[{_names(dice, 40)}]" if dice.random() < 0.3 else _names(dice)


def _guard(dice: random.Random, depth: int = 0) -> str:
    if depth < 3 and dice.random() < 0.6:
        parts = [_guard(dice, depth + 1) for _ in range(dice.choice([2, 2, 3, 9]))]
        return "(" + f" {dice.choice(['and', 'or', 'and', 'implies'])} ".join(parts) + ")" if depth else " and ".join(parts)
    return dice.choice(
        ["user.mfa", "not device.managed", "user.risk < 30", "device.health == healthy", "user.country in [DE, AT]", "not (x.y)"]
    )


def _clauses(dice: random.Random) -> str:
    texts = [
        "on tcp/443, udp/5000-5100",
        "on any except udp/67-68",
        "on [tcp/22]",
        "on mon, wed",
        "between 06:00 and 20:00",
        "until 2027-06-30",
    ]
    texts += [
        "from 2027-01-01T08:00Z",
        f'because "{"campaign; # { " * dice.choice([0, 1, 12])}"',
        f"when {_guard(dice)}",
        f"when {_guard(dice)}",
    ]
    return "".join(f" {each}" for each in dice.sample(texts, dice.choice([0, 1, 2, 5])))


def _block(items: list[str], dice: random.Random) -> str:
    chosen = dice.sample(items, dice.randint(0, len(items)))
    return "{ " + dice.choice(["; ", "\n"]).join(chosen) + " }"


def _statement(dice: random.Random) -> str:
    name = dice.choice(NAMES)
    governance = ['owner "it; {"', 'ticket "CHG-1"', "review by 2027-01-01", "environment test", f'releases {name} because "a # b"']
    node = "node n " + _block(["underlay ::1", f"serves {_listed(dice)}", "attach eth2 vlan 7 to on dot1x", "attach eth3 to with"], dice)
    return dice.choice(
        [
            f"segment {name} " + _block([f"at {_listed(dice)}", f"carries {_names(dice)}", "size 64", "prefix fd00:1::/64"], dice),
            f"segment {name} " + _block([f"at {_listed(dice)}", "lease 8h"], dice),
            f"service {name} on {dice.choice(NAMES)} " + _block(["listen tcp/443", "replicas 2", 'name "ehr"'], dice),
            f"allow {_listed(dice)} to {_listed(dice)}{_clauses(dice)}",
            f"deny {_listed(dice)} to {_listed(dice)}{_clauses(dice)} {_block(governance, dice)}",
            f"role {name} " + _block([f"requires {_guard(dice)}", f"includes {_names(dice)}", f"from {_names(dice)}"], dice),
            f"attribute {name}.b : ordered none < {name} < secret " + _block(['source "x"'], dice),
            f"site {name} in {name} " + _block([node, "link a -- b { macsec; cost 10 }", "link a--b"], dice),
            f"group {name} = {_names(dice, 30)} except {_listed(dice)}",
            f"assert {_names(dice)} isolated from {_names(dice)} except through {_names(dice)}",
            f'test "a {name}" '
            + _block([f"given {_names(dice)} with user.mfa = true, a.b = c at 2027-01-01", "expect deny to x on tcp/1"], dice),
            f"bloc X = [{', '.join(['AT', 'DE'] * dice.choice([1, 9, 60]))}]",
        ]
    )
