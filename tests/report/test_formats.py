"""Each format, read as its reader reads it, gives back exactly what was put in, and nothing of ours is lost or made up.

What a terminal or a page would obey or could not show is written out (`\\x1b`) in every format but JSON, so that is what comes back.
"""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as xml

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.report.findings import FINDINGS, HERE, HOSTILE, TEXTS, findings, unknown_name, verdict
from ztosc.diagnostics import Severity
from ztosc.diagnostics.text import CONTROL
from ztosc.diagnostics.text import safe as visible
from ztosc.report import MODULES, Findings, github, junit, markdown, render
from ztosc.verify import TestResult
from ztosc.verify.tests_block import TestFailure


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FINDINGS, st.sampled_from(sorted(MODULES)))
def test_every_document_can_be_written_as_utf_8_and_is_the_same_again(found: Findings, form: str) -> None:
    text = render(form, found)
    assert text == render(form, found)
    assert text.encode("utf-8", "backslashreplace").endswith(b"\n")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FINDINGS, st.sampled_from(sorted(MODULES.keys() - {"json"})))
def test_no_document_has_a_character_that_is_obeyed_or_hidden(found: Findings, form: str) -> None:
    assert not CONTROL.search(render(form, found))


# JSON


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FINDINGS)
def test_json_is_exact(found: Findings) -> None:
    read = json.loads(render("json", found).encode("utf-8", "backslashreplace"))
    assert [item["message"] for item in read["diagnostics"]] == [item.message for item in found.diagnostics]
    edits = [[edit["text"] for fix in item["fixes"] for edit in fix["edits"]] for item in read["diagnostics"]]
    assert edits == [[edit.text for fix in item.fixes for edit in fix.edits] for item in found.diagnostics]
    assert [each["statement"] for each in read["verdicts"]] == [each.statement for each in found.verdicts]


def test_a_fix_has_the_promised_shape() -> None:
    from ztosc.diagnostics.fixes import replace

    (item,) = json.loads(render("json", findings(unknown_name(fixes=replace(HERE, "staff")))))["diagnostics"]
    place = {"file": "network.ztos", "line": 3, "column": 5, "end_line": 3, "end_column": 9}
    assert item["fixes"] == [{"title": "replace by `staff`", "edits": [{**place, "text": "staff"}]}]


# GitHub: as the runner reads a command (docs of workflow commands; `%25` is read last).


def command(line: str) -> tuple[str, dict[str, str], str]:
    head, data = line.removeprefix("::").split("::", 1)
    name, _, properties = head.partition(" ")
    pairs = (each.split("=", 1) for each in properties.strip().split(",") if each)
    return name, {key: unescape(value, ("%3A", ":"), ("%2C", ",")) for key, value in pairs}, unescape(data)


def unescape(text: str, *more: tuple[str, str]) -> str:
    for written, meant in (("%0D", "\r"), ("%0A", "\n"), *more, ("%25", "%")):
        text = text.replace(written, meant)
    return text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FINDINGS)
def test_github_reads_one_command_a_diagnostic(found: Findings) -> None:
    lines = render("github", found).removesuffix("\n").split("\n")
    assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in lines)
    read = [command(line) for line in lines]
    assert len(read) == len(found.diagnostics) + 1
    for (name, properties, data), item in zip(read, found.diagnostics, strict=False):
        assert name == {"error": "error", "warning": "warning", "info": "notice"}[item.severity]
        assert data.startswith(visible(item.message))
        assert all(visible(part) in data for part in (item.help, item.label, *(label.message for label in item.related)))
        assert properties["title"].startswith(f"{item.code}: ")
        if item.span is None:
            assert properties.keys() == {"title"}
        else:
            assert properties["file"] == visible(item.span.file).replace("\n", "\\x0a").replace("\t", "\\x09")
            assert (properties["line"], properties["endLine"]) == (str(item.span.line), str(item.span.end_line))
            assert ("col" in properties) == (item.span.line == item.span.end_line)


@given(TEXTS)
def test_github_escapes_reversibly(text: str) -> None:
    assert unescape(github.data(text)) == text
    assert unescape(github.value(text), ("%3A", ":"), ("%2C", ",")) == text
    assert not set(github.value(text)) & set(":,\n\r")


def test_the_figures_are_a_notice_on_github() -> None:
    text = render("github", findings(verdicts=(verdict("proved"), verdict("unknown"))))
    assert text == "::notice title=ztosc::0 errors, 0 warnings, 1 proved, 1 unknown\n"


