"""MACsec: a wpa_supplicant configuration for each link that asks for it, named after the link's MACsec interface.

Guarantees: no key material, only holes for the CAK and its name, in every file both; what both ends of a link must say alike depends on
the link alone. The file names no port: the MACsec interface that is there says what it lies on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from ztosc import resources
from ztosc.backends.base import Artifact, BackendFault, ReadFault
from ztosc.backends.macsec.model import LINK, Association, Associations, path_of
from ztosc.backends.macsec.read import read
from ztosc.backends.manifest import Manifest, load
from ztosc.backends.template import fill
from ztosc.diagnostics import Diagnostic
from ztosc.ir.network import Network
from ztosc.ir.secrets import SecretRef
from ztosc.nodes.spec import NodeSpec, TunnelSide
from ztosc.source import Span

CAK_BYTES = 32
"""AES-CMAC-256 as key derivation and key wrap; 16 would be the other size (IEEE 802.1X §9.3)."""
CKN_BYTES = 32
"""The most that a name may have."""


class Macsec:
    """The MACsec links of a node."""

    name = "macsec"

    @cached_property
    def folder(self) -> Path:
        return resources.target_file(self.name, "target.toml").parent

    @cached_property
    def manifest(self) -> Manifest:
        return load(self.folder / "target.toml")

    def applies(self, spec: NodeSpec) -> bool:
        """Nodes with a link that asks for it."""
        return any(side.macsec for side in spec.tunnels)

    def lower(self, spec: NodeSpec) -> Associations:
        """A connectivity association for each such link."""
        found = (_association(side) for side in spec.tunnels if side.macsec)
        return Associations(associations=tuple(sorted(found, key=lambda each: each.port)))

    def render(self, model: Associations) -> tuple[Artifact, ...]:
        """A file for each."""
        kind = self.manifest.artifacts[0]
        return tuple(
            Artifact(
                path_of(each.port),
                fill(self.folder, "supplicant.conf.j2", {"one": each}, {}),
                kind.mode,
                kind.owner,
                secrets=(each.cak, each.ckn),
            )
            for each in model.associations
        )

    def read(self, artifacts: Iterable[Artifact]) -> Associations:
        """What the files mean."""
        found = tuple(read(artifact) for artifact in artifacts)
        if not found:
            raise ReadFault("", 1, "there is no file")
        return Associations(associations=tuple(sorted(found, key=lambda each: each.port)))

    def shared(self, model: Associations) -> Mapping[str, Association]:
        """What both ends of a link must say alike: all of it."""
        return {each.link: each for each in model.associations}

    def origins(self, spec: NodeSpec, path: str) -> tuple[Span, ...]:
        """The link."""
        return tuple(side.origin for side in spec.tunnels if side.macsec and path_of(side.port) == path)

    def unsupported(self, network: Network) -> tuple[Diagnostic, ...]:
        """Nothing: whether the two ends share a wire is not written anywhere, and shows when MKA finds its peer."""
        return ()


def _association(side: TunnelSide) -> Association:
    if not LINK.fullmatch(side.link):
        raise BackendFault(f"link {side.link!r} cannot name a secret")
    return Association(
        link=side.link,
        port=side.port,
        cak=SecretRef(id=f"macsec/{side.link}/cak", length=CAK_BYTES, encoding="hex"),
        ckn=SecretRef(id=f"macsec/{side.link}/ckn", length=CKN_BYTES, encoding="hex"),
    )


BACKEND = Macsec()
