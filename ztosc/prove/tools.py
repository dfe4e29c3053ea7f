"""Real tools as judges at build time.

Guarantees: a tool sees the exact bytes under the paths they have on a node, in a network namespace of its own (and, but for root, a
user namespace: no privilege is needed), so it changes nothing; it ends within `TIMEOUT`; its absence is `missing`, never `accepted`.
Holes for secrets hold dummies of the right length.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Literal

from ztosc.backends.base import Artifact
from ztosc.backends.manifest import Listing, Manifest, Proof
from ztosc.ir.secrets import SecretRef

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/frr"
"""Debian keeps FRR's daemons in a folder of their own."""
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

    def why_not(self, proof: Proof) -> str | None:
        """Why a proof cannot be had here, or `None` where it can."""
        lacking = next((path for path in proof.needs if not Path(path).is_file()), None)
        return self.why_missing(proof.tool) or (f"{proof.tool} lacks {lacking}" if lacking else None)

    def judges(self, manifest: Manifest) -> tuple[str, ...]:
        """The tools of a target that can judge here, by name."""
        return tuple(sorted({proof.tool for proof in manifest.proofs if self.why_not(proof) is None}))

    def judge(self, manifest: Manifest, artifacts: Iterable[Artifact]) -> tuple[ToolResult, ...]:
        """The verdict of every proof in a manifest on one node's files, in order."""
        files = tuple(artifacts)
        with tempfile.TemporaryDirectory(prefix="ztosc-") as root:
            _stage(Path(root), manifest.folder, files)
            results = (self._proof(proof, manifest.folder, Path(root), files) for proof in manifest.proofs)
            return tuple(result for found in results for result in found)

    def listing(self, manifest: Manifest, files: Iterable[Artifact], others: Iterable[tuple[str, Artifact]] = ()) -> ToolResult | None:
        """What the tool of a manifest holds once it has loaded the files; `None` where it tells nothing. `others`: with their folders."""
        wanted = manifest.listing
        if wanted is None:
            return None
        if (missing := self.why_missing(wanted.tool)) is not None:
            return ToolResult(wanted.tool, "missing", missing)
        with tempfile.TemporaryDirectory(prefix="ztosc-") as root:
            _stage(Path(root), manifest.folder, tuple(files))
            for folder, artifact in others:
                _stage(Path(root), folder, (artifact,))
            command = tuple(part.format(root=root, folder=manifest.folder) for part in wanted.command)
            return _listed(wanted, command, root)

    def _proof(self, proof: Proof, folder: str, root: Path, files: tuple[Artifact, ...]) -> Iterator[ToolResult]:
        missing = self.why_not(proof)
        if missing:
            yield ToolResult(proof.tool, "missing", missing)
            return
        words = {"root": str(root), "folder": folder}
        refused = _prepared(proof, root, words)
        if refused is not None:
            yield refused
            return
        for path in [None] if proof.each is None else [file.path for file in files if PurePosixPath(file.path).match(proof.each)]:
            named = {"path": path, "stem": PurePosixPath(path).stem} if path else {}
            result = _ask(proof.command, proof, {**words, **named}, path)
            if result.outcome == "missing":
                self._unable.add(proof.tool)
            yield result


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


def _prepared(proof: Proof, root: Path, words: dict[str, str]) -> ToolResult | None:
    """Lay out what the tool needs beside our files; the first refusal, if any."""
    for file in proof.files:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text.format(**words), encoding="utf-8")
    results = (_ask(command, proof, words, None) for command in proof.prepare)
    return next((result for result in results if result.outcome != "accepted"), None)


def _namespace() -> tuple[str, ...]:
    """Root needs no user namespace; in one, nft 1.0.6 may not widen its socket, and refuses files of some 1,000 elements."""
    return (UNSHARE, "--net", "--") if os.geteuid() == 0 else (UNSHARE, "--user", "--map-root-user", "--net", "--")


def _ask(asked: tuple[str, ...], proof: Proof, words: dict[str, str], path: str | None) -> ToolResult:
    command = tuple(part.format(**words) for part in asked)
    try:
        done = _run((*_namespace(), *command))
    except subprocess.TimeoutExpired:
        return ToolResult(proof.tool, "rejected", f"no answer within {TIMEOUT} seconds", path)
    output = _counted(proof, (done.stdout + done.stderr).decode(errors="replace").replace(words["root"], ""))
    if done.returncode and any(word in output for word in proof.inabilities):
        return ToolResult(proof.tool, "missing", output[:OUTPUT].strip(), path)
    accepted = done.returncode == 0 and not any(word in output for word in proof.refusals)
    return ToolResult(proof.tool, "accepted" if accepted else "rejected", output[:OUTPUT].strip(), path)


def _listed(wanted: Listing, command: tuple[str, ...], root: str) -> ToolResult:
    try:
        done = _run((*_namespace(), *command))
    except subprocess.TimeoutExpired:
        return ToolResult(wanted.tool, "rejected", f"no answer within {TIMEOUT} seconds")
    if done.returncode == 0:
        return ToolResult(wanted.tool, "accepted", done.stdout.decode(errors="replace"))
    said = done.stderr.decode(errors="replace").replace(root, "")[:OUTPUT].strip()
    return ToolResult(wanted.tool, "missing" if any(word in said for word in wanted.inabilities) else "rejected", said)


def _counted(proof: Proof, output: str) -> str:
    """What a tool said without the lines that are no refusal."""
    excuses = [re.compile(excuse) for excuse in proof.excuses]
    return "".join(line for line in output.splitlines(keepends=True) if not any(each.search(line.rstrip()) for each in excuses))


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
