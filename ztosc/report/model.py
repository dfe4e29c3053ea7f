"""What every format renders: one run's findings, and what the formats have in common.

Guarantees: what is told of a finding holds nothing that a reader could not see; a fingerprint stays the same when lines shift and time
passes, and no two findings of one run share one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ztosc.diagnostics import Diagnostic, Severity
from ztosc.diagnostics.text import one_line
from ztosc.diagnostics.text import safe as visible
from ztosc.source import Span

if TYPE_CHECKING:
    from ztosc.compare import Comparison
    from ztosc.ir.verdict import Hop, Outcome, Refutation, Region, Verdict
    from ztosc.verify import TestResult

VERDICT_CODES = {"refuted": "ZT420", "unknown": "ZT421", "unsupported": "ZT422"}
"""The code of the error that a verdict is, unless it is proved."""

CONTROL_CODE = "ZT501"
TEST_CODE = "ZT423"
COMPARED = frozenset({"ZT430", "ZT431", "ZT432", "ZT433", "ZT434", "ZT435", "ZT436", "ZT438"})
"""Codes of what a comparison says as well. What of the base could not be decided is said by its verdict."""
OUTCOMES: tuple[Outcome, ...] = ("proved", "refuted", "unknown", "unsupported")
PROJECT = "ztos.toml"
"""The file shown for a finding about the project as a whole, in formats where each finding needs one."""

REGIONS = 12
"""The most parts of what is affected that a text tells."""

PASSING = re.compile(r"(?<=\.ztos):\d+(?::\d+)?|\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?Z")
"""What a message says of lines and moments, which pass."""


@dataclass(frozen=True)
class Findings:
    """What one run found. `more` is what a command adds to the JSON."""

    version: str
    at: str
    digest: str | None
    diagnostics: tuple[Diagnostic, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    tests: tuple[TestResult, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    comparison: Comparison | None = None
    against: str = ""
    """What it was compared with: a folder or a revision."""

    def remaining(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that no verdict, test or change of this run says as well."""
        told = {(code_of(verdict), verdict.origin) for verdict in self.verdicts}
        changes = COMPARED if self.comparison is not None else frozenset()
        failed = {(failure.reason, failure.origin) for result in self.tests for failure in result.failures}
        return tuple(
            item
            for item in self.diagnostics
            if item.code not in changes
            and (item.code, item.span) not in told
            and (item.code != TEST_CODE or (item.message, item.span) not in failed)
        )


def code_of(verdict: Verdict) -> str | None:
    """The code of the error that a verdict is; none where it is proved."""
    return CONTROL_CODE if verdict.kind == "control" and verdict.verdict != "proved" else VERDICT_CODES.get(verdict.verdict)


def counts(diagnostics: Iterable[Diagnostic], verdicts: Iterable[Verdict]) -> dict[str, int]:
    """The figures of the summary."""
    weights = Counter(item.severity for item in diagnostics)
    outcomes = Counter(verdict.verdict for verdict in verdicts)
    return {"errors": weights[Severity.ERROR], "warnings": weights[Severity.WARNING], **{name: outcomes[name] for name in OUTCOMES}}


def summary(findings: Findings) -> str:
    """The figures as one line; what is zero and no mistake is left out."""
    found = counts(findings.diagnostics, findings.verdicts)
    parts = [f"{found[name]} {name if found[name] != 1 else name[:-1]}" for name in ("errors", "warnings")]
    parts += [f"{found[name]} {name}" for name in OUTCOMES if found[name]]
    if findings.comparison is not None:
        parts.append(f"access: {len(findings.comparison.gained)} gained, {len(findings.comparison.lost)} lost")
    if findings.tests:
        parts.append(f"{sum(result.passed for result in findings.tests)} of {len(findings.tests)} tests passed")
    return ", ".join(parts)


def where(span: Span | None) -> str:
    """`file:line`, on one line; the project file where there is no place."""
    return f"{one_line(span.file)}:{span.line}" if span else PROJECT


def details(item: Diagnostic) -> str:
    """What there is to say behind the message of a diagnostic: label, help and the other places, a line each."""
    lines = [item.label] if item.label else []
    lines += [f"help: {item.help}"] if item.help else []
    lines += [f"{where(label.span)}: {label.message}" for label in item.related]
    return visible("\n".join(lines))


def steps(verdict: Verdict) -> str:
    """What there is to say behind a verdict: why, the hops, all that is affected, what is allowed close by, and the test to paste."""
    told = verdict.explanation
    reason = told.sentence if told else verdict.reason
    hops = [f"{number}. {hop.text}" + _rule(hop) for number, hop in enumerate(verdict.witness.hops, 1)]
    lines = [*([reason] if reason else []), *hops, *(_explained(told) if told else ())]
    return visible("\n".join(lines))


def _rule(hop: Hop) -> str:
    return f"  [{where(hop.rule)}]" if hop.rule and f"({hop.rule.file}:{hop.rule.line})" not in hop.text else ""


def _explained(told: Refutation) -> Iterator[str]:
    if told.region:
        yield "affected:"
        yield from (f"  {region_text(region)}" for region in told.region[:REGIONS])
    if len(told.region) > REGIONS:
        yield f"  and {len(told.region) - REGIONS} more, in the JSON"
    if told.nearest:
        yield f"though {told.nearest}"
    if told.test:
        yield "a test that fails until this is mended:"
        yield from (f"  {line}" for line in told.test.splitlines())
    elif told.untestable:
        yield f"no test block: {told.untestable}"


def model_lines(lines: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What the model covers, or does not, a line each: the topic, what of this network it is about, the text."""
    for each in lines:
        names = f"{', '.join(each['names'])}: " if each["names"] else ""
        yield f"{each['topic']}: {names}{each['text']}"


def region_text(region: Region) -> str:
    """`a from b to c on tcp/443 when … (file:line)`."""
    who, sources, targets = (", ".join(names) for names in (region.who, region.sources, region.targets))
    parts = [f"{who} from {sources} to {targets} on {region.ports}"]
    parts += [f"when {region.guard}"] if region.guard else []
    parts += [region.time] if region.time else []
    parts += [f"({where(region.rule)})"] if region.rule else []
    return " ".join(parts)


def fingerprints(findings: Findings) -> tuple[str, ...]:
    """One for each diagnostic: of its code, file and message, and of how many such came before.

    Line numbers and instants in a message do not count; of a verdict the statement alone does, for its witness may be another tomorrow.
    """
    stated = {(code_of(verdict), verdict.origin): verdict.statement for verdict in findings.verdicts}
    seen: Counter[str] = Counter()
    found = []
    for item in findings.diagnostics:
        said = stated.get((item.code, item.span), item.message)
        key = json.dumps([item.code, item.span.file if item.span else None, PASSING.sub("", said)])
        found.append(hashlib.sha256(f"{key}{seen[key]}".encode()).hexdigest())
        seen[key] += 1
    return tuple(found)


def document(value: Any) -> str:
    """JSON that is ASCII alone: what it holds is exact, and nothing in its bytes is obeyed or hidden."""
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"
