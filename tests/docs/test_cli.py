"""docs/cli.md says what the commands are, and what their JSON looks like."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.markdown import DOCS, sections
from ztosc.cli.app import BUG, COMMANDS, INTERRUPTED, OK, UNDECIDED, USAGE, WRONG, run
from ztosc.cli.schema import NAMES
from ztosc.report import MODULES

TEXT = (DOCS / "cli.md").read_text(encoding="utf-8")
AT = "2027-01-15T08:00Z"
WRONG_POLICY = """network clinic { domain "clinic.example" }
region home { country DE }
site ward in home {
  node gate { underlay 2001:db8::1; serves gateway, resolver }
}
segment lobby   { at ward; carries public }
segment desks   { at ward; carries internal }
segment records { at ward; carries internal }
allow lobby to desks on tcp/631
allow desks to records on tcp/443
assert lobby isolated from records
test "the lobby reads" {
  given lobby
  expect allow to records on tcp/443
}
"""
RIGHT = WRONG_POLICY.split("assert")[0]


def example(number: int) -> Any:
    return json.loads(re.findall(r"^```json\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)[number])


def shape(value: Any) -> Any:
    """Keys alone: of objects, and of what lists hold."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else None


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    run([str(argument) for argument in arguments])
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "network.ztos"
    file.write_text(WRONG_POLICY)
    return file


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    listing = subprocess.run([sys.executable, "-m", "ztosc", "--help"], capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^  ([a-z]+) {2,}", listing.split("Commands:")[1], flags=re.MULTILINE)
    assert listed == re.findall(r"^### `([a-z]+)", TEXT, flags=re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_of_a_command_is_told(name: str) -> None:
    result = subprocess.run([sys.executable, "-m", "ztosc", name, "--help"], capture_output=True, text=True, check=True)
    options = set(re.findall(r"^  (-{1,2}[a-zA-Z-]+)", result.stdout, flags=re.MULTILINE)) - {"-h"}
    part = re.split(r"^### ", sections(TEXT)["Commands"], flags=re.MULTILINE)[1 + list(COMMANDS).index(name)]
    assert not {option for option in options if option not in part} - {"--at", "--format"}


def test_the_formats_are_those_of_the_program() -> None:
    told = re.findall(r"^\| `(\w+)` \| (.*?) \| `ztosc (.*?)` \|$", sections(TEXT)["Formats"], flags=re.MULTILINE)
    assert [name for name, _, _ in told] == ["text", *MODULES]
    assert all(f"--format {name}" in example for name, _, example in told[1:])


def test_the_json_has_the_keys_of_the_page(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    real, written = printed(capsys, "verify", source, "--at", AT, "--format", "json"), example(1)
    assert list(real) == list(written)
    for key in ("diagnostics", "controls", "tests", "access", "summary"):
        assert shape(real[key]) == shape(written[key]), key
    assert list(real["verdicts"][0]) == list(written["verdicts"][0])
    told, said = real["verdicts"][0]["explanation"], written["verdicts"][0]["explanation"]
    assert (list(told), list(told["region"][0]), list(told["ways"][0])) == (list(said), list(said["region"][0]), list(said["ways"][0]))
    for name, part in (("assurance", "grants"), ("model", "covers"), ("model", "does_not_cover")):
        assert list(real[name]) == list(written[name])
        assert list(real[name][part][0]) == list(written[name][part][0])
    assert list(real["verdicts"][0]["witness"]["hops"][0]) == list(written["verdicts"][0]["witness"]["hops"][0])
    assert [real[key] for key in ("schema", "at", "summary")] == [written[key] for key in ("schema", "at", "summary")]


def test_build_and_why_print_what_the_page_says(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source.write_text(RIGHT)
    built = printed(capsys, "build", source, "-o", tmp_path / "out", "--at", AT, "--format", "json")
    assert list(built) == [*example(1), "output", "files"]
    asked = printed(capsys, "why", "desks", "records", "-C", source, "--on", "tcp/443", "--at", AT, "--format", "json")
    assert list(asked) == ["schema", "at", "flow", "decision", "sentence", "guard", "grounds", "ways", "nearest"]
    assert all(f"`{key}`" in TEXT.split("`why` prints")[1] for key in (*asked, *asked["grounds"]))


def test_the_manifest_has_the_keys_of_the_page(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source.write_text(RIGHT)
    assert run(["build", str(source), "-o", str(tmp_path / "out"), "--at", AT]) == OK
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    told = re.split(r"^### ", sections(TEXT)["Commands"], flags=re.MULTILINE)[1 + list(COMMANDS).index("build")]
    assert all(f"`{key}`" in told for key in (*manifest, *manifest["files"][0]))


def test_a_question_of_the_page_is_answered(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source.write_text(RIGHT)
    question = {**example(0), "from": {"segment": "desks"}, "to": "records"}
    (tmp_path / "questions").write_text(json.dumps(question) + "\n")
    answer = printed(capsys, "why", "-C", source, "--batch", tmp_path / "questions", "--at", AT)
    assert answer == {**question, "decision": "allow", "rule": {"file": "network.ztos", "line": 10}}


def test_the_exit_codes_are_those_of_the_program() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", sections(TEXT)["Exit codes"], flags=re.MULTILINE)}
    assert told == {OK, WRONG, UNDECIDED, USAGE, BUG, INTERRUPTED}


def test_the_schemas_are_those_of_the_program() -> None:
    told = TEXT.split("### `schema NAME`")[1].split("###")[0]
    assert set(re.findall(r"`([a-z]+)`", told)) == set(NAMES)
