# ruff: noqa: RUF001  # a table of characters that look alike
"""Letters and marks of other alphabets where the language has its own: seen as the same by a reader, and never by the compiler.

Guarantees: each word with such letters is reported once; where every one of them looks like a character of the language it is read as
that one, position for position, so that nothing else is reported of the word.
"""

from __future__ import annotations

import re
import unicodedata

from ztosc.diagnostics import Report
from ztosc.diagnostics.fixes import replace
from ztosc.source import Source

CODE = re.compile(r'"(?:\\.|[^"\\\n])*"|\#[^\n]*|(?P<word>[A-Za-z0-9_.:/${}-]*[^\x00-\x7f][^\s"\#;,(){}\[\]<>=!]*)')
"""Texts and comments, which may hold anything, and words with a character of another alphabet."""

ALIKE = {
    **dict(zip("авеікмнорстухѕјԁһ", "abeikmhopctyxsjdh", strict=True)),
    **dict(zip("АВЕІКМНОРСТУХЅЈ", "ABEIKMHOPCTYXSJ", strict=True)),
    **dict(zip("αεικνορτυχ", "aeikvoptux", strict=True)),
    **dict(zip("“”„‟″«»", '"' * 7, strict=True)),
    **dict(zip("‐‑‒–−", "-" * 5, strict=True)),
    "ı": "i",
    "׃": ":",
    "；": ";",
    "，": ",",
}
"""What looks like a character of the language."""


def plain(source: Source, report: Report) -> str:
    """The text with what looks like the language's characters put in their place; as long as before."""
    if source.text.isascii():
        return source.text
    text = list(source.text)
    for found in CODE.finditer(source.text):
        if found["word"] is not None:
            _word(source, found, text, report)
    return "".join(text)


def foreign(text: str) -> bool:
    """Whether a text has a character of another alphabet where the language has its own."""
    return not text.isascii() and any(found["word"] is not None for found in CODE.finditer(text))


def _word(source: Source, found: re.Match[str], text: list[str], report: Report) -> None:
    foreign = next(character for character in found["word"] if ord(character) > 127)
    looks = [character if ord(character) < 128 else _alike(character) for character in found["word"]]
    name = unicodedata.name(foreign, "a character without a name").lower()
    read = "".join(each or "" for each in looks)
    known = None not in looks
    report.error(
        "ZT110",
        f"`{foreign}` is {name} (U+{ord(foreign):04X}), which is no character of the language",
        source.span(found.start(), found.end()),
        label=f"it looks like `{read}`" if known else "",
        help="write it with the letters of the English alphabet; texts in quotes may hold any",
        fixes=replace(source.span(found.start(), found.end()), read if known else None),
    )
    for offset, each in enumerate(looks):
        text[found.start() + offset] = each or "x"


def _alike(character: str) -> str | None:
    """The character of the language that another one looks like: by the table, or without its accent or width."""
    if character in ALIKE:
        return ALIKE[character]
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base.isascii() and base.isprintable() and not base.isspace() else None
