"""GitLab Code Quality: a list of problems.

Guarantees: each has a place, and a fingerprint of its own that stays the same when lines shift. Such a list has no room for what
was proved or passed.
"""

from __future__ import annotations

from typing import Any

from ztosc.diagnostics import Diagnostic, Severity
from ztosc.diagnostics.text import safe as visible
from ztosc.report.model import PROJECT, Findings, details, document, fingerprints

SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(findings: Findings) -> str:
    """The diagnostics, those of verdicts and tests among them."""
    marks = fingerprints(findings)
    return document([_issue(item, mark) for item, mark in zip(findings.diagnostics, marks, strict=True)])


def _issue(item: Diagnostic, mark: str) -> dict[str, Any]:
    lines = {"begin": item.span.line, "end": item.span.end_line} if item.span else {"begin": 1, "end": 1}
    return {
        "type": "issue",
        "check_name": item.code,
        "description": visible(item.message),
        "content": {"body": details(item)},
        "categories": ["Security"],
        "severity": SEVERITIES[item.severity],
        "fingerprint": mark,
        "location": {"path": item.span.file if item.span else PROJECT, "lines": lines},
    }
