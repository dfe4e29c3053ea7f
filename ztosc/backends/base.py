"""What every backend is, what it makes, and how its files become a bundle.

Guarantees: `render` refuses a path that the manifest does not declare and a mode or owner that differs from it; files are sorted
by path; content depends on the specs alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

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
    """One file. `path` is relative to its target's folder in the bundle; `secrets` are the holes that only the node fills."""

    path: str
    content: bytes
    mode: int
    owner: str
    origins: tuple[Span, ...] = ()
    secrets: tuple[SecretRef, ...] = ()


Subject = TypeVar("Subject", contravariant=True)


class Target(Protocol[Subject]):
    """What makes files of a subject, and reads them back. Its model is any value with equality; the methods are pure."""

    name: str

    @property
    def folder(self) -> Path:
        """Where `target.toml` and the templates are."""
        ...

    @property
    def manifest(self) -> Manifest:
        """What the target owns on a node, and its commands."""
        ...

    def applies(self, subject: Subject, /) -> bool:
        """Whether this subject gets files of this target."""
        ...

    def lower(self, subject: Subject, /) -> Any:
        """The typed model of the files."""
        ...

    def render(self, model: Any) -> tuple[Artifact, ...]:
        """The files, without origins."""
        ...

    def read(self, artifacts: Iterable[Artifact]) -> Any:
        """The model that files mean, parsed without the templates. Raises `ReadFault` for anything that it does not know."""
        ...

    def origins(self, subject: Subject, path: str, /) -> tuple[Span, ...]:
        """The places in the sources that a file comes from."""
        ...

    def unsupported(self, network: Network) -> tuple[Diagnostic, ...]:
        """What the policy asks that this target cannot enforce, each at its span."""
        ...


class Backend(Target[NodeSpec], Protocol):
    """A target on each node: its files are in `nodes/<node>/<name>/`."""


class NetworkBackend(Target["NetworkSpec"], Protocol):
    """A target of the network as a whole: its files are in `<bundle_folder>/`, one word that is nobody else's."""

    bundle_folder: str


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
    management: Mapping[tuple[str, str | None], regions.Boxes]
    """By in-port and condition: address of the node itself, protocol, port."""
    observed: Mapping[str, Intervals]
    """By in-port: destinations in segments that only observe."""
    hosts: Mapping[str, Intervals]
    """By in-port: source addresses that may appear there."""
    leaving: regions.Boxes = ()
    """In IPv4, after translation: destination, protocol, port. ICMP echo is protocol 1, port 8."""
    heeds: bool = False
    """Whether nothing passes from or to an address that a target of the network withholds; everything is, until it says which."""
    times: Mapping[tuple[str, str], Intervals] = field(default_factory=dict)
    """By condition and address, or `ipv6` where it asks for the time alone: instants at which it is open without a session."""
    sessions: Mapping[str, tuple[int | None, Intervals]] = field(default_factory=dict)
    """By condition: seconds after the last confirmation of the facts for which a session counts, and where it may be."""


@runtime_checkable
class Enforces(Protocol):
    """A backend whose files decide what passes."""

    def enforcement(self, model: Any) -> Enforcement:
        """What a model that was read lets pass."""
        ...


@runtime_checkable
class Withholds(Protocol):
    """A target of the network whose files say which addresses no grant of any node leads to or comes from."""

    def withheld(self, model: Any) -> Intervals:
        """The addresses of a model that was read."""
        ...


@runtime_checkable
class Agrees(Protocol):
    """A backend whose files must say the same at both ends of a link."""

    def shared(self, model: Any) -> Mapping[str, Any]:
        """What both ends must say alike, by link."""
        ...


@runtime_checkable
class Publishes(Protocol):
    """A backend whose files give names to addresses."""

    def published(self, model: Any) -> Mapping[str, frozenset[str]]:
        """Addresses by absolute name."""
        ...


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A file of a target: on a node, or of the network where `node` is absent."""

    node: str | None
    target: str
    artifact: Artifact
    folder: str = ""
    """Of the target in the bundle, where it is the network's."""

    @property
    def place(self) -> str:
        """The folder that holds it, relative to the bundle."""
        return self.folder if self.node is None else node_place(self.node, self.target)

    @property
    def path(self) -> str:
        """Relative to the bundle."""
        return f"{self.place}/{self.artifact.path}"


