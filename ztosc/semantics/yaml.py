"""YAML to a tree of texts that knows where everything stands; what the texts mean is decided by whoever reads the tree.

Guarantees: never raises for any input; no aliases, anchors, tags, merge keys or further documents, for what one line says must not be
changed by another; no key twice; at most `MAX_DEPTH` deep. A scalar is its text: `no` is a word and never false.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ztosc.diagnostics import Label, Report
from ztosc.source import Source, Span

MAX_DEPTH = 16
CODE = "ZT225"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text; `plain` where nothing quotes it."""

    text: str
    plain: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys in the order written."""

    entries: tuple[tuple[Scalar, Node], ...]
    span: Span


Node = Scalar | Sequence | Mapping


class _Refused(Exception):
    """Something that was reported and ends the reading of a file."""


def parse_yaml(source: Source, report: Report) -> Node | None:
    """The one document of a file; nothing where it is empty or cannot be used, which is reported."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    reader = _Reader(source, report)
    try:
        for event in YAML(typ="safe", pure=True).parse(source.text):
            reader.take(event)
    except MarkedYAMLError as error:
        place = reader.place(error.problem_mark or error.context_mark)
        problem = (error.problem or error.context or "it is malformed").replace("\n", " ")
        report.error(CODE, f"`{source.name}` is not YAML: {problem}", place, help="check quotes, brackets and indentation here")
    except YAMLError as error:
        first = str(error).splitlines()[0] if str(error) else "it is malformed"
        report.error(CODE, f"`{source.name}` is not YAML: {first}", source.span(0, 0), help="save it as YAML in UTF-8")
    except _Refused:
        return None
    return reader.result


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end was not read yet."""

    mapping: bool
    start: int
    nodes: list[Node] = field(default_factory=list)


class _Reader:
    def __init__(self, source: Source, report: Report) -> None:
        self._source, self._report = source, report
        self._stack: list[_Open] = []
        self._documents = 0
        self.result: Node | None = None

    def place(self, mark: Any) -> Span:
        """A mark of the YAML library as a span."""
        index = min(mark.index, len(self._source.text)) if mark is not None else 0
        return self._source.span(index, min(index + 1, len(self._source.text)))

    def take(self, event: Any) -> None:
        """One event of the YAML library. Raises `_Refused`."""
        kind = type(event).__name__
        if kind == "AliasEvent" or getattr(event, "anchor", None):
            self._refuse(event, "an alias", "write the value out: what stands in one place must not be changed in another")
        if getattr(event, "tag", None) and kind.endswith(("ScalarEvent", "StartEvent")):
            self._refuse(event, "a tag", "write the plain value; types come from the declarations of the project")
        match kind:
            case "DocumentStartEvent":
                self._documents += 1
                if self._documents > 1:
                    self._refuse(event, "a second document", "write one document a file")
            case "SequenceStartEvent" | "MappingStartEvent":
                if len(self._stack) >= MAX_DEPTH:
                    self._refuse(event, f"something nested deeper than {MAX_DEPTH}", "write it flat")
                self._stack.append(_Open(kind == "MappingStartEvent", event.start_mark.index))
            case "SequenceEndEvent" | "MappingEndEvent":
                self._close(event)
            case "ScalarEvent":
                span = self._source.span(event.start_mark.index, event.end_mark.index)
                self._put(Scalar(event.value, not event.style, span))

    def _refuse(self, event: Any, what: str, help_: str) -> None:
        self._report.error(
            CODE, f"`{self._source.name}` holds {what}, which an inventory may not", self.place(event.start_mark), help=help_
        )
        raise _Refused

    def _put(self, node: Node) -> None:
        if self._stack:
            self._stack[-1].nodes.append(node)
        else:
            self.result = node

    def _close(self, event: Any) -> None:
        done = self._stack.pop()
        span = self._source.span(done.start, max(event.end_mark.index, done.start))
        self._put(self._mapping(done.nodes, span) if done.mapping else Sequence(tuple(done.nodes), span))

    def _mapping(self, nodes: list[Node], span: Span) -> Mapping:
        entries: dict[str, tuple[Scalar, Node]] = {}
        for key, value in zip(nodes[::2], nodes[1::2], strict=True):
            if not isinstance(key, Scalar) or key.text == "<<":
                self._report.error(CODE, "a key here is no plain word", key.span, help="write `key: value`")
            elif key.text in entries:
                first = Label(entries[key.text][0].span, "given here first")
                self._report.error(CODE, f"`{key.text}` is given twice", key.span, help="keep one of them", related=[first])
            else:
                entries[key.text] = (key, value)
        return Mapping(tuple(entries.values()), span)
