"""Each command in each format: one document on standard output, the same exit code, whatever names and messages hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest

from tests.cli.conftest import Run
from tests.report.test_sarif import VALIDATOR
from tests.support import FRAME
from ztosc.cli.app import run
from ztosc.report import MODULES

AT = "2026-11-22T00:00Z"
HOSTILE_NAME = "x]]>`::error::%0A<!-- [a](b) @all|\x1b[31m\u202e\n::error::owned,=.ztos"
WRONG = "allow stff to web\nallow gone to web\n"
CLAIMS = """allow lab to web
assert lab never reaches phi
assert lab isolated from desks
test "no ]]> ::error::x" { given lab
  expect deny to web on tcp/443 }
test "yes" { given lab
  expect allow to web }
"""


@pytest.fixture
def ztosc(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """The command line within this process: there are many of these tests, and the start of a process is most of a run."""

    def done(*arguments: object) -> subprocess.CompletedProcess[str]:
        code = run([str(argument) for argument in arguments])
        out, err = (stream.decode("utf-8", "surrogateescape") for stream in capfdbinary.readouterr())
        return subprocess.CompletedProcess(arguments, code, out, err)

    return done


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The frame of the tests on disk."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "ztos.toml").write_text('[project]\nname = "small"\n')
    (folder / "network.ztos").write_text(FRAME)
    return folder


def is_sarif(text: str) -> bool:
    log = json.loads(text)
    VALIDATOR.validate(log)
    return bool(log["runs"][0]["results"])


def is_github(text: str) -> bool:
    return all(line.startswith(("::error ", "::warning ", "::notice ")) for line in text.removesuffix("\n").split("\n"))


READERS: dict[str, Callable[[str], bool]] = {
    "json": lambda text: bool(json.loads(text)["diagnostics"]),
    "sarif": is_sarif,
    "junit": lambda text: xml.fromstring(text.encode()).find(".//failure") is not None,
    "github": is_github,
    "gitlab": lambda text: bool(json.loads(text)),
    "markdown": lambda text: text.startswith("### ztosc: ") and "**error ZT" in text,
}


def test_every_format_has_a_reader_here() -> None:
    assert READERS.keys() == MODULES.keys()


@pytest.mark.parametrize("form", sorted(READERS))
@pytest.mark.parametrize("command", ["check", "verify", "test", "build"])
def test_a_hostile_name_and_mistakes_of_the_sources(ztosc: Run, project: Path, command: str, form: str) -> None:
    (project / HOSTILE_NAME).write_text(WRONG)
    more = ["-o", project.parent / "out"] if command == "build" else []
    done = ztosc(command, project, *more, "--format", form, "--at", AT)
    assert (done.returncode, done.stderr) == (1, "")
    assert READERS[form](done.stdout)
    assert not {"\x1b", "\u202e"} & set(done.stdout) or form == "json"
    assert "\n::error::owned" not in done.stdout


@pytest.mark.parametrize("form", sorted(READERS))
def test_verdicts_and_tests_are_told(ztosc: Run, project: Path, form: str) -> None:
    with (project / "network.ztos").open("a") as file:
        file.write(CLAIMS)
    done = ztosc("verify", project, "--format", form, "--at", AT)
    assert (done.returncode, done.stderr) == (1, "")
    found = done.stdout
    assert "lab never reaches phi" in found and "expected deny" in found
    assert ("lab isolated from desks" in found) == (form not in ("github", "gitlab"))  # a list of problems has no place for it
    if form == "junit":
        root = xml.fromstring(found.encode())
        assert [root.get(name) for name in ("tests", "failures", "errors")] == ["5", "2", "0"]


@pytest.mark.parametrize("form", sorted(READERS.keys() - {"gitlab"}))
def test_a_project_without_mistakes_says_so(ztosc: Run, project: Path, form: str) -> None:
    done = ztosc("check", project, "--format", form, "--at", AT, "--strict")
    assert (done.returncode, done.stderr) == (0, "")
    assert "error::" not in done.stdout and "ZT" not in done.stdout
    assert done.stdout.strip()


def test_a_project_without_problems_is_an_empty_list_for_gitlab(ztosc: Run, project: Path) -> None:
    assert ztosc("check", project, "--format", "gitlab").stdout == "[]\n"


def test_a_fingerprint_outlives_the_clock_the_lines_and_the_witness(ztosc: Run, project: Path) -> None:
    """The same assertion and the same test, on another day, further down, refuted by another rule."""
    marks = []
    for clock, text in ((AT, CLAIMS), ("2027-05-01T08:00Z", "\n" + CLAIMS.replace("allow lab to web", "allow lab to vault on tcp/443"))):
        (project / "network.ztos").write_text(FRAME + text)
        found = json.loads(ztosc("verify", project, "--format", "gitlab", "--at", clock).stdout)
        marks.append({issue["check_name"]: issue["fingerprint"] for issue in found})
    assert marks[0]["ZT420"] == marks[1]["ZT420"]
    (project / "network.ztos").write_text(FRAME + "\n\n" + CLAIMS)
    found = json.loads(ztosc("verify", project, "--format", "gitlab", "--at", "2027-05-01T08:00Z").stdout)
    assert {issue["check_name"]: issue["fingerprint"] for issue in found} == marks[0]


def test_strict_counts_in_every_format(ztosc: Run, project: Path) -> None:
    with (project / "network.ztos").open("a") as file:
        file.write("allow staff to web until 2026-01-01\n")
    for form in READERS:
        assert [ztosc("check", project, "--format", form, "--at", AT, *more).returncode for more in ([], ["--strict"])] == [0, 1], form


@pytest.mark.parametrize("form", ["text", *READERS])
def test_a_name_that_is_no_text_is_shown_all_the_same(ztosc: Run, project: Path, form: str) -> None:
    try:
        (project / os.fsdecode(b"\xff.ztos")).write_text(WRONG)
    except OSError:
        pytest.skip("this file system wants names in UTF-8")
    done = ztosc("check", project, "--format", form)
    assert done.returncode == 1, done.stderr
    assert "stff" in done.stdout + done.stderr


def test_an_unknown_format_is_wrong_usage(ztosc: Run, project: Path) -> None:
    done = ztosc("check", project, "--format", "sarfi")
    assert done.returncode == 64 and "'sarif'" in done.stderr


@pytest.mark.parametrize("form", ["text", *READERS])
def test_check_loads_no_solver_and_only_the_format_asked_for(project: Path, form: str) -> None:
    code = (
        "import sys; from ztosc.cli.app import run; run(sys.argv[1:]);"
        "sys.stderr.write(' '.join(sorted(name for name in sys.modules if name == 'z3' or name.startswith('ztosc.report.'))))"
    )
    done = subprocess.run([sys.executable, "-c", code, "check", project, "--format", form], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    own = {MODULES[form]} if form in MODULES else set()
    assert loaded == {"ztosc.report.model", *own, *({MODULES["json"]} if form == "sarif" else ())}
