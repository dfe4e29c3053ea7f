"""`decide(network, flow)`: the meaning of a policy, slow and obvious. Every faster engine is measured against this one.

A flow may be initiated iff at least one `allow` in force matches it and no `deny` in force matches it; an allow's guard (with the
role's `requires`) must be *true*, a deny fires on *true or unknown*. Everything else is denied, inside a segment too; replicas of
one service may talk on its listen ports.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from functools import cached_property
from typing import Literal, Protocol

from ztosc.ir.clock import in_force
from ztosc.ir.flow import Decision, DevicePrincipal, Flow, Person, Place, ServiceEndpoint
from ztosc.ir.guards import evaluate
from ztosc.ir.intent import Intent, Role, Rule
from ztosc.ir.network import Network
from ztosc.ir.values import TRUE, Guard, Ref, Value, all_of
from ztosc.logic import ports

Miss = Literal["subject", "target", "ports", "time", "guard"]


class ByTarget(Protocol):
    """The positions of rules by the kind and name of a target: a dictionary, or what stands for one."""

    def get(self, name: tuple[str, str], default: tuple[()], /) -> Sequence[int]:
        """Those that name a target, ascending."""


class Policy:
    """A network's rules with its names at hand; build once to decide many flows."""

    def __init__(self, intent: Intent) -> None:
        self.intent = intent
        self.segments = {segment.name: segment for segment in intent.segments}
        self.roles = {role.name: role for role in intent.roles}
        self.services = {service.name: service for service in intent.services}
        self.systems = {system.name: system for system in intent.systems}
        self.types = {attribute.name: attribute.type for attribute in intent.attributes}

    @cached_property
    def by_target(self) -> ByTarget:
        """Positions of the rules that name a target, by its kind and name; of a rule that names it twice, twice."""
        found: dict[tuple[str, str], list[int]] = {}
        for position, rule in enumerate(self.intent.rules):
            for ref in rule.targets:
                found.setdefault((ref.kind, ref.name), []).append(position)
        return found

    @cached_property
    def _about(self) -> dict[tuple[str, str, str | None], tuple[Rule, ...]]:
        return {}

    def about(self, place: Place) -> tuple[Rule, ...]:
        """Exactly the rules of which `is_target` holds for some target at `place`, in their order; looked up, not searched."""
        key = (place.kind, place.name, place.service)
        if key not in self._about:
            names: list[tuple[str, str]] = [(place.kind, place.name)]
            if place.kind == "segment":
                names += [("label", label) for label in self.segments[place.name].carries]
                names += [("service", place.service)] if place.service else []
            positions = sorted({position for name in names for position in self.by_target.get(name, ())})
            self._about[key] = tuple(self.intent.rules[position] for position in positions)
        return self._about[key]

    def edited(self, intent: Intent, by_target: ByTarget, ends: Container[tuple[str, str]]) -> None:
        """Takes an intent that has other rules about some ends (by kind and name), and their positions by target; nothing else differs."""
        self.intent, self.by_target = intent, by_target
        self._about = {key: rules for key, rules in self._about.items() if key[:2] not in ends}

    def decide(self, flow: Flow) -> Decision:
        """Decide one flow."""
        clash = self.separated(flow)
        if clash:
            return Decision(effect="deny", rule=None, reason=f"no session acts as both {clash[0]} and {clash[1]}")
        rules = self.about(flow.destination)
        for rule in rules:
            if rule.effect == "deny" and self.miss(rule, flow) is None:
                return Decision(effect="deny", rule=rule, reason="a deny always wins over an allow")
        for rule in rules:
            if rule.effect == "allow" and self.miss(rule, flow) is None:
                return Decision(effect="allow", rule=rule, reason="an allow in force matches")
        if self._same_service(flow):
            return Decision(effect="allow", rule=None, reason="replicas of one service may talk on its listen ports")
        return Decision(effect="deny", rule=None, reason="nothing allows it")

    def separated(self, flow: Flow) -> tuple[str, str] | None:
        """Two roles of the principal that `separate` forbids one session to act as, if any."""
        held = self.held_roles(flow)
        for separation in self.intent.separations:
            both = [role for role in separation.roles if role in held]
            if len(both) > 1:
                return both[0], both[1]
        return None

    def held_roles(self, flow: Flow) -> frozenset[str]:
        """Every role that the principal acts in, included ones too."""
        if not isinstance(flow.principal, Person):
            return frozenset()
        return frozenset(name for role in flow.principal.roles for name in (role, *self.roles[role].includes))

    def miss(self, rule: Rule, flow: Flow) -> Miss | None:
        """`None` where the rule decides the flow; otherwise the first thing in which they differ."""
        subjects = [ref for ref in rule.subjects if self.is_subject(ref, flow)]
        if not subjects:
            return "subject"
        targets = [ref for ref in rule.targets if self.is_target(ref, flow)]
        if not targets:
            return "target"
        if not any(ports.contains(self.rule_ports(rule, ref), flow.protocol, flow.port) for ref in targets):
            return "ports"
        if not in_force(rule.validity, flow.instant):
            return "time"
        return None if any(self._guard_decides(rule, ref, flow) for ref in subjects) else "guard"

    def _guard_decides(self, rule: Rule, subject: Ref, flow: Flow) -> bool:
        attributes: dict[str, Value] = dict(flow.principal.attributes)
        value = evaluate(self.effective_guard(rule, subject), attributes, self.types, flow.instant)
        return value is True if rule.effect == "allow" else value is not False

    def effective_guard(self, rule: Rule, subject: Ref) -> Guard:
        """The rule's guard and, for an allow to a role, what the role requires."""
        role = self.roles.get(subject.name) if subject.kind == "role" and rule.effect == "allow" else None
        return all_of(rule.guard, role.requires if role else TRUE)

    def is_subject(self, ref: Ref, flow: Flow) -> bool:
        """Whether the initiator is one of what `ref` stands for."""
        place, principal = flow.source, flow.principal
        match ref.kind:
            case "role":
                return place.kind == "segment" and self._acts_as(self.roles[ref.name], flow)
            case "segment":
                return place.kind == "segment" and place.name == ref.name
            case "segments":
                return place.kind == "segment"
            case "label":
                return place.kind == "segment" and ref.name in self.segments[place.name].carries
            case "device":
                return (
                    place.kind == "segment" and isinstance(principal, DevicePrincipal) and self._is_device(ref.name, place.name, principal)
                )
            case "service":
                service = self.services[ref.name]
                return isinstance(principal, ServiceEndpoint) and principal.service == ref.name and place.name == service.segment
            case "external":
                return place.kind == "external" and place.name == ref.name
            case "system":
                return False

    def _acts_as(self, role: Role, flow: Flow) -> bool:
        return role.name in self.held_roles(flow) and flow.source.name in role.sources

    def _is_device(self, name: str, segment: str, principal: DevicePrincipal) -> bool:
        return principal.device == name and name in self.segments[segment].admits

    def is_target(self, ref: Ref, flow: Flow) -> bool:
        """Whether the destination is one of what `ref` stands for."""
        place = flow.destination
        match ref.kind:
            case "segment":
                return place.kind == "segment" and place.name == ref.name
            case "service":
                return place.kind == "segment" and place.service == ref.name
            case "label":
                return place.kind == "segment" and ref.name in self.segments[place.name].carries
            case "external":
                return place.kind == "external" and place.name == ref.name
            case "system":
                return place.kind == "system" and place.name == ref.name
            case _:
                return False

    def rule_ports(self, rule: Rule, target: Ref) -> ports.Boxes:
        """The ports on which a rule speaks of a target."""
        if rule.ports is not None:
            return rule.ports
        if rule.effect == "deny":
            return ports.ANY
        return self.listens(target)

    def listens(self, target: Ref) -> ports.Boxes:
        """What a target service listens on; nothing for any other target."""
        if target.kind == "service":
            return self.services[target.name].listen
        if target.kind == "system":
            return self.systems[target.name].listen
        return ()

    def _same_service(self, flow: Flow) -> bool:
        principal, place = flow.principal, flow.destination
        if not isinstance(principal, ServiceEndpoint) or place.service != principal.service:
            return False
        service = self.services[principal.service]
        return flow.source.name == service.segment == place.name and ports.contains(service.listen, flow.protocol, flow.port)

    def relevant(self, flow: Flow) -> Iterator[tuple[Rule, Miss | None]]:
        """Every rule about the flow's target, and in what it differs from the flow."""
        for rule in self.about(flow.destination):
            yield rule, self.miss(rule, flow)


def decide(network: Network, flow: Flow) -> Decision:
    """Whether a flow may be initiated, and by which rule. To decide many, build one `Policy`."""
    return Policy(network.intent).decide(flow)
