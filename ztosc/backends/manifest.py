"""`target.toml`: what a target owns on a node, and the commands that judge, activate and undo it.

Guarantees: a manifest that loads is complete; nothing in it comes from a project.

In commands, `{folder}` is the target's folder on the node, `{previous}` the folder that keeps the files of the generation before;
in proofs, `{root}` is a folder under which the files are laid out as on the node, `{folder}` as above, and for proofs of single files
`{path}` and `{stem}` are the file's path below the folder and its name without the suffix.
"""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Literal

from ztosc.ir.base import Model


class ArtifactKind(Model):
    """Files that the target owns: a path below its folder, `*` for part of a name."""

    path: str
    mode: int
    owner: str

    def owns(self, path: str) -> bool:
        """Whether a path is one of these; `*` never crosses a slash."""
        wanted, given = PurePosixPath(self.path).parts, PurePosixPath(path).parts
        return len(wanted) == len(given) and all(fnmatchcase(part, pattern) for part, pattern in zip(given, wanted, strict=True))


class ProofFile(Model):
    """A file that a tool needs beside ours: where it stands below `{root}`, and its text, in which the words of proofs are filled in."""

    path: str
    text: str


class Proof(Model):
    """A real tool that judges the files at build time: once for all, or for each file that matches `each`."""

    tool: str
    command: tuple[str, ...]
    each: str | None = None
    refusals: tuple[str, ...] = ()
    """Words in the output that mean a refusal, whatever the exit code says."""
    excuses: tuple[str, ...] = ()
    """Regular expressions of lines in the output in which such words mean none."""
    needs: tuple[str, ...] = ()
    """Files of the tool's own installation without which it cannot judge: it counts as missing where they are."""
    files: tuple[ProofFile, ...] = ()
    prepare: tuple[tuple[str, ...], ...] = ()
    """Commands that come first, each once for all files; one that fails is a refusal."""
    inabilities: tuple[str, ...] = ()
    """Words in the output that mean that the tool could not judge, which is neither a refusal nor an acceptance."""


class Listing(Model):
    """How a real tool that has loaded the files tells what it then holds, on its standard output. `{root}` and `{folder}` as in proofs;
    under `{root}` lie the files of the network's targets too, where a node has them."""

    tool: str
    command: tuple[str, ...]
    inabilities: tuple[str, ...] = ()


class Commands(Model):
    """What deployment runs on the node, in order. Each is one argument vector; no shell."""

    check: tuple[tuple[str, ...], ...]
    activate: tuple[tuple[str, ...], ...]
    rollback: tuple[tuple[str, ...], ...]


class Manifest(Model):
    """A target's `target.toml`."""

    schema_version: Literal[1]
    name: str
    summary: str
    folder: str
    """Absolute folder on the node, the target's own."""
    capabilities: tuple[str, ...]
    artifacts: tuple[ArtifactKind, ...]
    proofs: tuple[Proof, ...]
    listing: Listing | None = None
    """Absent: nothing is loaded while a bundle is built."""
    commands: Commands

    def kind(self, path: str) -> ArtifactKind | None:
        """The declared kind of a path, if it is one of ours."""
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or str(pure) != path:
            return None
        return next((kind for kind in self.artifacts if kind.owns(path)), None)


def load(path: Path) -> Manifest:
    """Read a manifest. Raises `pydantic.ValidationError` or `tomllib.TOMLDecodeError`: a broken installation, not a user's mistake."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    for kind in found.get("artifacts", ()):
        kind["mode"] = int(kind["mode"], 8)
    return Manifest.model_validate(found, strict=False)
