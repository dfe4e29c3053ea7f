"""Names to what they stand for.

Guarantees: one name, one thing; a name resolves the same way wherever it stands in a module; an unknown name is reported once for
each use, with the nearest one or the import that would bring it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

from ztosc.diagnostics import Fix, Label, Report, near
from ztosc.diagnostics.fixes import import_line, replace
from ztosc.resources import stdlib_files
from ztosc.semantics.modules import ALWAYS, Modules
from ztosc.semantics.program import Reference, Symbol
from ztosc.semantics.templates import base
from ztosc.source import Source
from ztosc.syntax import ast, parse

MAX_NAME = 63
"""Longest name: it becomes a DNS label (RFC 1035 §2.3.4)."""


INVENTORY = "+inventory"
"""The module in whose scope an inventory is read: it sees every name of the project, and of all that any file imports."""


def declared(module: ast.Module) -> Iterator[tuple[ast.Word, str]]:
    """Every name that a module declares, with its kind."""
    for statement in module.statements:
        yield from declared_by(statement)


def declared_by(statement: ast.Statement) -> Iterator[tuple[ast.Word, str]]:
    """Every name that a statement declares, with its kind. Templates and profiles have namespaces of their own."""
    match statement:
        case ast.Declaration(kind="link"):
            return
        case ast.Declaration():
            yield statement.name, statement.kind
            yield from ((item.name, item.kind) for item in statement.items if isinstance(item, ast.Declaration) and item.kind != "link")
        case ast.Group():
            yield statement.name, "group"


@dataclass(slots=True)
class Names:
    """Every declared name of the loaded modules, and what each module sees."""

    modules: Modules
    report: Report
    symbols: dict[str, Symbol] = field(default_factory=dict)
    groups: dict[str, ast.Group] = field(default_factory=dict)
    _seen: dict[str, frozenset[str]] = field(default_factory=dict)
    """The modules that a module sees, its own among them."""
    _open_groups: list[str] = field(default_factory=list)
    _guesses: dict[tuple[object, ...], str | None] = field(default_factory=dict)
    """The nearest names that were looked for: one mistake is often made in many places."""

    def collect(self) -> None:
        """Declare all names; a second declaration of one is an error that shows the first."""
        ordered = sorted(self.modules.parsed, key=lambda name: (not name.startswith("std."), name))
        for module in ordered:
            for word, kind in declared(self.modules.parsed[module]):
                self._declare(word, kind, module)
            for statement in self.modules.parsed[module].statements:
                if isinstance(statement, ast.Group) and not statement.broken:
                    self.groups.setdefault(statement.name.text, statement)
            self._seen[module] = frozenset({module, *ALWAYS, *(name for name, _ in self.modules.imports.get(module, ()))})
        self._seen[INVENTORY] = frozenset(name for module, seen in self._seen.items() if not module.startswith("std.") for name in seen)

    def _sees(self, module: str, symbol: Symbol) -> bool:
        """Whether a name is in scope: of this module, of an imported one, and within a project of every file."""
        return symbol.module in self._seen.get(module, ()) or not (module.startswith("std.") or symbol.module.startswith("std."))

    def _declare(self, word: ast.Word, kind: str, module: str) -> None:
        name = word.text
        if not is_name(name, kind):
            why = "only attributes have a dot in their name" if "." in name else f"names have at most {MAX_NAME} characters"
            self.report.error("ZT215", f"`{name[:80]}` cannot be a name", word.span, label=why, help="use a-z, 0-9 and `-`")
        first = self.symbols.get(name)
        if first is None:
            self.symbols[name] = Symbol(name, kind, base(module), word.span)
            return
        help_ = f"rename it, or leave out `import {first.module}`" if first.module.startswith("std.") else "rename one of them"
        label = Label(first.span, f"`{name}` is declared here first, as {article(first.kind)}")
        self.report.error("ZT202", f"`{name}` is declared twice", word.span, help=help_, related=[label])

    def symbol(self, word: ast.Word, module: str) -> Symbol | None:
        """What a word names in a module, by its own or its qualified name."""
        found = self.symbols.get(word.text)
        if found is not None and self._sees(module, found):
            return found
        for name, symbol in self._qualified(word.text):
            if name == word.text:
                return symbol
        return None

    def _qualified(self, text: str) -> Iterator[tuple[str, Symbol]]:
        for start in range(len(text)):
            if text[start] == "." and text[start + 1 :] in self.symbols:
                symbol = self.symbols[text[start + 1 :]]
                yield f"{symbol.module}.{symbol.name}", symbol

    def resolve(self, word: ast.Word, module: str, kinds: tuple[str, ...], also: Iterable[str] = ()) -> Symbol | None:
        """The symbol of a word that must be of one of the kinds; `also` are words that would be right too. Reports what is wrong."""
        symbol = self.symbol(word, module)
        if symbol is None:
            self._unknown(word, module, kinds, also)
        elif symbol.kind not in kinds:
            label = Label(symbol.span, "declared here")
            guess = self._near(word.text, module, kinds, also)
            self.report.error(
                "ZT203",
                f"`{word.text}` is {article(symbol.kind)}, not {listed(kinds)}",
                word.span,
                related=[label],
                help=f"did you mean `{guess}`?" if guess else "",
                fixes=replace(word.span, guess),
            )
        else:
            return symbol
        return None

    def _near(self, text: str, module: str, kinds: tuple[str, ...], also: Iterable[str]) -> str | None:
        every = self.symbols.values()
        asked = (text, module, kinds, tuple(also))
        if asked not in self._guesses:
            pool = [each.name for each in every if each.kind in kinds and each.name != text and self._sees(module, each)]
            self._guesses[asked] = near(text, [*pool, *also])
        return self._guesses[asked]

    def forget_guesses(self) -> None:
        """Look for the nearest names anew: there are others now."""
        self._guesses.clear()

    def _unknown(self, word: ast.Word, module: str, kinds: tuple[str, ...], also: Iterable[str]) -> None:
        guess = self._near(word.text, module, kinds, also)
        brings = "" if guess else _standard_module(word.text)
        help_ = f"did you mean `{guess}`?" if guess else f"`import {brings}` brings it into scope" if brings else ""
        fixes: tuple[Fix, ...] = import_line(word.span.file, brings) if brings else replace(word.span, guess)
        label = f"no {listed(kinds)} has this name"
        self.report.error("ZT201", f"unknown name `{word.text}`", word.span, label=label, help=help_, fixes=fixes)

    def references(self, words: Iterable[ast.Word], module: str, kinds: tuple[str, ...], also: Iterable[str] = ()) -> tuple[Reference, ...]:
        """What a list of words stands for, groups expanded, each thing once, in the order written."""
        found: dict[str, Reference] = {}
        for word in words:
            symbol = self.symbol(word, module)
            if symbol is not None and symbol.kind != "group" and symbol.kind in kinds:
                found.setdefault(symbol.name, Reference(symbol, word.span))
                continue
            for reference in self._expand(word, module, kinds, also):
                found.setdefault(reference.name, reference)
        return tuple(found.values())

    def _expand(self, word: ast.Word, module: str, kinds: tuple[str, ...], also: Iterable[str]) -> list[Reference]:
        symbol = self.resolve(word, module, (*kinds, "group"), also)
        if symbol is None:
            return []
        if symbol.kind != "group":
            return [Reference(symbol, word.span)]
        if symbol.name not in self.groups:  # its declaration could not be read
            return []
        if symbol.name in self._open_groups:
            way = " → ".join(f"`{name}`" for name in [*self._open_groups, symbol.name])
            self.report.error("ZT214", f"groups contain each other: {way}", word.span, help="take one out of the other")
            return []
        return self._members(self.groups[symbol.name], symbol, word, kinds)

    def _members(self, group: ast.Group, symbol: Symbol, word: ast.Word, kinds: tuple[str, ...]) -> list[Reference]:
        self._open_groups.append(symbol.name)
        try:
            without = {reference.name for reference in self.references(group.excepted, symbol.module, kinds)}
            members = self.references(group.members, symbol.module, kinds)
        finally:
            self._open_groups.pop()
        return [Reference(member.symbol, word.span, symbol.name) for member in members if member.name not in without]


def _standard_module(name: str) -> str:
    """Which module of the standard library has a name, if any does."""
    module = _standard_names().get(name)
    return f"std.{module}" if module else ""


@cache
def _standard_names() -> dict[str, str]:
    """The first module of the standard library that has each name."""
    found: dict[str, str] = {}
    for path in stdlib_files():
        module = parse(Source(path.name, path.read_text(encoding="utf-8")), Report())
        for word, _ in declared(module):
            found.setdefault(word.text, path.stem)
    return found


def is_name(name: str, kind: str) -> bool:
    """Whether something of a kind can have a name."""
    return ("." not in name or kind == "attribute") and len(name) <= MAX_NAME


def article(kind: str) -> str:
    """`a role`, `an external`."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def listed(kinds: tuple[str, ...]) -> str:
    """`role, segment or group`."""
    names = [kind for kind in kinds if kind != "system"]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" or {names[-1]}"
