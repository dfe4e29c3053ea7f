"""What commands share: finding the project, the clock, compiling, and saying what came of it.

Guarantees: one order of exit codes for all commands; in a format other than text, standard output is one document and nothing else.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ztosc import __version__
from ztosc.cli.app import OK, UNDECIDED, WRONG
from ztosc.cli.cache import disk_cache
from ztosc.cli.recall import compile_again
from ztosc.compiler import Compiled
from ztosc.diagnostics import Diagnostic, Severity
from ztosc.diagnostics.text import plain, render, safe
from ztosc.ir.clock import instant_text
from ztosc.report import MODULES, Findings, counts
from ztosc.report import render as document
from ztosc.source import DiskLoader, Source

if TYPE_CHECKING:
    from ztosc.compare import Comparison
    from ztosc.ir.verdict import Verdict
    from ztosc.verify import TestResult


class Instant(click.ParamType[int]):
    """`2027-01-31` (its start, UTC) or `2027-01-31T18:00Z`, as seconds since 1970."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"`{value}` is no instant; write 2027-01-31 or 2027-01-31T18:00Z", param, ctx)
        stamp = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        if not date(1971, 1, 1) <= stamp.astimezone(UTC).date() <= date(9998, 12, 31) - timedelta(days=1):
            self.fail("the year must lie between 1971 and 9998", param, ctx)
        return int(stamp.timestamp())


at_option = click.option("--at", type=Instant(), default=None, help="The compiler's clock; now where absent.", metavar="INSTANT")
format_option = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How the answer is printed.")
findings_option = click.option("--format", "form", type=click.Choice(["text", *MODULES]), default="text", help="How findings are printed.")
path_argument = click.argument("path", required=False, type=click.Path(path_type=Path))


def clock(at: int | None) -> int:
    """The instant given, or now."""
    return int(time.time()) if at is None else at


def find_project(path: Path | None, skip: tuple[Path, ...] = ()) -> DiskLoader:
    """The loader of the project at a path, or of the nearest folder upward that has a `ztos.toml`."""
    if path is None:
        return DiskLoader(_nearest(Path.cwd()), skip=skip)
    if not path.exists():
        raise click.UsageError(f"there is no `{safe(str(path))}`")
    if path.is_file():
        if path.suffix != ".ztos":
            raise click.UsageError(f"`{safe(str(path))}` is neither a folder nor a `.ztos` file")
        return DiskLoader(path.resolve().parent, only=(path.name,))
    return DiskLoader(path.resolve(), skip=skip)


def _nearest(start: Path) -> Path:
    for folder in (start, *start.parents):
        if (folder / "ztos.toml").is_file():
            return folder
    raise click.UsageError("no `ztos.toml` here or in any folder above; give a path, or start with `ztosc init`")


UNDECIDED_CODES = ("ZT421", "ZT422", "ZT438", "ZT501")
"""Errors that say what could not be decided, and not that something is wrong."""


@dataclass
class Outcome:
    """Everything that one command found, and how to say it."""

    at: int
    compiled: Compiled
    diagnostics: list[Diagnostic] = field(default_factory=list)
    verdicts: tuple[Verdict, ...] = ()
    tests: tuple[TestResult, ...] = ()
    comparison: Comparison | None = None
    against: str = ""
    """What it was compared with."""

    @property
    def code(self) -> int:
        """The exit code: wrong before undecided before fine."""
        if any(item.severity is Severity.ERROR and item.code not in UNDECIDED_CODES for item in self.diagnostics):
            return WRONG
        if self.comparison is not None and any(item.severity is Severity.ERROR for item in self.diagnostics):
            return UNDECIDED
        if any(verdict.verdict in ("unknown", "unsupported") for verdict in self.verdicts):
            return UNDECIDED
        return OK


def compile_at(path: Path | None, at: int | None, skip: tuple[Path, ...] = ()) -> Outcome:
    """Compile the project at a path."""
    instant = clock(at)
    with disk_cache() as cache:
        compiled = compile_again(find_project(path, skip), instant, cache)
    return Outcome(instant, compiled, list(compiled.diagnostics))


def paint(stream: Any) -> Callable[[str, str], str]:
    """Colours for a terminal that wants them (https://no-color.org)."""
    if not stream.isatty() or os.environ.get("NO_COLOR"):
        return plain
    return lambda text, colour: click.style(text, fg=colour, bold=True)


def show_diagnostics(items: Iterable[Diagnostic], sources: dict[str, Source]) -> None:
    """Diagnostics as text, on standard error."""
    text = render(items, sources, paint(sys.stderr))
    if text:
        click.echo(text + "\n", err=True)


def count(outcome: Outcome) -> dict[str, int]:
    """The figures of the summary."""
    return counts(outcome.diagnostics, outcome.verdicts)


def plural(number: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def findings(outcome: Outcome, **more: Any) -> Findings:
    """What an outcome has to say, for any format; `more` is for the JSON alone."""
    digest = outcome.compiled.digest or None
    said = {"controls": _controls(outcome), **more}
    told = (tuple(outcome.diagnostics), outcome.verdicts, outcome.tests)
    return Findings(__version__, instant_text(outcome.at), digest, *told, more=said, comparison=outcome.comparison, against=outcome.against)


def _controls(outcome: Outcome) -> list[dict[str, Any]]:
    """The controls that nobody has to judge: what needs evidence, and what is waived."""
    intent = outcome.compiled.intent
    if intent is None or not intent.compliance:
        return []
    from ztosc.verify import states  # loads the solver, which only regimes need here

    return [{"profile": profile, "control": control.name, "state": state} for profile, control, state in states(intent)]


def print_document(outcome: Outcome, form: str, **more: Any) -> None:
    """Findings in a format other than text, alone on standard output. A name that UTF-8 cannot say is escaped as JSON does it."""
    click.echo(document(form, findings(outcome, **more)).encode("utf-8", "backslashreplace"), nl=False)


def print_json(value: Any) -> None:
    """A value as JSON on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def strictly(outcome: Outcome, strict: bool) -> int:
    """The exit code, with `--strict` making warnings count."""
    if strict and outcome.code == OK and any(item.severity is Severity.WARNING for item in outcome.diagnostics):
        return WRONG
    return outcome.code
