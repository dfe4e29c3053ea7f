"""Denials that can be passed: language §4, a deny with a role as subject is void where the role's segment, or a device class or label
in it, is allowed anyway.

Guarantees: every such pair of rules is an error at the deny; only allows that name a way round the role are looked at, so that the cost
grows with what a segment is granted and not with the whole policy.
"""

from __future__ import annotations

from functools import cached_property

from ztosc.diagnostics import Label, Report
from ztosc.ir.clock import is_over
from ztosc.ir.evaluate import Policy
from ztosc.ir.intent import Intent, Role, Rule
from ztosc.ir.values import Ref, have_common

Name = tuple[str, str]
"""A kind and a name."""


def check(intent: Intent, at: int, report: Report) -> None:
    """Reports every denial that can be passed at or after an instant."""
    ways = _Ways(intent, at)
    for deny in (rule for rule in intent.rules if rule.effect == "deny" and not is_over(rule.validity, at)):
        for subject in deny.subjects:
            if subject.kind == "role" and subject.name in ways.policy.roles:
                ways.report(deny, ways.policy.roles[subject.name], report)


class _Ways:
    """The allows of a policy by their subjects, and what their targets stand for."""

    def __init__(self, intent: Intent, at: int) -> None:
        self.intent, self.policy = intent, Policy(intent)
        self._allows = [rule for rule in intent.rules if rule.effect == "allow" and not is_over(rule.validity, at)]
        self._known: dict[Name, frozenset[Name]] = {}

    @cached_property
    def _by_subject(self) -> dict[Name, list[int]]:
        found: dict[Name, list[int]] = {}
        for position, rule in enumerate(self._allows):
            for ref in rule.subjects:
                found.setdefault((ref.kind, ref.name), []).append(position)
        return found

    @cached_property
    def _services(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for service in self.intent.services:
            found.setdefault(service.segment, []).append(service.name)
        return found

    def report(self, deny: Rule, role: Role, report: Report) -> None:
        """Each allow by which those pass who do not sign in as the role."""
        around = self._around(role)
        positions = sorted({position for name in around for position in self._by_subject.get(name, ())})
        for allow in (self._allows[position] for position in positions):
            shared = next((one for one in deny.targets for other in allow.targets if self._meet(deny, one, allow, other)), None)
            if shared is not None:
                through = next(ref for ref in allow.subjects if (ref.kind, ref.name) in around)
                report.error(
                    "ZT402",
                    f"whoever does not sign in as `{role.name}` passes this deny",
                    deny.origin,
                    label=f"`{through.name}` is allowed to reach `{shared.name}` without any role",
                    help=f"deny `{through.name}`, or allow roles instead of `{through.name}`",
                    related=[Label(allow.origin, "allowed here")],
                )

    def _around(self, role: Role) -> set[Name]:
        """The segments that a role comes from, the device classes in them, and the labels they carry."""
        found = {("segment", name) for name in role.sources}
        for segment in (self.policy.segments[name] for name in role.sources if name in self.policy.segments):
            found |= {("device", name) for name in segment.admits} | {("label", name) for name in segment.carries}
        return found

    def _meet(self, deny: Rule, one: Ref, allow: Rule, other: Ref) -> bool:
        """Whether two rules' targets have a destination and a port in common."""
        if self._atoms(one).isdisjoint(self._atoms(other)):
            return False
        return have_common(self.policy.rule_ports(deny, one), self.policy.rule_ports(allow, other))

    def _atoms(self, ref: Ref) -> frozenset[Name]:
        """The destinations that a target stands for: services with their segment, and segments by themselves."""
        key = (ref.kind, ref.name)
        if key not in self._known:
            self._known[key] = frozenset(self._made(ref))
        return self._known[key]

    def _made(self, ref: Ref) -> set[Name]:
        match ref.kind:
            case "service":
                return {(self.policy.services[ref.name].segment, ref.name)} if ref.name in self.policy.services else set()
            case "segment":
                return self._inside(ref.name)
            case "label":
                names = [segment.name for segment in self.intent.segments if ref.name in segment.carries]
                return {atom for name in names for atom in self._inside(name)}
            case _:
                return {(ref.kind, ref.name)}

    def _inside(self, segment: str) -> set[Name]:
        return {(segment, ""), *((segment, name) for name in self._services.get(segment, ()))}
