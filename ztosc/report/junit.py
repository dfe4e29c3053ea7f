"""JUnit XML, for the test reports of CI: a suite each for the sources, the assertions, the tests and what a change widens.

Guarantees: well-formed XML 1.0 for any text; the numbers of each suite are those of its cases. What is refuted or failed is a
failure, what could not be decided an error, a warning a case that passes and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from xml.etree import ElementTree as xml

from ztosc.diagnostics import CODES, Diagnostic, Severity
from ztosc.diagnostics.text import one_line
from ztosc.diagnostics.text import safe as visible
from ztosc.report.model import TEST_CODE, Findings, code_of, details, model_lines, steps, summary, where
from ztosc.source import Span

if TYPE_CHECKING:
    from ztosc.ir.verdict import Verdict
    from ztosc.report.changes import Row
    from ztosc.verify import TestResult


def render(findings: Findings) -> str:
    """The findings as one `testsuites` document."""
    root = xml.Element("testsuites", name="ztosc")
    remaining = findings.remaining()
    cases = [_diagnostic(item) for item in remaining] or [_case("sources", "no mistake", None)]
    _suite(root, "sources", cases, findings)
    if findings.verdicts:
        _suite(root, "assertions", [_verdict(verdict) for verdict in findings.verdicts], findings)
        beyond = findings.more.get("model", {}).get("does_not_cover", ())
        told = "\n".join(["the model does not cover:", *model_lines(beyond)]) if beyond else ""
        if told:
            xml.SubElement(root[-1], "system-out").text = legal(visible(told))
    if findings.tests:
        _suite(root, "tests", [_test(result) for result in findings.tests], findings)
    if findings.comparison is not None:
        from ztosc.report.changes import sections  # only where something was compared

        rows = [(title, row) for title, rows in sections(findings.comparison) for row in rows]
        cases = [_change(title, row) for title, row in rows] or [_case("changes", "nothing has changed", None)]
        _suite(root, "changes", cases, findings)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(root, encoding="unicode") + "\n"


def _suite(root: xml.Element, name: str, cases: Iterable[xml.Element], findings: Findings) -> None:
    suite = xml.SubElement(root, "testsuite", name=name)
    properties = xml.SubElement(suite, "properties")
    for key, value in (("ztosc", findings.version), ("at", findings.at), ("digest", findings.digest or ""), ("summary", summary(findings))):
        xml.SubElement(properties, "property", name=key, value=value)
    suite.extend(cases)
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    suite.set("skipped", "0")


def _case(suite: str, name: str, span: Span | None) -> xml.Element:
    case = xml.Element("testcase", name=legal(one_line(name)), classname=f"ztosc.{suite}")
    if span is not None:
        case.set("file", legal(one_line(span.file)))
        case.set("line", str(span.line))
    return case


def _outcome(case: xml.Element, tag: str, code: str, message: str, text: str) -> xml.Element:
    found = xml.SubElement(case, tag, type=code, message=legal(visible(message)))
    found.text = legal(visible(text))
    return case


def _diagnostic(item: Diagnostic) -> xml.Element:
    case = _case("sources", f"{item.code} {CODES[item.code].title} ({where(item.span)})", item.span)
    if item.severity is Severity.ERROR:
        return _outcome(case, "failure", item.code, item.message, details(item))
    xml.SubElement(case, "system-out").text = legal("\n".join(filter(None, [visible(f"{item.severity}: {item.message}"), details(item)])))
    return case


def _verdict(verdict: Verdict) -> xml.Element:
    case = _case("assertions", f"{verdict.statement} ({where(verdict.origin)})", verdict.origin)
    if verdict.verdict == "proved":
        xml.SubElement(case, "system-out").text = legal(f"proved: {visible(verdict.reason)}")
        return case
    tag = "failure" if verdict.verdict == "refuted" else "error"
    return _outcome(case, tag, code_of(verdict) or "", f"{verdict.verdict}: {verdict.reason}", steps(verdict))


def _test(result: TestResult) -> xml.Element:
    case = _case("tests", f"{result.name} ({where(result.origin)})", result.origin)
    if result.passed:
        return case
    reasons = [failure.reason for failure in result.failures]
    places = "\n".join(f"{where(failure.origin)}: {failure.reason}" for failure in result.failures)
    return _outcome(case, "failure", TEST_CODE, "\n".join(reasons), places)


def _change(title: str, row: Row) -> xml.Element:
    where = f" ({row.where})" if row.where else ""
    case = _case("changes", f"{title}: {row.text}{where}", None)
    if row.state == "fails":
        told = f'nobody signed for it: {row.accept} because "…" approved by "…"' if row.accept else row.text
        return _outcome(case, "failure" if title != "not compared" else "error", title, row.text, told)
    xml.SubElement(case, "system-out").text = legal(visible(row.state))
    return case


def legal(text: str) -> str:
    """A text without the two characters that XML 1.0 forbids and `visible` leaves."""
    return text.replace("\ufffe", "\\xfffe").replace("\uffff", "\\xffff")
