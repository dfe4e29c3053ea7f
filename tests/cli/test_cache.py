"""The cache on disk changes how long a command takes, and nothing else."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import HOSPITAL
from ztosc.cli.cache import FILE, DiskCache, disk_cache

ENTRIES = {bytes([number]) * 32: bytes([number]) * 1000 for number in range(20)}


def check(
    folder: str | None, *, home: Path, cwd: Path, arguments: tuple[str, ...] = ("--format", "json")
) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("ZTOSC_CACHE", "XDG_CACHE_HOME", "HOME")}
    environment |= {"HOME": str(home)} | ({"ZTOSC_CACHE": folder} if folder is not None else {})
    command = [sys.executable, "-m", "ztosc", "check", ".", "--at", "2026-11-22", *arguments]
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, check=False)


def test_output_is_the_same_with_and_without(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name in ("network.ztos", "ztos.toml"):
        (project / name).write_bytes((HOSPITAL / name).read_bytes())
    home = tmp_path / "home"
    home.mkdir()
    without = check("off", home=home, cwd=project)
    filling, warm = check(None, home=home, cwd=project), check(None, home=home, cwd=project)
    assert (home / ".cache" / "ztosc" / FILE).stat().st_mode & 0o777 == 0o600
    assert (home / ".cache" / "ztosc").stat().st_mode & 0o777 == 0o700
    assert without.stdout == filling.stdout == warm.stdout
    text = (project / "network.ztos").read_text()
    (project / "network.ztos").write_text("# moved\n\n" + text + "\nallow nobody to nowhere\n")
    moved = [check(where, home=home, cwd=project, arguments=()) for where in ("off", None)]
    assert moved[0].returncode == moved[1].returncode == 1
    assert moved[0].stderr == moved[1].stderr
    assert moved[0].stderr.count("network.ztos:") >= 2


def test_off_leaves_no_trace(tmp_path: Path) -> None:
    assert check("off", home=tmp_path, cwd=HOSPITAL).returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["/dev/null/x", "/proc/nowhere", "a\x07b/../\x01" * 200])
def test_a_folder_that_cannot_be_changes_nothing(where: str, tmp_path: Path) -> None:
    found = check(where, home=tmp_path, cwd=HOSPITAL, arguments=())
    assert found.returncode == 0
    assert "Traceback" not in found.stderr


def test_a_folder_that_others_write_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(PermissionError):
        DiskCache(folder)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir(mode=0o700)
    (tmp_path / "victim").write_bytes(b"precious")
    (folder / FILE).symlink_to(tmp_path / "victim")
    with pytest.raises(OSError):
        DiskCache(folder)
    assert (tmp_path / "victim").read_bytes() == b"precious"


def test_entries_come_back(tmp_path: Path) -> None:
    first, second = DiskCache(tmp_path / "c"), DiskCache(tmp_path / "c")
    first.put(ENTRIES)
    assert second.get([*ENTRIES, b"z" * 32]) == ENTRIES
    first.close()
    second.close()


@pytest.mark.parametrize("keep", [0, 10, 100, 5000])
def test_a_torn_database_is_begun_anew(keep: int, tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "c")
    cache.put(ENTRIES)
    cache.close()
    file = tmp_path / "c" / FILE
    file.write_bytes(file.read_bytes()[:keep] + b"\x99" * 3000)
    for _ in range(2):  # the first may find out only while reading
        torn = DiskCache(tmp_path / "c")
        assert set(torn.get(ENTRIES).items()) <= set(ENTRIES.items())
        torn.put(ENTRIES)
        torn.close()
    again = DiskCache(tmp_path / "c")
    again.put(ENTRIES)
    assert again.get(ENTRIES) == ENTRIES
    again.close()


def test_a_database_in_use_is_waited_for_only_briefly(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "c")
    other = sqlite3.connect(tmp_path / "c" / FILE, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    cache.put(ENTRIES)
    assert cache.get(ENTRIES) == {}
    other.execute("COMMIT")
    other.close()
    cache.put(ENTRIES)
    assert cache.get(ENTRIES) == ENTRIES
    cache.close()


def test_what_was_not_used_for_longest_goes(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "c", max_bytes=10_000)
    first = dict(list(ENTRIES.items())[:10])
    cache.put(first)
    cache._today += 1
    kept = next(iter(first))
    cache.get([kept])
    cache._today += 1
    rest = dict(list(ENTRIES.items())[10:])
    cache.put(dict(list(rest.items())[:5]))
    cache.close()
    cache = DiskCache(tmp_path / "c", max_bytes=10_000)
    left = cache.get(ENTRIES)
    assert sum(map(len, left.values())) <= 10_000
    assert kept in left and set(list(rest)[:5]) <= set(left)
    assert len(left) < 15
    cache.close()


def test_two_processes_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ztosc.cli.cache import DiskCache\n"
        "cache = DiskCache(Path(sys.argv[1]))\n"
        "for n in range(60):\n"
        "    key = bytes([int(sys.argv[2]), n]) * 16\n"
        "    cache.put({key: key}); assert cache.get([key]).get(key, key) == key\n"
    )
    root = str(Path(__file__).resolve().parents[2])
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "c"), str(number)], env={**os.environ, "PYTHONPATH": root})
        for number in (1, 2)
    ]
    assert [process.wait(timeout=120) for process in running] == [0, 0]


def test_the_variable_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZTOSC_CACHE", str(tmp_path / "named"))
    with disk_cache() as cache:
        assert cache is not None
    assert (tmp_path / "named" / FILE).is_file()
    monkeypatch.setenv("ZTOSC_CACHE", "off")
    with disk_cache() as cache:
        assert cache is None
