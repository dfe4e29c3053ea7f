"""A comparison as rows that every format shows: what it is, what it means for the run, where it stands.

Guarantees: every difference is one row; a row `fails` exactly where a finding says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ztosc.diagnostics.text import one_line
from ztosc.ir.clock import instant_text
from ztosc.source import Span

if TYPE_CHECKING:
    from ztosc.compare import Comparison, Idle, Region
    from ztosc.ir.verdict import Verdict

State = Literal["fails", "accepted", "told"]


@dataclass(frozen=True)
class Row:
    """One difference in words."""

    state: State
    text: str
    where: str
    """Lines of the old and of the new revision."""
    accept: str = ""
    """The statement that would sign for it, but for its reason and who approves."""


def sections(comparison: Comparison) -> list[tuple[str, list[Row]]]:
    """The rows by subject; a subject without any is left out."""
    base = [
        Row("told" if verdict.verdict == "proved" else _signed(comparison, verdict), _judged(verdict), _where((verdict.origin,), ()))
        for verdict in comparison.base
    ]
    found = [
        ("access gained", [Row(_gained(each), each.text, _where(each.old, each.new), each.accept) for each in comparison.gained]),
        ("access lost", [Row("told", each.text, _where(each.old, each.new)) for each in comparison.lost]),
        ("guarantees lost", [_row(each, each.old, each.new) for each in comparison.guarantees]),
        ("memberships", [_row(each, each.old, each.new, each.widens) for each in comparison.memberships]),
        ("numbers of the lock", [_row(each, None, None) for each in comparison.numbers]),
        ("assertions of the base", base),
        ("not compared", [Row("fails", why, "") for why in comparison.undecided]),
        (
            "acceptances",
            [Row("fails" if each.why == "unknown" else "told", idle_text(each), _where((), (each.origin,))) for each in comparison.idle],
        ),
    ]
    return [(title, rows) for title, rows in found if rows]


def _gained(region: Region) -> State:
    return "accepted" if region.accepted is not None else "told" if region.inherent else "fails"


def _row(each: Any, old: Span | None, new: Span | None, widens: bool = True) -> Row:
    state: State = "accepted" if each.accepted is not None else "fails" if widens else "told"
    return Row(state, each.text, _where((old,), (new,)), each.accept)


def _signed(comparison: Comparison, verdict: Verdict) -> State:
    return "accepted" if verdict not in unsigned(comparison) else "fails"


def unsigned(comparison: Comparison) -> list[Verdict]:
    """The assertions of the base that are not proved, and whose loss nobody signed for."""
    signed = {each.topic.name for each in comparison.guarantees if each.topic.kind == "assert" and each.accepted is not None}
    return [each for each in comparison.base if each.verdict != "proved" and statement(each) not in signed]


def statement(verdict: Verdict) -> str:
    """What is asserted, as a topic names it."""
    return " ".join(verdict.statement.split())


def _judged(verdict: Verdict) -> str:
    told = "still holds" if verdict.verdict == "proved" else f"is {verdict.verdict}: {verdict.reason}"
    return f"`{verdict.statement}` {told}"


def idle_text(idle: Idle) -> str:
    """Why an acceptance accepts nothing."""
    why = {
        "spent": "was there before, and accepts nothing any more",
        "unused": "accepts nothing of this change",
        "unknown": "names something that neither revision has",
    }
    return f"`accept widening {idle.topic}` {why[idle.why]}"


def lines(spans: Iterable[Span | None]) -> str:
    """`file:line`, the first few."""
    told = [f"{one_line(span.file)}:{span.line}" for span in spans if span is not None]
    return ", ".join(told[:4]) + (f" and {len(told) - 4} more" if len(told) > 4 else "")


def _where(old: Iterable[Span | None], new: Iterable[Span | None]) -> str:
    before, after = lines(old), lines(new)
    return ", ".join([*([f"was {before}"] if before else []), *([after] if after else [])])


# As JSON


def value(comparison: Comparison) -> dict[str, Any]:
    """What the JSON of a command says of a comparison."""
    return {
        "access": {
            "gained": [_region(each) for each in comparison.gained],
            "lost": [_region(each) for each in comparison.lost],
            "undecided": list(comparison.undecided),
        },
        "guarantees": [_topic(each, loss=each.loss, before=each.before, after=each.after) for each in comparison.guarantees],
        "membership": [
            _topic(each, change=each.change, before=each.before, after=each.after, widens=each.widens) for each in comparison.memberships
        ],
        "lock": [_topic(each, before=each.before, after=each.after) for each in comparison.numbers],
        "acceptances": [{"statement": each.topic, "state": each.why, **_place(each.origin)} for each in comparison.idle],
    }


def _region(region: Region) -> dict[str, Any]:
    return {
        "text": region.text,
        "from": [place.name for place in region.sources],
        "who": list(region.who),
        "to": [{"kind": "service" if end.service else end.kind, "name": end.service or end.name} for end in region.targets],
        "ports": region.on,
        "guard": [
            {"acting_as": list(each.holding), "not_acting_as": list(each.lacking), "facts": list(each.facts)} for each in region.conditions
        ],
        "more": region.more,
        "time": region.time,
        "since": instant_text(region.since),
        "old": [_place(span) for span in region.old],
        "new": [_place(span) for span in region.new],
        "accepted": _place(region.accepted) if region.accepted else None,
        "inherent": region.inherent,
        "accept": region.accept,
    }


def _topic(each: Any, **more: Any) -> dict[str, Any]:
    places = {name: _place(span) if (span := getattr(each, name, None)) else None for name in ("old", "new")}
    named = {"kind": each.topic.kind, "name": each.topic.name, "clause": each.topic.clause, "text": each.text, **more, **places}
    return {**named, "accepted": _place(each.accepted) if each.accepted else None, "accept": each.accept}


def _place(span: Span) -> dict[str, Any]:
    return {"file": span.file, "line": span.line}
