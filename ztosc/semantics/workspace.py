"""A project held in memory and checked again after each edit: what a language server needs.

Guarantees: after any edits, `diagnostics` and `program` are those of checking the files anew. An edit costs what it touches: its
statements are read and bound again, and so is every statement that asked for a name that changed; an edit of what everything may
depend on (imports, templates, profiles, attributes, blocs, the network, other files than modules) checks the project anew, with the
statements that were read already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ztosc.diagnostics import Diagnostic, Report, sort_diagnostics
from ztosc.semantics.check import Scene
from ztosc.semantics.moving import ALL, Shifts, Watched
from ztosc.semantics.program import NOBODY, Program, Symbol
from ztosc.semantics.scope import declared_by, is_name
from ztosc.semantics.templates import base
from ztosc.semantics.texts import Change, Edit, File, Item
from ztosc.source import Loader, MemoryLoader, Source
from ztosc.syntax import ast
from ztosc.syntax.decode import HIDDEN, MAX_LINE

ROOTS = (ast.Import, ast.Template, ast.New, ast.Profile)
"""Statements that others depend on in more ways than by a name."""
ROOT_KINDS = frozenset({"network", "bloc", "attribute"})


class Workspace:
    """One project, open for editing."""

    def __init__(self, loader: Loader) -> None:
        self._loader = MemoryLoader({}, loader)
        self._files: dict[str, File] = {}
        self._open()

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Every finding of reading, binding and typing, in order."""
        return sort_diagnostics(self._everything())

    @property
    def program(self) -> Program:
        """The checked project. After an edit that moved lines, the statements are bound again first, for their places."""
        if self._shifts.log:
            self._settle()
        program = self._scene.program()
        program.symbols = dict(self._symbols.items())
        for _, item in self._all():
            if item.values:
                getattr(program, item.bucket).extend(item.values)
        program.public_keys, program.inventory = self._keys, self._inventory
        program.sources = {file.source.name: file.source for file in self._files.values()} | self._scene.modules.texts
        return program

    def edit(self, name: str, text: str) -> tuple[Diagnostic, ...]:
        """Give one file another text; the findings that the project has then."""
        self._loader.files[name] = text.encode("utf-8", "surrogatepass")
        file = self._files.get(name)
        if file is None or file.decoded:
            self._open()
        elif text != file.source.text:
            self._edited(file, Edit.between(file.source.text, text), text)
        return self.diagnostics

    # All of it

    def _open(self) -> None:
        """Check the project anew, with what was read of it before."""
        before, self._files, self._shifts = self._files, {}, Shifts()
        self._symbols: Watched[Symbol] = Watched(self._shifts)
        groups: Watched[ast.Group] = Watched(self._shifts)
        self._report = Report()
        self._scene = Scene.prepare(
            self._loader, self._report, lambda source, report: self._read(source, report, before), self._symbols, groups
        )
        self._groups = groups
        self._modules = {name: self._items_of(name) for name in sorted(self._scene.modules.parsed)}
        self._names = Counter(word.text for _, item in self._all() if item.statement for word, _ in declared_by(item.statement))
        self._front, self._front_age = self._taken(), 0
        self._obligations, self._obligation_uses = self._asking(self._scene.resolve_obligations)
        for module, item in self._all():
            self._bind(module, item)
        self._inventory = NOBODY
        self._keys_told: tuple[Diagnostic, ...] = ()
        self._read_inventory()
        self._read_keys()
        self._report.items = list(self._everything())
        known = len(self._report.items)
        program = Program()
        program.declarations = [value for _, item in self._all() if item.bucket == "declarations" for value in item.values]
        self._scene.one_network(program)
        self._front += tuple(self._report.items[known:])

    def _read(self, source: Source, report: Report, before: dict[str, File]) -> ast.Module:
        file = File(source, self._shifts, tuple(item for item in report.items if item.span and item.span.file == source.name))
        report.items = [item for item in report.items if item not in file.decoded]
        older = before.get(source.name)
        file.like(older) if older is not None else file.read()
        self._files[source.name] = file
        return ast.Module(source, tuple(item.statement for item in file.items if item.statement is not None))

    def _items_of(self, module: str) -> list[Item]:
        """The statements of a module: of its file, or of a template that was expanded."""
        parsed = self._scene.modules.parsed[module]
        if module == base(module):
            return self._files[parsed.source.name].items
        return [Item("", "", (), True, statement, (), 0) for statement in parsed.statements]

    def _all(self) -> Iterator[tuple[str, Item]]:
        for module, items in self._modules.items():
            for item in items:
                yield module, item

    def _everything(self) -> Iterator[Diagnostic]:
        """Every finding, with its present place."""
        moved, now = self._shifts.moved, self._shifts.now
        for file in self._files.values():
            yield from file.decoded
            yield from file.layout
            for item in file.items:
                if item.found:
                    yield from moved(item.found, item.age)
        yield from moved(self._front, self._front_age)
        yield from moved(self._obligations, self._front_age)
        for items in self._modules.values():
            for item in items:
                if item.told:
                    yield from item.told if item.age == now else moved(item.told, item.age)
        yield from self._keys_told
        yield from moved(self._inventory_told, self._inventory_age)

    # Binding

    def _taken(self) -> tuple[Diagnostic, ...]:
        taken, self._report.items = tuple(self._report.items), []
        return taken

    def _asking(self, step: Callable[[], Any]) -> tuple[tuple[Diagnostic, ...], frozenset[str]]:
        """What a step told, and the names that it asked for."""
        self._taken()
        self._symbols.asked()
        step()
        return self._taken(), self._symbols.asked()

    def _bind(self, module: str, item: Item) -> None:
        """Bind one statement, with its places as they are now."""
        item.statement, item.found = self._shifts.moved(item.statement, item.age), self._shifts.moved(item.found, item.age)
        item.age = self._shifts.now
        if item.statement is None:
            return
        statement = item.statement

        def step() -> None:
            item.bucket, item.values = self._scene.binder.bind(statement, module)

        item.told, item.uses = self._asking(step)

    def _read_inventory(self) -> None:
        def step() -> None:
            self._inventory = self._scene.inventory(self._loader)

        self._inventory_told, self._inventory_uses = self._asking(step)
        self._inventory_age = self._shifts.now

    def _read_keys(self) -> None:
        self._taken()
        program = Program()
        program.declarations = [value for _, item in self._all() if item.bucket == "declarations" for value in item.values]
        self._keys = self._scene.public_keys(program, self._loader)
        self._keys_told = self._taken()

    def _settle_front(self) -> None:
        """Bring the places up to date of what was found before binding."""
        self._front, self._obligations = self._shifts.moved((self._front, self._obligations), self._front_age)
        self._scene.obligations = list(self._shifts.moved(tuple(self._scene.obligations), self._front_age))
        self._front_age = self._shifts.now

    def _settle(self) -> None:
        """Bring every place up to date, and forget what moved."""
        self._settle_front()
        self._symbols.settle(list(self._symbols))
        self._groups.settle(list(self._groups))
        for module, item in self._all():
            self._bind(module, item)
        self._inventory_told = self._shifts.moved(self._inventory_told, self._inventory_age)
        for _, item in self._all():
            item.age = 0
        self._front_age = self._inventory_age = 0
        self._symbols.forget_ages()
        self._groups.forget_ages()
        self._shifts.log.clear()

    # One edit

    def _edited(self, file: File, edit: Edit, text: str) -> None:
        if not _readable(edit.lines(text)):
            self._open()
            return
        change = file.edit(edit, Source(file.source.name, text))
        if change.by:
            self._shifts.log.append((file.source.name, change.first, change.by))
        for item in change.came:
            item.age = self._shifts.now
        module = next(name for name, items in self._modules.items() if items is file.items)
        if self._reaches_far(change):
            self._open()
            return
        changed = self._rename(change, module)
        for item in change.came:
            self._bind(module, item)
        if changed:
            self._follow(changed, set(map(id, change.came)))
        if changed & self._inventory_uses:
            self._read_inventory()
        if _nodes(change.gone) != _nodes(change.came):
            self._read_keys()

    def _reaches_far(self, change: Change) -> bool:
        """Whether an edit changes more than statements and names that stand once."""
        statements = [item.statement for item in (*change.gone, *change.came) if item.statement is not None]
        if any(isinstance(each, ROOTS) or (isinstance(each, ast.Declaration) and each.kind in ROOT_KINDS) for each in statements):
            return True
        gone, came = _declared(change.gone), _declared(change.came)
        leaving, coming = Counter(word.text for word, _ in gone), Counter(word.text for word, _ in came)
        return (
            any(isinstance(each, ast.Group) and each.broken for each in statements)
            or not all(is_name(word.text, kind) for word, kind in (*gone, *came))
            or any(self._names[name] != 1 for name in leaving)
            or any(count != 1 or self._names[name] != leaving[name] for name, count in coming.items())
        )

    def _rename(self, change: Change, module: str) -> frozenset[str]:
        """Declare what an edit declares instead of what it declared; the names that stand for something else now."""
        gone, came = _declared(change.gone), _declared(change.came)
        before = {word.text: self._symbols.get(word.text) for word, _ in gone}
        after = {word.text: Symbol(word.text, kind, base(module), word.span) for word, kind in came}
        groups = {each.name.text: each for each in _groups(change.came)}
        for name in before.keys() | after.keys():
            self._symbols.replace(name, after.get(name))
            self._groups.replace(name, groups.get(name))
        self._names.subtract(list(before))
        self._names.update(list(after))
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        changed |= groups.keys() | {each.name.text for each in _groups(change.gone)}
        if {name: symbol.kind for name, symbol in before.items()} != {name: symbol.kind for name, symbol in after.items()}:
            changed.add(ALL)
            self._scene.names.forget_guesses()
        return frozenset(changed)

    def _follow(self, changed: frozenset[str], done: set[int]) -> None:
        """Bind again whatever asked for a name that changed."""
        for module, item in self._all():
            if not changed.isdisjoint(item.uses) and id(item) not in done:
                self._bind(module, item)
        if not changed.isdisjoint(self._obligation_uses):
            self._settle_front()
            self._obligations, self._obligation_uses = self._asking(self._scene.resolve_obligations)


def _readable(lines: str) -> bool:
    """Whether lines need no repair of their characters."""
    try:
        lines.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return not HIDDEN.search(lines) and max(map(len, lines.split("\n"))) <= MAX_LINE


def _declared(items: Iterable[Item]) -> list[tuple[ast.Word, str]]:
    return [each for item in items if item.statement is not None for each in declared_by(item.statement)]


def _groups(items: Iterable[Item]) -> list[ast.Group]:
    return [item.statement for item in items if isinstance(item.statement, ast.Group)]


def _nodes(items: Iterable[Item]) -> set[str]:
    return {word.text for word, kind in _declared(items) if kind == "node"}
