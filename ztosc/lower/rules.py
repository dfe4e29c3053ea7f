"""Bound rules to rules of the Intent.

Guarantees: a rule's id is made from what it says, so it is the same wherever the rule stands and whatever is added around it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, cast

from ztosc.ir.base import Writer
from ztosc.ir.intent import Rule
from ztosc.ir.values import TRUE, Ref, RefKind, Validity, Window
from ztosc.semantics.program import NOTHING_ASKED, Bound, BoundRule, Program, Reference

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
SHARED = 1 << 16
"""How many small values are remembered, to be one object wherever they stand."""


SAID = set(Rule.model_fields)
"""The fields that were given to a rule: all of them. Nobody changes it, for a copy of a rule copies it."""

Draft = dict[str, Any]
"""All fields of a rule but its id."""


def refs(references: Iterable[Reference]) -> tuple[Ref, ...]:
    """References as the IR has them, sorted; equal ones are one object."""
    found = [_ref(reference.symbol.kind, reference.symbol.name, reference.via) for reference in references]
    return tuple(sorted(found, key=_order) if len(found) > 1 else found)


@lru_cache(maxsize=SHARED)
def _ref(kind: str, name: str, via: str | None) -> Ref:
    return Ref(kind=cast(RefKind, kind), name=name, via=via)


def _order(ref: Ref) -> tuple[str, str]:
    return ref.kind, ref.name


def rules(program: Program, zone: str, log_all: str | None = None) -> tuple[Rule, ...]:
    """The rules of the sources, by id; what names no sink for its records logs to `log_all`, if there is one."""
    ordered = sorted(program.rules, key=lambda rule: rule.span)
    said = (_rule(rule, zone) for rule in ordered if rule.subjects and rule.targets)
    return _identified(_logged([*said, *quarantines(program, zone)], log_all))


def _logged(drafts: list[Draft], log_all: str | None) -> list[Draft]:
    """Has what names no sink log to the one of the network, if there is one."""
    if log_all is not None:
        ours = lru_cache(maxsize=SHARED)(lambda governance: governance.model_copy(update={"log_to": log_all}))
        for draft in drafts:
            if draft["governance"].log_to is None:
                draft["governance"] = ours(draft["governance"])
    return drafts


def _rule(rule: BoundRule, zone: str) -> Draft:
    fields = rule.fields
    return {
        "effect": rule.effect,
        "subjects": refs(rule.subjects),
        "targets": refs(rule.targets),
        "ports": rule.ports,
        "guard": rule.guard,
        "validity": validity(rule, zone),
        "because": fields.get("because"),
        "stale": fields.get("stale"),
        "quarantine": False,
        "governance": fields["governance"],
        "doc": rule.doc,
        "origin": rule.span,
    }


def validity(rule: BoundRule, zone: str) -> Validity:
    """When a rule is in force; equal ones are one object."""
    days = rule.days or EVERY_DAY
    spans = rule.windows or (((0, 86400),) if rule.days else ())
    start, end = rule.starts.start(zone) if rule.starts else None, rule.ends.end(zone) if rule.ends else None
    return _validity(start, end, tuple(sorted(spans)), days, zone)


@lru_cache(maxsize=SHARED)
def _validity(start: int | None, end: int | None, spans: tuple[tuple[int, int], ...], days: tuple[int, ...], zone: str) -> Validity:
    windows = tuple(Window(start=start, end=end, days=days, zone=zone) for start, end in spans)
    return Validity(not_before=start, not_after=end, windows=windows)


def quarantines(program: Program, zone: str) -> Iterator[Draft]:
    """Each quarantine as denials both ways; whatever may be a destination is one, whoever may initiate is denied."""
    everything = [_ref(kind, bound.name, None) for kind in ("segment", "external", "system") for bound in program.of(kind)]
    anybody = [_ref("segments", "*", None), *(ref for ref in everything if ref.kind == "external")]
    for bound in sorted(program.quarantines, key=lambda bound: bound.span):
        what = refs(bound.fields["what"])
        if not what:
            continue
        reached = tuple(ref for ref in what if ref.kind in ("segment", "service", "external"))
        yield _denial(bound, zone, what, tuple(sorted(everything, key=_order)))
        if reached:
            yield _denial(bound, zone, tuple(sorted(anybody, key=_order)), reached)


def _denial(bound: Bound, zone: str, subjects: tuple[Ref, ...], targets: tuple[Ref, ...]) -> Draft:
    return {
        "effect": "deny",
        "subjects": subjects,
        "targets": targets,
        "ports": None,
        "guard": TRUE,
        "validity": Validity(not_before=bound.fields["from"].start(zone)),
        "because": bound.fields["because"],
        "stale": None,
        "quarantine": True,
        "governance": bound.governance,
        "doc": bound.doc,
        "origin": bound.span,
    }


def _identified(drafts: list[Draft]) -> tuple[Rule, ...]:
    """Give each rule the id of its content; the second of two equal rules gets `-2`, and so on."""
    count: dict[str, int] = {}
    writer = Writer()
    result = []
    for draft in drafts:
        said = writer.fields(Rule, {"id": "", **draft}).encode()
        body = f"{draft['effect']}-{hashlib.sha256(said).hexdigest()[:10]}"
        count[body] = count.get(body, 0) + 1
        rule = Rule(id=body if count[body] == 1 else f"{body}-{count[body]}", **draft)
        object.__setattr__(rule, "__pydantic_fields_set__", SAID)  # pydantic's own set for each takes as much as all else in a rule
        result.append(rule)
    return tuple(sorted(result, key=lambda rule: rule.id))


def system_rules(program: Program, log_all: str | None = None) -> tuple[Rule, ...]:
    """The grants that the system itself needs: every segment may use what the nodes offer."""
    drafts: list[Draft] = [
        {
            "id": f"system-{bound.name}",
            "effect": "allow",
            "subjects": (_ref("segments", "*", None),),
            "targets": (_ref("system", bound.name, None),),
            "governance": NOTHING_ASKED,
            "doc": bound.doc,
            "origin": bound.span,
        }
        for bound in program.of("system")
    ]
    return tuple(Rule(**draft) for draft in _logged(drafts, log_all))
