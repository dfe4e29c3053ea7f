"""Every example of docs/language.md compiles, holds, or gives exactly the error it names."""

import re

import pytest

from tests.docs.markdown import AT, DOCS, compiled, told
from ztosc.backends import targets
from ztosc.backends.unenforced import unenforced
from ztosc.cli.judge import judge
from ztosc.cli.project import Outcome

TEXT = (DOCS / "language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```ztos(?: (ZT\d{3}))?\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
FRAME = EXAMPLES[0][1]
UNENFORCED = {
    "log all": "log all to charts",
    "ipv4": "segment s { at main; ipv4 10.0.0.0/24 }",
    "stretched": "segment s { at main, annex; stretched }",
    "access tunnel": "segment s { at main; access tunnel }",
    "break-glass": "break-glass role r for 1h { from desks }",
    "max-age": "attribute a.b : bool { max-age 1d }",
    "log to": "allow nurse to charts { log to charts }",
    "idle": "allow nurse to charts { idle 15m }",
    "encryption end-to-end": "label l { encryption end-to-end }\nsegment s { at main; carries l }",
    "partner": 'partner p { domain "p.example"; ca "sha256:' + "0" * 64 + '" }',
}
"""What no target enforces yet, each in a place where it may stand."""
ANNEX = "site annex in home { node gate-3 { underlay 2001:db8::3; serves gateway } }\nlink gate-1 -- gate-3\n"


def codes(text: str) -> list[str]:
    """What is said about a fragment behind the frame, its claims and tests included."""
    found = compiled({"network.ztos": text.encode()})
    outcome = Outcome(AT, found, list(found.diagnostics))
    if found.verifiable is not None:
        judge(outcome, found.verifiable)
    return [item.code for item in outcome.diagnostics]


def test_there_are_examples_of_both_kinds() -> None:
    assert len([code for code, _ in EXAMPLES if not code]) > 8
    assert len([code for code, _ in EXAMPLES if code]) > 5
    assert TEXT.count("```ztos") == len(EXAMPLES) + TEXT.count("```` ```ztos")


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_means_what_the_page_says(number: int) -> None:
    code, text = EXAMPLES[number]
    whole = FRAME + (text if number else "")
    assert codes(whole) == ([code] if code else []), told(compiled({"network.ztos": whole.encode()}))


def test_the_inventory_of_the_page_fits_its_network() -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    found = compiled({"network.ztos": FRAME.encode(), "inventory/all.yaml": blocks[0].encode()})
    assert not found.diagnostics, told(found)
    assert found.intent is not None and found.intent.inventory.people and found.intent.inventory.devices and found.intent.inventory.pins


def test_the_page_names_what_no_target_enforces() -> None:
    table = TEXT.split("## What no target enforces yet")[1]
    named = {word for row in re.findall(r"^\| (`.*?) \|", table, flags=re.MULTILINE) for word in re.findall(r"`([a-z0-9 -]+)`", row)}
    assert named == UNENFORCED.keys()


@pytest.mark.parametrize("word", sorted(UNENFORCED))
def test_what_no_target_enforces_compiles_and_is_refused_by_the_build_at_its_line(word: str) -> None:
    text = UNENFORCED[word]
    whole = FRAME.replace("timezone Europe/Berlin", text) if word == "log all" else f"{FRAME}{ANNEX}{text}\n"
    found = compiled({"network.ztos": whole.encode()})
    assert not found.diagnostics and found.network is not None, told(found)
    refused = [*unenforced(found.network), *(item for target in targets() for item in target.unsupported(found.network))]
    told_of = [item for item in refused if item.code == "ZT603"]
    assert told_of and all(item.span is not None and item.span.file == "network.ztos" for item in told_of)


@pytest.mark.parametrize("word", ["template", "new", "profile", "comply", "waive", "quarantine", "manage", "observe", "stale", "control"])
def test_a_word_of_the_language_is_still_a_name(word: str) -> None:
    assert not codes(f"{FRAME}segment {word} {{ at main }}\nallow {word} to charts\n")
