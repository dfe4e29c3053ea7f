"""Lines that went up or down under what was read before.

Guarantees: a place that was right when it was found is right again after `Shifts` has been asked, as long as what stands there was not
edited itself. Names that are looked up come out with their present place, and it is noted that they were asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, is_dataclass
from functools import lru_cache
from typing import Any, TypeVar

from ztosc.source import Span

T = TypeVar("T")
ALL = "*"
"""Stands for having looked at every name there is."""


@dataclass(slots=True)
class Shifts:
    """What moved: in which file, from which line on, by how many lines; the latest last."""

    log: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def now(self) -> int:
        """How many times something has moved: the age of what is found now."""
        return len(self.log)

    def span(self, span: Span, since: int) -> Span:
        """Where a place is now that was found at an age."""
        use = tuple(self.span(each, since) for each in span.use)
        line, end = span.line, span.end_line
        for file, first, by in self.log[since:]:
            if span.file == file and line >= first:
                line, end = line + by, end + by
        return Span(span.file, line, span.column, end, span.end_column, use)

    def moved(self, value: T, since: int) -> T:
        """A value that was made at an age, with every place in it as it is now."""
        return value if since == self.now else moved(value, lambda span: self.span(span, since))


def moved(value: Any, move: Callable[[Span], Span]) -> Any:
    """A value of dataclasses, tuples and texts, with every place in it moved."""
    if isinstance(value, Span):
        return move(value)
    if isinstance(value, tuple):
        return tuple(moved(each, move) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{name: moved(getattr(value, name), move) for name in _names(type(value))})
    return value


@lru_cache(maxsize=128)
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))


class Watched(dict[str, T]):
    """Names that know who asked for them, and where they are now."""

    def __init__(self, shifts: Shifts) -> None:
        super().__init__()
        self._shifts = shifts
        self._ages: dict[str, int] = {}
        self._asked: set[str] = set()

    def asked(self) -> frozenset[str]:
        """What was asked for since this was asked last."""
        found = frozenset(self._asked)
        self._asked.clear()
        return found

    def replace(self, name: str, value: T | None) -> None:
        """Put a new value in place of what there was; nothing takes it away."""
        self.pop(name, None)
        self._ages[name] = self._shifts.now
        if value is not None:
            self[name] = value

    def settle(self, names: Iterable[str]) -> None:
        """Bring names up to date for good."""
        for name in names:
            self._fresh(name)

    def _fresh(self, name: str) -> T:
        value = super().__getitem__(name)
        age = self._ages.get(name, 0)
        if age != self._shifts.now:
            value = self[name] = self._shifts.moved(value, age)
            self._ages[name] = self._shifts.now
        return value

    def forget_ages(self) -> None:
        """Count anew: everything is up to date, and the shifts are about to be forgotten."""
        self._ages.clear()

    def __contains__(self, name: object) -> bool:
        self._asked.add(str(name))
        return super().__contains__(name)

    def __getitem__(self, name: str) -> T:
        self._asked.add(name)
        return self._fresh(name)

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a name, with its present place."""
        self._asked.add(name)
        return self._fresh(name) if super().__contains__(name) else default

    def values(self) -> Any:
        """Every value, in no particular place."""
        self._asked.add(ALL)
        return super().values()
