"""Text with a name, and where in it something stands.

Guarantees: every `Span` counts lines and columns from 1 in code points with an exclusive end; a `Loader` never hands out a file
from outside its root (symbolic links resolved), never more than `MAX_BYTES` of one file, and lists files in a fixed order.
Nothing below this room touches the disk for sources.
"""

from __future__ import annotations

import bisect
import itertools
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Protocol

MAX_BYTES = 32 * 1024 * 1024
"""The largest source file that is read, in bytes."""

MAX_FILES = 20_000
"""The most source files one project may have."""


@dataclass(frozen=True, slots=True, order=True, init=False)
class Span:
    """A piece of one file: lines and columns from 1, in code points, end exclusive.

    What a template says stands in the template; `use` are the places of the `new` that brought it there, the innermost first.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    use: tuple[Span, ...] = ()

    def __init__(self, file: str, line: int, column: int, end_line: int, end_column: int, use: tuple[Span, ...] = ()) -> None:
        # What `dataclass` writes for a frozen class takes twice as long, and nothing is made as often as places.
        _file(self, file)
        _line(self, line)
        _column(self, column)
        _end_line(self, end_line)
        _end_column(self, end_column)
        _use(self, use)


_file, _line, _column, _end_line, _end_column, _use = (getattr(Span, each.name).__set__ for each in fields(Span))


@dataclass(frozen=True)
class Source:
    """One file's text under its name within the project (POSIX, relative), or `std/…` for the standard library."""

    name: str
    text: str

    @cached_property
    def _starts(self) -> list[int]:
        lengths = map((1).__add__, map(len, self.text.split("\n")))
        return [0, *itertools.accumulate(lengths)][:-1]

    def span(self, start: int, end: int) -> Span:
        """The span between two offsets, in code points."""
        line, column = self.position(start)
        end_line, end_column = self.position(end)
        return Span(self.name, line, column, end_line, end_column)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column (from 1) of an offset."""
        line = bisect.bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """The offset of a line and column (from 1); never outside of the text or behind the end of the line."""
        if not 1 <= line <= len(self._starts):
            return len(self.text) if line > 0 else 0
        end = self._starts[line] - 1 if line < len(self._starts) else len(self.text)
        return min(self._starts[line - 1] + max(column - 1, 0), end)

    def ruler(self, start: int, end: int) -> Ruler:
        """Measures a piece of the text by offsets from its start."""
        line, column = self.position(start)
        last = bisect.bisect_right(self._starts, end, lo=line)
        return Ruler(self, start, line, column, self._starts[line - 1 : last])

    def line(self, number: int) -> str:
        """The text of a line, without its end."""
        if not 1 <= number <= len(self._starts):
            return ""
        end = self._starts[number] - 1 if number < len(self._starts) else len(self.text)
        return self.text[self._starts[number - 1] : end].rstrip("\r")


class Ruler:
    """Lines and columns of a piece of a source, by offsets from its start: the same as the source says, found in a few steps."""

    __slots__ = ("_source", "_start", "_starts", "column", "file", "line", "single")

    def __init__(self, source: Source, start: int, line: int, column: int, starts: list[int]) -> None:
        self._source, self._start, self._starts = source, start, starts
        self.file, self.line, self.column, self.single = source.name, line, column, len(starts) == 1

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset from the start of the piece."""
        offset += self._start
        index = bisect.bisect_right(self._starts, offset)
        return self.line + index - 1, offset - self._starts[index - 1] + 1

    def span(self, start: int, end: int) -> Span:
        """The span between two offsets from the start of the piece."""
        line, column = self.position(start)
        end_line, end_column = self.position(end)
        return Span(self.file, line, column, end_line, end_column)

    def offsets(self, span: Span) -> tuple[int, int]:
        """Where a span of this piece starts and ends, from the start of the piece."""
        start, end = self._source.offset(span.line, span.column), self._source.offset(span.end_line, span.end_column)
        return start - self._start, end - self._start

    def text(self, span: Span) -> str:
        """What the source says at a span of this piece."""
        start, end = self.offsets(span)
        return self._source.text[self._start + start : self._start + end]


class SourceMissing(Exception):
    """A name that the loader does not have."""


class SourceRefused(Exception):
    """A name that the loader has but will not hand out; `reason` says why, in one sentence's end."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class Loader(Protocol):
    """Where a project's files come from."""

    def names(self) -> tuple[str, ...]:
        """Every file of the project that the compiler may read, sorted."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of one file. Raises `SourceMissing` or `SourceRefused`."""
        ...


@dataclass(frozen=True)
class MemoryLoader:
    """A project held in memory: tests, and an editor's unsaved files over another loader."""

    files: dict[str, bytes]
    below: Loader | None = None

    def names(self) -> tuple[str, ...]:
        below = self.below.names() if self.below else ()
        return tuple(sorted({*below, *self.files}))

    def read(self, name: str) -> bytes:
        if name in self.files:
            return self.files[name]
        if self.below is None:
            raise SourceMissing(name)
        return self.below.read(name)


@dataclass(frozen=True)
class DiskLoader:
    """A folder on disk, read only below its root; hidden folders and `skip` (outputs) are left out."""

    root: Path
    only: tuple[str, ...] | None = None
    skip: tuple[Path, ...] = ()
    _cache: dict[str, bytes] = field(default_factory=dict, compare=False, repr=False)

    def names(self) -> tuple[str, ...]:
        if self.only is not None:
            keys = (path.relative_to(self.root).as_posix() for path in self.root.glob("keys/wireguard/*/*") if not self._hidden(path))
            return (*self.only, *sorted(keys))
        found = sorted(
            path.relative_to(self.root).as_posix()
            for pattern in ("*.ztos", "ztos.toml", "ztos.lock", "keys/wireguard/*/*", "inventory/**/*.yaml", "inventory/**/*.yml")
            for path in (self.root.glob(pattern) if "/" in pattern else self.root.rglob(pattern))
            if not self._hidden(path)
        )
        return tuple(found[:MAX_FILES])

    def read(self, name: str) -> bytes:
        if name not in self._cache:
            self._cache[name] = self._read(name)
        return self._cache[name]

    def _read(self, name: str) -> bytes:
        pure = PurePosixPath(name)
        path = (self.root / pure).resolve()
        if pure.is_absolute() or not path.is_relative_to(self.root.resolve()):
            raise SourceRefused(name, "it lies outside the project's root")
        if not path.exists():
            raise SourceMissing(name)
        if not path.is_file():
            raise SourceRefused(name, "it is not a regular file")
        try:
            if path.stat().st_size > MAX_BYTES:
                raise SourceRefused(name, f"it is larger than {MAX_BYTES // (1024 * 1024)} MiB")
            return path.read_bytes()
        except OSError as error:
            raise SourceRefused(name, f"it cannot be read ({error.strerror})") from error

    def _hidden(self, path: Path) -> bool:
        parts = path.relative_to(self.root).parts
        if any(part.startswith(".") for part in parts) or not (path.is_file() or path.is_symlink()):
            return True
        if any((parent / "manifest.json").is_file() for parent in path.parents if parent.is_relative_to(self.root) and parent != self.root):
            return True
        return any(path.is_relative_to(folder) for folder in self.skip)
