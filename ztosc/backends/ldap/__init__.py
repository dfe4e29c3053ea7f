"""LDAP: one directory for the network, its schema and its tree.

Guarantees: the files are content for any server that has the standard schemas (core, cosine); whatever an entry refers to is there, and
whatever it says is defined; nothing in them is a secret; a line that moves in the sources changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from ztosc import resources
from ztosc.backends.base import Artifact, NetworkSpec, ReadFault
from ztosc.backends.ldap import definitions, ldif
from ztosc.backends.ldap.check import problem
from ztosc.backends.ldap.entities import entities
from ztosc.backends.ldap.listed import listed
from ztosc.backends.ldap.model import Attributes, Directory
from ztosc.backends.ldap.policy import policy
from ztosc.backends.ldap.schema import schema
from ztosc.backends.ldap.tree import Tree
from ztosc.backends.manifest import Manifest, load
from ztosc.diagnostics import Diagnostic
from ztosc.ir.network import Network
from ztosc.nodes.spec import spans
from ztosc.source import Span

SCHEMA = "schema.ldif"
DATA = "data.ldif"


class Ldap:
    """The directory of a network."""

    name = "ldap"
    bundle_folder = "directory"

    @cached_property
    def folder(self) -> Path:
        return resources.target_file(self.name, "target.toml").parent

    @cached_property
    def manifest(self) -> Manifest:
        return load(self.folder / "target.toml")

    def applies(self, spec: NetworkSpec) -> bool:
        """Every network has a directory, whether or not a node serves it yet."""
        return True

    def lower(self, spec: NetworkSpec) -> Directory:
        """Schema and entries."""
        tree = Tree(spec.network.intent.network.domain)
        entities(tree, spec.network)
        listed(tree, spec.network)
        policy(tree, spec.network, spec.nodes)
        return Directory(schema_file=schema(spec.network.intent.attributes), entries=tree.entries())

    def render(self, model: Directory) -> tuple[Artifact, ...]:
        """Two files."""
        contents = {SCHEMA: definitions.text(model.schema_file), DATA: ldif.text(model.entries)}
        kinds = {kind.path: kind for kind in self.manifest.artifacts}
        return tuple(Artifact(path, contents[path], kinds[path].mode, kinds[path].owner) for path in sorted(contents))

    def read(self, artifacts: Iterable[Artifact]) -> Directory:
        """The directory that the files mean."""
        found = {artifact.path: artifact.content for artifact in artifacts}
        if set(found) != {SCHEMA, DATA}:
            raise ReadFault(DATA, 1, f"exactly `{DATA}` and `{SCHEMA}` are expected")
        known = definitions.read(SCHEMA, found[SCHEMA])
        entries, lines = ldif.read(DATA, found[DATA])
        wrong = problem(known, entries)
        if wrong is not None:
            name, reason = wrong
            raise ReadFault(DATA, lines.get(name, 1), f"`{name}`: {reason}")
        return Directory(schema_file=known, entries=entries)

    def published(self, model: Directory) -> Mapping[str, frozenset[str]]:
        """Addresses by absolute name: of nodes and services where they are described, and of every DNS record."""
        found: dict[str, set[str]] = {}
        for name, attributes in model.entries.items():
            addresses = {*attributes.get("ztosAddress", ()), *attributes.get("ztosAaaaRecord", ())}
            for each in _names(name, attributes, model) if addresses else ():
                found.setdefault(f"{each}.", set()).update(addresses)
        return {name: frozenset(found[name]) for name in sorted(found)}

    def origins(self, spec: NetworkSpec, path: str) -> tuple[Span, ...]:
        """The whole of the network's declarations; for the schema, what declares attributes."""
        intent = spec.network.intent
        if path == SCHEMA:
            return spans([intent.network.origin, *(each.origin for each in intent.attributes)])
        parts = (
            intent.regions,
            intent.sites,
            intent.nodes,
            intent.links,
            intent.labels,
            intent.devices,
            intent.attributes,
            intent.segments,
        )
        more = (intent.roles, intent.separations, intent.services, intent.externals, intent.systems, intent.partners, intent.rules)
        return spans(
            [
                intent.network.origin,
                *(each.origin for group in (*parts, *more) for each in group),
                *(each.origin for each in (*intent.inventory.people, *intent.inventory.devices)),
            ]
        )

    def unsupported(self, network: Network) -> tuple[Diagnostic, ...]:
        """It enforces nothing, and there is nothing in a network that it cannot say."""
        return ()


def _names(name: str, attributes: Attributes, model: Directory) -> tuple[str, ...]:
    """The names that an entry gives to its addresses: its own, and for an endpoint also its service's."""
    above = model.entries.get(name.split(",", 1)[1], {}) if "ztosEndpoint" in attributes["objectClass"] else {}
    return (*attributes.get("associatedDomain", ()), *above.get("associatedDomain", ()))


BACKEND = Ldap()
