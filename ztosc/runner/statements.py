"""What a ruleset's text would do, statement by statement, as far as the loader must know: whose table it touches.

Guarantees: a statement that is not plainly about a table of ours (`inet ztos`, `bridge ztos`), that includes another file or defines a
variable, is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

TOKEN = re.compile(r'[ \t]+|\\\n|#[^\n]*|"[^"\n]*"|[{}]|[\n;]|[^\s"{};#]+|.')
OURS = (
    ("table", "inet", "ztos"),
    ("delete", "table", "inet", "ztos"),
    ("table", "bridge", "ztos"),
    ("delete", "table", "bridge", "ztos"),
    ("flush", "set", "inet", "ztos"),
    ("add", "element", "inet", "ztos"),
)
"""How statements of ours begin."""
NEVER = {"include", "define", "undefine", "redefine"}


def foreign(text: str) -> str | None:
    """The first statement that is not ours, if any."""
    return next((statement for statement in _statements(text) if not _is_ours(statement.split())), None)


def _is_ours(words: list[str]) -> bool:
    known = any(tuple(words[: len(opening)]) == opening for opening in OURS)
    return known and words[0] not in NEVER and not any(word in NEVER or word.startswith("$") for word in words)


def _statements(text: str) -> Iterator[str]:
    """Each with the blocks that belong to it, texts in quotes left out; braces that do not close are a statement of their own."""
    words: list[str] = []
    depth = 0
    for token in TOKEN.findall(text):
        if token[0] in " \t#\\" or (token == "\n" and depth):
            continue
        if token not in ("\n", ";") or depth:
            depth += {"{": 1, "}": -1}.get(token, 0)
            words.append("text" if token[0] == '"' and len(token) > 1 else token)
        if words and (depth < 0 or (depth == 0 and token in ("\n", ";", "}"))):
            yield " ".join(words)
            words, depth = [], max(depth, 0)
    if words:
        yield " ".join(words) if depth == 0 else "{"


def written(text: str, name: str) -> frozenset[str]:
    """What stands in a set from the start, without a timeout."""
    found = re.search(rf"^\s*set {re.escape(name)} \{{[^{{}}]*elements = \{{([^{{}}]*)\}}", text, re.MULTILINE)
    return frozenset(each.strip() for each in found[1].split(",") if each.strip()) if found else frozenset()
