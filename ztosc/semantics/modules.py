"""Files to modules: what is read, in which order, and what each may see.

Guarantees: every `.ztos` file below the root is read exactly once, imports are followed into the standard library and inside the
root only, a circle of imports is an error that names its way, and the order of files leaves no trace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePosixPath

from ztosc.diagnostics import Report, near
from ztosc.diagnostics.fixes import replace
from ztosc.resources import ResourceNotFoundError, stdlib_file, stdlib_files
from ztosc.source import Loader, Source, SourceMissing, SourceRefused, Span
from ztosc.syntax import ast, parse
from ztosc.syntax.decode import decode

Parser = Callable[[Source, Report], ast.Module]
"""What parses one file."""

ALWAYS = ("std.prelude", "std.countries")
"""Modules that every other one sees."""

WRITABLE = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*")
"""Names of modules that can stand in an `import` without quotes."""


@dataclass(slots=True)
class Modules:
    """The parsed modules by name, and which modules each imports, with the place that does."""

    parsed: dict[str, ast.Module] = field(default_factory=dict)
    imports: dict[str, list[tuple[str, Span]]] = field(default_factory=dict)
    texts: dict[str, Source] = field(default_factory=dict)
    """What was read besides modules, by file."""


def module_name(file: str) -> str:
    """`rooms/beds.ztos` is `rooms.beds`."""
    return str(PurePosixPath(file).with_suffix("")).replace("/", ".")


def load(loader: Loader, report: Report, parser: Parser = parse) -> Modules:
    """Read and parse the project and all it imports."""
    loading = _Loading(loader, report, parser)
    for name in loader.names():
        if name.endswith(".ztos"):
            loading.read_project_file(name)
    for module in ALWAYS:
        loading.read_standard(module)
    loading.follow()
    _report_circles(loading.modules, report)
    return loading.modules


@cache
def standard_templates() -> dict[str, str]:
    """The module of the standard library that has each template."""
    found: dict[str, str] = {}
    for path in stdlib_files():
        for statement in parse(Source(path.name, path.read_text(encoding="utf-8")), Report()).statements:
            if isinstance(statement, ast.Template):
                found.setdefault(statement.name.text, f"std.{path.stem}")
    return found


class _Loading:
    def __init__(self, loader: Loader, report: Report, parser: Parser) -> None:
        self._loader, self._report, self._parser = loader, report, parser
        self.modules = Modules()
        self._pending: list[str] = []

    def read_project_file(self, file: str, wanted_at: Span | None = None) -> bool:
        """Parse one file of the project; false where it is not there."""
        module = module_name(file)
        if module in self.modules.parsed:
            return True
        try:
            data = self._loader.read(file)
        except SourceMissing:
            return False
        except SourceRefused as refused:
            code = "ZT206" if "outside" in refused.reason else "ZT223"
            span = wanted_at or Span(file, 1, 1, 1, 1)
            self._report.error(code, f"`{file}` is not read: {refused.reason}", span, help="keep what a project needs below its root")
            return True
        self._parse(module, file, data)
        return True

    def read_standard(self, module: str) -> bool:
        """Parse a module of the standard library; false where there is none of this name."""
        if module in self.modules.parsed:
            return True
        try:
            path = stdlib_file(module.removeprefix("std."))
        except ResourceNotFoundError:
            return False
        self._parse(module, f"std/{path.name}", path.read_bytes())
        return True

    def _parse(self, module: str, file: str, data: bytes) -> None:
        source = decode(file, data, self._report)
        if source is not None:
            self.modules.parsed[module] = self._parser(source, self._report)
            self.modules.imports[module] = []
            self._pending.append(module)

    def follow(self) -> None:
        """Read what is imported until nothing new comes."""
        while self._pending:
            module = self._pending.pop()
            for statement in self.modules.parsed[module].statements:
                if isinstance(statement, ast.Import):
                    self._import(module, statement)

    def _import(self, module: str, statement: ast.Import) -> None:
        target, span = statement.target, statement.target.span
        if target.kind == "STRING":
            self._import_path(module, target.text[1:-1], span)
        elif target.text == "std" or target.text.startswith("std."):
            self._import_standard(module, target.text, span)
        else:
            self._import_path(module, target.text.replace(".", "/"), span)

    def _import_standard(self, module: str, wanted: str, span: Span) -> None:
        if self.read_standard(wanted):
            self.modules.imports[module].append((wanted, span))
            return
        known = [f"std.{path.stem}" for path in stdlib_files()]
        guess = near(wanted.removeprefix("std."), [name.removeprefix("std.") for name in known])
        help_ = f"did you mean `std.{guess}`?" if guess else "the standard library has " + ", ".join(f"`{name}`" for name in known)
        fixes = replace(span, f"std.{guess}" if guess else None)
        self._report.error("ZT204", f"the standard library has no module `{wanted}`", span, help=help_, fixes=fixes)

    def _import_path(self, module: str, wanted: str, span: Span) -> None:
        path = PurePosixPath(wanted)
        if path.is_absolute() or ".." in path.parts:
            self._report.error(
                "ZT206", f"`{wanted}` lies outside the project's root", span, help="move the file below the root and import it from there"
            )
            return
        file = wanted if wanted.endswith(".ztos") else f"{wanted}.ztos"
        if self.read_project_file(file, span):
            self.modules.imports[module].append((module_name(file), span))
            return
        inside = [name for name in self._loader.names() if name.startswith(f"{wanted}/") and name.endswith(".ztos")]
        if not inside:
            self._missing(wanted, span)
        for name in inside:
            self.read_project_file(name, span)
            self.modules.imports[module].append((module_name(name), span))

    def _missing(self, wanted: str, span: Span) -> None:
        known = [module_name(name) for name in self._loader.names() if name.endswith(".ztos")]
        guess = near(wanted.replace("/", "."), [*known, *(f"std.{path.stem}" for path in stdlib_files())])
        help_ = f"did you mean `{guess}`?" if guess else "a module is a file or folder below the project's root, or `std.…`"
        fixes = replace(span, guess if guess and WRITABLE.fullmatch(guess) else None)
        self._report.error("ZT204", f"there is no module `{wanted}`", span, help=help_, fixes=fixes)


def _report_circles(modules: Modules, report: Report) -> None:
    done: set[str] = set()
    for start in sorted(modules.imports):
        if start not in done:
            _walk(modules, start, done, report)


def _walk(modules: Modules, module: str, done: set[str], report: Report) -> None:
    """Depth first with a stack of its own, so that no depth of imports ends it."""
    stack: list[tuple[str, Iterator[tuple[str, Span]]]] = [(module, iter(sorted(modules.imports.get(module, ()))))]
    on_path = [module]
    while stack:
        current, edges = stack[-1]
        edge = next(edges, None)
        if edge is None:
            stack.pop()
            on_path.pop()
            done.add(current)
        elif edge[0] in on_path:
            way = " → ".join(f"`{name}`" for name in [*on_path[on_path.index(edge[0]) :], edge[0]])
            report.error("ZT205", f"imports go in a circle: {way}", edge[1], help="move what both need into a third module")
        elif edge[0] not in done:
            on_path.append(edge[0])
            stack.append((edge[0], iter(sorted(modules.imports.get(edge[0], ())))))
