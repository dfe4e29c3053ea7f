"""Claims about single flows, checked: `never reaches` and `only … reach`, proved by texts or refuted by a flow.

Guarantees: every question of the claim is found in the network itself; its text must be there, say part by part what the network says, and
be unsatisfiable. A text too many is refused as well: a certificate says what is needed and no more.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.ir.assertions import NeverReaches, OnlyReach
from ztosc.ir.certificate import Flows, Slices, SliceText
from ztosc.ir.flow import Flow, Place
from ztosc.ir.values import Ref
from ztosc.recheck.clock import TooMuch
from ztosc.recheck.formula import Formula, Term, conjunction, disjunction, negation
from ztosc.recheck.questions import Limits, Question, Questions
from ztosc.recheck.smt2 import BadText, normal, read, written


class Refused(Exception):
    """A certificate that does not show what it says; the text says where."""


Pair = tuple[Place, Place, Ref | None, tuple[Ref, ...]]
"""From, to, as which role, device or service, and who does not count."""


def pairs(questions: Questions, claim: NeverReaches | OnlyReach) -> Iterator[Pair]:
    """Every pair of ends that a claim speaks of."""
    names = questions.names
    if isinstance(claim, NeverReaches):
        for ref in claim.subjects:
            for place in names.places(ref):
                yield from ((place, end, ref, ()) for target in claim.targets for end in names.ends(target))
        return
    for target in claim.targets:
        outside = (*claim.subjects, target)
        yield from ((place, end, None, outside) for end in names.ends(target) for place in names.everywhere)


def proved(questions: Questions, claim: NeverReaches | OnlyReach, evidence: Slices) -> str:
    """Check the texts. Raises `Refused`, `NoAnswer`, `TooMuch`."""
    names, at = questions.names, questions.clock.at
    texts = _by_key(evidence)
    used: set[object] = set()
    touched: list[Place] = []
    for source, end, ref, outside in pairs(questions, claim):
        touched += [end] if isinstance(claim, OnlyReach) else [source, end]
        for question in questions.ask(source, end, at, None, ref, Limits(outside)):
            key = (*question.key, tuple(each.name for each in outside))
            used.add(key)
            if key not in texts:
                raise Refused(f"no text for {_told(question)}")
            formula = questions.formula(question, outside)
            _means(questions, formula, texts[key], _told(question))
            if not questions.nobody(formula, at, None):
                raise Refused(f"somebody may: {_told(question)}")
    if len(used) != len(texts):
        raise Refused("it has a text that no part of the claim asks for")
    if lax := names.observing(touched):
        raise Refused(f"`{lax}` only observes")
    return f"{len(used)} texts say what the network says, and nobody satisfies one; every other pair has no grant"


def _by_key(evidence: Slices) -> dict[object, SliceText]:
    found: dict[object, SliceText] = {}
    for each in evidence.slices:
        key = (each.source, each.who, each.destination, each.allows, each.denies, each.free, each.outside)
        if key in found:
            raise Refused("it has a text twice")
        found[key] = each
    return found


def _told(question: Question) -> str:
    return f"{question.who.text} from `{question.source.name}` to `{question.destination.service or question.destination.name}`"


def _means(questions: Questions, formula: Formula, text: SliceText, told: str) -> None:
    """Whether a text says part by part what the network says."""
    try:
        said = read(text.smt2)
    except BadText as error:
        raise Refused(f"the text for {told} cannot be read: {error}") from None
    own: dict[str, Term] = dict(formula.parts)
    if formula.speaks_of_now:
        own["now"] = ("<=", questions.clock.at, "now")
    if set(said) != set(own):
        raise Refused(f"the text for {told} leaves something out or adds something")
    for name, term in own.items():
        if said[name] != term and normal(said[name]) != normal(term) and not _equivalent(questions, said[name], term):
            raise Refused(f"the text for {told} says something else of `{name}` than the network")


def _equivalent(questions: Questions, one: Term, other: Term) -> bool:
    apart = disjunction([conjunction([one, negation(other)]), conjunction([negation(one), other])])
    return apart is False or (apart is not True and not questions.solver.satisfiable(written({"apart": apart})))


def refuted(questions: Questions, claim: NeverReaches | OnlyReach, evidence: Flows) -> str:
    """Replay the flow. Raises `Refused`."""
    if len(evidence.flows) != 1:
        raise Refused("it takes one flow to refute this")
    flow = evidence.flows[0]
    replayed(questions, flow)
    names = questions.names
    for source, end, ref, outside in pairs(questions, claim):
        about = (source, end) == (flow.source, flow.destination) and not names.is_subject(outside, flow)
        if about and (ref is None or names.is_subject([ref], flow)):
            return "the flow is allowed, and the claim says that it never is"
    raise Refused("the flow has nothing to do with the claim")


def replayed(questions: Questions, flow: Flow) -> None:
    """A flow that is one, at a time that counts, and allowed. Raises `Refused`."""
    if flow.instant < questions.clock.at:
        raise Refused("a flow lies before the clock of the certificate")
    if flow.instant >= questions.clock.horizon:
        raise TooMuch("instants behind the horizon")
    if not (0 <= flow.protocol <= 255 and 0 <= flow.port <= 65_535):
        raise Refused("a flow has no such protocol or port")
    if flow.source not in questions.names.everywhere or not _can_be(questions, flow):
        raise Refused("a flow starts at a place, or with an initiator, that the network does not have there")
    if not questions.names.policy.decide(flow).allowed:
        raise Refused("a flow is denied")


def _can_be(questions: Questions, flow: Flow) -> bool:
    """Whether the initiator can be where the flow starts, and has attributes that their types have."""
    names, who = questions.names, flow.principal
    roles = getattr(who, "roles", ())
    if any(role not in names.policy.roles for role in roles) or any(not names.has_value(*each) for each in who.attributes):
        return False
    kinds = {each.kind + each.name for each in names.who(flow.source)}
    named = who.kind + str(getattr(who, "device", getattr(who, "service", "")))
    return named in kinds or (who.kind == "person" and not roles)
