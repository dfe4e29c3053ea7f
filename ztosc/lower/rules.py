"""Bound rules to rules of the Intent.

Guarantees: a rule's id is made from what it says, so it is the same wherever the rule stands and whatever is added around it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Literal, cast

from ztosc.ir.base import canonical
from ztosc.ir.intent import Rule
from ztosc.ir.values import Ref, RefKind, Validity, Window
from ztosc.semantics.program import Bound, BoundRule, Program, Reference

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


def refs(references: Iterable[Reference]) -> tuple[Ref, ...]:
    """References as the IR has them, sorted."""
    found = [Ref(kind=cast(RefKind, reference.kind), name=reference.name, via=reference.via) for reference in references]
    return tuple(sorted(found, key=_order))


def _order(ref: Ref) -> tuple[str, str]:
    return ref.kind, ref.name


def rules(program: Program, zone: str, log_all: str | None = None) -> tuple[Rule, ...]:
    """The rules of the sources, by id; what names no sink for its records logs to `log_all`, if there is one."""
    ordered = sorted(program.rules, key=lambda rule: rule.span)
    said = (_rule(rule, zone) for rule in ordered if rule.subjects and rule.targets)
    return _identified([_logged(rule, log_all) for rule in (*said, *quarantines(program, zone))])


def _logged(rule: Rule, log_all: str | None) -> Rule:
    if log_all is None or rule.governance.log_to is not None:
        return rule
    return rule.model_copy(update={"governance": rule.governance.model_copy(update={"log_to": log_all})})


def _rule(rule: BoundRule, zone: str) -> Rule:
    fields = rule.fields
    return Rule(
        id="",
        effect=cast(Literal["allow", "deny"], rule.effect),
        subjects=refs(rule.subjects),
        targets=refs(rule.targets),
        ports=rule.ports,
        guard=rule.guard,
        validity=validity(rule, zone),
        because=fields.get("because"),
        stale=fields.get("stale"),
        governance=fields["governance"],
        doc=rule.doc,
        origin=rule.span,
    )


def validity(rule: BoundRule, zone: str) -> Validity:
    """When a rule is in force."""
    days = rule.days or EVERY_DAY
    spans = rule.windows or (((0, 86400),) if rule.days else ())
    windows = tuple(Window(start=start, end=end, days=days, zone=zone) for start, end in sorted(spans))
    return Validity(
        not_before=rule.starts.start(zone) if rule.starts else None, not_after=rule.ends.end(zone) if rule.ends else None, windows=windows
    )


def quarantines(program: Program, zone: str) -> Iterator[Rule]:
    """Each quarantine as denials both ways; whatever may be a destination is one, whoever may initiate is denied."""
    everything = [Ref(kind=kind, name=bound.name) for kind in ("segment", "external", "system") for bound in program.of(kind)]
    anybody = [Ref(kind="segments", name="*"), *(ref for ref in everything if ref.kind == "external")]
    for bound in sorted(program.quarantines, key=lambda bound: bound.span):
        what = refs(bound.fields["what"])
        reached = tuple(ref for ref in what if ref.kind in ("segment", "service", "external"))
        yield _denial(bound, zone, what, tuple(sorted(everything, key=_order)))
        if reached:
            yield _denial(bound, zone, tuple(sorted(anybody, key=_order)), reached)


def _denial(bound: Bound, zone: str, subjects: tuple[Ref, ...], targets: tuple[Ref, ...]) -> Rule:
    return Rule(
        id="",
        effect="deny",
        subjects=subjects,
        targets=targets,
        validity=Validity(not_before=bound.fields["from"].start(zone)),
        because=bound.fields["because"],
        quarantine=True,
        governance=bound.governance,
        doc=bound.doc,
        origin=bound.span,
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


def system_rules(program: Program, log_all: str | None = None) -> tuple[Rule, ...]:
    """The grants that the system itself needs: every segment may use what the nodes offer."""
    found = (
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
    return tuple(_logged(rule, log_all) for rule in found)
