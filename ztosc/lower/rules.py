"""Bound rules to rules of the Intent.

Guarantees: a rule's id is made from what it says, so it is the same wherever the rule stands and whatever is added around it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Literal, cast

from ztosc.ir.base import canonical
from ztosc.ir.intent import Governance, Rule
from ztosc.ir.values import Ref, RefKind, Validity, Window
from ztosc.semantics.program import BoundRule, Program, Reference

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


def refs(references: Iterable[Reference]) -> tuple[Ref, ...]:
    """References as the IR has them, sorted."""
    found = [Ref(kind=cast(RefKind, reference.kind), name=reference.name, via=reference.via) for reference in references]
    return tuple(sorted(found, key=lambda ref: (ref.kind, ref.name)))


def rules(program: Program, zone: str) -> tuple[Rule, ...]:
    """The rules of the sources, by id."""
    ordered = sorted(program.rules, key=lambda rule: rule.span)
    return _identified([_rule(rule, zone) for rule in ordered if rule.subjects and rule.targets])


def _rule(rule: BoundRule, zone: str) -> Rule:
    fields = rule.fields
    return Rule(
        id="",
        effect=cast(Literal["allow", "deny"], rule.effect),
        subjects=refs(rule.subjects),
        targets=refs(rule.targets),
        ports=rule.ports,
        guard=rule.guard,
        validity=_validity(rule, zone),
        because=fields.get("because"),
        governance=_governance(fields, zone),
        doc=rule.doc,
        origin=rule.span,
    )


def _validity(rule: BoundRule, zone: str) -> Validity:
    days = rule.days or EVERY_DAY
    spans = rule.windows or (((0, 86400),) if rule.days else ())
    windows = tuple(Window(start=start, end=end, days=days, zone=zone) for start, end in sorted(spans))
    return Validity(
        not_before=rule.starts.start(zone) if rule.starts else None, not_after=rule.ends.end(zone) if rule.ends else None, windows=windows
    )


def _governance(fields: dict[str, Any], zone: str) -> Governance:
    review = fields.get("review")
    return Governance(
        owner=fields.get("owner"),
        purpose=fields.get("purpose"),
        review_by=review.end(zone) if review else None,
        tickets=tuple(fields.get("ticket", ())),
        approved_by=tuple(fields.get("approved", ())),
        agreement=fields.get("agreement"),
        environment=fields.get("environment"),
        releases=fields["releases"],
    )


def _identified(found: list[Rule]) -> tuple[Rule, ...]:
    """Give each rule the id of its content; the second of two equal rules gets `-2`, and so on."""
    count: dict[str, int] = {}
    result = []
    for rule in found:
        body = f"{rule.effect}-{hashlib.sha256(canonical(rule)).hexdigest()[:10]}"
        count[body] = count.get(body, 0) + 1
        result.append(rule.model_copy(update={"id": body if count[body] == 1 else f"{body}-{count[body]}"}))
    return tuple(sorted(result, key=lambda rule: rule.id))


def system_rules(program: Program) -> tuple[Rule, ...]:
    """The grants that the system itself needs: every segment may use what the nodes offer."""
    return tuple(
        Rule(
            id=f"system-{bound.name}",
            effect="allow",
            subjects=(Ref(kind="segments", name="*"),),
            targets=(Ref(kind="system", name=bound.name),),
            doc=bound.doc,
            origin=bound.span,
        )
        for bound in program.of("system")
    )
