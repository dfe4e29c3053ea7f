"""Checks of what is allowed and denied (ZT4xx, ZT307): what no single line shows.

Guarantees: a grant without ports, a deny that can be passed, an empty time, separated roles in one: each is an error at its line.
"""

from __future__ import annotations

from functools import cache

from ztosc.diagnostics import Label, Report
from ztosc.ir import contradictions
from ztosc.ir.clock import instant_text, is_over
from ztosc.ir.guards import text
from ztosc.ir.intent import Intent, Rule
from ztosc.ir.values import all_of
from ztosc.lower import bypass


def check(intent: Intent, at: int, report: Report) -> None:
    """Every check of this room."""
    for rule in intent.rules:
        _ports(rule, report)
        _time(rule, at, report)
    _guards(intent, report)
    _roles(intent, report)
    bypass.check(intent, at, report)


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
    contradicts = cache(lambda *guards: contradictions.contradicts(all_of(*guards), types))  # few guards, in many rules
    roles = {role.name: role for role in intent.roles}
    void = {role.name for role in intent.roles if contradicts(role.requires)}
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
        if contradicts(rule.guard):
            message = "nobody can satisfy the guard of this rule"
            report.error("ZT408", message, rule.origin, label=text(rule.guard), help="correct the guard: its parts contradict each other")
            continue
        for subject in rule.subjects if rule.effect == "allow" else ():
            role = roles.get(subject.name) if subject.kind == "role" and subject.name not in void else None
            if role is not None and contradicts(rule.guard, role.requires):
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
        for separation in intent.separations if role.includes else ():
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
