"""`ztosc diff` and `verify --against` on real git repositories: what is told, what fails, and that nothing is touched."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest

from tests.cli.conftest import Run
from tests.report.test_sarif import VALIDATOR
from tests.revision.repository import commit, git, repository, state
from tests.support import FRAME
from ztosc.cli.app import run
from ztosc.report import MODULES
from ztosc.verify.encoding import Encoding

AT = ("--at", "2026-11-22T00:00Z")
BASE = FRAME + "allow staff to web\nassert lab never reaches phi\n"
SIGN = 'because "CHG-1" approved by "chief"'


@pytest.fixture
def ztosc(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line within this process."""

    def done(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        if cwd is not None:
            monkeypatch.chdir(cwd)
        code = run([str(argument) for argument in arguments])
        out, err = (stream.decode("utf-8", "surrogateescape") for stream in capfdbinary.readouterr())
        return subprocess.CompletedProcess(arguments, code, out, err)

    return done


def written(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ztos.toml").write_text('[project]\nname = "small"\n')
    (folder / "network.ztos").write_text(text)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository whose `main` has the base."""
    folder = written(repository(tmp_path / "repo"), BASE)
    commit(folder, "base")
    return folder


def test_nothing_changed(ztosc: Run, project: Path) -> None:
    done = ztosc("diff", "base", *AT, cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["nothing that the network allows or promises has changed", "0 errors, 0 warnings"]


def test_access_gained_fails_with_the_statement_that_would_sign_for_it(ztosc: Run, project: Path) -> None:
    written(project, BASE + "allow staff to vault on tcp/22\n")
    done = ztosc("diff", "base", *AT, cwd=project)
    line = len(BASE.splitlines()) + 1
    assert done.returncode == 1
    told = "`staff` from `desks` may now open tcp/22 to `vault`, when `user.mfa` = true"
    assert f"fails    {told}  [network.ztos:{line}]" in done.stdout
    assert f"error[ZT430]: {told}" in done.stderr
    assert 'help: accept widening staff to vault on tcp/22 because "…" approved by "…"' in done.stderr


def test_the_statement_signs_for_it(ztosc: Run, project: Path) -> None:
    written(project, BASE + f"allow staff to vault on tcp/22\naccept widening staff to vault on tcp/22 {SIGN}\n")
    done = ztosc("verify", "--against", "base", *AT, "--strict", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    assert "accepted `staff` from `desks` may now open tcp/22 to `vault`" in done.stdout
    assert "accepted accepted: staff to vault on tcp/22, because “CHG-1”, approved by chief" in done.stdout
    commit(project, "merged")
    later = ztosc("verify", "--against", "merged", *AT, cwd=project)
    assert (later.returncode, "warning[ZT436]" in later.stderr) == (0, True)
    assert ztosc("verify", "--against", "merged", *AT, "--strict", cwd=project).returncode == 1


def test_access_lost_does_not_fail(ztosc: Run, project: Path) -> None:
    written(project, BASE.replace("allow staff to web\n", ""))
    done = ztosc("diff", "base", *AT, cwd=project)
    assert done.returncode == 0
    assert "may no longer open tcp/443 to `web`" in done.stdout


def test_two_revisions_and_two_folders(ztosc: Run, project: Path, tmp_path: Path) -> None:
    written(project, BASE + "allow staff to vault on tcp/22\n")
    commit(project, "wider")
    folders = written(tmp_path / "old", BASE), written(tmp_path / "new", BASE + "allow staff to vault on tcp/22\n")
    forward = ztosc("diff", "base", "wider", *AT, "-C", project)
    assert forward.returncode == 1 and "access gained" in forward.stdout
    back = ztosc("diff", "wider", "base", "-C", project, *AT)
    assert back.returncode == 0 and "access lost" in back.stdout
    assert (
        ztosc("diff", *folders, *AT, "--format", "json").stdout
        == ztosc("diff", "base", "wider", "-C", project, *AT, "--format", "json").stdout
    )
    file = ztosc("diff", folders[0] / "network.ztos", folders[1] / "network.ztos", *AT)
    assert file.returncode == 1


def test_a_folder_wins_over_a_revision_of_its_name(ztosc: Run, project: Path) -> None:
    written(project / "old", BASE)
    written(project / ".kept", BASE + "allow staff to vault on tcp/22\n")
    git(project, "tag", "old")
    (project / "old").rename(project / ".moved")
    written(project, BASE + "allow staff to vault on tcp/22\n")
    by_revision = ztosc("diff", "old", *AT, cwd=project)
    assert by_revision.returncode == 1
    (project / ".kept").rename(project / "old")
    (project / "ztos.toml").rename(project / "old" / "ztos.toml")
    (project / "new").mkdir()
    (project / "network.ztos").rename(project / "new" / "network.ztos")
    by_folder = ztosc("diff", "old", "new", *AT, cwd=project)
    assert by_folder.returncode == 0, by_folder.stdout


def test_a_project_within_a_repository(ztosc: Run, tmp_path: Path) -> None:
    top = repository(tmp_path / "repo")
    folder = written(top / "sites" / "clinic", BASE)
    written(top / "sites" / "other", "no network at all")
    commit(top, "base")
    written(folder, BASE + "allow staff to vault on tcp/22\n")
    done = ztosc("diff", "base", *AT, cwd=folder)
    assert done.returncode == 1 and "network.ztos:" in done.stdout
    assert "sites" not in done.stdout


def test_the_work_tree_is_dirty_before_and_the_same_afterwards(ztosc: Run, project: Path) -> None:
    written(project, BASE + "allow staff to vault on tcp/22\n")
    (project / "untracked.ztos").write_text("segment extra { at s }\n")
    (project / "staged.ztos").write_text("segment more { at s }\n")
    git(project, "add", "staged.ztos")
    before = state(project)
    assert ztosc("verify", "--against", "base", *AT, cwd=project).returncode == 1
    assert ztosc("diff", "base", "base", *AT, cwd=project).returncode == 0
    assert state(project) == before


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nowhere", "`nowhere` is neither a folder nor a revision of this repository"),
        ("", "`` is no name of a revision"),
        ("x" * 300, "is neither a folder nor a revision of this repository"),
        ("base:network.ztos", "is neither a folder nor a revision of this repository"),
    ],
)
@pytest.mark.parametrize("command", ["diff", "verify"])
def test_an_unknown_revision_is_wrong_usage(ztosc: Run, project: Path, command: str, name: str, told: str) -> None:
    arguments = ("diff", name) if command == "diff" else ("verify", "--against", name)
    done = ztosc(*arguments, cwd=project)
    assert done.returncode == 64 and told in done.stderr and done.stdout == ""
    assert len(done.stderr.splitlines()) <= 4


def test_outside_of_a_repository(ztosc: Run, tmp_path: Path) -> None:
    done = ztosc("diff", "main", cwd=written(tmp_path / "plain", BASE))
    assert done.returncode == 64
    assert "`main` is no folder, and no revision can be read here: not a git repository" in done.stderr


def test_a_broken_base_is_an_error_of_its_own(ztosc: Run, project: Path) -> None:
    written(project, BASE + "allow stff to web\n")
    commit(project, "broken")
    written(project, BASE)
    done = ztosc("diff", "broken", *AT, cwd=project)
    assert done.returncode == 1
    assert "error[ZT437]: `broken` cannot be compared with, for it has 1 error itself: network.ztos:" in done.stderr


def test_a_broken_project_tells_its_own_mistakes(ztosc: Run, project: Path) -> None:
    written(project, BASE + "allow stff to web\n")
    done = ztosc("verify", "--against", "base", *AT, cwd=project)
    assert done.returncode == 1 and "error[ZT201]" in done.stderr and "ZT43" not in done.stderr


def test_a_waiver_that_ended_since_is_no_hindrance(ztosc: Run, project: Path) -> None:
    waived = 'profile p { control "1" error "One" { manual "m" } }\nwaive p "1" until 2026-11-01 because "w"\n'
    written(project, BASE + waived)
    commit(project, "waived")
    written(project, BASE + waived.splitlines()[0] + "\n")
    done = ztosc("diff", "waived", *AT, cwd=project)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_assertion_of_the_base_that_breaks(ztosc: Run, project: Path) -> None:
    wider = BASE.replace("assert lab never reaches phi\n", "allow lab to web\n")
    written(project, wider + f"accept widening lab to web {SIGN}\n")
    done = ztosc("verify", "--against", "base", *AT, cwd=project)
    assert done.returncode == 1
    assert "error[ZT434]: `lab never reaches phi` was asserted (it stood at network.ztos:" in done.stderr
    written(project, wider + f'accept widening lab to web {SIGN}\naccept widening assert "lab never reaches phi" {SIGN}\n')
    assert ztosc("verify", "--against", "base", *AT, cwd=project).returncode == 0


def test_what_could_not_be_computed_is_undecided(ztosc: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Encoding.__init__, "__kwdefaults__", {"budget": 3})
    written(project, BASE + "allow staff to vault on tcp/22 when device.managed and user.risk < 3\n")
    done = ztosc("diff", "base", *AT, cwd=project)
    assert "error[ZT438]" in done.stderr
    assert done.returncode == 3


def test_the_json_says_everything(ztosc: Run, project: Path) -> None:
    written(project, BASE.replace("assert lab never reaches phi\n", "") + "allow staff to vault on tcp/22 until 2027-01-01\n")
    found = json.loads(ztosc("diff", "base", *AT, "--format", "json", cwd=project).stdout)
    (gained,) = found["access"]["gained"]
    line = len(BASE.splitlines())
    assert gained["from"] == ["desks"] and gained["to"] == [{"kind": "segment", "name": "vault"}, {"kind": "service", "name": "web"}]
    assert gained["guard"] == [{"acting_as": ["staff"], "not_acting_as": [], "facts": ["`user.mfa` = true"]}]
    assert (gained["ports"], gained["time"], gained["since"]) == ("tcp/22", "until 2027-01-01T23:00:00Z", "2026-11-22T00:00:00Z")
    assert (gained["new"], gained["old"], gained["accepted"]) == ([{"file": "network.ztos", "line": line}], [], None)
    (lost,) = found["guarantees"]
    assert (lost["kind"], lost["name"], lost["loss"]) == ("assert", "lab never reaches phi", "removed")
    assert [each["verdict"] for each in found["verdicts"]] == ["proved"]
    assert found["access"]["lost"] == found["access"]["undecided"] == found["membership"] == found["lock"] == found["acceptances"] == []


HOSTILE = 'test "a | b ``` <script> @all ](http://x) ]]> ::error::x ${y}" { given lab\n  expect deny to web }\n'


@pytest.mark.parametrize("form", sorted(MODULES))
def test_every_format_shows_a_change_and_nothing_in_a_name_is_obeyed(ztosc: Run, project: Path, form: str) -> None:
    written(project, BASE + HOSTILE.replace("${y}", "y"))
    commit(project, "tested")
    written(project, BASE + "allow staff to vault on tcp/22\n")
    done = ztosc("diff", "tested", *AT, "--format", form, cwd=project)
    assert done.returncode == 1 and "may now open tcp/22" in done.stdout
    if form == "sarif":
        VALIDATOR.validate(json.loads(done.stdout))
    elif form == "junit":
        suite = xml.fromstring(done.stdout.encode()).find(".//testsuite[@name='changes']")
        assert suite is not None and (suite.get("tests"), suite.get("failures")) == ("2", "2")
    elif form == "github":
        assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in done.stdout.removesuffix("\n").split("\n"))
    elif form == "markdown":
        rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
        assert all(line.count("|") == 4 for line in rows), rows
        assert "What changed against `tested`:" in done.stdout


def test_a_comment_has_a_bounded_length(ztosc: Run, project: Path) -> None:
    many = "".join(f"segment extra-{number} {{ at s }}\nallow staff to extra-{number} on tcp/{number + 1}\n" for number in range(120))
    written(project, BASE + many)
    done = ztosc("diff", "base", *AT, "--format", "markdown", cwd=project)
    assert len(done.stdout) < 65_536 and "are left out here" in done.stdout
