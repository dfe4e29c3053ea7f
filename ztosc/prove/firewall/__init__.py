"""A firewall as the real nft gives it back, executed for every packet at once, against what the network demands of the node.

Guarantees: nothing of what wrote the file takes part; a statement that is not known makes the whole unsupported, never proved; what
differs is shown by a packet.
"""

from ztosc.prove.firewall.judge import judge

__all__ = ["judge"]
