"""Markdown, for a comment on a pull request.

Guarantees: every text from a source stands in a code span or a code block whose fence is longer than any run of backticks in it, so
that it cannot become markup, a link, a mention, a reference or HTML, on whatever site shows it. The comment has a bounded length and
says what it leaves out. A bar within a cell is shown as a broken bar.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ztosc.diagnostics import CODES, Diagnostic
from ztosc.diagnostics.text import one_line
from ztosc.diagnostics.text import safe as visible
from ztosc.ir.compliance import ASSURANCE
from ztosc.report.model import Findings, details, model_lines, steps, summary, where

if TYPE_CHECKING:
    from ztosc.compare import Comparison
    from ztosc.ir.verdict import Verdict
    from ztosc.report.changes import Row
    from ztosc.verify import TestResult

LONGEST = 60_000
"""Characters of a comment; GitHub takes 65,536."""

RUN = re.compile("`+")
MOST = 40
"""Rows of all tables of changes together."""
WIDEST = 300
"""Characters of a cell."""
MARKS = {"fails": "**unsigned**", "accepted": "signed for", "told": ""}


def render(findings: Findings) -> str:
    """A heading with the figures, a section for each diagnostic, a line for each verdict and test."""
    head = [f"### ztosc: {summary(findings)}"]
    if findings.comparison is not None:
        head.append(_changes(findings.comparison, findings.against))
    parts = [_diagnostic(item) for item in findings.remaining()]
    parts += [_verdict(verdict) for verdict in findings.verdicts]
    parts += [_test(result) for result in findings.tests]
    parts += list(_model(findings.more))
    foot = [f"ztosc {span(findings.version)}, at {span(findings.at)}" + (f", network {span(findings.digest)}" if findings.digest else "")]
    return "\n\n".join([*head, *_bounded(parts, LONGEST - sum(map(len, head))), *foot]) + "\n"


def _changes(comparison: Comparison, against: str) -> str:
    """What a change widens and narrows, a table a subject, the statements to sign with below."""
    from ztosc.report.changes import sections  # only where something was compared

    told = sections(comparison)
    if not told:
        return f"Against {span(against)} nothing that the network allows or promises has changed."
    left, parts = MOST, [f"What changed against {span(against)}:"]
    for title, rows in told:
        shown = rows[: max(left, 0)]
        left -= len(shown)
        table = [f"| {title} | what | where |", "| --- | --- | --- |", *(_row(row) for row in shown)]
        rest = [f"**{len(rows) - len(shown)} more** ({title}) are left out here."] if len(rows) > len(shown) else []
        parts += ["\n".join(table)] * bool(shown) + rest
    unsigned = list(dict.fromkeys(row.accept for _, rows in told for row in rows if row.state == "fails" and row.accept))
    if unsigned:
        lines = [f'{cut(one_line(each))} because "…" approved by "…"' for each in unsigned[:MOST]]
        lines += [f"# and {len(unsigned) - MOST} more"] if len(unsigned) > MOST else []
        parts.append("To let this pass, somebody signs for it in the sources of this change:\n\n" + block("\n".join(lines)))
    return "\n\n".join(parts)


def _row(row: Row) -> str:
    return f"| {MARKS[row.state]} | {cell(row.text)} | {cell(row.where) if row.where else ''} |"


def cell(text: str) -> str:
    """A text as a code span in a table, where GitHub takes a bar for the end of a cell even in code; long ones are cut."""
    told = one_line(text)
    return span(cut(told).replace("|", "\u00a6"))


def cut(text: str) -> str:
    """A text of bounded length."""
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def _bounded(parts: list[str], room: int) -> list[str]:
    length = 0
    for number, part in enumerate(parts):
        length += len(part) + 2
        if length > room:
            return [*parts[:number], f"**{len(parts) - number} more** are left out here: run `ztosc` for all."]
    return parts


def _diagnostic(item: Diagnostic) -> str:
    place = span(f"{item.span.file}:{item.span.line}:{item.span.column}") if item.span else "the project"
    told = "\n".join(filter(None, [visible(item.message), details(item)]))
    return f"**{item.severity} {item.code}** {CODES[item.code].title}, {place}\n\n{block(told)}"


def _verdict(verdict: Verdict) -> str:
    line = f"**{verdict.verdict}** {span(verdict.statement)}, {span(where(verdict.origin))}"
    told = steps(verdict)
    return f"{line}\n\n{block(told)}" if told and verdict.verdict != "proved" else line


def _test(result: TestResult) -> str:
    line = f"**{'passed' if result.passed else 'failed'}** test {span(result.name)}, {span(where(result.origin))}"
    told = "\n".join(f"{where(failure.origin)}: {failure.reason}" for failure in result.failures)
    return line if result.passed else f"{line}\n\n{block(visible(told))}"


def _model(more: Mapping[str, Any]) -> Iterator[str]:
    """What the grants rest on, and what the model covers and does not."""
    if more.get("model", {}).get("covers"):
        levels = Counter(each["level"] for each in more["assurance"]["grants"])
        told = ", ".join(f"{number} {level}" for level, number in sorted(levels.items(), key=lambda pair: ASSURANCE.index(pair[0])))
        yield f"**grants by assurance** {told or 'none'}"
        for title, key in (("the model covers", "covers"), ("the model does not cover", "does_not_cover")):
            yield f"**{title}**\n\n{block(visible(chr(10).join(model_lines(more['model'][key]))))}"


def span(text: str) -> str:
    """A text as a code span on one line."""
    told = one_line(text)
    fence = "`" * _fence(told, 0)
    pad = " " if told.strip(" ") and (told[0] in "` " or told[-1] in "` ") else ""
    return f"{fence}{pad}{told or ' '}{pad}{fence}"


def block(text: str) -> str:
    """A text as a code block."""
    fence = "`" * _fence(text, 2)
    return f"{fence}text\n{text}\n{fence}"


def _fence(text: str, least: int) -> int:
    return max([least, *(len(run) for run in RUN.findall(text))]) + 1
