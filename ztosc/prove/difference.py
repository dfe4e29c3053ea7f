"""Where two models of one file differ, and on which line of the file that is.

Guarantees: for unequal models there always is an answer; the line is that of the first piece of text that tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

from pydantic import BaseModel

from ztosc.backends.base import Artifact


def difference(wanted: Any, found: Any, artifacts: Iterable[Artifact], rendered: Iterable[Artifact]) -> tuple[str, int, str]:
    """File, line (from 1) and words. `rendered` is what the wanted model prints."""
    files = tuple(artifacts)
    words = _words(wanted, found)
    expected = {artifact.path: artifact.content for artifact in rendered}
    for file in files:
        line = _first_line(expected.get(file.path, b""), file.content)
        if line:
            return file.path, line, words
    return (files[0].path if files else ""), _line_of(words, files), words


def _first_line(wanted: bytes, found: bytes) -> int:
    pairs = zip_longest(wanted.splitlines(), found.splitlines())
    return next((number for number, (left, right) in enumerate(pairs, start=1) if left != right), 0)


def _line_of(words: str, files: tuple[Artifact, ...]) -> int:
    """Where bytes agree and meanings do not, a template is wrong: the line of what the difference names."""
    named = words.split("`")[1::2]
    lines = files[0].content.decode(errors="replace").splitlines() if files else []
    return next((number for number, line in enumerate(lines, start=1) if any(name and name in line for name in named)), 1)


def _words(wanted: Any, found: Any) -> str:
    where, left, right = _leaf(_plain(wanted), _plain(found), "")
    return f"{where or 'the whole'} is `{_short(right)}`, not `{_short(left)}`"


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 120 else text[:117] + "..."


def _plain(value: Any) -> Any:
    return value.model_dump() if isinstance(value, BaseModel) else value


def _leaf(wanted: Any, found: Any, where: str) -> tuple[str, Any, Any]:
    """The first place, in order, at which two nested values differ."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in sorted({*wanted, *found}, key=str):
            if wanted.get(key) != found.get(key):
                return _leaf(wanted.get(key), found.get(key), f"{where}.{key}".lstrip("."))
    if isinstance(wanted, (list, tuple)) and isinstance(found, (list, tuple)):
        for index, (left, right) in enumerate(zip_longest(wanted, found)):
            if left != right:
                return _leaf(left, right, f"{where}[{_name(left, right, index)}]")
    return where, wanted, found


def _name(left: Any, right: Any, index: int) -> str:
    for each in (left, right):
        if isinstance(each, dict) and "name" in each:
            return str(each["name"])
    return str(index)
