"""Areas of flows in the reader's words: who, from where, on which ports, under which conditions, at which times.

Guarantees: a region stands for exactly the flows of its area, unless it says that alternatives are left out; every name from the sources
stands between backticks. What is the same comes out in the same words, on every machine.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

from ztosc.compare.access import Access
from ztosc.compare.areas import Area
from ztosc.compare.model import Condition, Region
from ztosc.ir.clock import in_force, instant_text
from ztosc.ir.flow import Place
from ztosc.ir.guards import evaluate, value_text
from ztosc.ir.guards import text as guard_text
from ztosc.ir.values import Compare, EnumType, InstantType, OtherAttribute, Validity, Value
from ztosc.logic import ports
from ztosc.logic.closure import bits
from ztosc.source import Span
from ztosc.verify.domains import FRESH
from ztosc.verify.encoding import Reading
from ztosc.verify.moments import WEEK, Timeline, validity_text
from ztosc.verify.slices import ANYONE, HOST, PERSON, Kind
from ztosc.verify.words import listing

MOST = 12
"""Alternatives of one condition that are shown."""
TIMES = 3
"""Stretches of time that are shown where no rule's own words say when."""


def regions(access: Access, gained: bool) -> tuple[Region, ...]:
    """The areas of one side, those nobody signed for first, each side in the order of sources, targets and ports."""
    told = Telling(access, gained)
    found = [told.region(area) for area in (access.gained if gained else access.lost)]
    return tuple(sorted(found, key=lambda each: (each.accepted is not None, each.inherent, each.text)))


