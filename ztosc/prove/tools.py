"""Real tools as judges at build time.

Guarantees: a tool sees the exact bytes under the paths they have on a node, in a network namespace of its own (and, but for root, a
user namespace: no privilege is needed), so it changes nothing; it ends within `TIMEOUT`; its absence is `missing`, never `accepted`.
Holes for secrets hold dummies of the right length.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Literal

from ztosc.backends.base import Artifact
from ztosc.backends.manifest import Manifest, Proof
from ztosc.ir.secrets import SecretRef

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": PATH, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
UNSHARE = "unshare"
TIMEOUT = 60
"""Seconds."""
OUTPUT = 4000
"""Characters of a tool's output that are kept."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool said. `path` is the file that it judged, absent where it judged them all together."""

    tool: str
    outcome: Literal["accepted", "rejected", "missing"]
    output: str
    path: str | None = None


class Tools:
    """The real tools of this machine. A tool that could not judge some file is no judge of what this process builds."""

    def __init__(self) -> None:
        self._unable: set[str] = set()

    def why_missing(self, tool: str) -> str | None:
        """Why a tool cannot judge here, or `None` where it can."""
        return _why_missing(tool) or (f"{tool} could not take a file" if tool in self._unable else None)

    def usable(self, tool: str) -> bool:
        """Whether a tool can judge here."""
        return self.why_missing(tool) is None

    def judges(self, manifest: Manifest) -> tuple[str, ...]:
        """The tools of a target that can judge here, by name."""
        return tuple(sorted({proof.tool for proof in manifest.proofs if self.usable(proof.tool)}))

    def judge(self, manifest: Manifest, artifacts: Iterable[Artifact]) -> tuple[ToolResult, ...]:
        """The verdict of every proof in a manifest on one node's files, in order."""
        files = tuple(artifacts)
        with tempfile.TemporaryDirectory(prefix="ztosc-") as root:
            _stage(Path(root), manifest.folder, files)
            found = tuple(result for proof in manifest.proofs for result in _proof(proof, manifest.folder, Path(root), files))
        self._unable.update(result.tool for result in found if result.outcome == "missing" and _why_missing(result.tool) is None)
        return found


@cache
def real_tools() -> Tools:
    """The tools that are installed here; one value a process."""
    return Tools()


@cache
def _why_missing(tool: str) -> str | None:
    if shutil.which(tool, path=PATH) is None:
        return f"{tool} is not installed"
    if shutil.which(UNSHARE, path=PATH) is None:
        return f"{UNSHARE} is not installed"
    try:
        allowed = _run((*_namespace(), "true"))
    except subprocess.TimeoutExpired:
        return "namespaces do not answer"
    return None if allowed.returncode == 0 else "user and network namespaces are not available"


def _namespace() -> tuple[str, ...]:
    """Root needs no user namespace; in one, nft 1.0.6 may not widen its socket, and refuses files of some 1,000 elements."""
    return (UNSHARE, "--net", "--") if os.geteuid() == 0 else (UNSHARE, "--user", "--map-root-user", "--net", "--")


def _proof(proof: Proof, folder: str, root: Path, files: tuple[Artifact, ...]) -> Iterator[ToolResult]:
    missing = _why_missing(proof.tool)
    if missing:
        yield ToolResult(proof.tool, "missing", missing)
        return
    if proof.each is None:
        yield _ask(proof, root, {"folder": folder}, None)
    for file in files if proof.each else ():
        if PurePosixPath(file.path).match(proof.each or ""):
            yield _ask(proof, root, {"folder": folder, "path": file.path, "stem": PurePosixPath(file.path).stem}, file.path)


def _ask(proof: Proof, root: Path, words: dict[str, str], path: str | None) -> ToolResult:
    command = tuple(part.format(root=root, **words) for part in proof.command)
    try:
        done = _run((*_namespace(), *command))
    except subprocess.TimeoutExpired:
        return ToolResult(proof.tool, "rejected", f"no answer within {TIMEOUT} seconds", path)
    output = (done.stdout + done.stderr).decode(errors="replace").replace(str(root), "")[:OUTPUT].strip()
    if done.returncode and any(words in output for words in proof.inabilities):
        return ToolResult(proof.tool, "missing", output, path)
    accepted = done.returncode == 0 and not any(words in output for words in proof.refusals)
    return ToolResult(proof.tool, "accepted" if accepted else "rejected", output, path)


def _run(command: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False)


def _stage(root: Path, folder: str, files: tuple[Artifact, ...]) -> None:
    for file in files:
        path = root / folder.lstrip("/") / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_filled(file))


def _filled(file: Artifact) -> bytes:
    content = file.content
    for secret in file.secrets:
        content = content.replace(secret.placeholder.encode(), _dummy(secret))
    return content


def _dummy(secret: SecretRef) -> bytes:
    raw = bytes(secret.length)
    match secret.encoding:
        case "base64":
            return base64.b64encode(raw)
        case "hex":
            return raw.hex().encode()
        case "text":
            return b"x" * secret.length
