"""`keys/plan.json`: the key plan as a file.

Guarantees: no key material, only public halves.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from ztosc import resources
from ztosc.backends import documents
from ztosc.backends.base import Artifact, NetworkSpec
from ztosc.backends.manifest import Manifest, load
from ztosc.diagnostics import Diagnostic
from ztosc.ir.network import Network
from ztosc.keyplan import KeyPlan, key_plan
from ztosc.nodes.spec import spans
from ztosc.source import Span


class KeyPlanTarget:
    """The key plan of a network."""

    name = "keyplan"
    bundle_folder = "keys"

    @cached_property
    def folder(self) -> Path:
        return resources.target_file(self.name, "target.toml").parent

    @cached_property
    def manifest(self) -> Manifest:
        return load(self.folder / "target.toml")

    def applies(self, spec: NetworkSpec) -> bool:
        """Every network has one."""
        return True

    def lower(self, spec: NetworkSpec) -> KeyPlan:
        """The plan."""
        return key_plan(spec.network)

    def render(self, model: KeyPlan) -> tuple[Artifact, ...]:
        """One file."""
        return documents.write(self.manifest, model)

    def read(self, artifacts: Iterable[Artifact]) -> KeyPlan:
        """The plan that the file holds."""
        return documents.read(self.manifest, KeyPlan, artifacts)

    def origins(self, spec: NetworkSpec, path: str) -> tuple[Span, ...]:
        """The nodes and links that have keys, and the labels that shorten their lives."""
        intent = spec.network.intent
        return spans([each.origin for group in (intent.nodes, intent.links, intent.labels) for each in group])

    def unsupported(self, network: Network) -> tuple[Diagnostic, ...]:
        """It enforces nothing."""
        return ()


BACKEND = KeyPlanTarget()
