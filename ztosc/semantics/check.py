"""The checking phase: a loader's files to one `Program`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ztosc.diagnostics import Report
from ztosc.ir.clock import zone_names
from ztosc.ir.inventory import Inventory
from ztosc.ir.secrets import PublicKey
from ztosc.ir.values import AttributeType
from ztosc.semantics import literals, types
from ztosc.semantics.acceptances import AcceptanceChecker
from ztosc.semantics.clauses import TABLE
from ztosc.semantics.countries import Countries
from ztosc.semantics.declarations import Checker
from ztosc.semantics.guards import GuardChecker
from ztosc.semantics.inventory import read_inventory
from ztosc.semantics.modules import Modules, Parser, load
from ztosc.semantics.policy import PolicyChecker
from ztosc.semantics.profiles import ProfileChecker
from ztosc.semantics.program import Bound, Program, Symbol
from ztosc.semantics.project import FILE, read_project
from ztosc.semantics.publickeys import read_public_keys
from ztosc.semantics.scope import Names
from ztosc.semantics.templates import expand
from ztosc.source import Loader, Span
from ztosc.syntax import Cache, ast, parse


def check(loader: Loader, report: Report, cache: Cache | None = None) -> Program:
    """Read, parse, bind and type a project."""
    scene = Scene.prepare(loader, report, lambda source, report: parse(source, report, cache))
    scene.resolve_obligations()
    program = scene.program()
    for module, statement in statements(scene.modules):
        bucket, values = scene.binder.bind(statement, module)
        if values:
            getattr(program, bucket).extend(values)
    program.public_keys = scene.public_keys(program, loader)
    program.inventory = scene.inventory(loader)
    program.sources.update(scene.modules.texts)
    scene.one_network(program)
    return program


@dataclass(slots=True)
class Scene:
    """All that binding a statement depends on besides the statement."""

    modules: Modules
    names: Names
    guards: GuardChecker
    binder: Binder
    obligations: list[tuple[ast.Word, str, str]]
    report: Report

    @staticmethod
    def prepare(
        loader: Loader,
        report: Report,
        parser: Parser,
        symbols: dict[str, Symbol] | None = None,
        groups: dict[str, ast.Group] | None = None,
    ) -> Scene:
        """Read every file, expand templates, and collect names, blocs, types and the zone. Names go where they are told to."""
        read_project(loader, report)
        modules = load(loader, report, parser)
        expansion = expand(modules, report)
        names = Names(modules, report, {} if symbols is None else symbols, {} if groups is None else groups)
        names.collect()
        countries = Countries(_blocs(modules), report)
        zone = _zone(modules)
        guards = GuardChecker(names, _attribute_types(modules, report), countries, zone, report)
        binder = Binder(modules, Checker(names, countries, guards, zone, report))
        return Scene(modules, names, guards, binder, expansion.obligations, report)

    def resolve_obligations(self) -> None:
        """Look at what uses of templates promised to name."""
        for word, kind, module in self.obligations:
            self.names.references((word,), module, (kind,))

    def program(self) -> Program:
        """A program with nothing bound in it yet."""
        return Program(sources={module.source.name: module.source for module in self.modules.parsed.values()}, symbols=self.names.symbols)

    def public_keys(self, program: Program, loader: Loader) -> tuple[PublicKey, ...]:
        """The keys of the nodes that there are."""
        return read_public_keys(loader, [node.name for node in program.of("node")], self.report)

    def inventory(self, loader: Loader) -> Inventory:
        """The people and devices."""
        return read_inventory(loader, self.names, self.guards, self.report)

    def one_network(self, program: Program) -> None:
        """Report that there is no network, or more than one."""
        _one_network(self.modules, program, self.report)


def statements(modules: Modules) -> Iterator[tuple[str, ast.Statement]]:
    """Every statement with its module, in the order in which they are bound."""
    for name in sorted(modules.parsed):
        for statement in modules.parsed[name].statements:
            yield name, statement


def _blocs(modules: Modules) -> dict[str, tuple[str, ...]]:
    found = [statement for _, statement in statements(modules) if isinstance(statement, ast.Declaration) and statement.kind == "bloc"]
    return {bloc.name.text: tuple(word.text for clause in bloc.clauses() for word in clause.words) for bloc in found}


def _attribute_types(modules: Modules, report: Report) -> dict[str, AttributeType]:
    found: dict[str, AttributeType] = {}
    for _, statement in statements(modules):
        if isinstance(statement, ast.Declaration) and statement.kind == "attribute" and statement.type:
            try:
                found.setdefault(statement.name.text, types.attribute_type(statement.type))
            except literals.BadLiteral as error:
                report.error("ZT213", f"the type of `{statement.name.text}` cannot be used: {error}", statement.type.span)
    return found


def _zone(modules: Modules) -> str:
    for _, statement in statements(modules):
        if isinstance(statement, ast.Declaration) and statement.kind == "network":
            for clause in statement.clauses():
                if clause.key == "timezone" and clause.words[0].text in zone_names():
                    return clause.words[0].text
    return "UTC"


class Binder:
    """Binds one statement after the other."""

    def __init__(self, modules: Modules, checker: Checker) -> None:
        self._checker, self._policy, self._regimes = checker, PolicyChecker(checker), ProfileChecker(modules, checker)
        self._acceptances = AcceptanceChecker(checker, self._policy)

    def bind(self, statement: ast.Statement, module: str) -> tuple[str, tuple[Any, ...]]:
        """What a statement gives, and the list of the program that it belongs to."""
        match statement:
            case ast.Group():
                self._checker.names.references((statement.name,), module, _ANY)
            case ast.Declaration() if statement.kind in _KINDS:
                return "declarations", (self._declaration(statement, module),)
            case ast.Separate():
                roles = self._checker.names.references(statement.roles, module, ("role",))
                return "separations", ((roles, statement.span),)
            case ast.PolicyRule():
                return "rules", _some(self._policy.rule(statement, module))
            case ast.Assertion():
                return "assertions", _some(self._policy.assertion(statement, module))
            case ast.Quarantine():
                return "quarantines", _some(self._policy.quarantine(statement, module))
            case ast.Profile():
                return "profiles", (self._regimes.profile(statement, module),)
            case ast.Comply():
                return "compliance", self._regimes.comply(statement, module)
            case ast.Waive():
                return "waivers", _some(self._regimes.waive(statement, module))
            case ast.Accept():
                return "acceptances", _some(self._acceptances.accept(statement, module))
            case ast.Test():
                return "tests", _some(self._policy.test(statement, module))
        return "", ()

    def _declaration(self, statement: ast.Declaration, module: str) -> Bound:
        bound = self._checker.declaration(statement, module)
        if statement.type and statement.kind == "attribute":
            bound.fields["type"] = self._checker.guards.type_of(statement.name.text)
        return bound


def _some(value: Any) -> tuple[Any, ...]:
    return () if value is None else (value,)


_KINDS = frozenset(TABLE) - {"rule", "quarantine", "waive", "accept", "comply", "profile"}
_UNREAD = frozenset({"ZT101", "ZT108", "ZT223"})
"""Text that was not read may have held the network."""
_ANY = ("role", "segment", "device", "service", "external", "partner", "label", "site", "node", "region")


def _one_network(modules: Modules, program: Program, report: Report) -> None:
    networks = program.of("network")
    own = [name for name in modules.parsed if not name.startswith("std.")]
    if not networks and not any(item.code in _UNREAD for item in report.items):
        first = min((modules.parsed[name].source.name for name in own), default=FILE)
        what = "has no `network`" if own else "has no `.ztos` files"
        report.error(
            "ZT220",
            f"this project {what}",
            Span(first, 1, 1, 1, 1),
            help='write `network NAME { domain "example.org" }`, or start with `ztosc init`',
        )
    for other in networks[1:]:
        report.error(
            "ZT221", f"`{other.name}` is a second network", other.spans["name"], help="one project is one overlay; keep one `network`"
        )
