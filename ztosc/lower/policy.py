"""Checks of what is allowed and denied (ZT4xx, ZT307): what no single line shows.

Guarantees: a grant without ports, a deny that can be passed, an empty time, separated roles in one: each is an error at its line.
"""

from __future__ import annotations

from ztosc.diagnostics import Label, Report
from ztosc.ir.clock import instant_text, is_over
from ztosc.ir.contradictions import contradicts
from ztosc.ir.evaluate import Policy
from ztosc.ir.guards import text
from ztosc.ir.intent import Intent, Role, Rule
from ztosc.ir.values import Ref, all_of, have_common


def check(intent: Intent, at: int, report: Report) -> None:
    """Every check of this room."""
    for rule in intent.rules:
        _ports(rule, report)
        _time(rule, at, report)
    _guards(intent, report)
    _roles(intent, report)
    _bypassed_denies(intent, at, report)


def _ports(rule: Rule, report: Report) -> None:
    if rule.effect == "deny" or rule.ports is not None:
        return
    for target in rule.targets:
        if target.kind not in ("service", "system"):
            report.error(
                "ZT401",
                f"this grant to {target.kind} `{target.name}` does not say its ports",
                rule.origin,
                help="add `on tcp/443` or the like; only a service says itself what it listens on",
            )


def _time(rule: Rule, at: int, report: Report) -> None:
    start, end = rule.validity.not_before, rule.validity.not_after
    if start is not None and end is not None and start >= end:
        report.error("ZT403", "this rule ends before it begins", rule.origin, help="`from` comes before `until`")
    elif is_over(rule.validity, at):
        report.warning(
            "ZT405",
            f"this rule was over on {instant_text(end or 0)}",
            rule.origin,
            help="it has no effect; delete it, or give it a new `until`",
        )


def _guards(intent: Intent, report: Report) -> None:
    """Guards that contradict themselves, alone or with what a role requires."""
    types = {attribute.name: attribute.type for attribute in intent.attributes}
    roles = {role.name: role for role in intent.roles}
    void = {role.name for role in intent.roles if contradicts(role.requires, types)}
    for name in sorted(void):
        message = f"nobody can satisfy what role `{name}` requires"
        report.error(
            "ZT408",
            message,
            roles[name].origin,
            label=text(roles[name].requires),
            help="correct the guard: its parts contradict each other",
        )
    for rule in intent.rules:
        if contradicts(rule.guard, types):
            message = "nobody can satisfy the guard of this rule"
            report.error("ZT408", message, rule.origin, label=text(rule.guard), help="correct the guard: its parts contradict each other")
            continue
        for subject in rule.subjects if rule.effect == "allow" else ():
            role = roles.get(subject.name) if subject.kind == "role" and subject.name not in void else None
            if role is not None and contradicts(all_of(rule.guard, role.requires), types):
                report.error(
                    "ZT408",
                    f"the guard of this rule contradicts what role `{role.name}` requires",
                    rule.origin,
                    help="no member of the role can ever use this grant; correct one of the two",
                    related=[Label(role.origin, f"it requires {text(role.requires)}")],
                )


def _roles(intent: Intent, report: Report) -> None:
    segments = {segment.name: segment for segment in intent.segments}
    for role in intent.roles:
        for name in role.sources:
            segment = segments.get(name)
            if segment is not None and not segment.admits_people:
                report.error(
                    "ZT307",
                    f"role `{role.name}` comes from segment `{name}`, which admits no people",
                    role.origin,
                    help=f"add `admits people` to `{name}`, or name another segment",
                    related=[Label(segment.origin, "the segment")],
                )
        for separation in intent.separations:
            both = [each for each in separation.roles if each in (role.name, *role.includes)]
            if len(both) > 1:
                names = " and ".join(f"`{each}`" for each in both)
                report.error(
                    "ZT406",
                    f"role `{role.name}` would act as {names}, which are separated",
                    role.origin,
                    help="take one out of `includes`",
                    related=[Label(separation.origin, "separated here")],
                )


def _bypassed_denies(intent: Intent, at: int, report: Report) -> None:
    """language.md §4: a deny with a role as subject is void where the role's segment, or a device class in it, is allowed anyway."""
    policy = Policy(intent)
    allows = [rule for rule in intent.rules if rule.effect == "allow" and not is_over(rule.validity, at)]
    for deny in (rule for rule in intent.rules if rule.effect == "deny" and not is_over(rule.validity, at)):
        for subject in deny.subjects:
            if subject.kind == "role" and subject.name in policy.roles:
                _bypass(policy, deny, policy.roles[subject.name], allows, report)


def _bypass(policy: Policy, deny: Rule, role: Role, allows: list[Rule], report: Report) -> None:
    for allow in allows:
        through = next((ref for ref in allow.subjects if _is_way_round(policy.intent, ref, role)), None)
        meeting = (target for target in deny.targets for other in allow.targets if _meet(policy, deny, target, allow, other))
        shared = next(meeting, None)
        if through is not None and shared is not None:
            report.error(
                "ZT402",
                f"whoever does not sign in as `{role.name}` passes this deny",
                deny.origin,
                label=f"`{through.name}` is allowed to reach `{shared.name}` without any role",
                help=f"deny `{through.name}`, or allow roles instead of `{through.name}`",
                related=[Label(allow.origin, "allowed here")],
            )


def _is_way_round(intent: Intent, subject: Ref, role: Role) -> bool:
    segments = {segment.name: segment for segment in intent.segments}
    match subject.kind:
        case "segment":
            return subject.name in role.sources
        case "device":
            return any(subject.name in segments[name].admits for name in role.sources if name in segments)
        case "label":
            return any(subject.name in segments[name].carries for name in role.sources if name in segments)
        case _:
            return False


def _meet(policy: Policy, deny: Rule, one: Ref, allow: Rule, other: Ref) -> bool:
    """Whether two rules' targets have a destination and a port in common."""
    if not _atoms(policy.intent, one) & _atoms(policy.intent, other):
        return False
    return have_common(policy.rule_ports(deny, one), policy.rule_ports(allow, other))


def _atoms(intent: Intent, ref: Ref) -> frozenset[tuple[str, str]]:
    services = {(service.segment, service.name) for service in intent.services}
    match ref.kind:
        case "service":
            return frozenset(each for each in services if each[1] == ref.name)
        case "segment":
            return frozenset({(ref.name, "")} | {each for each in services if each[0] == ref.name})
        case "label":
            carriers = {segment.name for segment in intent.segments if ref.name in segment.carries}
            return frozenset({(name, "") for name in carriers} | {each for each in services if each[0] in carriers})
        case _:
            return frozenset({(ref.kind, ref.name)})
