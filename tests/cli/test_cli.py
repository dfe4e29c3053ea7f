"""Commands, formats and exit codes that scripts rely on (docs/cli.md)."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import jsonschema
import pytest

from tests.cli.conftest import Run
from tests.support import FRAME, HOSPITAL
from ztosc.cli.init import TEMPLATES

AT = "2026-11-22T00:00Z"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The small frame as a project on disk."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "ztos.toml").write_text('[project]\nname = "small"\n')
    (folder / "network.ztos").write_text(FRAME)
    return folder


def add(project: Path, text: str) -> None:
    with (project / "network.ztos").open("a") as file:
        file.write(text + "\n")


def test_check_says_what_there_is(ztosc: Run) -> None:
    done = ztosc("check", HOSPITAL)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["mercy: 4 nodes, 4 segments, 2 services, 6 rules, 5 assertions", "0 errors, 0 warnings"]


def test_a_mistake_is_on_stderr_with_its_line(ztosc: Run, project: Path) -> None:
    add(project, "allow stff to web")
    done = ztosc("check", project)
    assert done.returncode == 1
    assert done.stdout == "1 error, 0 warnings\n"
    assert "error[ZT201]: unknown name `stff`" in done.stderr
    assert "allow stff to web" in done.stderr
    assert "help: did you mean `staff`?" in done.stderr


def test_json_has_the_promised_shape(ztosc: Run, project: Path) -> None:
    add(project, "allow stff to web")
    done = ztosc("check", project, "--format", "json", "--at", AT)
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert list(found) == ["schema", "ztosc", "at", "digest", "diagnostics", "verdicts", "controls", "tests", "access", "summary"]
    assert (found["schema"], found["at"], found["summary"]["errors"]) == (1, "2026-11-22T00:00:00Z", 1)
    (item,) = found["diagnostics"]
    place = {key: item[key] for key in ("code", "severity", "file", "line", "column", "end_column")}
    line = len(FRAME.splitlines()) + 1
    assert place == {"code": "ZT201", "severity": "error", "file": "network.ztos", "line": line, "column": 7, "end_column": 11}


def test_verify_proves_the_hospital(ztosc: Run) -> None:
    done = ztosc("verify", HOSPITAL, "--at", AT, "--format", "json")
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert [verdict["verdict"] for verdict in found["verdicts"]] == ["proved"] * 5
    assert [test["passed"] for test in found["tests"]] == [True]
    assert found["summary"] == {"errors": 0, "warnings": 3, "proved": 5, "refuted": 0, "unknown": 0, "unsupported": 0}
    assert [item["code"] for item in found["diagnostics"]] == ["ZT449", "ZT449", "ZT448"]


def test_a_refuted_assertion_is_an_error_with_a_witness(ztosc: Run, project: Path) -> None:
    add(project, "allow lab to web\nassert lab never reaches phi")
    done = ztosc("verify", project, "--format", "json")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    (verdict,) = found["verdicts"]
    assert verdict["verdict"] == "refuted"
    assert verdict["witness"]["hops"][0]["rule"]["line"] == len(FRAME.splitlines()) + 1
    assert [item["code"] for item in found["diagnostics"]] == ["ZT420"]


def test_a_failed_test_fails_the_run(ztosc: Run, project: Path) -> None:
    add(
        project, 'allow lab to web\ntest "no" { given lab\n expect deny to web on tcp/443 }\ntest "yes" { given lab\n expect allow to web }'
    )
    done = ztosc("test", project)
    assert done.returncode == 1
    assert "ZT423" in done.stderr
    assert "1 of 2 tests passed" in done.stdout
    assert ztosc("test", project, "-k", "yes").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["clinician", "ehr-web", "--with", "user.mfa=true", "--with", "device.health=healthy"], "allow"),
        (["clinician", "ehr-web", "--with", "user.mfa=true"], "deny"),
        (["guest", "internet", "--on", "tcp/443"], "allow"),
        (["guest", "ehr"], "deny"),
        (["staff", "node-dns"], "allow"),
    ],
)
def test_why_answers(ztosc: Run, arguments: list[str], answer: str) -> None:
    done = ztosc("why", "-C", HOSPITAL, *arguments)
    assert done.returncode == 0
    assert done.stdout.startswith(f"{answer}: ")


def test_why_names_the_rule_and_what_would_have_to_change(ztosc: Run) -> None:
    denied = ztosc("why", "-C", HOSPITAL, "clinician", "ehr-web").stdout
    assert "allow at network.ztos:62" in denied
    assert "`device.health` is absent and `user.mfa` is absent" in denied


def test_why_batch_answers_line_by_line(ztosc: Run) -> None:
    question = {
        "from": {"segment": "staff", "roles": ["clinician"], "attributes": {"user.mfa": True, "device.health": "healthy"}},
        "to": "ehr-web",
    }
    other = {"from": {"segment": "guest"}, "to": "ehr", "on": "tcp/443"}
    done = ztosc("why", "-C", HOSPITAL, "--batch", "-", stdin="\n".join(map(json.dumps, [question, other])))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [answer["decision"] for answer in answers] == ["allow", "deny"]
    assert answers[0] == {**question, "decision": "allow", "rule": {"file": "network.ztos", "line": 62}}
    assert answers[1]["rule"] is None


@pytest.mark.slow
def test_ten_thousand_questions_take_seconds(ztosc: Run) -> None:
    question = json.dumps(
        {"from": {"roles": ["clinician"], "segment": "staff", "attributes": {"user.mfa": True}}, "to": "ehr-web", "on": "tcp/443"}
    )
    started = time.monotonic()
    done = ztosc("why", "-C", HOSPITAL, "--batch", "-", stdin="\n".join([question] * 10_000))
    assert len(done.stdout.splitlines()) == 10_000
    assert time.monotonic() - started < 60  # a bound against a cliff, not a measurement


def test_wrong_usage_is_64(ztosc: Run) -> None:
    for arguments in (["check", "nowhere"], ["chekc"], ["explain", "ZT999"], ["why", "-C", HOSPITAL, "guset", "ehr"], ["build", HOSPITAL]):
        done = ztosc(*arguments)
        assert done.returncode == 64, arguments
        assert "Traceback" not in done.stderr
    assert "did you mean `check`?" in ztosc("chekc").stderr
    assert "did you mean `guest`?" in ztosc("why", "-C", HOSPITAL, "guset", "ehr").stderr


def test_a_project_is_found_upward(ztosc: Run, project: Path) -> None:
    below = project / "some" / "where"
    below.mkdir(parents=True)
    assert ztosc("check", cwd=below).returncode == 0


def test_a_single_file_is_a_project(ztosc: Run, project: Path) -> None:
    (project / "broken.ztos").write_text("foo\n")
    assert ztosc("check", project).returncode == 1
    assert ztosc("check", project / "network.ztos").returncode == 0


def test_init_makes_a_project_that_verifies(ztosc: Run, tmp_path: Path) -> None:
    assert ztosc("init", tmp_path / "new").returncode == 0
    done = ztosc("verify", tmp_path / "new", "--strict")
    assert done.returncode == 0, done.stderr
    assert "4 proved" in done.stdout and "2 of 2 tests passed" in done.stdout
    built = ztosc("build", tmp_path / "new", "-o", tmp_path / "out")
    assert built.returncode == 0, built.stderr
    again = ztosc("init", tmp_path / "new")
    assert again.returncode == 64


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_builds_verifies_and_tests_at_once(ztosc: Run, tmp_path: Path, template: str) -> None:
    assert ztosc("init", tmp_path / "new", "--template", template).returncode == 0
    done = ztosc("verify", tmp_path / "new", "--strict", "--format", "json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert {each["code"] for each in said["diagnostics"]} <= {"ZT448"}, "remarks on addresses that somebody could take, and no warning"
    assert {each["severity"] for each in said["diagnostics"]} <= {"info"}
    assert len(said["verdicts"]) >= 4 and {each["verdict"] for each in said["verdicts"]} == {"proved"}
    assert len(said["tests"]) >= 2 and all(each["passed"] for each in said["tests"])
    built = ztosc("build", tmp_path / "new", "-o", tmp_path / "out")
    assert built.returncode == 0, built.stderr


def test_strict_makes_warnings_fail(ztosc: Run, project: Path) -> None:
    add(project, "allow staff to web until 2026-01-01")
    assert ztosc("check", project, "--at", AT).returncode == 0
    assert ztosc("check", project, "--at", AT, "--strict").returncode == 1


@pytest.mark.parametrize("name", ["ir", "intent", "lock", "verdict", "flow"])
def test_schemas_are_json_schemas(ztosc: Run, name: str) -> None:
    schema = json.loads(ztosc("schema", name).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["properties"], "a schema without properties accepts anything"


def test_explain_prints_a_page(ztosc: Run) -> None:
    done = ztosc("explain", "zt201")
    assert done.returncode == 0
    assert done.stdout.startswith("# ZT201")


def test_version_and_doctor(ztosc: Run) -> None:
    assert ztosc("--version").stdout == ztosc("version").stdout
    assert "z3-solver" in json.loads(ztosc("version", "--json").stdout)["libraries"]
    tools = json.loads(ztosc("doctor", "--json").stdout)["tools"]
    assert {row["tool"] for row in tools} >= {"nft", "named-checkconf", "named-checkzone"}


def test_no_colour_and_no_control_character_reaches_a_pipe(ztosc: Run, project: Path) -> None:
    (project / "x\x1b[31m.ztos").write_text('segment z { at s }\nallow "\x1b[2J" to web\n')
    done = ztosc("check", project)
    assert done.returncode == 1
    assert "\x1b" not in done.stdout + done.stderr


def test_a_symbolic_link_out_of_the_root_is_not_followed(ztosc: Run, project: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.ztos").write_text("segment stolen { at s }\n")
    (project / "link.ztos").symlink_to(tmp_path / "secret.ztos")
    done = ztosc("check", project)
    assert done.returncode == 1
    assert "ZT206" in done.stderr and "stolen" not in done.stderr


def test_an_output_inside_the_project_is_not_part_of_it(ztosc: Run, project: Path) -> None:
    built = ztosc("build", project, "-o", project / "out")
    assert built.returncode == 0, built.stderr
    shutil.copy(project / "network.ztos", project / "out" / "copy.ztos")
    assert ztosc("check", project).returncode == 0