class Telling:
    """Tells the areas of one side."""

    def __init__(self, access: Access, gained: bool) -> None:
        self._access, self._gained, self._encoding = access, gained, access.encoding
        self._side = access.sides[1 if gained else 0]
        self._sets: dict[str, list[tuple[str, frozenset[int]]]] = {}

    def region(self, area: Area) -> Region:
        """An area as a reader wants it."""
        access = self._access
        sources = tuple(access.places[bit] for bit in bits(area.sources))
        said = self._said(area, sources)
        cubes = list(itertools.islice(access.diagrams.cubes(said), MOST + 1))
        more = sum(1 for _ in itertools.islice(access.diagrams.cubes(said), 10_000)) - MOST if len(cubes) > MOST else 0
        conditions = tuple(self._condition(cube) for cube in cubes[:MOST])
        common = _common(conditions)
        time = self._time(area)
        accepted = access.acceptances[area.accepted].origin if area.accepted >= 0 else None
        who = tuple(_kind(kind) for kind in area.kinds)
        subject = _subject(area.kinds, common, sources)
        verb = "may now open" if self._gained else "may no longer open"
        parts = [f"{subject} {verb} {ports.text(area.ports)} to {_places(area.ends, self._whole)}", *_when(conditions, common, more)]
        return Region(
            sources=sources,
            who=who,
            targets=area.ends,
            ports=area.ports,
            on=ports.text(area.ports),
            conditions=conditions,
            more=more,
            time=time,
            since=access.instants[next(bits(area.moments))],
            text=", ".join([*parts, *([time] if time else [])]),
            old=area.old,
            new=area.new,
            accepted=accepted,
            accept=self._acceptance(area, conditions, sources) if self._gained else "",
            inherent=bool(area.new) and self._gained and all(span.file.startswith("std/") for span in area.new),
        )

    # Who

    def _said(self, area: Area, sources: tuple[Place, ...]) -> int:
        """The principals, without what follows anyhow from roles that no session acts in together."""
        diagrams = self._access.diagrams
        if area.kinds != (PERSON,) or not self._side.policy.intent.separations:
            return area.who
        apart = [self._side.reading.apart(place.name) for place in sources]
        said = area.who
        for variable in sorted(diagrams.support(area.who) & set(self._encoding.role.values())):
            wider = diagrams.exists(said, (variable,))
            if all(diagrams.both(wider, each) == diagrams.both(area.who, each) for each in apart):
                said = wider
        return said

    def _condition(self, cube: dict[int, tuple[int, ...]]) -> Condition:
        holding: list[str] = []
        lacking: list[str] = []
        facts: list[str] = []
        for variable, values in sorted(cube.items()):
            name = self._encoding.names[variable]
            if variable in self._encoding.role.values():
                (holding if values == (1,) else lacking).append(name)
            else:
                facts.append(self._fact(name, frozenset(values)))
        return Condition(holding=tuple(holding), lacking=tuple(lacking), facts=tuple(facts))

    def _fact(self, name: str, values: frozenset[int]) -> str:
        """What values of an attribute have in common, in the words of a guard where one says just that."""
        every = frozenset(range(1, len(self._encoding.values[name]) + 1))
        present = values - {0}
        if not present:
            return f"`{name}` absent"
        told = self._present(name, present, every)
        return f"({told} or absent)" if 0 in values else told

    def _present(self, name: str, values: frozenset[int], every: frozenset[int]) -> str:
        if values == every:
            return f"`{name}` present"
        if every == {1, 2} and len(values) == 1 and isinstance(self._encoding.values[name][0], bool):
            return f"`{name}` = {value_text(self._encoding.values[name][min(values) - 1])}"
        for text, those in self._comparisons(name):
            if those == values:
                return f"`{text}`"
            if every - those == values:
                return f"`{text}` false"
        return f"`{name}` = {' or '.join(self._ranges(name, sorted(values)))}"

    def _comparisons(self, name: str) -> list[tuple[str, frozenset[int]]]:
        """The comparisons of both networks with a constant or the clock, and the values that make each true."""
        if name not in self._sets:
            found: dict[str, frozenset[int]] = {}
            for reading in self._encoding.readings:
                for atom in reading.about(frozenset({name})):
                    if atom.attribute == name and not isinstance(atom.operand, OtherAttribute):
                        truths = (_holds(reading, atom, value) for value in self._encoding.values[name])
                        found[guard_text(atom)] = frozenset(index for index, truth in enumerate(truths, 1) if truth)
            self._sets[name] = sorted(found.items())
        return self._sets[name]

    def _ranges(self, name: str, values: Sequence[int]) -> Iterator[str]:
        for index, value in enumerate(values):
            shown = self._encoding.shown(name, value)
            assert shown is not None
            first, last = shown
            if isinstance(first, bool | str):
                yield " or ".join(self._words(name, value, first))
                continue
            if index and value == values[index - 1] + 1:
                continue  # told with the one before
            end = value
            while end + 1 in values:
                end += 1
            last = (self._encoding.shown(name, end) or (None, None))[1]
            yield self._range(name, first, last)

    def _words(self, name: str, value: int, first: Value) -> list[str]:
        """The countries or words that one value stands for."""
        if first in FRESH:
            return ["another country"]
        written = sorted(
            {str(each) for reading in self._encoding.readings for atom in reading.about(frozenset({name})) for each in _constants(atom)}
        )
        alike = [
            word
            for word in written
            if word not in self._encoding.values[name] and self._signature(name, word) == self._signature(name, first)
        ]
        return [value_text(first), *alike]

    def _signature(self, name: str, value: Value) -> tuple[bool | None, ...]:
        return tuple(truth for reading in self._encoding.readings for truth in reading.signature(name, value))

    def _range(self, name: str, first: int, last: Value | None) -> str:
        types = [reading.policy.types[name] for reading in self._encoding.readings if name in reading.policy.types]
        shown = instant_text if any(isinstance(kind, InstantType) for kind in types) and first < 253_402_300_800 else str
        if last is None:
            return f"{shown(first)} and more"
        return shown(first) if last == first else f"{shown(first)} to {shown(int(last)) if int(last) < 253_402_300_800 else last}"

    # When

    def _time(self, area: Area) -> str:
        """When, in the words of the rules where they say it, otherwise as stretches of time; empty where it is always."""
        access = self._access
        every = (1 << len(access.instants)) - 1
        if area.moments == every:
            return ""
        said = [(validity_text(each), self._open(each)) for each in access.timeline.validities]
        said = [(text, those) for text, those in said if text]
        for text, those in said:
            if those == area.moments:
                return text
            if every & ~those == area.moments:
                return f"except {text}"
        for (text, those), (other, others) in itertools.permutations(said[:40], 2):
            if those & ~others == area.moments:
                return f"{text} except {other}"
            if those & others == area.moments:
                return f"{text} and {other}"
            if every & ~those & ~others == area.moments:
                return f"except {text} and except {other}"
        return self._stretches(area.moments)

    def _open(self, validity: Validity) -> int:
        return sum(1 << index for index, instant in enumerate(self._access.instants) if in_force(validity, instant))

    def _stretches(self, moments: int) -> str:
        """The first stretches of time, as the timeline has them; a week repeats within its era."""
        timeline = self._access.timeline
        keys = {piece_key(timeline, self._access.instants[index]) for index in bits(moments)}
        found: list[list[int]] = []
        weekly = False
        for era in timeline.eras:
            for piece in era.pieces:
                if piece.key not in keys:
                    continue
                weekly |= era.end - era.start > WEEK and len(era.pieces) > 1
                start = max(piece.start, era.start) if piece.start >= era.start else piece.first(era.start, era.end)
                if start is None:
                    continue
                if found and found[-1][1] == start:
                    found[-1][1] = start + piece.end - piece.start
                elif len(found) <= TIMES:
                    found.append([start, start + piece.end - piece.start])
        shown = [f"{instant_text(start)} to {instant_text(end)}" for start, end in found[:TIMES]]
        return "in " + "; ".join([*shown, *(["…"] if weekly or len(found) > TIMES else [])])

    # From and to

    def _whole(self, segment: str) -> int:
        """How many ends a segment has."""
        return self._ends[segment]

    @cached_property
    def _ends(self) -> Counter[str]:
        return Counter(end.name for end in self._side.ends() if end.kind == "segment")

    def _acceptance(self, area: Area, conditions: Sequence[Condition], sources: tuple[Place, ...]) -> str:
        """The words that would sign for all of an area."""
        kinds, common = area.kinds, _common(conditions)
        if kinds == (PERSON,) and common:
            subjects = [common[0]]
        elif kinds == (PERSON,) and all(each.holding for each in conditions):
            subjects = sorted({each.holding[0] for each in conditions})
        elif len(kinds) == 1 and kinds[0].name:
            subjects = [kinds[0].name]
        else:
            subjects = [place.name for place in sources]
        bare = [end.name for end in area.ends if not end.service]
        targets = [*bare, *(end.service for end in area.ends if end.service and end.name not in bare)]
        return f"accept widening {', '.join(subjects)} to {', '.join(dict.fromkeys(targets))} on {ports.text(area.ports)}"


