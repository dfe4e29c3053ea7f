"""What declarations promise, clause by clause: weaker now than it was?

Guarantees: of a thing that both revisions have, every clause that bounds what may happen to it is compared; a thing that is gone takes
with it what it promised of itself, but a label that is gone has let go of everything that it demanded.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ztosc.compare.model import Guarantee, Loss
from ztosc.ir.acceptance import Topic
from ztosc.ir.intent import Declared, Governance, Intent
from ztosc.ir.values import Jurisdiction
from ztosc.source import Span

ENCRYPTION = ("none", "hop", "end-to-end")
PROOFS = ("mac", "inventory", "certificate")
KINDS = ("shared", "exclusive", "dot1x")


@dataclass(frozen=True)
class Clause:
    """A clause that bounds: how it is asked for, when it is weaker, how it reads."""

    word: str
    of: Callable[[Any], Any]
    weaker: Callable[[Any, Any], bool]
    text: Callable[[Any], str]


def _seconds(value: int | None) -> str:
    if value is None:
        return ""
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if value and value % size == 0:
            return f"{value // size}{unit}"
    return f"{value}s"


def _longer(old: int | None, new: int | None) -> bool:
    """A bound in time that is gone, or later."""
    return old is not None and (new is None or new > old)


def _other(old: Any, new: Any) -> bool:
    return bool(old != new)


def _granted(old: Any, new: Any) -> bool:
    """A freedom that was not there."""
    return bool(new) and not old


def _dropped(old: Any, new: Any) -> bool:
    return bool(old) and not new


def _wider(old: Jurisdiction | None, new: Jurisdiction | None) -> bool:
    return old is not None and (new is None or not all(old.holds(country) for country in new.countries))


def _lower(order: Sequence[str]) -> Callable[[str, str], bool]:
    return lambda old, new: order.index(new) < order.index(old)


def _grown(old: Iterable[str], new: Iterable[str]) -> bool:
    return not set(new) <= set(old)


def inside(prefix: str, reach: Iterable[str]) -> bool:
    """Whether a prefix lies in one of some prefixes."""
    inner = ipaddress.ip_network(prefix)
    first, last = int(inner.network_address), int(inner.broadcast_address)
    outer = [ipaddress.ip_network(each) for each in reach]
    return any(
        inner.version == each.version and int(each.network_address) <= first and last <= int(each.broadcast_address) for each in outer
    )


def _farther(old: Iterable[str], new: Iterable[str]) -> bool:
    return not all(inside(prefix, old) for prefix in new)


def _place(value: Jurisdiction | None) -> str:
    return value.text if value else ""


def _flag(value: Any) -> str:
    return "yes" if value else ""


def _list(value: Iterable[str]) -> str:
    return ", ".join(value)


def _plain(value: Any) -> str:
    return "" if value is None else str(value)


GOVERNED = (
    Clause("idle", lambda each: each.governance.idle, _longer, _seconds),
    Clause("log", lambda each: each.governance.log_to, lambda old, new: old is not None and new != old, _plain),
)
CLAUSES: dict[str, tuple[str, tuple[Clause, ...]]] = {
    "label": (
        "labels",
        (
            Clause("encryption", lambda each: each.encryption, _lower(ENCRYPTION), str),
            Clause("rekey", lambda each: each.rekey, _longer, _seconds),
            Clause("psk", lambda each: each.psk, _dropped, _flag),
            Clause("within", lambda each: each.within, _wider, _place),
            Clause("retention", lambda each: each.retention, lambda old, new: old is not None and new != old, _seconds),
        ),
    ),
    "segment": (
        "segments",
        (
            Clause("within", lambda each: each.within, _wider, _place),
            Clause("observe", lambda each: each.observe, _granted, _flag),
            Clause("access", lambda each: each.access_tunnel, _dropped, lambda value: "tunnel" if value else ""),
            Clause("mdns", lambda each: each.mdns, _granted, _flag),
            Clause("multicast", lambda each: each.multicast, _grown, _list),
            Clause("stretched", lambda each: each.stretched, _granted, _flag),
            *GOVERNED,
        ),
    ),
    "role": (
        "roles",
        (
            Clause("stale", lambda each: each.stale, _longer, _seconds),
            Clause("break-glass", lambda each: each.break_glass, _longer, _seconds),
            *GOVERNED,
        ),
    ),
    "attribute": (
        "attributes",
        (
            Clause("max-age", lambda each: each.max_age, _longer, _seconds),
            Clause("source", lambda each: each.source, lambda old, new: old is not None and new != old, _plain),
        ),
    ),
    "class": ("devices", (Clause("recognised", lambda each: each.recognised_by, _lower(PROOFS), str),)),
    "service": ("services", GOVERNED),
    "external": ("externals", (Clause("reach", lambda each: each.reach, _farther, _list), *GOVERNED)),
    "partner": ("partners", (Clause("domain", lambda each: each.domain, _other, str), Clause("ca", lambda each: each.ca, _other, str))),
    "region": ("regions", (Clause("country", lambda each: each.country, _other, _plain),)),
}
"""By kind of topic: where the Intent has such things, and the clauses of each."""


def clauses_lost(old: Intent, new: Intent) -> Iterator[Guarantee]:
    """Clauses that bound less than they did."""
    for kind, (field, clauses) in CLAUSES.items():
        after = {each.name: each for each in getattr(new, field)}
        for thing in getattr(old, field):
            other = after.get(thing.name)
            if other is None and kind != "label":
                continue
            for clause in clauses:
                yield from _clause(kind, clause, thing, other)
    known = {each.name for each in old.segments}
    for segment in new.segments:
        if segment.observe and segment.name not in known:
            topic = Topic(kind="segment", name=segment.name, clause="observe")
            text = f"`observe` of segment `{segment.name}` is there now: nothing is enforced in it"
            yield Guarantee(topic=topic, loss="added", text=text, new=segment.origin)


def _clause(kind: str, clause: Clause, old: Declared, new: Declared | None) -> Iterator[Guarantee]:
    before = clause.of(old)
    after = clause.of(new) if new is not None else clause.of(type(old)(name=old.name, origin=old.origin))
    if not clause.weaker(before, after):
        return
    said, says = clause.text(before), clause.text(after)
    gone = new is None or not says
    loss: Loss = "removed" if gone else "added" if not said else "weakened"
    thing = "device" if kind == "class" else kind
    told = f"`{clause.word}` of {thing} `{old.name}`" + (f" was {said}" if said and said != "yes" else "")
    text = f"{told}{' and' if said and said != 'yes' else ''} is {says if says and says != 'yes' else 'gone' if gone else 'there now'}"
    yield Guarantee(
        topic=Topic(kind=kind, name=old.name, clause=clause.word),
        loss=loss,
        text=text,
        before=said,
        after=says,
        old=old.origin,
        new=new.origin if new else None,
    )


# What stands behind the name of a thing: one topic each


def relations_lost(old: Intent, new: Intent) -> Iterator[Guarantee]:
    """Labels taken off, classes let in, data released, orders of labels dropped."""
    segments, labels = {each.name: each for each in new.segments}, {each.name: each for each in new.labels}
    for segment in old.segments:
        there = segments.get(segment.name)
        if there is not None:
            gone = [name for name in segment.carries if name not in there.carries]
            yield from (_related("segment", segment.name, f"carries {name}", "removed", segment.origin, there.origin) for name in gone)
            come = [name for name in _admitted(there) if name not in _admitted(segment)]
            yield from (_related("segment", segment.name, f"admits {name}", "added", segment.origin, there.origin) for name in come)
    for label in old.labels:
        other = labels.get(label.name)
        gone = [name for name in label.above if other is None or name not in other.above]
        yield from (
            _related("label", label.name, f"above {name}", "removed", label.origin, other.origin if other else None) for name in gone
        )
    yield from _releases(old, new)


def _admitted(segment: Any) -> tuple[str, ...]:
    people = ("people",) if segment.admits_people else ()
    return (*people, *(("unknown",) if segment.admits_unknown else ()), *segment.admits)


def _releases(old: Intent, new: Intent) -> Iterator[Guarantee]:
    for kind, field in (("segment", "segments"), ("role", "roles"), ("service", "services"), ("external", "externals")):
        before = {each.name: each for each in getattr(old, field)}
        for thing in getattr(new, field):
            known = released(before[thing.name].governance) if thing.name in before else frozenset()
            origin = before[thing.name].origin if thing.name in before else None
            for label in sorted(released(thing.governance) - known):
                yield _related(kind, thing.name, f"releases {label}", "added", origin, thing.origin)


def released(governance: Governance) -> frozenset[str]:
    """The labels that somebody signed for."""
    return frozenset(each.label for each in governance.releases)


def _related(kind: str, name: str, clause: str, loss: Any, old: Span | None, new: Span | None) -> Guarantee:
    relation, _, other = clause.partition(" ")
    words = f"{kind} `{name}` {relation} `{other}`"
    text = f"{words} no more" if loss == "removed" else f"{words} now"
    return Guarantee(topic=Topic(kind=kind, name=name, clause=clause), loss=loss, text=text, old=old, new=new)
