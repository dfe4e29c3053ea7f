"""`build`: atomic, deterministic, and never over something that is not ours."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support import FRAME, HOSPITAL, ROOT
from ztosc.cli.output import NotWritable, check_output, write_folder

AT = "2026-11-22T00:00Z"


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the hospital, so that its lock can be written."""
    return Path(shutil.copytree(HOSPITAL, tmp_path / "hospital"))


def test_the_committed_lock_says_everything(ztosc: Run, tmp_path: Path) -> None:
    done = ztosc("build", HOSPITAL, "-o", tmp_path / "out", "--locked")
    assert done.returncode == 0, done.stderr


def test_the_manifest_holds_every_file_and_leads_back_to_the_sources(ztosc: Run, project: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert ztosc("build", project, "-o", out, "--at", AT).returncode == 0
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["schema"], manifest["at"]) == (1, "2026-11-22T00:00:00Z")
    files = {record["path"]: record for record in manifest["files"]}
    assert set(files) == set(tree(out)) - {"manifest.json"}
    for path, record in files.items():
        assert record["sha256"] == hashlib.sha256((out / path).read_bytes()).hexdigest()
        assert int(record["mode"], 8) == (out / path).stat().st_mode & 0o777
        assert record["node"] is None or path.startswith(f"nodes/{record['node']}/{record['target']}/")
        assert path.startswith("nodes/") is (record["node"] is not None)
        assert record["origins"], path
        assert all((project / origin["file"]).is_file() or origin["file"].startswith("std/") for origin in record["origins"])


def test_only_who_judged_something_is_named(ztosc: Run, tmp_path: Path) -> None:
    """A network without a MACsec link has no MACsec file, so nobody accepted one."""
    (tmp_path / "network.ztos").write_text(FRAME)
    done = ztosc("build", tmp_path, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert set(manifest["judged_by"]) == {record["target"] for record in manifest["files"]}
    assert "macsec" not in manifest["judged_by"] and "wpa_supplicant" not in done.stdout


def test_the_same_sources_give_the_same_bytes(ztosc: Run, project: Path, tmp_path: Path) -> None:
    text = (project / "network.ztos").read_text()
    cut = text.index("segment ehr")
    shuffled = tmp_path / "shuffled"
    shuffled.mkdir()
    shutil.copy(project / "ztos.toml", shuffled)
    shutil.copy(project / "ztos.lock", shuffled)
    shutil.copytree(project / "keys", shuffled / "keys")
    (shuffled / "network.ztos").write_text(text)
    for name, folder, seed in (("one", project, "1"), ("two", project, "2"), ("three", shuffled, "3")):
        assert ztosc("build", folder, "-o", tmp_path / name, "--at", AT, PYTHONHASHSEED=seed).returncode == 0
    assert tree(tmp_path / "one") == tree(tmp_path / "two") == tree(tmp_path / "three")
    # split over two files, in another order: everything but the lines in the manifest is the same
    (shuffled / "network.ztos").unlink()
    (shuffled / "zz.ztos").write_text(text[:cut])
    imports = "".join(line + "\n" for line in text.splitlines() if line.startswith("import "))
    (shuffled / "aa.ztos").write_text(imports + text[cut:])
    assert ztosc("build", shuffled, "-o", tmp_path / "four", "--at", AT, PYTHONHASHSEED="4").returncode == 0
    assert {**tree(tmp_path / "four"), "manifest.json": ""} == {**tree(tmp_path / "one"), "manifest.json": ""}


def test_locked_fails_where_the_lock_would_change_and_writes_nothing(ztosc: Run, project: Path, tmp_path: Path) -> None:
    before = (project / "ztos.lock").read_bytes()
    with (project / "network.ztos").open("a") as file:
        file.write("segment more { at campus }\n")
    done = ztosc("build", project, "-o", tmp_path / "out", "--locked")
    assert done.returncode == 1
    assert "ZT313" in done.stderr
    assert not (tmp_path / "out").exists()
    assert (project / "ztos.lock").read_bytes() == before
    assert ztosc("build", project, "-o", tmp_path / "out").returncode == 0
    assert (project / "ztos.lock").read_bytes() != before


def test_what_does_not_hold_is_not_built(ztosc: Run, project: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert ztosc("build", project, "-o", out, "--at", AT).returncode == 0
    before = tree(out)
    with (project / "network.ztos").open("a") as file:
        file.write("allow guest to ehr-web\n")
    done = ztosc("build", project, "-o", out, "--at", AT)
    assert done.returncode == 1
    assert "ZT420" in done.stderr
    assert tree(out) == before


def test_an_output_that_is_not_ours_is_not_touched(ztosc: Run, project: Path, tmp_path: Path) -> None:
    out = tmp_path / "precious"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    assert ztosc("build", project, "-o", out).returncode == 64
    assert ztosc("build", project, "-o", project).returncode == 64
    assert ztosc("build", project, "-o", tmp_path).returncode == 64
    assert (out / "thesis.txt").read_text() == "years of work"
    link = tmp_path / "link"
    link.symlink_to(out)
    with pytest.raises(NotWritable):
        check_output(link, project)


def test_an_unwritable_output_is_an_error_and_not_a_traceback(ztosc: Run, project: Path) -> None:
    done = ztosc("build", project, "-o", "/proc/nothing/out")
    assert done.returncode == 1
    assert "ZT701" in done.stderr and "Traceback" not in done.stderr


def test_a_folder_is_exchanged_in_one_step(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_folder(out, {"a/b": (b"one", 0o600), "gone": (b"x", 0o644)})
    write_folder(out, {"a/b": (b"two", 0o640)})
    assert tree(out) == {"a/b": hashlib.sha256(b"two").hexdigest()}
    assert (out / "a/b").stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.slow
def test_a_killed_build_leaves_the_old_output(project: Path, tmp_path: Path) -> None:
    """Kill a writer over and over while it replaces a folder: whoever looks sees one generation, whole."""
    out = tmp_path / "out"
    script = (
        "import sys; from pathlib import Path; from ztosc.cli.output import write_folder\n"
        "n = int(sys.argv[2])\n"
        "while True:\n"
        "    n += 1\n"
        "    write_folder(Path(sys.argv[1]), {f'd{i % 7}/f{i}': (str(n).encode(), 0o644) for i in range(40)})\n"
    )
    write_folder(out, {f"d{i % 7}/f{i}": (b"0", 0o644) for i in range(40)})
    for attempt in range(12):
        writer = subprocess.Popen(
            [sys.executable, "-c", script, str(out), str(attempt * 10_000)], env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        time.sleep(0.25 + attempt * 0.011)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        contents = {path.read_text() for path in out.rglob("*") if path.is_file()}
        assert len(contents) == 1, contents
        assert sum(path.is_file() for path in out.rglob("*")) == 40
