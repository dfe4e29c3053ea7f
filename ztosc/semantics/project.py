"""`ztos.toml`: which project this is.

Guarantees: an unknown table or key is an error with a suggestion; nothing in it names a command, a template or a path to run.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

from ztosc.diagnostics import Report, suggestion
from ztosc.source import Loader, Source, SourceMissing, SourceRefused, Span

FILE = "ztos.toml"
KEYS = {"project": {"name"}}
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Project:
    """What the project file says. A folder without one is a project too, without a name."""

    name: str | None


def read_project(loader: Loader, report: Report) -> Project:
    """Read `ztos.toml`, if there is one."""
    try:
        text = loader.read(FILE).decode("utf-8")
    except SourceMissing:
        return Project(None)
    except (UnicodeDecodeError, SourceRefused) as error:
        report.error("ZT222", f"`{FILE}` cannot be read: {error}", Span(FILE, 1, 1, 1, 1), help="it is a TOML file in UTF-8")
        return Project(None)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        report.error(
            "ZT222", f"`{FILE}` is not TOML: {error}", _line_of(text, str(error)), help='a minimal one is `[project]` with `name = "x"`'
        )
        return Project(None)
    return _checked(Source(FILE, text), table, report)


def _line_of(text: str, message: str) -> Span:
    found = re.search(r"line (\d+), column (\d+)", message)
    line, column = (int(found.group(1)), int(found.group(2))) if found else (text.count("\n") + 1, 1)
    return Span(FILE, line, column, line, column)


def _span_of(source: Source, word: str) -> Span:
    start = max(source.text.find(word), 0)
    return source.span(start, start + len(word))


def _checked(source: Source, table: dict[str, object], report: Report) -> Project:
    for key, value in table.items():
        if key not in KEYS or not isinstance(value, dict):
            report.error(
                "ZT222",
                f"`{FILE}` has no table `{key}`",
                _span_of(source, key),
                help=suggestion(key, KEYS, "the only table is `[project]`"),
            )
            continue
        for unknown in sorted(set(value) - KEYS[key]):
            help_ = suggestion(unknown, KEYS[key], "the only key is `name`")
            report.error("ZT222", f"`[{key}]` has no key `{unknown}`", _span_of(source, unknown), help=help_)
    project = table.get("project")
    name = project.get("name") if isinstance(project, dict) else None
    if not isinstance(name, str) or not NAME.fullmatch(name):
        report.error(
            "ZT222", f"`{FILE}` gives the project no name", Span(FILE, 1, 1, 1, 1), help='write `[project]` and below it `name = "x"`'
        )
        return Project(None)
    return Project(name)
