"""A revision read by plumbing is what a checkout of it would be, and reading it runs and changes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.revision.repository import commit, git, repository, state, tree
from ztosc import revision
from ztosc.revision import RevisionUnknown, open_revision
from ztosc.source import DiskLoader, Loader, SourceMissing, SourceRefused

FILES = {
    "ztos.toml": b"[project]\n",
    "ztos.lock": b"{}",
    "network.ztos": b"network",
    "rooms/beds.ztos": b"beds",
    "rooms/ztos.toml": b"x",
    "rooms/notes.txt": b"no",
    ".hidden/a.ztos": b"no",
    "rooms/.b.ztos": b"no",
    "out/manifest.json": b"{}",
    "out/nodes/a.ztos": b"no",
    "keys/wireguard/1/gate.pub": b"key",
    "keys/wireguard/1/deep/gate.pub": b"no",
    "keys/other/1/gate.pub": b"no",
    "inventory/people.yaml": b"people",
    "inventory/more/devices.yml": b"devices",
    "more/inventory/people.yaml": b"no",
    "naïve name.ztos": b"named",
    "a\nb.ztos": b"lines",
}


def fill(folder: Path, files: dict[str, bytes] = FILES) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def outcome(loader: Loader, name: str) -> bytes | str:
    """What a loader makes of a name."""
    try:
        return loader.read(name)
    except SourceMissing:
        return "missing"
    except SourceRefused as refused:
        return refused.reason


@pytest.mark.parametrize("below", ["", "sub/project"])
def test_a_revision_has_what_a_checkout_has(tmp_path: Path, below: str) -> None:
    top = repository(tmp_path / "repo")
    folder = top / below
    folder.mkdir(parents=True, exist_ok=True)
    fill(folder)
    (top / "beside.ztos").write_bytes(b"beside")
    (folder / "link.ztos").symlink_to("rooms/beds.ztos")
    (folder / "gone.ztos").symlink_to("nowhere.ztos")
    (folder / "far.ztos").symlink_to("/etc/passwd")
    (folder / "up.ztos").symlink_to("../" * 5 + "etc/passwd")
    (folder / "out.ztos").symlink_to("rooms/../../beside.ztos" if below else "../beside.ztos")
    (folder / "round.ztos").symlink_to("rooms/../link.ztos")
    (folder / "folder.ztos").symlink_to("rooms")
    (folder / "through.ztos").symlink_to("folder.ztos/beds.ztos")
    commit(top, "one")
    disk, seen = DiskLoader(folder), open_revision(folder, "one")
    assert seen.names() == disk.names()
    for name in (*disk.names(), "rooms/notes.txt", "nowhere.ztos", "../beside.ztos", "/etc/passwd", "rooms/../ztos.toml", "rooms"):
        assert outcome(seen, name) == outcome(disk, name) or name in ("folder.ztos", "rooms"), name
    assert outcome(seen, "rooms") == "missing"


def test_a_circle_of_links_is_refused(tmp_path: Path) -> None:
    top = repository(tmp_path)
    (top / "a.ztos").symlink_to("b.ztos")
    (top / "b.ztos").symlink_to("a.ztos")
    commit(top, "one")
    assert outcome(open_revision(top, "one"), "a.ztos") == "its symbolic links lead in a circle"


def test_only_one_file(tmp_path: Path) -> None:
    top = repository(tmp_path)
    fill(top)
    commit(top, "one")
    disk = DiskLoader(top, only=("network.ztos",))
    assert open_revision(top, "one", only=("network.ztos",)).names() == disk.names() == ("network.ztos", "keys/wireguard/1/gate.pub")


def test_nothing_is_changed_and_the_work_tree_does_not_count(tmp_path: Path) -> None:
    top = repository(tmp_path)
    fill(top)
    commit(top, "one")
    (top / "network.ztos").write_bytes(b"dirty")
    (top / "untracked.ztos").write_bytes(b"dirty")
    (top / "rooms/beds.ztos").unlink()
    git(top, "rm", "-q", "--cached", "ztos.lock")
    before = state(top)
    loader = open_revision(top, "one")
    found = {name: loader.read(name) for name in loader.names()}
    assert state(top) == before
    assert (found["network.ztos"], found["rooms/beds.ztos"], found["ztos.lock"]) == (b"network", b"beds", b"{}")
    assert "untracked.ztos" not in found


def test_what_a_repository_names_is_not_run(tmp_path: Path) -> None:
    top = repository(tmp_path / "repo")
    proof, script = tmp_path / "proof", tmp_path / "run"
    script.write_text(f"#!/bin/sh\necho run >> {proof}\n")
    script.chmod(0o755)
    fill(top)
    (top / ".gitattributes").write_text("*.ztos filter=x diff=x\n")
    commit(top, "one")
    blob = git(top, "rev-parse", "one:network.ztos").decode()
    for name in ("core.fsmonitor", "core.pager", "core.sshCommand", "diff.external", "core.editor", "credential.helper"):
        git(top, "config", name, str(script))
    for name in ("filter.x.smudge", "filter.x.clean", "diff.x.textconv", "diff.x.command", "core.alternateRefsCommand"):
        git(top, "config", name, str(script))
    git(top, "config", "core.repositoryFormatVersion", "1")
    git(top, "config", "extensions.partialClone", "far")
    git(top, "config", "remote.far.promisor", "true")
    git(top, "config", "remote.far.url", f"ext::{script}")
    git(top, "config", "protocol.ext.allow", "always")
    git(top, "config", "alias.ls-tree", f"!{script}")
    hooks = top / ".git" / "hooks"
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / name).symlink_to(script)
    (top / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    loader = open_revision(top, "one")
    assert outcome(loader, "network.ztos") == "its content is not in the repository"
    assert outcome(loader, "rooms/beds.ztos") == b"beds"
    assert not proof.exists()


def test_the_environment_does_not_lead_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, other = repository(tmp_path / "here"), repository(tmp_path / "other")
    fill(here, {"a.ztos": b"here"})
    fill(other, {"a.ztos": b"other"})
    commit(here, "one")
    commit(other, "one")
    for name, value in {
        "GIT_DIR": other / ".git",
        "GIT_WORK_TREE": other,
        "GIT_OBJECT_DIRECTORY": other / ".git/objects",
        "GIT_EXTERNAL_DIFF": "/bin/false",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.worktree",
        "GIT_CONFIG_VALUE_0": "/",
    }.items():
        monkeypatch.setenv(name, str(value))
    assert open_revision(here, "one").read("a.ztos") == b"here"


def test_replacements_and_grafts_do_not_count(tmp_path: Path) -> None:
    top = repository(tmp_path)
    fill(top, {"a.ztos": b"true"})
    first = commit(top)
    fill(top, {"a.ztos": b"second"})
    second = commit(top, "two")
    fill(top, {"a.ztos": b"false"})
    third = commit(top, "three")
    git(top, "replace", first, third)
    blob, wrong = git(top, "rev-parse", "two:a.ztos").decode(), git(top, "hash-object", "-w", "--stdin", given=b"replaced").decode()
    git(top, "replace", blob, wrong)
    (top / ".git" / "info" / "grafts").write_text(f"{second} {third}\n")
    assert open_revision(top, "two~1").read("a.ztos") == b"true"
    assert open_revision(top, "two").read("a.ztos") == b"second"


def test_odd_trees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = repository(tmp_path)
    other = repository(tmp_path / "other")
    fill(other, {"inside.ztos": b"other"})
    monkeypatch.setattr(revision, "MAX_BYTES", 1000)
    made = tree(
        top,
        {
            b"huge.ztos": ("100644", b"x" * 1001),
            b"module": ("160000", commit(other).encode()),
            b"module.ztos": ("160000", commit(other).encode()),
            b"link.ztos": ("120000", b"/etc/passwd"),
            b"long.ztos": ("120000", b"a" * 900),
            b"latin-\xff\xfe.ztos": ("100644", b"named"),
            b"-rf.ztos": ("100644", b"dash"),
            b":(glob)*.ztos": ("100644", b"magic"),
            b"a\tb\nc.ztos": ("100644", b"tab"),
        },
    )
    loader = open_revision(top, made)
    read = {name: outcome(loader, name) for name in loader.names()}
    assert read == {
        "huge.ztos": f"it is larger than {1000 // (1024 * 1024)} MiB",
        "link.ztos": "it lies outside the project's root",
        "long.ztos": "missing",
        "latin-\udcff\udcfe.ztos": b"named",
        "-rf.ztos": b"dash",
        ":(glob)*.ztos": b"magic",
        "a\tb\nc.ztos": b"tab",
    }


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = repository(tmp_path)
    fill(top, {f"{name}.ztos": name.encode() * 600 for name in "abc"})
    fill(top, {f"same-{name}.ztos": b"a" * 600 for name in "abcdefgh"})
    commit(top, "one")
    monkeypatch.setattr(revision, "MAX_TOTAL", 1800)
    assert open_revision(top, "one").read("same-h.ztos") == b"a" * 600
    monkeypatch.setattr(revision, "MAX_TOTAL", 1799)
    with pytest.raises(RevisionUnknown, match="are larger than"):
        open_revision(top, "one").read("a.ztos")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nowhere", "`nowhere` is neither a folder nor a revision of this repository"),
        ("", "`` is no name of a revision"),
        ("--output=x", "`--output=x` is no name of a revision"),
        ("a\nb", "is no name of a revision"),
        ("HEAD:a.ztos", "`HEAD:a.ztos` is neither a folder nor a revision of this repository"),
    ],
)
def test_an_unknown_revision_gets_one_clear_sentence(tmp_path: Path, name: str, told: str) -> None:
    top = repository(tmp_path)
    fill(top, {"a.ztos": b"a"})
    commit(top)
    with pytest.raises(RevisionUnknown) as found:
        open_revision(top, name)
    assert told in str(found.value)


def test_outside_of_any_repository(tmp_path: Path) -> None:
    with pytest.raises(RevisionUnknown, match="`main` is no folder, and no revision can be read here: not a git repository"):
        open_revision(tmp_path, "main")


def test_a_folder_that_the_revision_does_not_have(tmp_path: Path) -> None:
    top = repository(tmp_path)
    fill(top, {"a.ztos": b"a"})
    commit(top, "one")
    (top / "new").mkdir()
    with pytest.raises(RevisionUnknown, match="at revision `one` there is nothing in `new`"):
        open_revision(top / "new", "one")


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(RevisionUnknown, match="git is not installed"):
        open_revision(tmp_path, "main")
