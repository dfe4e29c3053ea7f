"""BIND: authoritative for the network's zones at the anycast address, a recursor only for segments that are granted an external.

Guarantees: answers our prefixes alone; transfers, updates and remote control are off; a zone is read back by dnspython, `named.conf`
by a reader that knows nothing of its template.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from ztosc import resources
from ztosc.backends.base import Artifact, ReadFault
from ztosc.backends.bind.conf import read_conf
from ztosc.backends.bind.model import Configuration, Names, zone_file
from ztosc.backends.bind.zones import canonical_zone, read_zone, zone_text
from ztosc.backends.manifest import Manifest, load
from ztosc.backends.template import fill, one_line
from ztosc.diagnostics import Diagnostic
from ztosc.ir.network import Network
from ztosc.nodes.records import LABEL
from ztosc.nodes.spec import NodeSpec
from ztosc.source import Span

CONF = "named.conf"
COMMENT_BYTES = 100
NAME = 253
"""The longest name in octets as text, without its last dot (RFC 1035 §2.3.4)."""


class Bind:
    """The name server of a node that serves `resolver`."""

    name = "bind"

    @cached_property
    def folder(self) -> Path:
        return resources.target_file(self.name, "target.toml").parent

    @cached_property
    def manifest(self) -> Manifest:
        return load(self.folder / "target.toml")

    def applies(self, spec: NodeSpec) -> bool:
        """Resolvers alone."""
        return spec.resolver is not None

    def lower(self, spec: NodeSpec) -> Configuration:
        """The configuration of a resolver. Raises `ValueError` for a node that is none."""
        if spec.resolver is None:
            raise ValueError(f"node {spec.node} serves no resolver")
        return Configuration(
            title=one_line(f"node {spec.node}, written by ztosc", COMMENT_BYTES),
            names=Names(
                listen=spec.resolver.addresses,
                clients=spec.resolver.clients,
                recursion=spec.resolver.recursion,
                dns64=spec.resolver.dns64,
                zones=tuple(zone.name.rstrip(".") for zone in spec.resolver.zones),
            ),
            zones=tuple(canonical_zone(zone) for zone in spec.resolver.zones),
        )

    def render(self, model: Configuration) -> tuple[Artifact, ...]:
        """`named.conf` and a file for each zone."""
        conf = fill(self.folder, "named.conf.j2", {"names": model.names, "title": model.title, "file_of": zone_file}, {"quoted": _quoted})
        files = [(CONF, conf), *((zone_file(zone.name), zone_text(zone)) for zone in model.zones)]
        found = []
        for path, content in files:
            kind = self.manifest.kind(path)
            if kind is None:
                raise ValueError(f"zone file {path} cannot be written")
            found.append(Artifact(path, content, kind.mode, kind.owner))
        return tuple(found)

    def read(self, artifacts: Iterable[Artifact]) -> Configuration:
        """The configuration that the files mean."""
        found = {artifact.path: artifact for artifact in artifacts}
        if CONF not in found:
            raise ReadFault(CONF, 1, "the file is missing")
        title, names = read_conf(CONF, found[CONF].content)
        wanted = {CONF, *(zone_file(name) for name in names.zones)}
        if wanted != set(found):
            raise ReadFault(CONF, 1, f"zones and zone files differ: {', '.join(sorted(wanted ^ set(found)))}")
        zones = tuple(read_zone(name, zone_file(name), found[zone_file(name)].content) for name in names.zones)
        return Configuration(title=title, names=names, zones=zones)

    def published(self, model: Configuration) -> Mapping[str, frozenset[str]]:
        """Addresses by name, over all zones."""
        found: dict[str, set[str]] = {}
        for zone in model.zones:
            for record in zone.records:
                if record.type == "AAAA":
                    found.setdefault(record.name, set()).add(record.value)
        return {name: frozenset(found[name]) for name in sorted(found)}

    def origins(self, spec: NodeSpec, path: str) -> tuple[Span, ...]:
        """The node."""
        return (spec.origin,)

    def unsupported(self, network: Network) -> tuple[Diagnostic, ...]:
        """Names that DNS cannot hold."""
        if not any("resolver" in node.serves for node in network.intent.nodes):
            return ()
        domain = network.intent.network.domain
        found = [
            Diagnostic("ZT603", f"service `{service.name}` has a DNS name too long for its SRV record", service.origin)
            for service in network.intent.services
            if len(service.dns_name) >= LABEL
        ]
        for node in network.intent.nodes:
            if len(f"{node.name}.{node.site}.{domain}") > NAME:
                found.append(Diagnostic("ZT603", f"node `{node.name}` has a DNS name longer than {NAME} octets", node.origin))
        return tuple(found)


def _quoted(text: str) -> str:
    if not text.isprintable() or '"' in text or "\\" in text:
        raise ValueError(f"{text!r} cannot stand in quotes")
    return f'"{text}"'


BACKEND = Bind()
