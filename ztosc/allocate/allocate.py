"""The allocation: one value after the other, each from its pool."""

from __future__ import annotations

import hashlib
import ipaddress
import json
from dataclasses import dataclass

from ztosc.allocate import places
from ztosc.allocate.lock import LOCK_FILE, Lock
from ztosc.allocate.pools import PoolExhausted, Pools
from ztosc.diagnostics import Label, Report
from ztosc.ir.intent import Intent, Segment, Service
from ztosc.ir.network import (
    AnycastService,
    Endpoint,
    IsolationDomain,
    Loopback,
    Network,
    NodePlan,
    SegmentPlan,
    SitePrefix,
    Tunnel,
    Zone,
)
from ztosc.ir.spaces import ANYCAST, MAX_DOMAINS, NAT64, RESERVED, TUNNELS, subnet, subnet_count, subnet_numbers, vtep
from ztosc.source import Span

VNIS = range(10_000, 1_000_000)
L3VNIS = range(5_000, 10_000)
PRIVATE_ASNS = range(4_200_000_000, 4_294_967_295)
NODE_IDS = range(1, 65_535)
TUNNEL_IDS = range(1, 65_536)
TUNNEL_PORTS = range(10_000, 32_768)
"""Below the range from which Linux takes ephemeral ports."""
HOSTS = range(0x100, 0x10000)
"""Interface identifiers of endpoints; the gateway of a /64 is ::1."""
WAYS_OUT = {
    "subnet": "give the overlay a shorter prefix, or split the network",
    "domain": "let segments share a `within`, or split the network",
}
"""What to do when the numbers of a kind are used up."""
ZONE_FORMAT = 1
"""Raised when the same network gives other zone content than before, so that serials move."""


@dataclass(frozen=True, slots=True)
class Allocated:
    """The network, and the lock that makes it the same next time."""

    network: Network
    lock: Lock


def allocate(intent: Intent, lock: Lock | None, at: int, report: Report) -> Allocated | None:
    """Allocate a network at an instant (seconds since 1970). `lock` absent: a new project."""
    name = intent.network.name
    if lock is not None and lock.network != name:
        report.error(
            "ZT310",
            f"`{LOCK_FILE}` belongs to network `{lock.network}`, not to `{name}`",
            Span(LOCK_FILE, 2, 1, 2, 1),
            help="restore this network's lock, or delete it to allocate anew",
        )
        return None
    try:
        return _Allocation(intent, Pools(lock or Lock(name)), at, report).run()
    except PoolExhausted as error:
        report.error("ZT314", f"{error}", intent.network.origin, help=WAYS_OUT.get(error.kind, "split the network"))
        return None


