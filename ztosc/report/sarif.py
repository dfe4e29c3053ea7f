"""SARIF 2.1.0 (OASIS), for code scanning and editors.

Guarantees: valid against the schema of the standard; every result is a problem and has a place, because readers take whatever stands
among the results as one and refuse the document over a result without a place. So an undecided assertion is an error here too, and
what was proved or passed stands in the run's properties. No message forms a link or a placeholder.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ztosc.diagnostics import CODES, Diagnostic, Fix, Label, Severity
from ztosc.diagnostics.text import safe as visible
from ztosc.report.model import PROJECT, Findings, code_of, counts, document, fingerprints
from ztosc.report.plain import test_json, verdict_json
from ztosc.resources import ResourceNotFoundError, diagnostic_page
from ztosc.source import Span

if TYPE_CHECKING:
    from ztosc.ir.verdict import Hop

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
ROOT = "%SRCROOT%"
LINK = re.compile(r"(\\*)\]\(")
UNNAMABLE = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def render(findings: Findings) -> str:
    """The findings as a SARIF log of one run."""
    return document({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(findings)]})


def _run(findings: Findings) -> dict[str, Any]:
    codes = sorted({item.code for item in findings.diagnostics})
    results = zip(findings.diagnostics, fingerprints(findings), strict=True)
    ways = {(code_of(verdict), verdict.origin): verdict.witness.hops for verdict in findings.verdicts if len(verdict.witness.hops) > 1}
    driver = {"name": "ztosc", "version": findings.version, "semanticVersion": findings.version, "rules": [_rule(code) for code in codes]}
    return {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True}],
        "originalUriBaseIds": {ROOT: {"description": {"text": "The folder of the project."}}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, mark, codes, ways.get((item.code, item.span), ())) for item, mark in results],
        "properties": {
            "at": findings.at,
            "digest": findings.digest,
            "summary": counts(findings.diagnostics, findings.verdicts),
            "verdicts": [verdict_json(verdict) for verdict in findings.verdicts],
            "tests": [test_json(result) for result in findings.tests],
            **{name: findings.more[name] for name in ("assurance", "model") if name in findings.more},
        },
    }


def _rule(code: str) -> dict[str, Any]:
    title = CODES[code].title
    try:
        page = diagnostic_page(code)
    except ResourceNotFoundError:
        page = title
    return {
        "id": code,
        "shortDescription": {"text": title},
        "help": {"text": message(page), "markdown": _braces(page)},
        "defaultConfiguration": {"level": "error"},
    }


def _result(item: Diagnostic, mark: str, codes: list[str], way: tuple[Hop, ...]) -> dict[str, Any]:
    text = "\n".join([item.message, *([f"help: {item.help}"] if item.help else [])])
    result: dict[str, Any] = {
        "ruleId": item.code,
        "ruleIndex": codes.index(item.code),
        "kind": "fail",
        "level": LEVELS[item.severity],
        "message": {"text": message(text)},
        "locations": [_location(item.span or Span(PROJECT, 1, 1, 1, 1), item.label)],
        "partialFingerprints": {"ztoscFinding/v1": mark},
    }
    if item.related:
        result["relatedLocations"] = [_related(number, label) for number, label in enumerate(item.related)]
    if way:
        result["codeFlows"] = [{"threadFlows": [{"locations": [_hop(hop) for hop in way]}]}]
    if item.fixes:
        fixes = [_fix(fix) for fix in item.fixes]
        result["fixes"] = [fix for number, fix in enumerate(fixes) if fix not in fixes[:number]]  # the schema wants each once
    return result


def _location(span: Span, text: str) -> dict[str, Any]:
    place: dict[str, Any] = {"physicalLocation": {"artifactLocation": _artifact(span.file), "region": _region(span)}}
    return {**place, "message": {"text": message(text)}} if text else place


def _related(number: int, label: Label) -> dict[str, Any]:
    return {"id": number, **_location(label.span, label.message)}


def _hop(hop: Hop) -> dict[str, Any]:
    """A hop of a witness as a step of a code flow, at the rule that lets it pass."""
    place = _location(hop.rule, hop.text) if hop.rule else {}
    return {"location": {**place, "message": {"text": message(hop.text)}}, "importance": "essential"}


def _artifact(file: str) -> dict[str, Any]:
    return {"uri": uri(file), "uriBaseId": ROOT}


def uri(file: str) -> str:
    """A name as a relative URI: the bytes that it has on disk, percent-encoded."""
    return quote(UNNAMABLE.sub("\ufffd", file).encode("utf-8", "surrogateescape"), safe="/")


def _region(span: Span) -> dict[str, int]:
    return {"startLine": span.line, "startColumn": span.column, "endLine": span.end_line, "endColumn": span.end_column}


def _fix(fix: Fix) -> dict[str, Any]:
    changes = []
    for file in dict.fromkeys(edit.span.file for edit in fix.edits):
        edits = [edit for edit in fix.edits if edit.span.file == file]
        replacements = [{"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}} for edit in edits]
        changes.append({"artifactLocation": _artifact(file), "replacements": replacements})
    return {"description": {"text": message(fix.title)}, "artifactChanges": changes}


def message(text: str) -> str:
    """A text as SARIF wants it (§3.11.5 and §3.11.6): braces doubled, and no `](`, which would end the text of a link."""
    return LINK.sub(lambda found: found.group(1) * 2 + "\\](", _braces(visible(text)))


def _braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
