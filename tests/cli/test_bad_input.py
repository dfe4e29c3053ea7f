"""Everything that can be wrong with a project at once: each mistake once, none of them a traceback, nothing half written."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run

MAIN = """import std.identity
import std.nothing
import b
import "../outside.ztos"
network bad { domain "bad.example"
  prefix fd00:1::/48 }
region r { country US }
site s in r {
  node n1 { underlay 2001:db8::1; serves gateway }
  node n2 { underlay 2001:db8::1; serves gateway }
  node n3 { underlay fd00:1::9; serves gateway }
}
segment x { at s; prefix fd00:1:0:1000::/60 }
segment y { at s; prefix fd00:1:0:1001::/64 }
service web { listen tcp/443 }
"""

EXPECTED = [
    ("ZT204", "a.ztos", 2),
    ("ZT206", "a.ztos", 4),
    ("ZT301", "a.ztos", 10),
    ("ZT303", "a.ztos", 11),
    ("ZT302", "a.ztos", 14),
    ("ZT306", "a.ztos", 15),
    ("ZT205", "b.ztos", 1),
    ("ZT101", "c.ztos", 1),
    ("ZT108", "d.ztos", 1),
    ("ZT310", "ztos.lock", 1),
]


def test_every_bad_input_is_told_in_one_run(ztosc: Run, tmp_path: Path) -> None:
    import json

    project = tmp_path / "p"
    project.mkdir()
    (project / "a.ztos").write_text(MAIN)
    (project / "b.ztos").write_text("import a\n")
    (project / "c.ztos").write_bytes(b"segment \xff\x00")
    (project / "d.ztos").write_text("allow " + "a" * 10_000_000)
    (project / "ztos.lock").write_text("{broken")
    (tmp_path / "outside.ztos").write_text("segment stolen { at s }")
    done = ztosc("build", project, "-o", tmp_path / "out", "--format", "json")
    found = json.loads(done.stdout)["diagnostics"]
    assert done.returncode == 1
    assert sorted((item["code"], item["file"], item["line"]) for item in found) == sorted(EXPECTED)
    assert all(item["help"] for item in found)
    assert done.stderr == ""
    assert not (tmp_path / "out").exists()
    assert (project / "ztos.lock").read_text() == "{broken"


def test_an_empty_project_is_told_so(ztosc: Run, tmp_path: Path) -> None:
    done = ztosc("check", tmp_path)
    assert done.returncode == 1
    assert "ZT220" in done.stderr and "ztosc init" in done.stderr


def test_a_broken_project_file_is_told_with_its_line(ztosc: Run, tmp_path: Path) -> None:
    (tmp_path / "ztos.toml").write_text("[project]\nnmae = 1\n[other]\n")
    done = ztosc("check", tmp_path)
    assert done.returncode == 1
    assert "`[project]` has no key `nmae`" in done.stderr and "did you mean `name`?" in done.stderr
    assert "`ztos.toml` has no table `other`" in done.stderr
