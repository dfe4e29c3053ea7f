"""GitHub annotations: one workflow command a line.

Guarantees: every line is a command of ours, whatever the text; nothing in a message or a name starts, ends or changes one.
"""

from __future__ import annotations

from ztosc.diagnostics import CODES, Diagnostic, Severity
from ztosc.diagnostics.text import one_line
from ztosc.diagnostics.text import safe as visible
from ztosc.report.model import Findings, details, summary
from ztosc.source import Span

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(findings: Findings) -> str:
    """An annotation for each diagnostic, those of verdicts and tests among them, and a notice with the figures."""
    lines = [_annotation(item) for item in findings.diagnostics]
    return "\n".join([*lines, f"::notice title=ztosc::{data(summary(findings))}"]) + "\n"


def _annotation(item: Diagnostic) -> str:
    place = _place(item.span) if item.span else {}
    named = {**place, "title": f"{item.code}: {CODES[item.code].title}"}
    properties = ",".join(f"{name}={value(text)}" for name, text in named.items())
    told = "\n".join(filter(None, [visible(item.message), details(item)]))
    return f"::{LEVELS[item.severity]} {properties}::{data(told)}"


def _place(span: Span) -> dict[str, str]:
    """GitHub takes columns for what stands on one line alone."""
    lines = {"file": one_line(span.file), "line": str(span.line), "endLine": str(span.end_line)}
    columns = {"col": str(span.column), "endColumn": str(span.end_column)}
    return {**lines, **columns} if span.line == span.end_line else lines


def data(text: str) -> str:
    """A message, escaped."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def value(text: str) -> str:
    """A property's value, escaped."""
    return data(text).replace(":", "%3A").replace(",", "%2C")
