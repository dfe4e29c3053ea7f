"""The JSON of docs/cli.md, which scripts rely on.

Guarantees: every text in it is exact, as it stands in the sources.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ztosc.report.model import Findings, counts

if TYPE_CHECKING:
    from ztosc.ir.verdict import Verdict
    from ztosc.verify import TestResult


def render(findings: Findings) -> str:
    """The findings as one JSON object."""
    return json.dumps(value(findings), indent=2, ensure_ascii=False) + "\n"


def value(findings: Findings) -> dict[str, Any]:
    """The object."""
    return {
        "schema": 1,
        "ztosc": findings.version,
        "at": findings.at,
        "digest": findings.digest,
        "diagnostics": [item.to_json() for item in findings.diagnostics],
        "verdicts": [verdict_json(verdict) for verdict in all_verdicts(findings)],
        "controls": [],
        "tests": [test_json(result) for result in findings.tests],
        **_changes(findings),
        "summary": counts(findings.diagnostics, findings.verdicts),
        **findings.more,
    }


def _changes(findings: Findings) -> dict[str, Any]:
    if findings.comparison is None:
        return {"access": {"gained": [], "lost": []}}
    from ztosc.report.changes import value as changes  # only where something was compared

    return changes(findings.comparison)


def all_verdicts(findings: Findings) -> tuple[Verdict, ...]:
    """Those of the network, then those on what only the base asserts."""
    return (*findings.verdicts, *(findings.comparison.base if findings.comparison else ()))


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """One verdict."""
    place = {"file": verdict.origin.file if verdict.origin else None, "line": verdict.origin.line if verdict.origin else None}
    named = {"kind": verdict.kind, "property": verdict.property, "statement": verdict.statement}
    witness, explanation = (part.model_dump(mode="json") if part else None for part in (verdict.witness, verdict.explanation))
    return {**named, **place, "verdict": verdict.verdict, "reason": verdict.reason, "witness": witness, "explanation": explanation}


def test_json(result: TestResult) -> dict[str, Any]:
    """One test."""
    reasons = [failure.reason for failure in result.failures]
    return {"name": result.name, "passed": result.passed, "file": result.origin.file, "line": result.origin.line, "reasons": reasons}


test_json.__test__ = False  # type: ignore[attr-defined]