# JUnit


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FINDINGS)
def test_junit_is_well_formed_and_counts_what_it_holds(found: Findings) -> None:
    root = xml.fromstring(render("junit", found).encode())
    assert root.tag == "testsuites"
    for element in (root, *root.findall("testsuite")):
        cases = element.findall(".//testcase")
        held = {tag: [case for case in cases if case.find(tag) is not None] for tag in ("failure", "error", "skipped")}
        for name, number in (("tests", len(cases)), ("failures", len(held["failure"])), ("errors", len(held["error"])), ("skipped", 0)):
            assert element.get(name) == str(number)
    suites = {suite.get("name"): suite.findall("testcase") for suite in root.findall("testsuite")}
    assert len(suites["sources"]) == max(len(found.remaining()), 1)
    assert len(suites.get("assertions", [])) == len(found.verdicts)
    assert len(suites.get("tests", [])) == len(found.tests)
    for case, item in zip(suites["sources"], found.remaining(), strict=False):
        failure = case.find("failure")
        assert (failure is not None) == (item.severity is Severity.ERROR)
        if failure is not None:
            assert (failure.get("type"), failure.get("message")) == (item.code, junit.legal(visible(item.message)))
        else:
            assert junit.legal(visible(item.message)) in (case.findtext("system-out") or "")
    for case, each in zip(suites.get("assertions", []), found.verdicts, strict=True):
        tags = {"proved": "system-out", "refuted": "failure", "unknown": "error", "unsupported": "error"}
        assert [child.tag for child in case] == [tags[each.verdict]]
    for case, result in zip(suites.get("tests", []), found.tests, strict=True):
        assert (case.find("failure") is None) == result.passed


def test_what_a_verdict_or_a_test_says_is_said_once() -> None:
    failed = TestResult(name="t", origin=HERE, failures=(TestFailure(reason="expected deny", origin=HERE),))
    refuted = verdict("refuted")
    told = [
        unknown_name(code="ZT420", message="`guest isolated from ehr` does not hold: because"),
        unknown_name(code="ZT423", message="expected deny"),
        unknown_name(code="ZT423", message="of another test"),
        unknown_name(),
    ]
    found = findings(*told, verdicts=(refuted,), tests=(failed,))
    assert found.remaining() == tuple(told[2:])
    assert findings(*told).remaining() == tuple(told)
    for form in ("junit", "markdown"):
        text = render(form, found)
        assert text.count("expected deny") == (2 if form == "junit" else 1)  # JUnit: attribute and text of one case
        assert "of another test" in text and "stff" in text


# GitLab


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FINDINGS)
def test_gitlab_reads_an_issue_a_diagnostic(found: Findings) -> None:
    read = json.loads(render("gitlab", found))
    assert [item["description"] for item in read] == [visible(item.message) for item in found.diagnostics]
    assert [item["check_name"] for item in read] == [item.code for item in found.diagnostics]
    assert len({item["fingerprint"] for item in read}) == len(read)
    for issue, item in zip(read, found.diagnostics, strict=True):
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert (issue["severity"] == "critical") == (item.severity is Severity.ERROR)
        assert issue["location"]["path"] == (item.span.file if item.span else "ztos.toml")
        assert issue["location"]["lines"]["begin"] == (item.span.line if item.span else 1)


# Markdown: blocks and spans read as CommonMark says (§4.5, §6.1).

FENCED = re.compile(r"^(`{3,})text\n(.*?)\n\1$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)")


def span_text(content: str) -> str:
    """One space goes from each end, unless there is nothing else."""
    return content[1:-1] if content.startswith(" ") and content.endswith(" ") and content.strip(" ") else content


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FINDINGS)
def test_markdown_keeps_every_text_in_code(found: Findings) -> None:
    text = render("markdown", found)
    blocks = [content for _, content in FENCED.findall(text)]
    told = [block for block, _ in zip(blocks, found.remaining(), strict=False)]
    assert [block[: len(visible(item.message))] for block, item in zip(told, found.remaining(), strict=True)] == [
        visible(item.message) for item in found.remaining()
    ]
    outside = SPAN.sub("", FENCED.sub("", text))
    assert re.fullmatch(r"[A-Za-z0-9 ,.:;*#\n'-]*", outside), outside


@given(TEXTS)
def test_a_code_span_gives_its_text_back(text: str) -> None:
    written = markdown.span(text)
    found = SPAN.fullmatch(written)
    assert found, written
    assert span_text(found.group(2)) == (visible(text).replace("\n", "\\x0a").replace("\t", "\\x09") or " ")


@given(TEXTS)
def test_a_code_block_gives_its_text_back(text: str) -> None:
    (found,) = FENCED.findall(markdown.block(visible(text)))
    assert found[1] == visible(text)


def test_a_comment_is_never_too_long_for_github() -> None:
    many = [unknown_name(f"unknown name `{'x' * 200}{number}`") for number in range(1000)]
    text = render("markdown", findings(*many))
    assert len(text) < 65_536
    left_out = int(re.findall(r"\*\*(\d+) more\*\*", text)[0])
    assert text.count("**error ZT201**") + left_out == 1000


@pytest.mark.parametrize("form", sorted(MODULES))
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_everywhere_at_once(form: str, text: str) -> None:
    each = verdict("refuted", statement=text, reason=text)
    result = TestResult(name=text, origin=HERE, failures=(TestFailure(reason=text, origin=HERE),))
    assert render(form, findings(unknown_name(text, help=text), verdicts=(each,), tests=(result,)))