class _Allocation:
    def __init__(self, intent: Intent, pools: Pools, at: int, report: Report) -> None:
        self.intent, self.pools, self.at, self.report = intent, pools, at, report
        self.prefix = intent.network.prefix or pools.text("prefix", "overlay", _ula(intent))
        self.lives = {segment.name: places.living_nodes(intent, segment) for segment in intent.segments}
        self.within = {segment.name: places.effective_within(intent, segment) for segment in intent.segments}

    def run(self) -> Allocated:
        domains = self._domains()
        ids = self.pools.numbers("node", (node.name for node in self.intent.nodes), NODE_IDS)
        plans = self._nodes(domains, ids)
        segments = self._segments()
        endpoints = self._endpoints(segments)
        anycast = self._anycast()
        asn = self.intent.network.asn or self.pools.number("asn", "overlay", PRIVATE_ASNS)
        tunnels = self._tunnels(domains)
        zones = self._zones(plans, endpoints)
        segment_domain = {plan.segment: plan.domain for plan in segments}
        places.check_paths(self.intent, {domain.name: frozenset(domain.nodes) for domain in domains}, segment_domain, self.report)
        lock = self.pools.next_lock(self.intent.network.name)
        network = Network(
            intent=self.intent,
            at=self.at,
            prefix=self.prefix,
            asn=asn,
            nat64_prefix=NAT64,
            generation=lock.generation,
            domains=domains,
            nodes=plans,
            tunnels=tunnels,
            segments=segments,
            endpoints=endpoints,
            anycast=anycast,
            zones=zones,
        )
        return Allocated(network, lock)

    def _domains(self) -> tuple[IsolationDomain, ...]:
        bounds = {places.domain_name(within): within for within in (None, *self.within.values())}
        indexes = self.pools.numbers("domain", bounds, range(MAX_DOMAINS))
        vnis = self.pools.numbers("l3vni", bounds, L3VNIS)
        return tuple(
            IsolationDomain(
                name=name,
                index=indexes[name],
                l3vni=vnis[name],
                interface=f"zd{vnis[name]}",
                within=bounds[name],
                nodes=places.domain_nodes(self.intent, bounds[name]),
            )
            for name in sorted(bounds)
        )

    def _nodes(self, domains: tuple[IsolationDomain, ...], ids: dict[str, int]) -> tuple[NodePlan, ...]:
        asns = self.pools.numbers("asn", (f"node/{node.name}" for node in self.intent.nodes), PRIVATE_ASNS)
        return tuple(
            NodePlan(
                node=node.name,
                asn=asns[f"node/{node.name}"],
                router_id=vtep(0, ids[node.name]),
                loopbacks=tuple(self._loopback(domain, ids[node.name]) for domain in domains if node.name in domain.nodes),
            )
            for node in self.intent.nodes
        )

    def _loopback(self, domain: IsolationDomain, identity: int) -> Loopback:
        address = subnet(self.prefix, domain.index)[identity]
        return Loopback(domain=domain.name, address=str(address), vtep=vtep(domain.index, identity))

    def _segments(self) -> tuple[SegmentPlan, ...]:
        vnis = self.pools.numbers("vni", self.lives, VNIS)
        fixed = frozenset(number for each in self.intent.segments if each.prefix for number in subnet_numbers(self.prefix, each.prefix))
        return tuple(
            SegmentPlan(
                segment=segment.name,
                vni=vnis[segment.name],
                interface=f"zs{vnis[segment.name]}",
                addressing=segment.addressing,
                domain=places.domain_name(self.within[segment.name]),
                places=self._site_prefixes(segment, fixed),
            )
            for segment in self.intent.segments
        )

    def _site_prefixes(self, segment: Segment, fixed: frozenset[int]) -> tuple[SitePrefix, ...]:
        found = []
        for site, nodes in self.lives[segment.name].items():
            if segment.prefix:
                own = subnet_numbers(self.prefix, segment.prefix)
                # A single /64 written by hand is nobody else's, wherever the segment moves: there is nothing to remember.
                number = own[0] if len(own) == 1 else self.pools.number(f"subnet/{segment.name}", site, own)
            else:
                number = self.pools.number("subnet", f"{segment.name}@{site}", range(RESERVED, subnet_count(self.prefix)), fixed)
            prefix = subnet(self.prefix, number)
            found.append(SitePrefix(site=site, prefix=str(prefix), gateway=str(prefix[1]), nodes=nodes))
        return tuple(found)

    def _endpoints(self, segments: tuple[SegmentPlan, ...]) -> tuple[Endpoint, ...]:
        plans = {plan.segment: plan for plan in segments}
        found = []
        for service in self.intent.services:
            plan = plans.get(service.segment)
            slots = self._slots(service, plan.places) if plan else []
            for replica in range(service.replicas if slots else 0):
                place, node = slots[replica % len(slots)]
                host = self.pools.number(f"host/{service.segment}", f"{service.name}#{replica}", HOSTS)
                address = str(ipaddress.IPv6Network(place.prefix)[host])
                found.append(Endpoint(service=service.name, replica=replica, site=place.site, node=node, address=address))
        return tuple(found)

    def _slots(self, service: Service, found: tuple[SitePrefix, ...]) -> list[tuple[SitePrefix, str]]:
        """Where replicas go, one after the other: first where the inventory lists them, then round the places that are left."""
        everywhere = [(place, node) for place in found for node in place.nodes]
        by_node = {node: (place, node) for place, node in everywhere}
        pins = [pin for pin in self.intent.inventory.pins if pin.service == service.name]
        for pin in pins:
            if pin.node not in by_node:
                segment = next(each for each in self.intent.segments if each.name == service.segment)
                self.report.error(
                    "ZT320",
                    f"service `{service.name}` cannot run on node `{pin.node}`: segment `{segment.name}` does not live there",
                    pin.origin,
                    help="name one of " + ", ".join(f"`{node}`" for node in sorted(by_node)),
                    related=[Label(segment.origin, "the segment")],
                )
        pinned = [by_node[pin.node] for pin in pins if pin.node in by_node]
        left = [slot for slot in everywhere if slot not in pinned] or everywhere
        more = max(service.replicas - len(pinned), 0)
        return [*pinned, *(left[number % len(left)] for number in range(more))] if everywhere else []

    def _anycast(self) -> tuple[AnycastService, ...]:
        hosts = self.pools.numbers("anycast", (system.name for system in self.intent.systems), HOSTS)
        return tuple(
            AnycastService(
                system=system.name,
                address=str(subnet(self.prefix, ANYCAST)[hosts[system.name]]),
                nodes=tuple(node.name for node in self.intent.nodes if system.served_by in node.serves),
            )
            for system in self.intent.systems
        )

    def _tunnels(self, domains: tuple[IsolationDomain, ...]) -> tuple[Tunnel, ...]:
        ids = self.pools.numbers("tunnel", (link.name for link in self.intent.links), TUNNEL_IDS)
        ports = self.pools.numbers("port", ids, TUNNEL_PORTS)
        return tuple(
            Tunnel(
                link=link.name,
                interface=f"zw{ids[link.name]}",
                port=ports[link.name],
                a_address=str(subnet(self.prefix, TUNNELS)[2 * ids[link.name]]),
                b_address=str(subnet(self.prefix, TUNNELS)[2 * ids[link.name] + 1]),
                domains=tuple(domain.name for domain in domains if {link.a, link.b} <= set(domain.nodes)),
            )
            for link in self.intent.links
        )

    def _zones(self, plans: tuple[NodePlan, ...], endpoints: tuple[Endpoint, ...]) -> tuple[Zone, ...]:
        content = {
            "format": ZONE_FORMAT,
            "services": [[service.name, service.dns_name, service.listen] for service in self.intent.services],
            "endpoints": [[each.service, each.replica, each.address] for each in endpoints],
            "nodes": [[node.name, node.site, list(node.serves)] for node in self.intent.nodes],
            "loopbacks": [[plan.node, [loopback.address for loopback in plan.loopbacks]] for plan in plans],
        }
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        names = (self.intent.network.domain, reverse_zone(self.prefix))
        return tuple(Zone(name=name, serial=self.pools.serial(name, digest)) for name in sorted(names))


def reverse_zone(prefix: str) -> str:
    """The `ip6.arpa` zone of a prefix, cut at its last whole nibble (RFC 3596 §2.5)."""
    network = ipaddress.IPv6Network(prefix)
    nibbles = network.network_address.exploded.replace(":", "")[: network.prefixlen // 4]
    return ".".join(reversed(nibbles)) + ".ip6.arpa"


def _ula(intent: Intent) -> str:
    """A unique local /48 (RFC 4193 §3) from the network's domain and name; chosen once, then in the lock."""
    digest = hashlib.sha256(f"ztos\0{intent.network.domain}\0{intent.network.name}".encode()).digest()
    return str(ipaddress.IPv6Network((int.from_bytes(b"\xfd" + digest[:5]) << 80, 48)))
