"""Key material that is never here: typed holes that only a node fills, and references to keys by holder and epoch."""

from __future__ import annotations

from typing import Literal

from ztosc.ir.base import Model


class SecretRef(Model):
    """A hole in an artifact: `id` names the secret, `length` is its raw size in bytes, `encoding` how it is written into the file."""

    id: str
    length: int
    encoding: Literal["base64", "hex", "text"]

    @property
    def placeholder(self) -> str:
        """How the hole stands in the file until the node fills it."""
        return f"@ztos-secret:{self.id}:{self.length}:{self.encoding}@"


class PublicKey(Model):
    """The public half of a node's key, as the project holds it; `value` is base64 of 32 bytes (X25519, RFC 7748)."""

    purpose: Literal["wireguard"]
    holder: str
    epoch: int
    """From 1; the highest that is there is the one in use."""
    value: str


class KeyRef(Model):
    """A key by purpose, holder and epoch; the public half may be known, the private half stays with the holder."""

    purpose: Literal["wireguard", "wireguard-psk", "macsec", "tls", "tsig"]
    holder: str
    epoch: int
