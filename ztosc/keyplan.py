"""Which key exists, who holds it, from when to when. No material: nothing in here could open anything.

Guarantees: computed from the Network alone; within one period the same network gives the same plan, so a build on another day of the
period changes nothing. A quarantine ends the running period of every key that what is quarantined was protected by, at its own instant.
Instants are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from ztosc.ir.base import Model
from ztosc.ir.intent import Label
from ztosc.ir.network import Network, Tunnel
from ztosc.ir.secrets import PublicKey
from ztosc.ir.values import Ref

DEFAULT_REKEY = 365 * 86400
"""How long a key lives where no label says less, in seconds."""


Purpose = Literal["wireguard", "wireguard-psk", "macsec-cak", "macsec-ckn"]


class PlannedKey(Model):
    """A key and its life. `holders` keep the secret half, or the shared secret; `public` is the other half where there is one."""

    id: str
    purpose: Purpose
    holders: tuple[str, ...]
    epoch: int
    """Of the key in use; 0 where none has been made yet."""
    public: str | None
    period_start: int
    period_end: int
    """The next rotation is due by then."""
    rekey: int
    because: tuple[str, ...]
    """The labels that ask for this rotation."""
    quarantined: tuple[str, ...] = ()
    """Of what a quarantine in this period shut off, that for which the period began early."""


class KeyPlan(Model):
    """Every key of a network, by id."""

    schema_version: Literal[1] = 1
    keys: tuple[PlannedKey, ...]


def current_keys(network: Network) -> dict[str, PublicKey]:
    """The public key in use by node: that of the highest epoch."""
    return {key.holder: key for key in sorted(network.intent.public_keys, key=lambda key: key.epoch)}


def labels_on(network: Network) -> dict[str, tuple[Label, ...]]:
    """The labels whose data may cross a link, by its name: those of every segment in a domain that its tunnel admits."""
    carried: dict[str, set[str]] = {}
    domain = {plan.segment: plan.domain for plan in network.segments}
    for segment in network.intent.segments:
        carried.setdefault(domain.get(segment.name, ""), set()).update(segment.carries)
    labels = {label.name: label for label in network.intent.labels}
    return {tunnel.link: tuple(labels[name] for name in sorted(_crossing(tunnel, carried)) if name in labels) for tunnel in network.tunnels}


def _crossing(tunnel: Tunnel, carried: dict[str, set[str]]) -> set[str]:
    return {name for domain in tunnel.domains for name in carried.get(domain, ())}


def psk_links(network: Network) -> frozenset[str]:
    """Links over which a label that demands a pre-shared key may travel."""
    return frozenset(link for link, labels in labels_on(network).items() if any(label.psk for label in labels))


@dataclass(frozen=True)
class Incident:
    """A quarantine as keys see it: since when, of what, which labels that carries, and the nodes it lives on."""

    since: int
    what: tuple[str, ...]
    labels: frozenset[str]
    nodes: frozenset[str]

    def touches(self, labels: Collection[Label], holders: Collection[str]) -> bool:
        """Whether a key protected a label of it, or lies on a node it lives on."""
        return any(label.name in self.labels for label in labels) or any(node in self.nodes for node in holders)


def incidents(network: Network) -> tuple[Incident, ...]:
    """Every quarantine that has begun, earliest first."""
    begun = [
        (rule.validity.not_before or 0, rule.subjects)
        for rule in network.intent.rules
        if rule.quarantine and (rule.validity.not_before or 0) <= network.at and not any(ref.kind == "segments" for ref in rule.subjects)
    ]
    return tuple(_incident(network, since, refs) for since, refs in sorted(begun, key=lambda each: (each[0], str(each[1]))))


def _incident(network: Network, since: int, refs: tuple[Ref, ...]) -> Incident:
    segments = {name for ref in refs for name in _segments(network, ref)}
    labels = {label for each in network.intent.segments if each.name in segments for label in each.carries}
    nodes = {node for plan in network.segments if plan.segment in segments for place in plan.places for node in place.nodes}
    return Incident(since, tuple(sorted({ref.name for ref in refs})), frozenset(labels), frozenset(nodes))


def _segments(network: Network, ref: Ref) -> tuple[str, ...]:
    """The segments in which what is quarantined was; an external has none, and nothing of ours protected it."""
    intent = network.intent
    match ref.kind:
        case "segment":
            return (ref.name,)
        case "service":
            return tuple(each.segment for each in intent.services if each.name == ref.name)
        case "role":
            return tuple(name for each in intent.roles if each.name == ref.name for name in each.sources)
        case "device":
            return tuple(each.name for each in intent.segments if ref.name in each.admits)
        case _:
            return ()


def key_plan(network: Network) -> KeyPlan:
    """The plan of a network at its clock."""
    return KeyPlan(keys=tuple(sorted(_keys(network), key=lambda key: key.id)))


def _keys(network: Network) -> Iterator[PlannedKey]:
    crossing = labels_on(network)
    links = {link.name: link for link in network.intent.links}
    by_node: dict[str, set[str]] = {node.name: set() for node in network.intent.nodes}
    planner = _Planner(network.at, incidents(network))
    for tunnel in network.tunnels:
        link, labels = links[tunnel.link], crossing[tunnel.link]
        for end in (link.a, link.b):
            by_node[end].update(label.name for label in labels)
        if any(label.psk for label in labels):
            yield planner.key(f"psk/{link.name}", "wireguard-psk", (link.a, link.b), labels)
        if link.macsec:
            yield planner.key(f"macsec/{link.name}/cak", "macsec-cak", (link.a, link.b), labels)
            yield planner.key(f"macsec/{link.name}/ckn", "macsec-ckn", (link.a, link.b), labels)
    yield from _node_keys(network, planner, by_node)


def _node_keys(network: Network, planner: _Planner, by_node: dict[str, set[str]]) -> Iterator[PlannedKey]:
    labels = {label.name: label for label in network.intent.labels}
    current = current_keys(network)
    for node in network.intent.nodes:
        found = tuple(labels[name] for name in sorted(by_node[node.name]))
        yield planner.key(f"wireguard/{node.name}", "wireguard", (node.name,), found, current.get(node.name))


@dataclass(frozen=True)
class _Planner:
    at: int
    incidents: tuple[Incident, ...]

    def key(
        self, name: str, purpose: Purpose, holders: tuple[str, ...], labels: tuple[Label, ...], made: PublicKey | None = None
    ) -> PlannedKey:
        rekey = min([label.rekey for label in labels if label.rekey is not None], default=DEFAULT_REKEY)
        start = self.at - self.at % rekey
        early = [each for each in self.incidents if each.since > start and each.touches(labels, holders)]
        return PlannedKey(
            id=name,
            purpose=purpose,
            holders=holders,
            epoch=made.epoch if made else 0,
            public=made.value if made else None,
            period_start=max([start, *(each.since for each in early)]),
            period_end=start + rekey,
            rekey=rekey,
            because=tuple(label.name for label in labels if label.rekey == rekey),
            quarantined=tuple(sorted({name for each in early for name in each.what})),
        )
