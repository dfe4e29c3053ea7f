"""What every backend is, what it makes, and how its files become a bundle.

Guarantees: `render` refuses a path that the manifest does not declare and a mode or owner that differs from it; files are sorted
by path; content depends on the specs alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ztosc.backends.manifest import Manifest
from ztosc.diagnostics import Diagnostic
from ztosc.ir.network import Network
from ztosc.ir.secrets import SecretRef
from ztosc.logic import regions
from ztosc.logic.intervals import Intervals
from ztosc.nodes.spec import NodeSpec
from ztosc.source import Span


class BackendFault(Exception):
    """A backend broke its contract: our bug or a third party's, never the user's."""


class ReadFault(Exception):
    """A file holds something that its reader does not know; `path` and `line` (from 1) say where."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}")
        self.path = path
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file. `path` is relative to `nodes/<node>/<target>/`; `secrets` are the holes that only the node fills."""

    path: str
    content: bytes
    mode: int
    owner: str
    origins: tuple[Span, ...] = ()
    secrets: tuple[SecretRef, ...] = ()


class Backend(Protocol):
    """A target. Its model is any value with equality; the methods are pure."""

    name: str

    @property
    def folder(self) -> Path:
        """Where `target.toml` and the templates are."""
        ...

    @property
    def manifest(self) -> Manifest:
        """What the target owns on a node, and its commands."""
        ...

    def applies(self, spec: NodeSpec) -> bool:
        """Whether this node gets files of this target."""
        ...

    def lower(self, spec: NodeSpec) -> Any:
        """The typed model of the files."""
        ...

    def render(self, model: Any) -> tuple[Artifact, ...]:
        """The files, without origins."""
        ...

    def read(self, artifacts: Iterable[Artifact]) -> Any:
        """The model that files mean, parsed without the templates. Raises `ReadFault` for anything that it does not know."""
        ...

    def origins(self, spec: NodeSpec, path: str) -> tuple[Span, ...]:
        """The places in the sources that a file comes from."""
        ...

    def unsupported(self, network: Network) -> tuple[Diagnostic, ...]:
        """What the policy asks that this target cannot enforce, each at its span."""
        ...


@dataclass(frozen=True)
class Enforcement:
    """What files let pass, in nobody's words: boxes of addresses, protocols and ports in normal form.

    ICMP echo is protocol 58, port 128; other ICMPv6 is no flow and is in none of them. `None` as condition: whoever sits there.
    """

    segments: Mapping[tuple[str, str | None], regions.Boxes]
    """By in-port and condition: destination, protocol, port."""
    outside: Mapping[str | None, regions.Boxes]
    """By condition: source, destination, protocol, port."""
    inbound: regions.Boxes
    """From other nodes: source, destination, protocol, port."""
    hosts: Mapping[str, Intervals]
    """By in-port: source addresses that may appear there."""


@runtime_checkable
class Enforces(Protocol):
    """A backend whose files decide what passes."""

    def enforcement(self, model: Any) -> Enforcement:
        """What a model that was read lets pass."""
        ...


@runtime_checkable
class Publishes(Protocol):
    """A backend whose files give names to addresses."""

    def published(self, model: Any) -> Mapping[str, frozenset[str]]:
        """Addresses by absolute name."""
        ...


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A file of a node's target."""

    node: str
    target: str
    artifact: Artifact

    @property
    def path(self) -> str:
        """Relative to the bundle."""
        return f"nodes/{self.node}/{self.target}/{self.artifact.path}"


@dataclass(frozen=True)
class Bundle:
    """All files, sorted by path."""

    files: tuple[BundleFile, ...]

    @cached_property
    def _by_place(self) -> dict[tuple[str, str], tuple[Artifact, ...]]:
        found: dict[tuple[str, str], tuple[Artifact, ...]] = {}
        for file in self.files:
            found[(file.node, file.target)] = (*found.get((file.node, file.target), ()), file.artifact)
        return found

    def of(self, node: str, target: str) -> tuple[Artifact, ...]:
        """The files of one target on one node, sorted by path."""
        return self._by_place.get((node, target), ())


def render(specs: Iterable[NodeSpec], backends: Iterable[Backend]) -> Bundle:
    """Every file of every node. Raises `BackendFault` where a backend breaks its manifest."""
    chosen = tuple(backends)
    files = [
        BundleFile(spec.node, backend.name, artifact)
        for spec in specs
        for backend in chosen
        if backend.applies(spec)
        for artifact in _artifacts(backend, spec)
    ]
    return Bundle(tuple(sorted(files, key=lambda file: file.path)))


def _artifacts(backend: Backend, spec: NodeSpec) -> list[Artifact]:
    found = backend.render(backend.lower(spec))
    paths = [artifact.path for artifact in found]
    if len(set(paths)) != len(paths):
        raise BackendFault(f"target {backend.name} writes one path twice: {sorted(paths)}")
    return [replace(_declared(backend, artifact), origins=backend.origins(spec, artifact.path)) for artifact in found]


def _declared(backend: Backend, artifact: Artifact) -> Artifact:
    kind = backend.manifest.kind(artifact.path)
    if kind is None:
        raise BackendFault(f"target {backend.name} writes `{artifact.path}`, which its manifest does not declare")
    if (kind.mode, kind.owner) != (artifact.mode, artifact.owner):
        raise BackendFault(f"target {backend.name} gives `{artifact.path}` another mode or owner than its manifest")
    return artifact
