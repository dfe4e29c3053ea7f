"""SARIF 2.1.0, validated against the schema of the standard, and what the schema cannot say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.report.findings import FINDINGS, HERE, TEXTS, findings, unknown_name, verdict
from tests.support import compiled
from ztosc.diagnostics.fixes import delete, insert
from ztosc.diagnostics.text import safe as visible
from ztosc.report import Findings, render, sarif
from ztosc.resources import diagnostic_page
from ztosc.source import Span

SCHEMA = json.loads((Path(__file__).parent / "sarif" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def run_of(found: Findings) -> Any:
    """The one run, after the document was validated."""
    log = json.loads(render("sarif", found))
    VALIDATOR.validate(log)
    (run,) = log["runs"]
    return run


def message_of(written: str) -> str:
    """What a reader makes of a message: no link in it, `\\](` and doubled braces read back."""
    assert not re.search(r"(?<!\\)(\\\\)*\]\(", written), "this is a link"
    text = re.sub(r"(\\*)\\\]\(", lambda found: found.group(1)[: len(found.group(1)) // 2] + "](", written)
    assert not re.search(r"\{|\}", text.replace("{{", "").replace("}}", "")), "this is a placeholder"
    return text.replace("{{", "{").replace("}}", "}")


def test_the_schema_refuses_what_is_not_sarif() -> None:
    log = json.loads(render("sarif", findings(unknown_name())))
    log["runs"][0]["results"][0]["level"] = "critical"
    assert not VALIDATOR.is_valid(log)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FINDINGS)
def test_any_findings_give_a_valid_log_with_a_result_each(found: Findings) -> None:
    run = run_of(found)
    assert len(run["results"]) == len(found.diagnostics)
    for result, item in zip(run["results"], found.diagnostics, strict=True):
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == item.code
        assert message_of(result["message"]["text"]).startswith(visible(item.message))
        assert (result["kind"], result["level"]) == ("fail", {"error": "error", "warning": "warning", "info": "note"}[item.severity])
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert region["startLine"] >= 1  # errata 01: a region says where it starts
        if item.span is not None:
            assert region["endColumn"] == item.span.end_column
        inserted = [
            replacement["insertedContent"]["text"]
            for fix in result.get("fixes", [])
            for change in fix["artifactChanges"]
            for replacement in change["replacements"]
        ]
        assert set(inserted) == {edit.text for fix in item.fixes for edit in fix.edits}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FINDINGS)
def test_what_holds_is_in_the_log_but_is_no_result(found: Findings) -> None:
    """Code scanning takes each result for a problem, whatever its `kind`; and level `none`, which `open` would ask for, for none."""
    properties = run_of(found)["properties"]
    assert [each["verdict"] for each in properties["verdicts"]] == [each.verdict for each in found.verdicts]
    assert [each["passed"] for each in properties["tests"]] == [each.passed for each in found.tests]


@given(TEXTS)
def test_a_message_is_no_link_and_no_placeholder_and_comes_back(text: str) -> None:
    assert message_of(sarif.message(text)) == visible(text)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_name_comes_back_from_its_uri(name: str) -> None:
    uri = sarif.uri(name)
    assert re.fullmatch(r"(?:[A-Za-z0-9_.~/-]|%[0-9A-F]{2})+", uri)
    assert unquote_to_bytes(uri).decode() == name


def test_a_name_that_is_no_utf_8_keeps_its_bytes() -> None:
    assert sarif.uri("\udcff.ztos") == "%FF.ztos"


def test_columns_are_code_points_and_paths_relative_to_the_root() -> None:
    run = run_of(findings(unknown_name(span=Span("a b/ü:1.ztos", 2, 3, 2, 4))))
    assert run["columnKind"] == "unicodeCodePoints"
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "a%20b/%C3%BC%3A1.ztos", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 4}


def test_a_rule_has_its_page() -> None:
    (rule,) = run_of(findings(unknown_name()))["tool"]["driver"]["rules"]
    assert rule["shortDescription"]["text"] == "an unknown name"
    assert message_of(rule["help"]["text"]) == diagnostic_page("ZT201")


def test_a_finding_without_a_place_gets_one() -> None:
    """Code scanning refuses a whole log over one result without a location."""
    (result,) = run_of(findings(unknown_name(span=None)))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "ztos.toml"


def test_an_insertion_and_a_deletion_are_replacements() -> None:
    both = (*insert(HERE, "x", "insert it"), *delete(HERE, "it"))
    (result,) = run_of(findings(unknown_name(fixes=both)))["results"]
    first, second = (fix["artifactChanges"][0]["replacements"][0] for fix in result["fixes"])
    assert (first["insertedContent"]["text"], second["insertedContent"]["text"]) == ("x", "")
    assert (first["deletedRegion"]["endColumn"], second["deletedRegion"]["endColumn"]) == (5, 9)


def marks(text: str) -> list[str]:
    found = compiled(text)
    run = run_of(Findings("1", "", None, found.diagnostics))
    return [result["partialFingerprints"]["ztoscFinding/v1"] for result in run["results"]]


def test_a_fingerprint_stays_when_lines_shift_and_is_nobody_elses() -> None:
    text = "allow stff to web\nallow stff to vault\nallow gone to web\n"
    before, after = marks(text), marks("\n# a comment\n\n" + text)
    assert before == after
    assert len(before) == len(set(before)) >= 3


def test_a_line_number_in_a_message_does_not_count() -> None:
    first, second = (unknown_name(f"allowed at a.ztos:{line}, on tcp/443") for line in (7, 8))
    other = unknown_name("allowed at a.ztos:7, on tcp/444")
    one, two, three = (run_of(findings(item))["results"][0]["partialFingerprints"] for item in (first, second, other))
    assert one == two != three


@pytest.mark.parametrize("outcome", ["unknown", "unsupported"])
def test_what_is_undecided_is_an_error(outcome: str) -> None:
    code = {"unknown": "ZT421", "unsupported": "ZT422"}[outcome]
    run = run_of(findings(unknown_name(code=code), verdicts=(verdict(outcome), verdict("proved"))))
    assert [(result["ruleId"], result["level"]) for result in run["results"]] == [(code, "error")]
