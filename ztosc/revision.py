"""A project as a git revision has it, read by plumbing alone: the work tree, the index and the references stay as they are.

Guarantees: those of `Loader`. What `DiskLoader` would find in a checkout of the revision is found here under the same names, and refused
here for the same reasons; submodules are not entered. No command, hook, filter or helper that a repository names is run, nothing is
fetched, and nothing is written. What the environment says about git (`GIT_*`) counts for nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NoReturn

from ztosc.source import MAX_BYTES, MAX_FILES, SourceMissing, SourceRefused

MAX_TOTAL = 1024 * 1024 * 1024
"""Bytes of all files of one revision together: what is packed small may be large."""
MAX_LINKS = 40
"""Symbolic links on the way to one file."""
SECONDS = 120
"""How long one call of git may take."""

LINK, FILES = b"120000", (b"100644", b"100755", b"100664", b"120000")
QUIET = (
    *("--no-pager", "--no-optional-locks", "--no-replace-objects", "--literal-pathspecs"),
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.attributesFile=/dev/null"),
    *("-c", "core.untrackedCache=false", "-c", "core.commitGraph=false", "-c", "core.pager=cat", "-c", "diff.external="),
    *("-c", "protocol.allow=never", "-c", "maintenance.auto=false", "-c", "gc.auto=0"),
)
"""What a repository's own configuration must not decide."""
SET = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "LC_ALL": "C",
}
"""A promised object that is missing stays missing: whoever fetches it would run what the repository names."""


class RevisionUnknown(Exception):
    """A revision that cannot be read; the text says why, in one sentence."""


@dataclass(frozen=True)
class Entry:
    """A file or symbolic link of a tree."""

    mode: bytes
    blob: bytes
    size: int


@dataclass(frozen=True)
class RevisionLoader:
    """The files below one folder of one commit; `only` names those of a project that is not all of its folder."""

    folder: Path
    commit: str
    entries: Mapping[str, Entry]
    only: tuple[str, ...] | None = None
    _blobs: dict[bytes, bytes | None] = field(default_factory=dict, compare=False, repr=False)

    def names(self) -> tuple[str, ...]:
        if self.only is not None:
            return (*self.only, *sorted(name for name in self.entries if _is_key(name) and not self._hidden(name)))
        return tuple(sorted(name for name in self.entries if _is_source(name) and not self._hidden(name))[:MAX_FILES])

    def read(self, name: str) -> bytes:
        entry = self.entries.get(self._resolved(name))
        if entry is None:
            raise SourceMissing(name)
        if entry.size > MAX_BYTES:
            raise SourceRefused(name, f"it is larger than {MAX_BYTES // (1024 * 1024)} MiB")
        if entry.blob not in self._blobs:
            self._fetch(entry)
        data = self._blobs[entry.blob]
        if data is None:
            raise SourceRefused(name, "its content is not in the repository")
        return data

    def _hidden(self, name: str) -> bool:
        parts = name.split("/")
        if any(part.startswith(".") for part in parts):
            return True
        return any("/".join([*parts[:depth], "manifest.json"]) in self.entries for depth in range(1, len(parts)))

    def _resolved(self, name: str) -> str:
        """The name behind symbolic links; each must lead to something inside of the folder."""
        left, done, links = name.split("/")[::-1], list[str](), 0
        if name.startswith("/"):
            raise SourceRefused(name, "it lies outside the project's root")
        while left:
            part = left.pop()
            if part == ".." and not done:
                raise SourceRefused(name, "it lies outside the project's root")
            if part == "..":
                done.pop()
            elif part not in ("", "."):
                done.append(part)
            entry = self.entries.get("/".join(done))
            if entry is not None and entry.mode == LINK:
                links += 1
                target = self._target(name, entry) if links <= MAX_LINKS else "/"
                if target.startswith("/"):
                    why = "it lies outside the project's root" if links <= MAX_LINKS else "its symbolic links lead in a circle"
                    raise SourceRefused(name, why)
                done.pop()
                left += target.split("/")[::-1]
        return "/".join(done)

    def _target(self, name: str, entry: Entry) -> str:
        if entry.size > 4096:
            raise SourceRefused(name, "it is not a regular file")
        if entry.blob not in self._blobs:
            self._fetch(entry)
        return (self._blobs[entry.blob] or b"/").decode("utf-8", "surrogateescape")

    def _fetch(self, entry: Entry) -> None:
        """Read, in one call, every file that is likely to be asked for."""
        likely = [self.entries[name] for name in self.names() if name in self.entries]
        blobs = {each.blob: each.size for each in [*likely, entry] if each.size <= MAX_BYTES and each.blob not in self._blobs}
        if sum(blobs.values()) > MAX_TOTAL:
            raise RevisionUnknown(f"the files of `{self.commit[:12]}` are larger than {MAX_TOTAL // (1024 * 1024)} MiB together")
        asked = sorted(blobs)
        self._blobs.update(_contents(asked, git(self.folder, ["cat-file", "--batch"], b"".join(blob + b"\n" for blob in asked))))


