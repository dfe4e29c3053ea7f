"""Who and what is in the inventory, and the numbers that names have (by the lock or by hand): by name, before and after.

Guarantees: of everybody and everything that both revisions list, each role, class, attribute and proof that differs is told once.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.compare.model import Membership, Number
from ztosc.ir.acceptance import Topic
from ztosc.ir.guards import value_text
from ztosc.ir.intent import Intent
from ztosc.ir.inventory import Device, Listed, Person
from ztosc.ir.network import Network

Name = tuple[str, str]
"""The kind of a number and whose it is."""

FACTS = ("segment", "mac", "certificate")


def memberships(old: Intent, new: Intent) -> tuple[Membership, ...]:
    """What people and devices have become and ceased to be."""
    shunned = _shunned(new)
    people = {each.name: each for each in old.inventory.people}
    devices = {each.name: each for each in old.inventory.devices}
    found: list[Membership] = []
    for person in new.inventory.people:
        found += _person(people.pop(person.name, None), person, shunned)
    for device in new.inventory.devices:
        found += _device(devices.pop(device.name, None), device, shunned)
    for gone in (*people.values(), *devices.values()):
        found.append(_gone(gone))
    return tuple(sorted(found, key=lambda each: (each.topic.kind, each.topic.name, each.topic.clause)))


def _shunned(intent: Intent) -> frozenset[str]:
    """Roles and classes without which somebody may do more: those that a deny or `separate` names."""
    denied = (ref.name for rule in intent.rules if rule.effect == "deny" for ref in rule.subjects if ref.kind in ("role", "device"))
    apart = (name for each in intent.separations for name in each.roles)
    keeping = {*denied, *apart}
    return frozenset(keeping | {role.name for role in intent.roles if keeping & set(role.includes)})


def _person(old: Person | None, new: Person, shunned: frozenset[str]) -> Iterator[Membership]:
    before = set(old.roles) if old else set()
    for role in sorted(set(new.roles) - before):
        yield _made("person", old, new, f"as {role}", "gained", f"`{new.name}` is `{role}` now", True)
    for role in sorted(before - set(new.roles)):
        yield _made("person", old, new, f"without {role}", "lost", f"`{new.name}` is not `{role}` any more", role in shunned)
    yield from _attributes("person", old, new)


def _device(old: Device | None, new: Device, shunned: frozenset[str]) -> Iterator[Membership]:
    if old is None or old.device_class != new.device_class:
        yield _made("device", old, new, f"as {new.device_class}", "gained", f"device `{new.name}` is `{new.device_class}` now", True)
    if old is None:
        return
    if old.device_class != new.device_class:
        text = f"device `{new.name}` is not `{old.device_class}` any more"
        yield _made("device", old, new, f"without {old.device_class}", "lost", text, old.device_class in shunned)
    for fact in FACTS:
        before, after = getattr(old, fact), getattr(new, fact)
        if before != after:
            text = f"`{fact}` of device `{new.name}` is {after or 'gone'} and was {before or 'not there'}"
            yield _made("device", old, new, f"with {fact}", "changed", text, True, before or "", after or "")
    yield from _attributes("device", old, new)


def _attributes(kind: str, old: Listed | None, new: Listed) -> Iterator[Membership]:
    before, after = dict(old.attributes) if old else {}, dict(new.attributes)
    for name in sorted(before.keys() | after.keys()):
        if old is not None and before.get(name) != after.get(name):
            was, now = (value_text(each[name]) if name in each else "absent" for each in (before, after))
            text = f"`{name}` of `{new.name}` is {now} and was {was}"
            yield _made(kind, old, new, f"with {name}", "changed", text, True, was, now)


def _made(
    kind: str, old: Listed | None, new: Listed, clause: str, change: str, text: str, widens: bool, before: str = "", after: str = ""
) -> Membership:
    told = {"topic": Topic(kind=kind, name=new.name, clause=clause), "change": change, "text": text, "before": before, "after": after}
    return Membership.model_validate({**told, "widens": widens, "old": old.origin if old else None, "new": new.origin})


def _gone(old: Listed) -> Membership:
    kind = "person" if isinstance(old, Person) else "device"
    what = f"{'' if kind == 'person' else 'device '}`{old.name}` is not listed any more"
    return Membership(topic=Topic(kind=kind, name=old.name), change="lost", text=what, widens=False, old=old.origin)


def numbers_changed(old: Network, new: Network) -> tuple[Number, ...]:
    """Numbers that a name had and has no more; what only follows from another one is left out."""
    before, after = _numbers(old), _numbers(new)
    changed = [key for key in sorted(before.keys() & after.keys()) if before[key][0] != after[key][0]]
    found = []
    for kind, name in changed:
        was, follows = before[kind, name]
        if not any(each in changed for each in follows):
            now = after[kind, name][0]
            text = f"`{kind}` of `{name}` is {now} and was {was}"
            found.append(Number(topic=Topic(kind="lock", name=f"{kind} {name}"), text=text, before=was, after=now))
    return tuple(found)


OVERLAY: Name = ("prefix", "overlay")


def number_names(network: Network) -> list[str]:
    """Every number that an acceptance may name."""
    return [f"{kind} {name}" for kind, name in _numbers(network)]


def _numbers(network: Network) -> dict[Name, tuple[str, tuple[Name, ...]]]:
    """Each number by kind and name, and the numbers that it follows from."""
    found: dict[Name, tuple[str, tuple[Name, ...]]] = {OVERLAY: (network.prefix, ()), ("asn", "overlay"): (str(network.asn), ())}
    homes = {each.name: each.segment for each in network.intent.services}
    for domain in network.domains:
        found["l3vni", domain.name] = (str(domain.l3vni), ())
    for segment in network.segments:
        found["vni", segment.segment] = (str(segment.vni), ())
        for place in segment.places:
            found["prefix", f"{segment.segment}@{place.site}"] = (place.prefix, (OVERLAY,))
    for end in network.endpoints:
        home = ("prefix", f"{homes[end.service]}@{end.site}")
        found["address", f"{end.service}#{end.replica}"] = (end.address, (OVERLAY, home))
    for system in network.anycast:
        found["address", system.system] = (system.address, (OVERLAY,))
    for tunnel in network.tunnels:
        found["port", tunnel.link] = (str(tunnel.port), ())
        found["tunnel", tunnel.link] = (f"{tunnel.a_address}, {tunnel.b_address}", (OVERLAY,))
    for plan in network.nodes:
        found["asn", plan.node] = (str(plan.asn), ())
        found["router-id", plan.node] = (plan.router_id, ())
        for loopback in plan.loopbacks:
            found["loopback", f"{plan.node}/{loopback.domain}"] = (loopback.address, (OVERLAY, ("router-id", plan.node)))
    for node in network.intent.nodes:
        found["underlay", node.name] = (node.underlay, ())
    return found
