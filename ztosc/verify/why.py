"""Why a flow is allowed, or everything that would have to change for it.

Guarantees: the decision is `decide`'s own. For a denied flow, every rule about its target is looked at from all sides (subject, ports,
time, each attribute of the guard), not only at the first thing in which it differs; each way in `ways` is a whole one: what an allow
lacks, and every deny that fires besides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ztosc.ir.base import Model
from ztosc.ir.clock import in_force, instant_text
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import Decision, DevicePrincipal, Flow, Person, ServiceEndpoint
from ztosc.ir.guards import attributes_of, evaluate, text
from ztosc.ir.intent import Governance, Rule
from ztosc.ir.network import Network
from ztosc.ir.values import Ref
from ztosc.logic import ports
from ztosc.source import Span
from ztosc.verify import words
from ztosc.verify.assurance import Assurances, Basis
from ztosc.verify.enforcement import Edges, edges
from ztosc.verify.moments import validity_text


class Difference(Model):
    """One rule about the target, and what stands between it and the flow, a sentence each."""

    rule: Rule
    origin: Span
    changes: tuple[str, ...]


class Grounds(Model):
    """What an allowed flow rests on: where it is enforced, how surely the initiator is known, for how long, and who answers for it."""

    enforced: Edges
    assurance: Basis
    holds: str
    """When the grant holds, in words; empty: always."""
    because: str | None
    governance: Governance


class Change(Model):
    """One thing that would have to change, and the rule or separation that it is about; `new` is in no source yet."""

    about: Literal["allow", "deny", "separate", "new"]
    text: str
    origin: Span | None


class Way(Model):
    """A set of changes after which the flow would be allowed, all of them together."""

    changes: tuple[Change, ...]


class Explanation(Model):
    """The decision about a flow in words.

    `guard` is what the deciding rule asked for, as the language writes it (empty: nothing, or no rule decided); `grounds` are there for an
    allowed flow. Where the flow is denied, `ways` are what could be changed, the shortest first, and `nearest` the rules about its target,
    those with the least to change first.
    """

    flow: Flow
    decision: Decision
    sentence: str
    guard: str = ""
    grounds: Grounds | None = None
    ways: tuple[Way, ...] = ()
    nearest: tuple[Difference, ...] = ()


def why(network: Network, flow: Flow, policy: Policy | None = None) -> Explanation:
    """The explanation of one flow; give the `Policy` to explain many."""
    policy = policy or Policy(network.intent)
    decision = policy.decide(flow)
    sentence = _sentence(policy, flow, decision)
    guard = _guard_text(policy, decision.rule, flow) if decision.rule else ""
    if decision.allowed:
        grounds = _grounds(network, policy, flow, decision.rule)
        return Explanation(flow=flow, decision=decision, sentence=sentence, guard=guard, grounds=grounds)
    found = [Difference(rule=rule, origin=rule.origin, changes=tuple(_changes(policy, rule, flow))) for rule, _ in policy.relevant(flow)]
    nearest = sorted(
        (each for each in found if each.changes), key=lambda each: (each.rule.effect != "deny", len(each.changes), each.origin)
    )
    ways = _ways(policy, flow)
    return Explanation(flow=flow, decision=decision, sentence=sentence, guard=guard, ways=ways, nearest=tuple(nearest))


def _grounds(network: Network, policy: Policy, flow: Flow, rule: Rule | None) -> Grounds:
    return Grounds(
        enforced=edges(network, flow),
        assurance=Assurances(network, policy).of_flow(rule, flow),
        holds=validity_text(rule.validity) if rule else "",
        because=rule.because if rule else None,
        governance=rule.governance if rule else Governance(),
    )


def _ways(policy: Policy, flow: Flow) -> tuple[Way, ...]:
    """Every allow about the target that could be made to match, and a new one; whichever it is, the denies that fire must go besides."""
    rules = [rule for rule, _ in policy.relevant(flow)]
    denies = (rule for rule in rules if rule.effect == "deny")
    common = [Change(about="deny", text=change, origin=rule.origin) for rule in denies for change in _changes(policy, rule, flow)]
    clash = policy.separated(flow)
    common += [Change(about="separate", text=_apart(clash), origin=_separation(policy, clash))] if clash else []
    missing = [(rule, tuple(_lacks(policy, rule, flow))) for rule in rules if rule.effect == "allow"]
    if any(not changes for _, changes in missing):  # an allow matches as it stands
        return (Way(changes=tuple(common)),)
    ways = [Way(changes=(*common, *(Change(about="allow", text=each, origin=rule.origin) for each in found))) for rule, found in missing]
    if flow.destination.name:
        new = f"no rule is there for it yet: `{_new_rule(flow)}`"
        ways.append(Way(changes=(*common, Change(about="new", text=new, origin=None))))
    first = Span("", 0, 0, 0, 0)
    return tuple(sorted(ways, key=lambda way: (len(way.changes), way.changes[-1].origin is None, way.changes[-1].origin or first)))


def _new_rule(flow: Flow) -> str:
    """The narrowest rule for the initiator's kind; a person without a role is whoever is in the segment."""
    match flow.principal:
        case Person(roles=(name, *_)) | DevicePrincipal(device=name) | ServiceEndpoint(service=name):
            who = name
        case _:
            who = flow.source.name
    return f"allow {who} to {flow.destination.service or flow.destination.name} on {words.port(flow.protocol, flow.port)}"


