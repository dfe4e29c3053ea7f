"""Who and what is in the inventory, and the numbers of the lock: by name, before and after.

Guarantees: of everybody and everything that both revisions list, each role, class, attribute and proof that differs is told once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ztosc.compare.model import Membership, Number
from ztosc.ir.acceptance import Topic
from ztosc.ir.guards import value_text
from ztosc.ir.intent import Intent
from ztosc.ir.inventory import Device, Listed, Person

Numbers = Mapping[tuple[str, str], int | str]
"""Numbers by kind and name."""

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


def numbers_changed(old: Numbers, new: Numbers) -> tuple[Number, ...]:
    """Numbers that a name had and has no more, serials left out, which count what changes."""
    found = []
    for kind, name in sorted(old.keys() & new.keys()):
        before, after = old[kind, name], new[kind, name]
        if before != after and kind != "serial":
            text = f"`{kind}` of `{name}` is {after} and was {before}"
            found.append(Number(topic=Topic(kind="lock", name=f"{kind} {name}"), text=text, before=str(before), after=str(after)))
    return tuple(found)
