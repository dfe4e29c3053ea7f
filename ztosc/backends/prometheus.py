"""A target list for Prometheus: every endpoint that listens on single TCP ports.

Guarantees: addresses come from the allocation alone; the list grants nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from pydantic import RootModel

from ztosc import resources
from ztosc.backends import documents
from ztosc.backends.base import Artifact, NetworkSpec
from ztosc.backends.manifest import Manifest, load
from ztosc.diagnostics import Diagnostic
from ztosc.ir.base import Model
from ztosc.ir.network import Network
from ztosc.logic.ports import PROTOCOLS, Boxes
from ztosc.nodes.spec import spans
from ztosc.source import Span


class Group(Model):
    """Targets (`[address]:port`) that share labels."""

    targets: tuple[str, ...]
    labels: dict[str, str]


class TargetList(RootModel[tuple[Group, ...]]):
    """The file: a list of groups, by service and replica."""


class Prometheus:
    """What a Prometheus may probe."""

    name = "prometheus"
    bundle_folder = "monitoring"

    @cached_property
    def folder(self) -> Path:
        return resources.target_file(self.name, "target.toml").parent

    @cached_property
    def manifest(self) -> Manifest:
        return load(self.folder / "target.toml")

    def applies(self, spec: NetworkSpec) -> bool:
        """Every network, be the list empty."""
        return True

    def lower(self, spec: NetworkSpec) -> TargetList:
        """A group for each endpoint that listens on single TCP ports."""
        services = {service.name: service for service in spec.network.intent.services}
        endpoints = sorted(spec.network.endpoints, key=lambda each: (each.service, each.replica))
        groups = []
        for endpoint in endpoints:
            service = services[endpoint.service]
            labels = {"service": service.name, "segment": service.segment, "site": endpoint.site, "node": endpoint.node}
            targets = tuple(f"[{endpoint.address}]:{port}" for port in _single_tcp(service.listen))
            if targets:
                groups.append(Group(targets=targets, labels={**labels, "replica": str(endpoint.replica)}))
        return TargetList(tuple(groups))

    def render(self, model: TargetList) -> tuple[Artifact, ...]:
        """One file."""
        return documents.write(self.manifest, model)

    def read(self, artifacts: Iterable[Artifact]) -> TargetList:
        """The list that the file holds."""
        return documents.read(self.manifest, TargetList, artifacts)

    def origins(self, spec: NetworkSpec, path: str) -> tuple[Span, ...]:
        """The services."""
        intent = spec.network.intent
        return spans([intent.network.origin, *(service.origin for service in intent.services)])

    def unsupported(self, network: Network) -> tuple[Diagnostic, ...]:
        """It enforces nothing."""
        return ()


def _single_tcp(boxes: Boxes) -> tuple[int, ...]:
    tcp = PROTOCOLS["tcp"]
    return tuple(first for low, high, first, last in boxes if low == high == tcp and first == last)


BACKEND = Prometheus()
