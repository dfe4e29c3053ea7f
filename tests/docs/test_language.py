"""Every example of docs/language.md compiles, holds, or gives exactly the error it names."""

import re

import pytest

from tests.docs.markdown import AT, DOCS, compiled, told
from ztosc.cli.judge import judge
from ztosc.cli.project import Outcome
from ztosc.syntax.words import LATER

TEXT = (DOCS / "language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```ztos(?: (ZT\d{3}))?\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
FRAME = EXAMPLES[0][1]
LATER_IN_PLACE = {
    "template": "template t(name) { }",
    "new": "new t(name: x)",
    "profile": "profile p over phi { }",
    "comply": "comply hipaa",
    "waive": 'waive hipaa "164.312(b)" for lobby until 2027-03-01 because "soon"',
    "partner": 'partner p { domain "p.example" }',
    "quarantine": 'quarantine pumps from 2027-02-01 because "INC-7"',
    "break-glass": "break-glass role r { from desks }",
    "manage": "manage from desks on tcp/22",
    "multicast": "segment s { at main; multicast ff05::1/128 }",
    "mdns": "segment s { at main; mdns }",
    "ipv4": "segment s { at main; ipv4 10.0.0.0/24 }",
    "stretched": "segment s { at main; stretched }",
    "access": "segment s { at main; access tunnel }",
    "observe": "segment s { at main; observe }",
    "max-age": "attribute a.b : bool { max-age 1d }",
    "retention": "label l { retention 90d }",
    "stale": "role r { from desks; stale 5m }",
    "log": "allow nurse to charts { log to charts }",
    "idle": "allow nurse to charts { idle 15m }",
    "flows": "assert phi never flows down",
}


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


def test_the_page_and_the_compiler_name_the_same_words_of_later_versions() -> None:
    table = TEXT.split("## What is not there yet")[1].split("```")[0]
    named = {word for row in re.findall(r"^\| (`.*?) \|", table, flags=re.MULTILINE) for word in re.findall(r"`([a-z0-9 -]+)`", row)}
    spoken = {"access tunnel": "access", "never flows down": "flows"}
    assert {spoken.get(word, word) for word in named} == LATER.keys() == LATER_IN_PLACE.keys()


@pytest.mark.parametrize("word", sorted(LATER_IN_PLACE))
def test_a_word_of_a_later_version_is_one_error(word: str) -> None:
    text = LATER_IN_PLACE[word]
    whole = FRAME.replace("timezone Europe/Berlin", text) if word == "manage" else f"{FRAME}{text}\n"
    assert text in whole
    assert codes(whole) == ["ZT190"]


@pytest.mark.parametrize("word", sorted(LATER_IN_PLACE))
def test_such_a_word_is_still_a_name(word: str) -> None:
    assert not codes(f"{FRAME}segment {word} {{ at main }}\nallow {word} to charts\n")
