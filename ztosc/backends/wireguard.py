"""WireGuard: a file an interface, as `wg setconf` reads it.

Guarantees: one peer an interface, so AllowedIPs are disjoint by construction; no key material, only holes for it; a node whose peer has
no public key yet is refused before anything is rendered.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from ztosc import resources
from ztosc.backends.base import Artifact, BackendFault, ReadFault
from ztosc.backends.manifest import Manifest, load
from ztosc.backends.template import fill, one_line
from ztosc.diagnostics import Diagnostic
from ztosc.ir.base import Model
from ztosc.ir.network import Network
from ztosc.ir.secrets import SecretRef
from ztosc.nodes.spec import NodeSpec, TunnelSide
from ztosc.source import Span

KEEPALIVE = 25
"""Seconds; below the 30 after which common stateful filters forget an unanswered UDP flow."""
LINK_LOCAL = "fe80::/10"
KEY_BYTES = 32
COMMENT_BYTES = 120
WAY_OUT = "put its `wg pubkey` into `keys/wireguard/{node}/1.pub`; to try things out, `ztosc keys generate --lab DIR`"
HOLE = re.compile(r"@ztos-secret:(?P<id>[a-z0-9./-]+):(?P<length>[0-9]+):(?P<encoding>base64|hex|text)@")
SECTIONS = {
    "Interface": ("ListenPort", "PrivateKey"),
    "Peer": ("PublicKey", "PresharedKey", "AllowedIPs", "Endpoint", "PersistentKeepalive"),
}


class TunnelFile(Model):
    """One interface and its peer."""

    title: str
    interface: str
    port: int
    private_key: SecretRef
    peer_key: str
    preshared_key: SecretRef | None
    allowed_ips: tuple[str, ...]
    endpoint: str
    keepalive: int


class Tunnels(Model):
    """The files of a node, by interface."""

    files: tuple[TunnelFile, ...]


class WireGuard:
    """The tunnels of a node."""

    name = "wireguard"

    @cached_property
    def folder(self) -> Path:
        return resources.target_file(self.name, "target.toml").parent

    @cached_property
    def manifest(self) -> Manifest:
        return load(self.folder / "target.toml")

    def applies(self, spec: NodeSpec) -> bool:
        """Nodes with links, once there are keys: where some are missing, `unsupported` refuses the network."""
        return bool(spec.tunnels) and all(side.own_epoch and side.peer_key for side in spec.tunnels)

    def lower(self, spec: NodeSpec) -> Tunnels:
        """The tunnels of a node. Raises `BackendFault` where a key is missing; `unsupported` says so before."""
        return Tunnels(files=tuple(_tunnel(spec, side) for side in sorted(spec.tunnels, key=lambda side: side.interface)))

    def render(self, model: Tunnels) -> tuple[Artifact, ...]:
        """A file for each."""
        kind = self.manifest.artifacts[0]
        return tuple(
            Artifact(
                f"{each.interface}.conf",
                fill(self.folder, "tunnel.conf.j2", {"tunnel": each}, {}),
                kind.mode,
                kind.owner,
                secrets=tuple(hole for hole in (each.private_key, each.preshared_key) if hole is not None),
            )
            for each in model.files
        )

    def read(self, artifacts: Iterable[Artifact]) -> Tunnels:
        """The tunnels that files mean."""
        found = tuple(sorted(artifacts, key=lambda artifact: artifact.path))
        if not found:
            raise ReadFault("", 1, "there is no file")
        return Tunnels(files=tuple(_read(artifact) for artifact in found))

    def origins(self, spec: NodeSpec, path: str) -> tuple[Span, ...]:
        """The link."""
        return tuple(side.origin for side in spec.tunnels if f"{side.interface}.conf" == path)

    def unsupported(self, network: Network) -> tuple[Diagnostic, ...]:
        """Nodes with links whose public key is missing: the other ends would not know whom to trust."""
        known = {key.holder for key in network.intent.public_keys}
        linked = [node for node in network.intent.nodes if any(node.name in (link.a, link.b) for link in network.intent.links)]
        missing = (node for node in linked if node.name not in known)
        return tuple(
            Diagnostic("ZT604", f"node `{node.name}` has no public key", node.origin, help=WAY_OUT.format(node=node.name))
            for node in missing
        )


def _tunnel(spec: NodeSpec, side: TunnelSide) -> TunnelFile:
    if side.peer_key is None or side.own_epoch < 1:
        raise BackendFault(f"link {side.link} has an end without a public key")
    return TunnelFile(
        title=one_line(f"{spec.node} to {side.peer}, written by ztosc", COMMENT_BYTES),
        interface=side.interface,
        port=side.port,
        private_key=SecretRef(id=f"wireguard/{spec.node}/{side.own_epoch}", length=KEY_BYTES, encoding="base64"),
        peer_key=side.peer_key,
        preshared_key=SecretRef(id=f"psk/{side.link}", length=KEY_BYTES, encoding="base64") if side.psk else None,
        allowed_ips=(f"{side.peer_address}/128", LINK_LOCAL, *side.pools),
        endpoint=_endpoint(side.peer_underlay, side.port),
        keepalive=KEEPALIVE,
    )


def _endpoint(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


class _Lines:
    """A file's settings, each with its line."""

    def __init__(self, artifact: Artifact) -> None:
        self.path = artifact.path
        self.title = ""
        self.values: dict[tuple[str, str], tuple[int, str]] = {}
        try:
            lines = artifact.content.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise ReadFault(self.path, 1, "the file is not ASCII") from None
        section = ""
        for number, line in enumerate(lines, start=1):
            section = self._line(section, number, line)

    def _line(self, section: str, number: int, line: str) -> str:
        if line.startswith("# ") and number == 1:
            self.title = line[2:]
        elif line.startswith("["):
            if line[1:-1] not in SECTIONS or not line.endswith("]") or any(known == line[1:-1] for known, _ in self.values):
                raise ReadFault(self.path, number, f"unknown or repeated section {line}")
            return line[1:-1]
        elif line:
            key, equals, value = line.partition(" = ")
            if not equals or key not in SECTIONS.get(section, ()) or (section, key) in self.values:
                raise ReadFault(self.path, number, "unknown or repeated setting")
            self.values[(section, key)] = (number, value)
        return section

    def get(self, section: str, key: str) -> tuple[int, str]:
        """Line and text of a setting that must be there."""
        if (section, key) not in self.values:
            raise ReadFault(self.path, 1, f"{key} is missing")
        return self.values[(section, key)]


