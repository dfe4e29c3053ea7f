"""The diagnostic: a code, a sentence, a place, the other places, a way out and its edits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ztosc.diagnostics.codes import CODES
from ztosc.diagnostics.fixes import Fix, place
from ztosc.source import Span


class Severity(StrEnum):
    """How much a diagnostic weighs: an error fails the run, a warning does under `--strict`."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Label:
    """Another place that a diagnostic is about, and why."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing to tell the reader. `span` is absent only for what concerns the project as a whole."""

    code: str
    message: str
    span: Span | None
    label: str = ""
    help: str = ""
    related: tuple[Label, ...] = ()
    severity: Severity = Severity.ERROR
    fixes: tuple[Fix, ...] = ()

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"unregistered diagnostic code {self.code}")
        if self.span is not None and self.span.use:
            known = {label.span for label in self.related}
            uses = tuple(Label(use, "in this use of a template") for use in self.span.use if use not in known)
            object.__setattr__(self, "related", (*self.related, *uses))

    def to_json(self) -> dict[str, Any]:
        """The form that `--format json` promises (docs/cli.md)."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "message": self.message,
            **place(self.span),
            "help": self.help,
            "related": [{"message": label.message, **place(label.span)} for label in self.related],
            "fixes": [fix.to_json() for fix in self.fixes],
        }


@dataclass(slots=True)
class Report:
    """A growing list of diagnostics that phases hand down; the only mutable thing that passes a seam."""

    items: list[Diagnostic] = field(default_factory=list)

    def error(
        self,
        code: str,
        message: str,
        span: Span | None,
        *,
        label: str = "",
        help: str = "",
        related: Iterable[Label] = (),
        fixes: Iterable[Fix] = (),
    ) -> None:
        """Add an error."""
        self.items.append(Diagnostic(code, message, span, label, help, tuple(related), fixes=tuple(fixes)))

    def warning(
        self, code: str, message: str, span: Span | None, *, label: str = "", help: str = "", related: Iterable[Label] = ()
    ) -> None:
        """Add a warning."""
        self.items.append(Diagnostic(code, message, span, label, help, tuple(related), Severity.WARNING))

    @property
    def failed(self) -> bool:
        """Whether any error was added."""
        return any(item.severity is Severity.ERROR for item in self.items)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Every diagnostic once, in the order of the sources."""
        return sort_diagnostics(self.items)


def sort_diagnostics(items: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Each diagnostic once, by file, place and code; what has no place comes first.

    A mistake inside a template is one, however often the template is used; a name in a group that is nowhere is one, however often
    the group is asked for, and is told with the help that one of those who ask has.
    """

    def key(item: Diagnostic) -> tuple[object, ...]:
        return (*_place(item.span), item.code, item.message)

    once: dict[tuple[object, ...], Diagnostic] = {}
    for item in sorted(dict.fromkeys(items), key=key):
        same = (_place(item.span)[:-1], item.code, item.message) if item.span else (item,)
        if same not in once or (item.help and not once[same].help):
            once[same] = item
    return tuple(once.values())


def _place(span: Span | None) -> tuple[str, int, int, int, int, tuple[Span, ...]]:
    """A span as values, which are compared faster."""
    return (span.file, span.line, span.column, span.end_line, span.end_column, span.use) if span else ("", 0, 0, 0, 0, ())
