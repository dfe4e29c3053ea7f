"""A matrix for networks of real size: for each rule somebody who satisfies it, somebody who lacks one fact of it, and somebody without any.

Guarantees: every flow that the policy allows to one of these is tried, as far as `MOST` goes; of those it refuses a sample is, chosen by a
digest, so that it is the same every time. What is left out is counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import product

from tests.harness.lab import Lab
from tests.harness.layout import BLOCK, Host
from tests.harness.matrix import HURRIED, Matrix, Try
from tests.harness.sessions import Session
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import DevicePrincipal, Person, Principal, ServiceEndpoint
from ztosc.ir.flow import Host as Bare
from ztosc.ir.guards import atoms, evaluate
from ztosc.ir.network import Network
from ztosc.ir.values import AllOf, BoolType, EnumType, Guard, RangeType, Value

MOST = 4000
"""Allowed flows that are tried at one instant; as many refused ones again."""
Facts = tuple[tuple[str, Value], ...]


def values(network: Network, guard: Guard) -> dict[str, list[Value]]:
    """Of each attribute that a guard asks for, what is worth trying: its constants, those beside them, and the other words."""
    types = {attribute.name: attribute.type for attribute in network.intent.attributes}
    found: dict[str, list[Value]] = {}
    for atom in atoms(guard):
        known = found.setdefault(atom.attribute, [])
        constants = atom.operand.values if atom.operand.kind == "constant" else ()
        kind = types[atom.attribute]
        more: list[Value] = list(constants)
        if isinstance(kind, BoolType):
            more = [True, False]
        elif isinstance(kind, EnumType):
            more = [*constants, *kind.values]
        elif isinstance(kind, RangeType):
            more = [max(kind.low, min(kind.high, int(each) + step)) for each in constants for step in (0, -1, 1)]
        elif all(isinstance(each, int) for each in constants):
            more = [int(each) + step for each in constants for step in (0, -1, 1)] or [2**33]
        known.extend(each for each in more if each not in known)
    return found


def satisfying(network: Network, guard: Guard, instant: int) -> Facts | None:
    """Facts under which a guard is true."""
    found = values(network, guard)
    types = {attribute.name: attribute.type for attribute in network.intent.attributes}
    for chosen in product(*found.values()):
        facts = dict(zip(found, chosen, strict=True))
        if evaluate(guard, facts, types, instant) is True:
            return tuple(sorted(facts.items()))
    return None


def principals(network: Network, policy: Policy, host: Host, instant: int) -> Iterator[Principal]:
    """Who is worth trying at a host."""
    if host.place.service is not None:
        yield ServiceEndpoint(service=host.place.service)
        return
    segment = policy.segments[host.place.name]
    yield Bare()
    yield from (DevicePrincipal(device=device) for device in segment.admits)
    for role in network.intent.roles if segment.admits_people else ():
        if segment.name in role.sources:
            yield from (Person(roles=(role.name,), attributes=facts) for facts in _facts(network, role.name, role.requires, instant))


def _facts(network: Network, role: str, requires: Guard, instant: int) -> list[Facts]:
    named = [rule for rule in network.intent.rules if any((ref.kind, ref.name) == ("role", role) for ref in rule.subjects)]
    found: dict[Facts, None] = {}
    for rule in named:
        facts = satisfying(network, AllOf(parts=(rule.guard, requires)), instant)
        if facts:
            found[facts] = None
            found[facts[1:]] = None
            found[facts[:-1]] = None
    return [*found, ()]


class Thrifty(Matrix):
    """Some of all tries of a lab."""

    def __init__(self, lab: Lab, instant: int) -> None:
        policy = Policy(lab.network.intent)
        found = []
        for host in lab.hosts:
            everyone = list(dict.fromkeys(principals(lab.network, policy, host, instant)))
            assert len(everyone) < BLOCK, "more principals than addresses"
            found += [Session(host.name, host.node, host.addresses[index], host.place, each) for index, each in enumerate(everyone)]
        outside = (Session("out", None, address, place, Bare()) for address, place in lab.outside)
        super().__init__(lab, HURRIED, [*found, *outside])

    def tries(self, instant: int) -> list[Try]:
        """Those that are tried, allowed and refused in equal measure."""
        every = super().tries(instant)
        allowed = sorted((each for each in every if each.wanted), key=_digest)[:MOST]
        refused = sorted((each for each in every if not each.wanted), key=_digest)[: len(allowed)]
        self.left_out = len(every) - len(allowed) - len(refused)
        return [*allowed, *refused]


def _digest(each: Try) -> bytes:
    text = f"{each.session.host} {each.session.address} {each.destination} {each.protocol} {each.port}"
    return hashlib.sha256(text.encode()).digest()