def piece_key(timeline: Timeline, instant: int) -> object:
    """Which rules are in force at an instant, as the pieces of a timeline say it."""
    return timeline.key(instant)


def _holds(reading: Reading, atom: Compare, value: Value) -> bool:
    """Whether a comparison is true of a value, one that the network's type does not have being as good as absent."""
    kind = reading.policy.types[atom.attribute]
    known = not isinstance(kind, EnumType) or value in kind.values
    return known and evaluate(atom, {atom.attribute: value}, reading.policy.types, reading.at) is True


def _constants(atom: Compare) -> tuple[Value, ...]:
    return getattr(atom.operand, "values", ())


def _kind(kind: Kind) -> str:
    if kind == ANYONE:
        return "anyone"
    return {HOST: "a host", PERSON: "a person"}.get(kind) or f"{kind.kind} {kind.name}"


def _common(conditions: Sequence[Condition]) -> tuple[str, ...]:
    """The roles that are held in every alternative."""
    held = [set(each.holding) for each in conditions]
    return tuple(sorted(set.intersection(*held))) if held else ()


def _subject(kinds: tuple[Kind, ...], common: tuple[str, ...], sources: tuple[Place, ...]) -> str:
    where = listing(f"`{place.name}`" for place in sources[:6]) if len(sources) <= 6 else f"{len(sources)} places (`{sources[0].name}` …)"
    if kinds == (PERSON,) and common:
        return f"{' and '.join(f'`{name}`' for name in common)} from {where}"
    names = {"anyone": "anyone", "a host": "a host", "a person": "a person"}
    told = [names.get(_kind(kind)) or (f"a device of class `{kind.name}`" if kind.kind == "device" else f"`{kind.name}`") for kind in kinds]
    return f"{listing(told)} in {where}"


def _places(ends: Sequence[Place], whole: Callable[[str], int]) -> str:
    """A segment with everything in it is named once."""
    bare = {end.name for end in ends if end.kind == "segment" and not end.service}
    told: list[str] = []
    for end in ends:
        if end.kind != "segment" or not end.service:
            services = [each.service for each in ends if each.name == end.name and each.service]
            count = whole(end.name) if end.kind == "segment" else 1
            rest = end.kind == "segment" and count > 1 + len(services)
            told.append(f"hosts of `{end.name}`" if rest else f"`{end.name}`")
            told += [f"`{name}`" for name in services if rest]
        elif end.name not in bare:
            told.append(f"`{end.service}`")
    return listing(dict.fromkeys(told))


def _when(conditions: Sequence[Condition], common: Iterable[str], more: int) -> list[str]:
    """The conditions as one clause; nothing where there is none."""
    told = []
    for each in conditions:
        roles = [f"acting as `{name}`" for name in each.holding if name not in set(common)]
        roles += [f"not acting as `{name}`" for name in each.lacking]
        told.append(" and ".join([*roles, *each.facts]))
    if not all(told):
        return []
    rest = [f"or in {more} further ways"] if more else []
    return ["when " + " or ".join(f"({each})" if len(told) > 1 and " and " in each else each for each in told), *rest]


def lines(spans: Iterable[Span]) -> str:
    """`file:line`, the first few."""
    told = [f"{span.file}:{span.line}" for span in spans]
    return ", ".join(told[:4]) + (f" and {len(told) - 4} more" if len(told) > 4 else "")
