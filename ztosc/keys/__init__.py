"""Key material: made here, handed to its holder, and never written anywhere else.

Guarantees: nothing in this room logs, prints or returns a secret into a bundle.
"""

from ztosc.keys.wireguard import KeyPair, generate

__all__ = ["KeyPair", "generate"]
