"""Findings as documents, one format a file: for scripts, for code scanning, for the reports and annotations of CI, for a comment.

Guarantees: pure, findings in and text out, the same findings give the same text; whatever stands in a source, a name or a message
is escaped for the reader of that format, so that it is shown and never obeyed. A format is imported when it is asked for.
"""

from __future__ import annotations

from importlib import import_module

from ztosc.report.model import Findings, counts

MODULES = {
    "json": "ztosc.report.plain",
    "sarif": "ztosc.report.sarif",
    "junit": "ztosc.report.junit",
    "github": "ztosc.report.github",
    "gitlab": "ztosc.report.gitlab",
    "markdown": "ztosc.report.markdown",
}
"""Every format but the text for a terminal, and who renders it."""


def render(form: str, findings: Findings) -> str:
    """The findings in a format of `MODULES`, ending in a newline."""
    text: str = import_module(MODULES[form]).render(findings)
    return text


__all__ = ["MODULES", "Findings", "counts", "render"]
