"""Profiles, what is complied with and what is waived, to those of the Intent.

Guarantees: sorted; a waiver that has ended is an error, so that nobody relies on it unnoticed.
"""

from __future__ import annotations

from ztosc.diagnostics import Report
from ztosc.ir.clock import instant_text
from ztosc.ir.compliance import Compliance, Profile, Waiver
from ztosc.lower.rules import refs
from ztosc.semantics.program import Bound, Program


def profiles(program: Program) -> tuple[Profile, ...]:
    """Profiles by name; the checker reported a second one of a name."""
    first: dict[str, Profile] = {}
    for profile in program.profiles:
        first.setdefault(profile.name, profile)
    return tuple(first[name] for name in sorted(first))


def compliance(program: Program) -> tuple[Compliance, ...]:
    """What is complied with, each once."""
    first: dict[str, Compliance] = {}
    for each in sorted(program.compliance, key=lambda each: each.origin):
        first.setdefault(each.profile, each)
    return tuple(first[name] for name in sorted(first))


def waivers(program: Program, zone: str, at: int, report: Report) -> tuple[Waiver, ...]:
    """Waivers in the order of the sources."""
    found = tuple(_waiver(bound, zone) for bound in sorted(program.waivers, key=lambda bound: bound.span))
    for each in found:
        if each.until <= at:
            message = f"the waiver of `{each.control}` in `{each.profile}` ended on {instant_text(each.until)}"
            report.error("ZT503", message, each.origin, help="meet the control and delete the waiver, or have it renewed")
    return found


def _waiver(bound: Bound, zone: str) -> Waiver:
    fields = bound.fields
    return Waiver(
        profile=bound.name,
        control=fields["control"],
        scope=refs(fields.get("scope", ())),
        until=fields["until"].end(zone),
        because=fields["because"],
        approved_by=bound.governance.approved_by,
        origin=bound.span,
    )
