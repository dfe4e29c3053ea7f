"""Git repositories made for a test, by the real git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    **{"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"},
    **{"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example"},
    **{"GIT_AUTHOR_DATE": "2026-11-22T00:00:00Z", "GIT_COMMITTER_DATE": "2026-11-22T00:00:00Z"},
}


def git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    """What git says; a failure is the test's."""
    done = subprocess.run(["git", *arguments], cwd=folder, env=ENVIRONMENT, input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    """An empty one."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    return folder


def commit(folder: Path, name: str = "") -> str:
    """Commit everything there is, with a tag if one is named."""
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", name or "more")
    if name:
        git(folder, "tag", name)
    return git(folder, "rev-parse", "HEAD").decode()


def tree(folder: Path, entries: dict[bytes, tuple[str, bytes]]) -> str:
    """A commit of a tree that no checkout would give: names with any bytes, modes and contents as told. Names have no `/`."""
    lines = []
    for name, (mode, content) in entries.items():
        kind = {"160000": "commit", "040000": "tree"}.get(mode, "blob")
        blob = content if kind != "blob" else git(folder, "hash-object", "-w", "--stdin", given=content)
        lines.append(f"{mode} {kind} ".encode() + blob + b"\t" + name + b"\0")
    made = git(folder, "mktree", "-z", "--missing", given=b"".join(lines)).decode()
    return git(folder, "commit-tree", made, "-m", "made").decode()


def state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file of a repository, those of git among them, with its size, time and content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path.relative_to(folder))] = (about.st_mode, about.st_mtime_ns, content)
    return found
