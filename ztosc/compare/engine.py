"""`compare`: two networks to everything that a review of the change has to know.

Guarantees: what widens is named as accepted only by an acceptance that the old network does not have: one that was there before has been
used, and accepts nothing any more. An assertion of the old network that the new one does not have is judged in the new network as well,
where all its names are still there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ztosc.compare.access import Access, compare_access
from ztosc.compare.claims import assertions_lost, tests_lost
from ztosc.compare.exceptions import (
    attachments_weakened,
    externals_grown,
    links_weakened,
    management_widened,
    regimes_lost,
    rules_weakened,
    separations_lost,
    waivers_added,
)
from ztosc.compare.members import memberships, number_names, numbers_changed
from ztosc.compare.model import Comparison, Guarantee, Idle, Membership, Number
from ztosc.compare.things import clauses_lost, relations_lost
from ztosc.compare.words import regions
from ztosc.diagnostics.near import near
from ztosc.ir.acceptance import Acceptance, Topic, waiver_clause
from ztosc.ir.assertions import Assertion
from ztosc.ir.base import canonical
from ztosc.ir.intent import Intent
from ztosc.ir.network import Network
from ztosc.ir.values import Ref
from ztosc.ir.verdict import Verdict
from ztosc.logic.diagrams import TooLarge
from ztosc.source import Span
from ztosc.verify import verify
from ztosc.verify.scope import Undecided


def compare(old: Network, new: Network) -> Comparison:
    """Everything in which two revisions differ, and what of it somebody signed for."""
    before, after = old.intent, new.intent
    used = {canonical(each) for each in before.acceptances}
    fresh = tuple(each for each in after.acceptances if canonical(each) not in used)
    spent = tuple(each for each in after.acceptances if canonical(each) in used)
    signing = _Signing(fresh)
    access, undecided = _access(old, new, fresh)
    gained = regions(access, True) if access else ()
    signing.uses |= {each.accepted for each in gained if each.accepted is not None}
    lost = [*_guarantees(before, after), *(_requires(access, before, after) if access else ())]
    members, numbers = memberships(before, after), numbers_changed(old, new)
    guarantees = tuple(signing.guarantee(each) for each in sorted(lost, key=_order))
    return Comparison(
        gained=gained,
        lost=regions(access, False) if access else (),
        undecided=undecided,
        guarantees=(*guarantees, *_signed(fresh)),
        memberships=tuple(signing.membership(each) for each in members),
        numbers=tuple(signing.number(each) for each in numbers),
        idle=(*_idle(fresh, signing.uses, old, new), *(_idle_one(each, "spent") for each in spent)),
        base=_judged(before, new),
    )


def _order(each: Guarantee) -> tuple[str, str, str]:
    return each.topic.kind, each.topic.name, each.topic.clause


def _access(old: Network, new: Network, acceptances: tuple[Acceptance, ...]) -> tuple[Access | None, tuple[str, ...]]:
    try:
        found = compare_access(old, new, acceptances)
    except (Undecided, TooLarge) as limit:
        return None, (str(limit),)
    return found, tuple(f"access to `{end.service or end.name}`: {why}" for end, why in found.undecided.items())


def _guarantees(old: Intent, new: Intent) -> Iterator[Guarantee]:
    yield from assertions_lost(old, new)
    yield from tests_lost(old, new)
    yield from clauses_lost(old, new)
    yield from relations_lost(old, new)
    yield from separations_lost(old, new)
    yield from regimes_lost(old, new)
    yield from waivers_added(old, new)
    yield from management_widened(old, new)
    yield from links_weakened(old, new)
    yield from attachments_weakened(old, new)
    yield from rules_weakened(old, new)
    yield from externals_grown(old, new)


def _requires(access: Access, old: Intent, new: Intent) -> Iterator[Guarantee]:
    """Roles that ask for less than they did, at some moment."""
    before = {role.name: role for role in old.roles}
    one, other = access.encoding.readings
    for role in new.roles:
        former = before.get(role.name)
        if former is None or former.requires == role.requires:
            continue
        instants = sorted({*one.instants(), *other.instants()})
        pairs = [(one.truth(former.requires, at)[0], other.truth(role.requires, at)[0]) for at in instants]
        if not all(access.diagrams.implies(now, then) for then, now in pairs):
            topic = Topic(kind="role", name=role.name, clause="requires")
            text = f"role `{role.name}` requires less than it did"
            yield Guarantee(topic=topic, loss="weakened", text=text, old=former.origin, new=role.origin)


def _signed(fresh: tuple[Acceptance, ...]) -> Iterator[Guarantee]:
    """Each acceptance that this change adds, for the review to see; it is its own signature."""
    for each in fresh:
        approved = " and ".join(each.approved_by)
        text = f"accepted: {each.named()}, because “{each.because}”, approved by {approved}"
        topic = Topic(kind="accept", name=each.named())
        yield Guarantee(topic=topic, loss="added", text=text, new=each.origin, accepted=each.origin)


class _Signing:
    """Who signed for which topic, and which acceptances that used."""

    def __init__(self, fresh: Iterable[Acceptance]) -> None:
        self._by_topic: dict[Topic, Span] = {}
        for each in fresh:
            for topic in each.topics:
                self._by_topic.setdefault(topic, each.origin)
        self.uses: set[Span] = set()

    def _find(self, topic: Topic) -> Span | None:
        found = self._by_topic.get(topic)
        if found is not None:
            self.uses.add(found)
        return found

    def guarantee(self, each: Guarantee) -> Guarantee:
        """With the acceptance that names it, or the one that would."""
        return each.model_copy(update={"accepted": self._find(each.topic), "accept": f"accept widening {each.topic.text()}"})

    def membership(self, each: Membership) -> Membership:
        """As `guarantee`; what does not widen needs none."""
        if not each.widens:
            return each
        return each.model_copy(update={"accepted": self._find(each.topic), "accept": f"accept widening {each.topic.text()}"})

    def number(self, each: Number) -> Number:
        """As `guarantee`."""
        return each.model_copy(update={"accepted": self._find(each.topic), "accept": f"accept widening {each.topic.text()}"})


# Acceptances that accept nothing


def _idle(fresh: tuple[Acceptance, ...], uses: set[Span], old: Network, new: Network) -> Iterator[Idle]:
    for each in fresh:
        missing = [(topic, known) for topic in each.topics if (known := _known(topic, old, new)) is not None]
        if missing:
            topic, known = missing[0]
            yield Idle(topic=topic.text(), why="unknown", near=near(_word(topic), known) or "", origin=each.origin)
        elif each.origin not in uses:
            yield _idle_one(each, "unused")


def _idle_one(each: Acceptance, why: str) -> Idle:
    return Idle.model_validate({"topic": each.named(), "why": why, "origin": each.origin})


def _word(topic: Topic) -> str:
    """What of a topic may name something that is gone."""
    if topic.kind in ("segment", "label", "person", "device") and " " in topic.clause:
        return topic.clause.partition(" ")[2]
    return topic.clause if topic.kind == "control" else topic.name


def _known(topic: Topic, old: Network, new: Network) -> list[str] | None:
    """What there is in either revision, where a topic names nothing of it; else nothing."""
    intents = (old.intent, new.intent)
    match topic.kind:
        case "assert":
            found = [" ".join(each.statement.split()) for each in intents[0].assertions]
        case "test":
            found = [" ".join(each.name.split()) for each in intents[0].tests]
        case "comply":
            found = [each.profile for intent in intents for each in intent.compliance]
        case "control":
            profiles = [each for intent in intents for each in intent.profiles if each.name == topic.name]
            found = [waiver_clause(control.name, ()) for each in profiles for control in each.controls]
        case "lock":
            found = [*number_names(old), *number_names(new)]
        case "label":
            found = [each.name for intent in intents for each in intent.labels]
            return None if topic.name in found else found
        case "segment" if topic.clause.startswith("carries "):
            found = [each.name for intent in intents for each in intent.labels]
        case "person" if topic.clause.startswith("without "):
            found = [each.name for intent in intents for each in intent.roles]
        case _:
            return None
    return None if _word(topic) in found else found


# The claims of the old revision


def _judged(old: Intent, new: Network) -> tuple[Verdict, ...]:
    """Verdicts on the assertions that only the old revision has, of what is still there."""
    there = {_claim(each) for each in new.intent.assertions}
    names = _names(new.intent)
    claims = tuple(each for each in old.assertions if _claim(each) not in there and _refs(each) <= names)
    if not claims:
        return ()
    intent = new.intent.model_copy(update={"assertions": claims, "compliance": ()})
    return tuple(each for each in verify(new.model_copy(update={"intent": intent})) if each.kind == "assert")


def _claim(claim: Assertion) -> bytes:
    return canonical(claim.model_copy(update={"statement": ""}))


def _refs(claim: Assertion) -> frozenset[tuple[str, str]]:
    found: list[Ref] = [ref for name in ("subjects", "targets", "through") for ref in getattr(claim, name, ())]
    label = getattr(claim, "label", None)
    return frozenset((ref.kind, ref.name) for ref in found) | ({("label", label)} if label else set())


def _names(intent: Intent) -> set[tuple[str, str]]:
    fields = {
        "role": intent.roles,
        "segment": intent.segments,
        "device": intent.devices,
        "service": intent.services,
        "external": intent.externals,
        "label": intent.labels,
        "system": intent.systems,
    }
    return {(kind, each.name) for kind, things in fields.items() for each in things} | {("segments", "*")}
