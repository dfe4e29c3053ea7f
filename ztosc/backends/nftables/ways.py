"""Interfaces: which are whose, and where a packet goes by the one it came in by, or leaves by.

Guarantees: one look-up in a hash map in place of a question a kind of interface (docs/decisions/0035).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ztosc.backends.nftables.model import Collection, Element
from ztosc.backends.nftables.words import comment, interface
from ztosc.ir.spaces import vrf_name
from ztosc.nodes.spec import NodeSpec

FROM_TRANSLATOR = "zt_from_nat64"
"""The chain of the guard for what the node's NAT64 has translated."""


def interfaces(spec: NodeSpec) -> Iterator[Collection]:
    """Sets of interfaces, and the maps by which packets are sent on."""
    ports_here = tuple(
        Element(key=(interface(each.interface),), comment=comment(f"{each.segment}: {each.doc}" if each.doc else each.segment))
        for each in sorted(spec.segments, key=lambda each: each.interface)
    )
    transits = {each.interface for each in spec.transits}
    vrfs = {vrf_name(each.l3vni) for each in spec.transits}
    translator = {spec.translator.interface} if spec.translator else set()
    inside = transits | vrfs | translator | {each.interface for each in spec.segments} | {each.interface for each in spec.tunnels}
    yield Collection(name="zt_ports", types=("ifname",), elements=ports_here)
    yield Collection(name="zt_inside", types=("ifname",), elements=_names(inside))
    yield Collection(name="zt_tunnels", types=("ifname",), elements=_names({each.interface for each in spec.tunnels}))
    yield Collection(name="zt_vrfs", types=("ifname",), elements=_names(vrfs))
    yield from _ways(spec, transits, vrfs)
    if spec.fabric.detours:
        pairs = tuple(Element(key=(interface(one), interface(other))) for one, other in sorted(_strangers(spec)))
        yield Collection(name="zt_strangers", types=("ifname", "ifname"), elements=pairs)


def _ways(spec: NodeSpec, transits: set[str], vrfs: set[str]) -> Iterator[Collection]:
    ports_here = {each.interface: each.vni for each in spec.segments}
    guarded = {name: f"goto zt_from_{vni}" for name, vni in ports_here.items()}
    if spec.translator:
        guarded[spec.translator.interface] = f"goto {FROM_TRANSLATOR}"
    free = {"lo", *transits, *(each.interface for each in spec.tunnels), *vrfs}  # of a VRF the ports were judged on the first of two passes
    yield _by_interface("zt_enters", dict.fromkeys(free, "return") | guarded)
    for name, source, destination, more in (
        ("zt_begins", "zt_source", "zt_destination", dict.fromkeys(vrfs, "jump zt_begins_vrf")),
        ("zt_begins_slave", "zt_source_vrf", "zt_destination", {}),
        ("zt_answers", "zt_reply_source", "zt_reply_destination", {}),
    ):
        yield _by_interface(name, dict.fromkeys(ports_here, f"goto {source}") | dict.fromkeys(transits, f"goto {destination}") | more)


def _by_interface(name: str, verdicts: dict[str, str]) -> Collection:
    """A map from interfaces to where they lead."""
    elements = tuple(Element(key=(interface(side),), verdict=verdict) for side, verdict in sorted(verdicts.items()))
    return Collection(name=name, types=("ifname",), verdicts=True, elements=elements)


def _strangers(spec: NodeSpec) -> set[tuple[str, str]]:
    """Where a node joins two VRFs: what came from another node in one domain never leaves in the other."""
    tables = {each.domain: each.l3vni for each in spec.transits}
    ways = {(each.interface, each.l3vni) for each in spec.transits} | {(each.interface, tables[each.domain]) for each in spec.segments}
    met = ways | {(each.interface, each.table) for each in spec.fabric.held}
    return {(each.interface, way) for each in spec.transits for way, _ in ways if (way, each.l3vni) not in met}


def _names(found: Iterable[str]) -> tuple[Element, ...]:
    return tuple(Element(key=(interface(name),)) for name in sorted(found))
