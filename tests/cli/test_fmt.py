"""`fmt`: which files, what it prints, what it never touches."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

import ztosc.format.text
from tests.cli.conftest import Run
from ztosc.cli import fmt
from ztosc.cli.app import BUG, OK, WRONG, run

UGLY = "segment   a {at s ;size 64}\r\n\n\n# kept\n"
NICE = "segment a { at s; size 64 }\n\n# kept\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One file that is canonical, one that is not, one with a mistake, and what is not ours to format."""
    folder = tmp_path / "project"
    (folder / "rooms").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / "ztos.toml").write_text('[project]\nname = "p"\n')
    (folder / "nice.ztos").write_text(NICE)
    (folder / "rooms" / "ugly.ztos").write_text(UGLY, newline="")
    (folder / ".hidden" / "ugly.ztos").write_text(UGLY, newline="")
    (folder / "people.yaml").write_text("a:   1\n")
    return folder


def test_a_project_is_formatted_once(ztosc: Run, project: Path) -> None:
    done = ztosc("fmt", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "formatted rooms/ugly.ztos\n1 file formatted, 1 left as they were\n"
    assert (project / "rooms" / "ugly.ztos").read_bytes() == NICE.encode()
    assert (project / ".hidden" / "ugly.ztos").read_bytes() == UGLY.encode()
    assert (project / "people.yaml").read_text() == "a:   1\n"
    again = ztosc("fmt", "--check", cwd=project / "rooms")
    assert (again.returncode, again.stdout) == (0, "")


def test_check_lists_what_would_change_and_writes_nothing(ztosc: Run, project: Path) -> None:
    done = ztosc("fmt", "--check", "project", cwd=project.parent)
    assert (done.returncode, done.stdout) == (1, "project/rooms/ugly.ztos\n")
    assert (project / "rooms" / "ugly.ztos").read_bytes() == UGLY.encode()


def test_diff_shows_what_would_change(ztosc: Run, project: Path) -> None:
    done = ztosc("fmt", "--diff", cwd=project)
    assert done.returncode == 0
    assert done.stdout.splitlines()[:2] == ["--- rooms/ugly.ztos", "+++ rooms/ugly.ztos"]
    assert "-segment   a {at s ;size 64}\\x0d" in done.stdout and "+segment a { at s; size 64 }" in done.stdout
    assert (project / "rooms" / "ugly.ztos").read_bytes() == UGLY.encode()
    assert ztosc("fmt", "--diff", "--check", cwd=project).returncode == 1


def test_diff_tells_of_a_missing_line_end(ztosc: Run) -> None:
    done = ztosc("fmt", "--diff", "-", stdin="separate a, b")
    assert done.stdout.splitlines()[-3:] == ["-separate a, b", "\\ No newline at end of file", "+separate a, b"]


def test_standard_input_goes_to_standard_output(ztosc: Run) -> None:
    done = ztosc("fmt", "-", stdin='region größe { evidence   "é" }'.replace("größe", "x"), PYTHONIOENCODING="ascii:surrogateescape")
    assert done.returncode == 0 and "{ evidence" in done.stdout
    assert ztosc("fmt", "-", stdin=NICE).stdout == NICE
    assert ztosc("fmt", "-", stdin="").stdout == ""
    checked = ztosc("fmt", "--check", "-", stdin=UGLY)
    assert (checked.returncode, checked.stdout) == (1, "<stdin>\n")
    wrong = ztosc("fmt", "-", stdin="segment a {\n")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "error[ZT103]" in wrong.stderr and "<stdin>:1:11" in wrong.stderr


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"segment a {at s\n", "ZT103"), (b"\xff\xfe", "ZT101"), ("segment  a { at s } # \u200b\n".encode(), "ZT102"), (b"a" * 5000, "ZT108")],
)
def test_a_file_with_a_mistake_is_left_and_the_others_go_on(
    project: Path, data: bytes, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "broken.ztos").write_bytes(data)
    assert run(["fmt", str(project)]) == WRONG
    told = capsys.readouterr()
    assert f"error[{code}]" in told.err and str(project / "broken.ztos") in told.err
    assert "broken" not in told.out
    assert (project / "broken.ztos").read_bytes() == data
    assert (project / "rooms" / "ugly.ztos").read_text() == NICE


def test_the_mode_is_kept_and_a_read_only_file_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ugly = project / "rooms" / "ugly.ztos"
    ugly.chmod(0o444)
    assert run(["fmt", str(ugly)]) == WRONG
    assert f"ZT701]: `{ugly}` cannot be written: it is read-only" in capsys.readouterr().err
    assert ugly.read_bytes() == UGLY.encode()
    ugly.chmod(0o600)
    assert run(["fmt", str(ugly)]) == OK
    assert ugly.read_text() == NICE and stat.S_IMODE(ugly.stat().st_mode) == 0o600
    assert list(ugly.parent.iterdir()) == [ugly]


def test_links_are_written_through_inside_the_project_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outside = project.parent / "outside.ztos"
    outside.write_text(UGLY, newline="")
    (project / "out.ztos").symlink_to(outside)
    (project / "in.ztos").symlink_to("rooms/ugly.ztos")
    (project / "dead.ztos").symlink_to("nothing.ztos")
    for arguments in (["fmt", str(project)], ["fmt", str(project / "out.ztos")]):
        assert run(arguments) == WRONG
        assert "ZT206" in capsys.readouterr().err
    assert outside.read_bytes() == UGLY.encode()
    assert (project / "in.ztos").is_symlink() and (project / "rooms" / "ugly.ztos").read_text() == NICE
    assert run(["fmt", str(project / "dead.ztos")]) == WRONG
    assert "nothing where it leads" in capsys.readouterr().err


def test_what_would_mean_something_else_is_never_written(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = ztosc.format.text.laid_out
    monkeypatch.setattr(ztosc.format.text, "laid_out", lambda text: right(text).replace("size 64", "size 65"))
    assert run(["fmt", str(project / "rooms" / "ugly.ztos")]) == BUG
    assert "ztosc has a bug" in capsys.readouterr().err
    assert (project / "rooms" / "ugly.ztos").read_bytes() == UGLY.encode()


def test_a_file_that_changed_meanwhile_is_left(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ugly = project / "rooms" / "ugly.ztos"
    right = fmt.format_text

    def slow(source: object, report: object) -> str | None:
        ugly.write_text("separate a, b\n")
        return right(source, report)  # type: ignore[arg-type]

    monkeypatch.setattr(fmt, "format_text", slow)
    assert run(["fmt", str(ugly)]) == WRONG
    assert "changed since it was read" in capsys.readouterr().err
    assert ugly.read_text() == "separate a, b\n"


def test_wrong_usage_is_64(ztosc: Run, project: Path) -> None:
    (project.parent / "empty").mkdir()
    for arguments in (["nowhere"], ["nowhere.ztos"], ["-", "x.ztos"], [project / "people.yaml"], [project.parent / "empty"], ["--chekc"]):
        done = ztosc("fmt", *arguments)
        assert done.returncode == 64, arguments
        assert "Traceback" not in done.stderr


def test_a_file_named_twice_is_formatted_once(ztosc: Run, project: Path) -> None:
    done = ztosc("fmt", "--check", "rooms", "rooms/ugly.ztos", ".", cwd=project)
    assert done.stdout == "rooms/ugly.ztos\n"