def _read(artifact: Artifact) -> TunnelFile:
    lines = _Lines(artifact)
    return TunnelFile(
        title=lines.title,
        interface=artifact.path.removesuffix(".conf"),
        port=_number(lines, "Interface", "ListenPort", 65535),
        private_key=_hole(lines, "Interface", "PrivateKey"),
        peer_key=_key(lines),
        preshared_key=_hole(lines, "Peer", "PresharedKey") if ("Peer", "PresharedKey") in lines.values else None,
        allowed_ips=_prefixes(lines),
        endpoint=lines.get("Peer", "Endpoint")[1],
        keepalive=_number(lines, "Peer", "PersistentKeepalive", 65535),
    )


def _number(lines: _Lines, section: str, key: str, high: int) -> int:
    number, text = lines.get(section, key)
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > high:
        raise ReadFault(lines.path, number, f"{key} is no number up to {high}")
    return int(text)


def _hole(lines: _Lines, section: str, key: str) -> SecretRef:
    number, text = lines.get(section, key)
    found = HOLE.fullmatch(text)
    if found is None:
        raise ReadFault(lines.path, number, f"{key} is not a hole: key material has no place in a bundle")
    return SecretRef.model_validate({"id": found["id"], "length": int(found["length"]), "encoding": found["encoding"]})


def _key(lines: _Lines) -> str:
    number, text = lines.get("Peer", "PublicKey")
    try:
        if len(base64.b64decode(text, validate=True)) == KEY_BYTES:
            return text
    except binascii.Error:
        pass  # told below: it is no key either way
    raise ReadFault(lines.path, number, "PublicKey is not 32 bytes in base64")


def _prefixes(lines: _Lines) -> tuple[str, ...]:
    number, text = lines.get("Peer", "AllowedIPs")
    try:
        return tuple(str(ipaddress.ip_network(each)) for each in text.split(", "))
    except ValueError as error:
        raise ReadFault(lines.path, number, f"AllowedIPs: {error}") from None


BACKEND = WireGuard()