def _is_key(name: str) -> bool:
    return name.count("/") == 3 and name.startswith("keys/wireguard/")


def _is_source(name: str) -> bool:
    last = name.rpartition("/")[2]
    listed = name.startswith("inventory/") and (fnmatchcase(last, "*.yaml") or fnmatchcase(last, "*.yml"))
    return listed or last in ("ztos.toml", "ztos.lock") or last.endswith(".ztos") or _is_key(name)


def open_revision(folder: Path, revision: str, only: tuple[str, ...] | None = None) -> RevisionLoader:
    """The project that stood in a folder at a revision. Raises `RevisionUnknown`."""
    commit = _commit(folder, revision)
    prefix = git(folder, ["rev-parse", "--show-prefix"]).removesuffix(b"\n")
    listing = git(folder, ["ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--", *([os.fsdecode(prefix)] if prefix else [])])
    entries = _entries(listing, prefix)
    if not entries:
        where = f"`{os.fsdecode(prefix).rstrip('/')}`" if prefix else "it"
        raise RevisionUnknown(f"at revision `{revision}` there is nothing in {where}")
    return RevisionLoader(folder, commit, entries, only)


def _commit(folder: Path, revision: str) -> str:
    if not revision or revision.startswith("-") or not revision.isprintable():
        raise RevisionUnknown(f"`{revision}` is no name of a revision")
    try:
        git(folder, ["rev-parse", "--git-dir"])
    except RevisionUnknown as error:
        raise RevisionUnknown(f"`{revision}` is no folder, and no revision can be read here: {error}") from None
    try:
        return git(folder, ["rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"]).decode("ascii").strip()
    except RevisionUnknown:
        raise RevisionUnknown(f"`{revision}` is neither a folder nor a revision of this repository") from None


def _entries(listing: bytes, prefix: bytes) -> dict[str, Entry]:
    """The files of `ls-tree -r -l -z`: `MODE TYPE OBJECT SIZE<tab>PATH` each, names below the prefix."""
    found: dict[str, Entry] = {}
    for line in filter(None, listing.split(b"\0")):
        about, _, path = line.partition(b"\t")
        mode, _, blob, size = about.split()
        if mode in FILES and path.startswith(prefix):
            found[path[len(prefix) :].decode("utf-8", "surrogateescape")] = Entry(mode, blob, int(size) if size.isdigit() else 0)
    return found


def _contents(asked: Sequence[bytes], answer: bytes) -> dict[bytes, bytes | None]:
    """The answers of `cat-file --batch`, in the order of the questions: `OBJECT blob SIZE`, the content, a line's end."""
    found: dict[bytes, bytes | None] = {}
    at = 0
    for blob in asked:
        head, _, _ = answer[at : at + 256].partition(b"\n")
        at += len(head) + 1
        words = head.split()
        found[blob] = None
        if len(words) == 3 and words[1] == b"blob":
            end = at + int(words[2])
            found[blob] = answer[at:end]
            at = end + 1
    return found


def git(folder: Path, arguments: Sequence[str], given: bytes = b"") -> bytes:
    """What git says. Raises `RevisionUnknown`."""
    tool = shutil.which("git")
    if tool is None:
        raise RevisionUnknown("git is not installed")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run([tool, *QUIET, *arguments], input=given, capture_output=True, cwd=folder, env=kept | SET, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise RevisionUnknown(f"git did not answer within {SECONDS} seconds") from None
    except OSError as error:
        raise RevisionUnknown(f"git cannot be run ({error.strerror})") from error
    if done.returncode != 0:
        _refused(done.stderr)
    return done.stdout


def _refused(said: bytes) -> NoReturn:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    told = lines[0] if lines else "it gave no reason"
    raise RevisionUnknown(told.removeprefix("fatal: ").rstrip("."))
