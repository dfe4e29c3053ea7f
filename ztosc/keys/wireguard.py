"""WireGuard's static keys: X25519 (RFC 7748), raw 32 bytes, in base64 as `wg` reads and writes them."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key and its public half; the private one does not show in a representation."""

    private: str = field(repr=False)
    public: str


def generate() -> KeyPair:
    """A new key from the operating system's randomness."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    key = X25519PrivateKey.generate()
    return KeyPair(base64.b64encode(key.private_bytes_raw()).decode(), base64.b64encode(key.public_key().public_bytes_raw()).decode())
