"""Bound assertions and tests to those of the Intent."""

from __future__ import annotations

from typing import Literal, cast

from ztosc.diagnostics import Report
from ztosc.ir.assertions import Assertion, Expectation, Given, Isolated, NeverFlowsDown, NeverReaches, OnlyReach, Reaches, StaysWithin, Test
from ztosc.ir.values import Jurisdiction, Ref, RefKind
from ztosc.lower.rules import refs
from ztosc.semantics.program import BoundAssertion, BoundTest, Program, Reference


def assertions(program: Program) -> tuple[Assertion, ...]:
    """Every assertion, in the order of the sources."""
    return tuple(_assertion(each) for each in sorted(program.assertions, key=lambda each: each.span))


def _assertion(bound: BoundAssertion) -> Assertion:
    statement, origin = bound.text, bound.span
    subjects, targets = refs(bound.subjects), refs(bound.targets)
    match bound.claim:
        case "never-reaches":
            return NeverReaches(statement=statement, origin=origin, subjects=subjects, targets=targets)
        case "isolated":
            return Isolated(statement=statement, origin=origin, subjects=subjects, targets=targets, through=refs(bound.through))
        case "only-reach":
            return OnlyReach(statement=statement, origin=origin, subjects=subjects, targets=targets)
        case "reaches":
            failing = cast(Literal["any", "links", "nodes"], bound.failing)
            return Reaches(statement=statement, origin=origin, subjects=subjects, targets=targets, failures=bound.failures, failing=failing)
        case "never-flows-down":
            return NeverFlowsDown(statement=statement, origin=origin, label=subjects[0].name, through=refs(bound.through))
        case _:
            return StaysWithin(statement=statement, origin=origin, label=subjects[0].name, jurisdiction=Jurisdiction.of(bound.countries))


def tests(program: Program, zone: str, report: Report) -> tuple[Test, ...]:
    """Every test, in the order of the sources."""
    homes = _homes(program)
    found = [_test(each, homes, zone, report) for each in sorted(program.tests, key=lambda each: each.span) if each.subjects]
    return tuple(test for test in found if test is not None)


def _homes(program: Program) -> dict[str, list[str]]:
    """The segments that services and device classes are in."""
    homes = {service.name: list(service.fields["head"]) for service in program.of("service")}
    for segment in program.of("segment"):
        for admitted in segment.fields.get("admits", ()):
            if isinstance(admitted, Reference):
                homes.setdefault(admitted.name, []).append(segment.name)
    return homes


def _test(bound: BoundTest, homes: dict[str, list[str]], zone: str, report: Report) -> Test | None:
    source = _source(bound, homes)
    if source is None:
        wrong = "a test names roles (or a device class of several segments) with `from SEGMENT`, or one segment, service or external"
        report.error("ZT404", f'test "{bound.name}" does not say who acts from where', bound.span, help=wrong)
        return None
    given = Given(
        subjects=refs(bound.subjects),
        source=source,
        attributes=tuple(sorted(bound.attributes)),
        instant=bound.instant.start(zone) if bound.instant else None,
    )
    expects = tuple(
        Expectation(effect=cast(Literal["allow", "deny"], each.effect), target=_ref(each.target), ports=each.ports, origin=each.span)
        for each in bound.expects
        if each.target is not None
    )
    return Test(name=bound.name, given=given, expects=expects, origin=bound.span)


def _source(bound: BoundTest, homes: dict[str, list[str]]) -> Ref | None:
    """Where the flow starts: the segment that is named, or the one that the one subject is or is in."""
    kinds = {subject.kind for subject in bound.subjects}
    if bound.source is not None and kinds <= {"role", "device"}:
        return _ref(bound.source)
    if bound.source is not None or len(bound.subjects) != 1:
        return None
    if kinds <= {"segment", "external"}:
        return _ref(bound.subjects[0])
    at = homes.get(bound.subjects[0].name, [])
    return Ref(kind="segment", name=at[0]) if kinds <= {"service", "device"} and len(at) == 1 else None


def _ref(reference: Reference) -> Ref:
    return Ref(kind=cast(RefKind, reference.kind), name=reference.name, via=reference.via)
