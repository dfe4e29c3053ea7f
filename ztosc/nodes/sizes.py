"""How large a packet may be at each layer, in bytes: underlay, MACsec, WireGuard, VXLAN.

Guarantees: a packet of a domain's size crosses every tunnel that the domain may cross, so nothing inside the overlay is ever
fragmented; what is larger gets a Packet Too Big (RFC 4443 §3.2) at the gateway where it enters.
"""

from __future__ import annotations

from collections.abc import Iterable

from ztosc.ir.network import IsolationDomain, Network

UNDERLAY = 1500
"""What every underlay is taken to carry; the language names no other."""
MACSEC = 32
"""SecTAG with SCI, its EtherType and the ICV (IEEE 802.1AE §9.3): 16 + 16."""
WIREGUARD = 80
"""IPv6 header, UDP, WireGuard's own header and tag: 40 + 8 + 32. Over IPv4 it is 20 less, which is left unused: one size."""
VXLAN = 50
"""IPv4 header, UDP, VXLAN and the inner Ethernet header (RFC 7348 §5): 20 + 8 + 8 + 14."""


def protected_underlay(macsec: bool) -> int:
    """The largest packet between the underlay addresses of a link's ends."""
    return UNDERLAY - (MACSEC if macsec else 0)


def tunnel(macsec: bool) -> int:
    """The largest packet in a link's tunnel."""
    return protected_underlay(macsec) - WIREGUARD


def overlays(network: Network) -> dict[str, int]:
    """The largest packet of each isolation domain, by name: the least of the tunnels that it may cross, wherever they are."""
    macsec = {link.name: link.macsec for link in network.intent.links}
    crossed = [(tunnel.domains, macsec[tunnel.link]) for tunnel in network.tunnels]
    return {each.name: _overlay(each, crossed) for each in network.domains}


def _overlay(domain: IsolationDomain, crossed: Iterable[tuple[tuple[str, ...], bool]]) -> int:
    return tunnel(any(macsec for domains, macsec in crossed if domain.name in domains)) - VXLAN
