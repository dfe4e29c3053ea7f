"""Bound acceptances to those of the Intent.

Guarantees: in the order of the sources; whoever an acceptance names of the inventory is in it.
"""

from __future__ import annotations

from ztosc.diagnostics import Report, suggestion
from ztosc.ir.acceptance import Acceptance, AcceptedAccess
from ztosc.ir.intent import Intent
from ztosc.lower.rules import refs, validity
from ztosc.semantics.program import BoundAcceptance, Program


def acceptances(program: Program, zone: str) -> tuple[Acceptance, ...]:
    """Every acceptance, in the order of the sources."""
    return tuple(_acceptance(each, zone) for each in sorted(program.acceptances, key=lambda each: each.span))


def _acceptance(bound: BoundAcceptance, zone: str) -> Acceptance:
    access = None
    if bound.access is not None:
        rule = bound.access
        access = AcceptedAccess(
            subjects=refs(rule.subjects), targets=refs(rule.targets), ports=rule.ports, guard=rule.guard, validity=validity(rule, zone)
        )
    return Acceptance(access=access, topics=bound.topics, because=bound.because, approved_by=bound.approved_by, origin=bound.span)


def check(intent: Intent, report: Report) -> None:
    """Whether the inventory has whom acceptances name."""
    listed = {
        "person": [each.name for each in intent.inventory.people],
        "device": [each.name for each in intent.inventory.devices],
    }
    for each in intent.acceptances:
        for kind, name in dict.fromkeys((topic.kind, topic.name) for topic in each.topics if topic.kind in listed):
            if name not in listed[kind]:
                help_ = suggestion(name, listed[kind], "the inventory lists everybody and everything that there is")
                report.error("ZT201", f"the inventory has no {kind} `{name}`", each.origin, help=help_)