def _apart(clash: tuple[str, str]) -> str:
    return f"no session acts as both `{clash[0]}` and `{clash[1]}`"


def _separation(policy: Policy, clash: tuple[str, str]) -> Span:
    return next(each.origin for each in policy.intent.separations if set(clash) <= set(each.roles))


def _sentence(policy: Policy, flow: Flow, decision: Decision) -> str:
    who = f"{words.principal(policy, flow.principal)} in {words.place(flow.source)}"
    what = f"{words.port(flow.protocol, flow.port)} to {words.place(flow.destination)} at {instant_text(flow.instant)}"
    may = "may open" if decision.allowed else "may not open"
    return f"{who} {may} {what}: {decision.reason}{words.at(decision.rule.origin if decision.rule else None)}"


def _guard_text(policy: Policy, rule: Rule, flow: Flow) -> str:
    """The guard under which the rule decides: that of the first subject by which it does."""
    return next((text(policy.effective_guard(rule, ref)) for ref in _deciding(policy, rule, flow)), "")


def _deciding(policy: Policy, rule: Rule, flow: Flow) -> Iterator[Ref]:
    for ref in rule.subjects:
        if policy.is_subject(ref, flow):
            found = evaluate(policy.effective_guard(rule, ref), dict(flow.principal.attributes), policy.types, flow.instant)
            if found is True or (rule.effect == "deny" and found is None):
                yield ref


def _changes(policy: Policy, rule: Rule, flow: Flow) -> Iterator[str]:
    """What would have to change so that an allow matches, or that a deny which matches no longer does."""
    if rule.effect == "deny":
        if policy.miss(rule, flow) is None:
            yield f"this deny matches, and a deny always wins{_under(policy, rule, flow)}"
        return
    clash = policy.separated(flow)
    if clash:
        yield _apart(clash)
    yield from _lacks(policy, rule, flow)


def _lacks(policy: Policy, rule: Rule, flow: Flow) -> Iterator[str]:
    """What keeps an allow from matching."""
    subjects = [ref for ref in rule.subjects if policy.is_subject(ref, flow)]
    if not subjects:
        yield f"it is granted to {_subjects(policy, rule)}"
    yield from _port_changes(policy, rule, flow)
    if not in_force(rule.validity, flow.instant):
        yield f"it holds {validity_text(rule.validity)}"
    if not any(True for _ in _deciding(policy, rule, flow)):
        yield from dict.fromkeys(change for ref in subjects or rule.subjects for change in _guard_changes(policy, rule, ref, flow))


def _subjects(policy: Policy, rule: Rule) -> str:
    def subject(ref: Ref) -> str:
        sources = policy.roles[ref.name].sources if ref.kind == "role" else ()
        return f"`{ref.name}`" + (" from " + words.listing(f"`{each}`" for each in sources) if sources else "")

    return words.listing(subject(ref) for ref in rule.subjects)


def _port_changes(policy: Policy, rule: Rule, flow: Flow) -> Iterator[str]:
    spoken = ports.union(*(policy.rule_ports(rule, ref) for ref in rule.targets if policy.is_target(ref, flow)))
    if not ports.contains(spoken, flow.protocol, flow.port):
        yield f"it is granted on {ports.text(spoken)}"


def _guard_changes(policy: Policy, rule: Rule, ref: Ref, flow: Flow) -> Iterator[str]:
    """The guard, and each attribute it asks for with the value it has."""
    guard = policy.effective_guard(rule, ref)
    attributes = dict(flow.principal.attributes)
    if evaluate(guard, attributes, policy.types, flow.instant) is True:
        return
    facts = (
        f"`{name}` is {words.value(policy.types[name], attributes[name]) if name in attributes else 'absent'}"
        for name in sorted(attributes_of(guard))
    )
    yield f"`{text(guard)}` must hold" + (f"; {words.listing(facts)}" if attributes_of(guard) else "")


def _under(policy: Policy, rule: Rule, flow: Flow) -> str:
    """What of a deny's guard was met, or could not be ruled out."""
    found = [change for ref in _deciding(policy, rule, flow) for change in _guard_changes(policy, rule, ref, flow)]
    if found:
        return " while it is not known that its condition fails: " + found[0].replace(" must hold", "")
    guard = _guard_text(policy, rule, flow)
    return f", as `{guard}` holds" if guard not in ("", "always") else ""