def node_place(node: str, target: str) -> str:
    """The folder of a node's target in the bundle."""
    return f"nodes/{node}/{target}"


@dataclass(frozen=True)
class Bundle:
    """All files, sorted by path."""

    files: tuple[BundleFile, ...]

    @cached_property
    def _by_place(self) -> dict[str, tuple[Artifact, ...]]:
        found: dict[str, list[Artifact]] = {}
        for file in self.files:
            found.setdefault(file.place, []).append(file.artifact)
        return {place: tuple(artifacts) for place, artifacts in found.items()}

    def at(self, place: str) -> tuple[Artifact, ...]:
        """The files in the folder of a target, sorted by path."""
        return self._by_place.get(place, ())

    def of(self, node: str, target: str) -> tuple[Artifact, ...]:
        """The files of one target on one node, sorted by path."""
        return self.at(node_place(node, target))

    def on_nodes(self) -> Bundle:
        """The files of nodes alone."""
        return Bundle(tuple(file for file in self.files if file.node is not None))


@dataclass(frozen=True)
class NetworkSpec:
    """What a target of the network is made from: the network, and every file of its nodes, which it may name by digest."""

    network: Network
    nodes: Bundle


@dataclass(frozen=True, slots=True)
class Placement:
    """A target at the place of the bundle where it writes, with what it writes about."""

    target: Target[Any]
    node: str | None
    place: str
    subject: Any

    def file(self, artifact: Artifact) -> BundleFile:
        """One of its files."""
        return BundleFile(self.node, self.target.name, artifact, "" if self.node is not None else self.place)


def on_nodes(specs: Iterable[NodeSpec], backends: Iterable[Backend]) -> tuple[Placement, ...]:
    """Which targets write on which nodes, in the order of both."""
    chosen = tuple(backends)
    pairs = ((spec, backend) for spec in specs for backend in chosen if backend.applies(spec))
    return tuple(Placement(backend, spec.node, node_place(spec.node, backend.name), spec) for spec, backend in pairs)


def network_wide(spec: NetworkSpec, backends: Iterable[NetworkBackend]) -> tuple[Placement, ...]:
    """Which targets write about the network."""
    return tuple(Placement(backend, None, backend.bundle_folder, spec) for backend in backends if backend.applies(spec))


def render(specs: Iterable[NodeSpec], backends: Iterable[Backend]) -> Bundle:
    """Every file of every node. Raises `BackendFault` where a backend breaks its manifest."""
    return written(on_nodes(specs, backends))


def render_network(network: Network, nodes: Bundle, backends: Iterable[NetworkBackend]) -> Bundle:
    """The files of nodes and every file of the network beside them. Raises `BackendFault` where a backend breaks its manifest."""
    whole = written(network_wide(NetworkSpec(network, nodes), backends))
    return _sorted((*nodes.files, *whole.files))


def written(placements: Iterable[Placement]) -> Bundle:
    """Every file of every placement. Raises `BackendFault` where a target breaks its manifest."""
    return _sorted(placement.file(artifact) for placement in placements for artifact in _artifacts(placement.target, placement.subject))


def _sorted(files: Iterable[BundleFile]) -> Bundle:
    return Bundle(tuple(sorted(files, key=lambda file: file.path)))


def _artifacts(target: Target[Any], subject: Any) -> list[Artifact]:
    found = target.render(target.lower(subject))
    paths = [artifact.path for artifact in found]
    if len(set(paths)) != len(paths):
        raise BackendFault(f"target {target.name} writes one path twice: {sorted(paths)}")
    return [replace(_declared(target, artifact), origins=target.origins(subject, artifact.path)) for artifact in found]


def _declared(target: Target[Any], artifact: Artifact) -> Artifact:
    kind = target.manifest.kind(artifact.path)
    if kind is None:
        raise BackendFault(f"target {target.name} writes `{artifact.path}`, which its manifest does not declare")
    if (kind.mode, kind.owner) != (artifact.mode, artifact.owner):
        raise BackendFault(f"target {target.name} gives `{artifact.path}` another mode or owner than its manifest")
    return artifact
