"""Who is behind each address in the harness, and which elements that puts into the nodes' dynamic sets.

Guarantees: the sets are filled through `holds` alone, as a node's runner must.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from tests.harness.layout import BLOCK, Host
from ztosc.backends.nftables.sets import set_of
from ztosc.ir.flow import DevicePrincipal, Person, Place, Principal, ServiceEndpoint
from ztosc.ir.flow import Host as Bare
from ztosc.ir.guards import atoms
from ztosc.ir.network import Network
from ztosc.ir.values import BoolType, EnumType, Value
from ztosc.nodes import NodeSpec, holds


@dataclass(frozen=True, slots=True)
class Session:
    """A principal at an address behind a node; `node` is absent outside."""

    host: str
    node: str | None
    address: str
    place: Place
    principal: Principal


def profiles(network: Network) -> list[tuple[tuple[str, Value], ...]]:
    """Attributes that the guards ask for: all as wanted, each one otherwise, each one absent, none at all."""
    types = {attribute.name: attribute.type for attribute in network.intent.attributes}
    guards = [rule.guard for rule in network.intent.rules] + [role.requires for role in network.intent.roles]
    wanted: dict[str, Value] = {}
    for atom in (atom for guard in guards for atom in atoms(guard)):
        if atom.operand.kind == "constant":
            wanted[atom.attribute] = atom.operand.values[0]
    other: dict[str, Value] = {}
    for name, value in wanted.items():
        kind = types[name]
        if isinstance(kind, BoolType):
            other[name] = not value
        elif isinstance(kind, EnumType):
            other[name] = next(each for each in kind.values if each != value)
    found = [wanted, *({**wanted, name: value} for name, value in other.items())]
    found += [{name: value for name, value in wanted.items() if name != left_out} for left_out in wanted]
    return [tuple(sorted(each.items())) for each in (*found, {})]


def principals(network: Network, host: Host) -> Iterator[Principal]:
    """Everyone who may sit at a host: its service, or people in every combination of roles, devices, and whatever else."""
    if host.place.service is not None:
        yield ServiceEndpoint(service=host.place.service)
        return
    segment = next(segment for segment in network.intent.segments if segment.name == host.place.name)
    yield Bare()
    yield from (DevicePrincipal(device=device) for device in segment.admits)
    if segment.admits_people:
        roles = [role.name for role in network.intent.roles if segment.name in role.sources]
        for size in range(len(roles) + 1):
            for held in combinations(roles, size):
                if not _separated(network, held):
                    yield from (Person(roles=held, attributes=found) for found in profiles(network))


def _separated(network: Network, held: tuple[str, ...]) -> bool:
    included = {role.name: {role.name, *role.includes} for role in network.intent.roles}
    acting = {name for role in held for name in included[role]}
    return any(len(acting & set(each.roles)) > 1 for each in network.intent.separations)


def sessions(network: Network, hosts: tuple[Host, ...], outside: tuple[tuple[str, Place], ...]) -> list[Session]:
    """One session an address."""
    found = []
    for host in hosts:
        everyone = list(principals(network, host))
        assert len(everyone) < BLOCK, "more principals than addresses"
        found += [Session(host.name, host.node, host.addresses[index], host.place, each) for index, each in enumerate(everyone)]
    return [*found, *(Session("out", None, address, place, Bare()) for address, place in outside)]


def elements(spec: NodeSpec, found: list[Session], instant: int) -> list[str]:
    """nft commands that make a node's dynamic sets what they must be at an instant."""
    types = dict(spec.attributes)
    static = {(member.condition, member.address) for member in spec.members}
    lines = []
    for condition in spec.conditions:
        name = set_of(condition)
        if condition.of_time_alone:
            is_open = holds(condition, Bare(), instant, types)
            lines += [f"flush set inet ztos {name}", *([f"add element inet ztos {name} {{ ipv6 timeout 1h }}"] if is_open else [])]
            continue
        here = [each for each in found if each.node in (spec.node, None)]
        keys = [each.address for each in here if holds(condition, each.principal, instant, types)]
        timed = [f"{key} timeout 1h" for key in keys if (condition.id, key) not in static]
        kept = sorted(address for known, address in static if known == condition.id)
        lines += [f"flush set inet ztos {name}"]
        lines += [f"add element inet ztos {name} {{ {', '.join((*kept, *timed))} }}"] if kept or timed else []
    return lines
