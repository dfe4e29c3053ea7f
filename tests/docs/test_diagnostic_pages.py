"""Every code has a page, and every example on it says what it claims."""

import re

import pytest

from tests.docs.markdown import AT, DOCS, compiled, project, sections, told
from ztosc.backends import backends
from ztosc.cli.against import against
from ztosc.cli.judge import judge
from ztosc.cli.project import Outcome
from ztosc.diagnostics import CODES, Fix, Severity
from ztosc.diagnostics.fixes import apply
from ztosc.resources import diagnostic_codes, diagnostic_page
from ztosc.verify.findings import CODES as FINDINGS
from ztosc.verify.findings import find

VERDICTS = frozenset({"ZT420", "ZT421", "ZT422", "ZT423"}) | FINDINGS
"""Codes that compiling does not give: the assertions and tests of the network do, or a look at what it grants."""

COMPARED = frozenset({"ZT430", "ZT431", "ZT432", "ZT433", "ZT434", "ZT435", "ZT436"})
"""Codes that comparing with an earlier revision gives: their pages show that one, too."""

WITHOUT_EXAMPLE = {
    "ZT223": "a source that the file system does not hand out is no text on a page",
    "ZT313": "`build --locked` alone refuses to change a lock",
    "ZT314": "a pool is used up by more names than a page should hold",
    "ZT437": "what it is compared with decides, not the sources",
    "ZT438": "a budget is used up by more guards than a page should hold",
    "ZT601": "a real tool refuses the file, and only where that tool is installed",
    "ZT602": "only a bug of ours makes a file that does not mean the network",
    "ZT701": "the output folder decides, not the sources",
}
"""Pages that explain in words what no small project shows, and why."""

WITH_FIX = frozenset({"ZT102", "ZT103", "ZT106", "ZT107", "ZT110", "ZT201", "ZT204", "ZT207", "ZT212", "ZT213"})
"""Pages whose wrong example has a repair that is likely enough to be offered as edits."""

EXAMPLES = sorted(CODES.keys() - WITHOUT_EXAMPLE.keys())


def errors_of(section: str, code: str = "", before: str = "") -> list[str]:
    """The codes of everything that is said about the project in a section: by compiling it, by the targets, by its claims and tests.

    Keys and findings are left out of every page but the one about them. `before` is the section with what the project is compared with.
    """
    files = project(section)
    assert files, "there is no project in this section"
    found = compiled(files)
    outcome = Outcome(AT, found, list(found.diagnostics))
    if found.verifiable is not None:
        refused = (item for target in backends() for item in target.unsupported(found.verifiable))
        outcome.diagnostics += [item for item in refused if code == item.code or item.code != "ZT604"]
        judge(outcome, found.verifiable)
        outcome.diagnostics += [item for item in find(found.verifiable) if item.code == code]
    if before:
        against(outcome, "base", compiled(project(before)))
    return [item.code for item in outcome.diagnostics]


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert diagnostic_codes() == tuple(sorted(CODES))
    assert {path.stem for path in (DOCS / "diagnostics").iterdir()} == CODES.keys()


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_page_opens_with_its_code_and_title_and_then_explains(code: str) -> None:
    head, *rest = diagnostic_page(code).split("\n\n")
    assert head == f"# {code}: {CODES[code].title}"
    assert rest[0].strip() and not rest[0].startswith(("#", "```"))


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_wrong_example_gives_its_code_and_no_other(code: str) -> None:
    page = sections(diagnostic_page(code))
    assert set(errors_of(page["Wrong"], code, page.get("Before", ""))) == {code}


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_right_example_gives_nothing(code: str) -> None:
    page = sections(diagnostic_page(code))
    assert not errors_of(page["Right"], code, page.get("Before", "")), told(compiled(project(page["Right"])))


@pytest.mark.parametrize("code", sorted(COMPARED))
def test_what_is_compared_shows_what_was_before(code: str) -> None:
    page = sections(diagnostic_page(code))
    assert not errors_of(page["Before"], code)
    assert list(page) == ["Before", "Wrong", "Right"]


def repaired(files: dict[str, bytes], fix: Fix) -> dict[str, bytes]:
    """A project after a fix."""
    edits = {name: [edit for edit in fix.edits if edit.span.file == name] for name in {edit.span.file for edit in fix.edits}}
    return {**files, **{name: apply(each, files[name].decode()).encode() for name, each in edits.items()}}


@pytest.mark.parametrize("code", EXAMPLES)
def test_a_fix_of_the_wrong_example_makes_its_diagnostic_go_away(code: str) -> None:
    files = project(sections(diagnostic_page(code))["Wrong"])
    fixes = [fix for item in compiled(files).diagnostics for fix in item.fixes]
    assert bool(fixes) == (code in WITH_FIX), [fix.title for fix in fixes]
    for fix in fixes:
        assert not told(compiled(repaired(files, fix))), fix


@pytest.mark.parametrize("code", sorted(CODES.keys() & WITHOUT_EXAMPLE.keys()))
def test_a_page_without_example_shows_none(code: str) -> None:
    assert "Wrong" not in sections(diagnostic_page(code))


def test_what_has_no_example_is_registered() -> None:
    assert WITHOUT_EXAMPLE.keys() <= CODES.keys()


@pytest.mark.parametrize("code", sorted(VERDICTS))
def test_a_verdict_needs_more_than_compiling(code: str) -> None:
    found = compiled(project(sections(diagnostic_page(code))["Wrong"]))
    assert not [item for item in found.diagnostics if item.severity is Severity.ERROR], told(found)


@pytest.mark.parametrize("code", sorted(CODES))
def test_the_lines_of_a_page_fit_a_screen(code: str) -> None:
    assert not [line for line in diagnostic_page(code).splitlines() if len(line) > 140]


def test_other_codes_that_a_page_names_exist() -> None:
    named = {code for page in CODES for code in re.findall(r"\bZT\d{3}\b", diagnostic_page(page))}
    assert named <= CODES.keys()
