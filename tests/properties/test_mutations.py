"""Every mutation of an example that changes what is allowed is noticed: as access gained or lost, a guarantee lost, a refuted claim or a
failed test.

A mutation that nothing tells of is held against `decide` on flows around what was changed: no difference may be found there.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.verify.networks import AT
from ztosc.compare import compare
from ztosc.compiler import compile_project, verify_network
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import DevicePrincipal, Flow, Host, Person, Place, Principal, ServiceEndpoint
from ztosc.ir.intent import Intent, Rule
from ztosc.ir.network import Network
from ztosc.ir.values import TRUE, Ref, Validity
from ztosc.logic import ports
from ztosc.source import DiskLoader
from ztosc.verify import run_tests
from ztosc.verify.cells import cells
from ztosc.verify.domains import Domains
from ztosc.verify.moments import Timeline
from ztosc.verify.scope import destinations, starts

ROOT = Path(__file__).resolve().parents[2] / "examples"
EXAMPLES = sorted(path.parent.relative_to(ROOT).as_posix() for path in ROOT.rglob("ztos.toml"))
ROUNDS = 24
"""Mutations an example."""

Mutation = Callable[[Intent, random.Random], Intent | None]


@cache
def network(name: str) -> Network:
    found = compile_project(DiskLoader(ROOT / name), AT)
    assert found.network is not None, found.diagnostics
    return found.network


def changed(intent: Intent, rule: Rule, **fields: Any) -> Intent:
    """The intent with one rule changed; its id is made from its content, so it is another."""
    made = tuple(each.model_copy(update={"id": f"{each.id}-changed", **fields}) if each is rule else each for each in intent.rules)
    return intent.model_copy(update={"rules": made})


def a_rule(intent: Intent, chance: random.Random, fits: Callable[[Rule], bool]) -> Rule | None:
    found = [rule for rule in intent.rules if not rule.id.startswith("system-") and fits(rule)]
    return chance.choice(found) if found else None


def flip_a_deny(intent: Intent, chance: random.Random) -> Intent | None:
    rule = a_rule(intent, chance, lambda each: each.effect == "deny" and not each.quarantine)
    return changed(intent, rule, effect="allow", ports=rule.ports or ports.ANY) if rule else None


def flip_an_allow(intent: Intent, chance: random.Random) -> Intent | None:
    rule = a_rule(intent, chance, lambda each: each.effect == "allow")
    return changed(intent, rule, effect="deny") if rule else None


def remove_a_deny(intent: Intent, chance: random.Random) -> Intent | None:
    rule = a_rule(intent, chance, lambda each: each.effect == "deny")
    return intent.model_copy(update={"rules": tuple(each for each in intent.rules if each is not rule)}) if rule else None


def drop_a_guard(intent: Intent, chance: random.Random) -> Intent | None:
    rule = a_rule(intent, chance, lambda each: each.guard != TRUE and each.effect == "allow")
    return changed(intent, rule, guard=TRUE) if rule else None


def drop_a_time(intent: Intent, chance: random.Random) -> Intent | None:
    rule = a_rule(intent, chance, lambda each: each.validity != Validity() and each.effect == "allow")
    return changed(intent, rule, validity=Validity()) if rule else None


def drop_a_requirement(intent: Intent, chance: random.Random) -> Intent | None:
    found = [role for role in intent.roles if role.requires != TRUE]
    role = chance.choice(found) if found else None
    made = tuple(each.model_copy(update={"requires": TRUE}) if each is role else each for each in intent.roles)
    return intent.model_copy(update={"roles": made}) if role else None


def widen_a_port(intent: Intent, chance: random.Random) -> Intent | None:
    rule = a_rule(intent, chance, lambda each: each.effect == "allow" and bool(each.ports))
    if rule is None:
        return None
    low, high, first, last = chance.choice(rule.ports or ())
    wider = ports.union(rule.ports or (), ((low, high, max(0, first - 1), min(65535, last + 1)),))
    return changed(intent, rule, ports=wider)


def widen_a_service(intent: Intent, chance: random.Random) -> Intent | None:
    service = chance.choice(intent.services)
    wider = ports.union(service.listen, ((6, 6, 7, 7),))
    made = tuple(each.model_copy(update={"listen": wider}) if each is service else each for each in intent.services)
    return intent.model_copy(update={"services": made})


def widen_a_prefix(intent: Intent, chance: random.Random) -> Intent | None:
    found = [each for each in intent.externals if any(not prefix.endswith("/0") for prefix in each.reach)]
    if not found:
        return None
    external = chance.choice(found)
    wider = tuple(str(ipaddress.ip_network(each).supernet()) if not each.endswith("/0") else each for each in external.reach)
    made = tuple(each.model_copy(update={"reach": wider}) if each is external else each for each in intent.externals)
    return intent.model_copy(update={"externals": made})


def add_a_hop(intent: Intent, chance: random.Random) -> Intent | None:
    here, there = chance.sample([each.name for each in intent.segments], 2)
    first = intent.rules[0]
    fields = {"id": "hop", "effect": "allow", "subjects": (Ref(kind="segment", name=here),), "targets": (Ref(kind="segment", name=there),)}
    more = {"ports": ((6, 6, 4711, 4711),), "guard": TRUE, "validity": Validity(), "quarantine": False}
    return intent.model_copy(update={"rules": (*intent.rules, first.model_copy(update={**fields, **more}))})


def widen_a_role(intent: Intent, chance: random.Random) -> Intent | None:
    role = chance.choice(intent.roles)
    others = [each.name for each in intent.segments if each.name not in role.sources]
    made = tuple(
        each.model_copy(update={"sources": tuple(sorted((*role.sources, chance.choice(others))))}) if each is role else each
        for each in intent.roles
    )
    return intent.model_copy(update={"roles": made}) if others else None


MUTATIONS: tuple[Mutation, ...] = (
    flip_a_deny,
    flip_an_allow,
    remove_a_deny,
    drop_a_guard,
    drop_a_time,
    drop_a_requirement,
    widen_a_port,
    widen_a_service,
    widen_a_prefix,
    add_a_hop,
    widen_a_role,
)


def noticed(old: Network, new: Network) -> bool:
    """Whether anything tells of the change."""
    found = compare(old, new)
    if found.gained or found.lost or found.guarantees:
        return True
    return any(each.verdict == "refuted" for each in verify_network(new)) or not all(each.passed for each in run_tests(new))


def principals(policy: Policy, source: str, chance: random.Random, attributes: tuple[tuple[str, Any], ...]) -> Iterator[Principal]:
    """Some of each kind that may be in a segment."""
    yield Host(attributes=attributes)
    yield from (DevicePrincipal(device=name, attributes=attributes) for name in policy.segments[source].admits)
    yield from (ServiceEndpoint(service=each.name, attributes=attributes) for each in policy.intent.services if each.segment == source)
    roles = [role.name for role in policy.intent.roles if source in role.sources]
    for size in range(1, min(3, len(roles)) + 1):
        yield Person(roles=tuple(sorted(chance.sample(roles, size))), attributes=attributes)


def difference(old: Network, new: Network, chance: random.Random) -> Flow | None:
    """A flow around what was changed that is decided otherwise, if some thousand tries find one."""
    one, other = Policy(old.intent), Policy(new.intent)
    before = {id(each) for each in (*old.intent.rules, *old.intent.roles, *old.intent.services)}
    touched = [rule for rule in new.intent.rules if id(rule) not in before] or [rule for rule in new.intent.rules if rule.effect == "allow"]
    guards = [rule.guard for rule in new.intent.rules] + [role.requires for role in new.intent.roles]
    domains = Domains(guards, one.types, old.at)
    moments = Timeline(old).moments
    for _ in range(400):
        rule = chance.choice(touched)
        begin = [start.place.name for ref in rule.subjects for start in starts(other, ref) if start.place.kind == "segment"]
        ends = [end for ref in rule.targets for end in destinations(other, ref)]
        if not begin or not ends:
            continue
        source, end = chance.choice(begin), chance.choice(ends)
        facts = tuple((name, chance.choice(domains.values(name))) for name in domains.names if chance.random() < 0.8)
        protocol, port = chance.choice([*cells(one, end), *cells(other, end)])
        for principal in principals(other, source, chance, facts):
            here = Place(kind="segment", name=source)
            flow = Flow(source=here, principal=principal, destination=end, protocol=protocol, port=port, instant=chance.choice(moments))
            if one.decide(flow).effect != other.decide(flow).effect:
                return flow
    return None


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_mutation_is_noticed_or_changes_nothing(name: str) -> None:
    chance = random.Random(name)
    old, told, tried = network(name), 0, 0
    for number in range(ROUNDS):
        mutation = MUTATIONS[number % len(MUTATIONS)]
        intent = mutation(old.intent, chance)
        if intent is None:
            continue
        tried += 1
        new = old.model_copy(update={"intent": intent})
        if noticed(old, new):
            told += 1
        else:
            found = difference(old, new, chance)
            assert found is None, f"{mutation.__name__} went unnoticed: {found}"
    assert told >= 0.8 * tried > 10, f"{told} of {tried} were noticed: the others change nothing, or nobody looks"
