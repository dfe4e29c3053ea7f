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


class KeyRef(Model):
    """A key by purpose, holder and epoch; the public half may be known, the private half stays with the holder."""

    purpose: Literal["wireguard", "wireguard-psk", "macsec", "tls", "tsig"]
    holder: str
    epoch: int
