"""Which key exists, who holds it, from when to when. No material: nothing in here could open anything.

Guarantees: computed from the Network alone; within one period the same network gives the same plan, so a build on another day of the
period changes nothing. Instants are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ztosc.ir.base import Model
from ztosc.ir.intent import Label
from ztosc.ir.network import Network, Tunnel
from ztosc.ir.secrets import PublicKey

DEFAULT_REKEY = 365 * 86400
"""How long a key lives where no label says less, in seconds."""


class PlannedKey(Model):
    """A key and its life. `holders` keep the secret half, or the shared secret; `public` is the other half where there is one."""

    id: str
    purpose: Literal["wireguard", "wireguard-psk", "macsec-cak", "macsec-ckn"]
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


def key_plan(network: Network) -> KeyPlan:
    """The plan of a network at its clock."""
    return KeyPlan(keys=tuple(sorted(_keys(network), key=lambda key: key.id)))


def _keys(network: Network) -> Iterator[PlannedKey]:
    crossing = labels_on(network)
    links = {link.name: link for link in network.intent.links}
    by_node: dict[str, set[str]] = {node.name: set() for node in network.intent.nodes}
    for tunnel in network.tunnels:
        link, labels = links[tunnel.link], crossing[tunnel.link]
        for end in (link.a, link.b):
            by_node[end].update(label.name for label in labels)
        if any(label.psk for label in labels):
            yield _planned(network, f"psk/{link.name}", "wireguard-psk", (link.a, link.b), labels)
        if link.macsec:
            yield _planned(network, f"macsec/{link.name}/cak", "macsec-cak", (link.a, link.b), labels)
            yield _planned(network, f"macsec/{link.name}/ckn", "macsec-ckn", (link.a, link.b), labels)
    yield from _node_keys(network, by_node)


def _node_keys(network: Network, by_node: dict[str, set[str]]) -> Iterator[PlannedKey]:
    labels = {label.name: label for label in network.intent.labels}
    current = current_keys(network)
    for node in network.intent.nodes:
        key = current.get(node.name)
        found = tuple(labels[name] for name in sorted(by_node[node.name]))
        yield _planned(network, f"wireguard/{node.name}", "wireguard", (node.name,), found, key)


Purpose = Literal["wireguard", "wireguard-psk", "macsec-cak", "macsec-ckn"]


def _planned(
    network: Network, name: str, purpose: Purpose, holders: tuple[str, ...], labels: tuple[Label, ...], key: PublicKey | None = None
) -> PlannedKey:
    rekey = min([label.rekey for label in labels if label.rekey is not None], default=DEFAULT_REKEY)
    start = network.at - network.at % rekey
    return PlannedKey(
        id=name,
        purpose=purpose,
        holders=holders,
        epoch=key.epoch if key else 0,
        public=key.value if key else None,
        period_start=start,
        period_end=start + rekey,
        rekey=rekey,
        because=tuple(label.name for label in labels if label.rekey == rekey),
    )
