"""What people mistype: parsing never fails, and one mistake is told once."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.markdown import AT
from ztosc.compiler import compile_project
from ztosc.diagnostics import Report
from ztosc.source import MemoryLoader, Source
from ztosc.syntax import ast, parse

ROOT = Path(__file__).resolve().parents[2]
HOSPITAL = (ROOT / "examples" / "hospital" / "network.ztos").read_text(encoding="utf-8")
TEXTS = [HOSPITAL, *(path.read_text(encoding="utf-8") for path in sorted((ROOT / "stdlib").glob("*.ztos")))]
MUTATIONS = 3000
LETTERS = '{}()[];,"#\\$<>=!:/.- \n\t\r\0é\u202eaZ09'

Mistake = Callable[[str, random.Random], str | None]


def code_of(text: str) -> str:
    """The text with comments and quoted texts blanked, place for place."""
    return re.sub(r'"(?:\\.|[^"\\\n])*"|#[^\n]*', lambda found: " " * len(found.group()), text)


def place(pattern: str, text: str, chance: random.Random) -> re.Match[str] | None:
    """One match outside of comments and quoted texts."""
    found = list(re.finditer(pattern, code_of(text)))
    return chance.choice(found) if found else None


def put(text: str, start: int, end: int, new: str) -> str:
    return text[:start] + new + text[end:]


def swapped(word: str) -> str:
    """A word with two letters in the wrong order, or one too many."""
    for at in range(1, len(word) - 1):
        if word[at] != word[at + 1] and word[at].isalpha() and word[at + 1].isalpha():
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word + "x"


def misspelt_use(text: str, chance: random.Random) -> str | None:
    found = place(
        r"(?<=allow )[a-z-]+|(?<=to )[a-z-]+|(?<=carries )[a-z]+|(?<=from )[a-z]+|(?<=at )[a-z]+|(?<=requires )[a-z.]+", text, chance
    )
    return put(text, found.start(), found.end(), swapped(found.group())) if found else None


def misspelt_clause(text: str, chance: random.Random) -> str | None:
    found = place(r"(?<=[{;] )(?:at|carries|admits|listen|replicas|underlay|serves|reach|from|country|size|lease)(?= )", text, chance)
    return put(text, found.start(), found.end(), found.group()[:-1] + "zz" if len(found.group()) > 2 else "zz") if found else None


def misspelt_statement(text: str, chance: random.Random) -> str | None:
    found = place(r"(?m)^(?:segment|service|role|allow|deny|assert|external|link|separate)(?= )", text, chance)
    return put(text, found.start(), found.end(), swapped(found.group())) if found and found.group() != "segment" else None


def lost_quote(text: str, chance: random.Random) -> str | None:
    found = list(re.finditer(r'"[^"\n]*"', text))
    chosen = chance.choice(found)
    return put(text, chosen.end() - 1, chosen.end(), "")


def lost_brace(text: str, chance: random.Random) -> str | None:
    found = place(r"\}(?=\n)", text, chance)
    return put(text, found.start(), found.end(), "") if found else None


def stray_bracket(text: str, chance: random.Random) -> str | None:
    found = place(r"(?<=[a-z0-9])(?=\n)", text, chance)
    return put(text, found.start(), found.start(), chance.choice([")", "]", "}"])) if found else None


def wrong_port(text: str, chance: random.Random) -> str | None:
    found = place(r"(?:tcp|udp)/[0-9]+", text, chance)
    return put(text, found.start(), found.end(), chance.choice(["tcp/99999", "tpc/443", "tcp/", "443", "tcp/9-3"])) if found else None


def wrong_address(text: str, chance: random.Random) -> str | None:
    found = place(r"(?<=underlay )[0-9a-f:]+", text, chance)
    return put(text, found.start(), found.end(), found.group() + chance.choice([":zz", "::1", "/64", ""]).strip() + "g") if found else None


def comma_too_many(text: str, chance: random.Random) -> str | None:
    found = place(r"(?<=[a-z0-9])(?= \}\n)", text, chance)
    return put(text, found.start(), found.start(), ",") if found else None


def twice(text: str, chance: random.Random) -> str | None:
    found = place(r"(?m)^(?:segment|service|role|external) .*\}$", text, chance)
    return put(text, found.end(), found.end(), "\n" + text[found.start() : found.end()]) if found else None


def no_to(text: str, chance: random.Random) -> str | None:
    found = place(r"(?<=[a-z]) to (?=[a-z-]+ on)", text, chance)
    return put(text, found.start(), found.end(), " ") if found else None


def unknown_clause(text: str, chance: random.Random) -> str | None:
    found = place(r"(?m)(?<=\{ )(?=[a-z])", text, chance)
    return put(text, found.start(), found.start(), "colour red; ") if found else None


MISTAKES: tuple[Mistake, ...] = (
    misspelt_use, misspelt_clause, misspelt_statement, lost_quote, lost_brace, stray_bracket, wrong_port, wrong_address,
    comma_too_many, twice, no_to, unknown_clause,
)  # fmt: skip


def told(text: str) -> list[str]:
    """The errors of the hospital with another text for its policy."""
    found = compile_project(MemoryLoader({"network.ztos": text.encode()}), AT)
    return [f"{item.code} {item.span.line if item.span else 0}: {item.message}" for item in found.diagnostics if item.severity == "error"]


def test_the_unmutated_text_has_no_mistake() -> None:
    assert not told(HOSPITAL)


@pytest.mark.parametrize("seed", range(6))
def test_any_text_gives_a_tree(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(MUTATIONS // 6):
        text = chance.choice(TEXTS)
        for _ in range(chance.randint(1, 4)):
            start = chance.randrange(len(text))
            end = min(start + chance.choice([0, 1, 1, 3, 40]), len(text))
            text = put(text, start, end, "".join(chance.choice(LETTERS) for _ in range(chance.choice([0, 1, 1, 2, 5]))))
        report = Report()
        module = parse(Source("x.ztos", text), report)
        assert isinstance(module, ast.Module)
        assert all(isinstance(statement, ast.Statement) for statement in module.statements)


def test_one_mistake_is_told_once() -> None:
    chance = random.Random(7)
    tried, once, others = 0, 0, []
    for mistake in MISTAKES:
        for _ in range(20):
            text = mistake(HOSPITAL, chance)
            if text is None or text == HOSPITAL:
                continue
            errors = told(text)
            tried += 1
            once += len(errors) == 1
            if len(errors) != 1:
                others.append(f"{mistake.__name__}: {errors}")
    assert tried >= 200
    assert once / tried >= 0.95, f"{once} of {tried}:\n" + "\n".join(others)
