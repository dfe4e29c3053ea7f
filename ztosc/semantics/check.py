"""The checking phase: a loader's files to one `Program`."""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.diagnostics import Report
from ztosc.ir.clock import zone_names
from ztosc.ir.values import AttributeType
from ztosc.semantics import literals, types
from ztosc.semantics.clauses import TABLE
from ztosc.semantics.countries import Countries
from ztosc.semantics.declarations import Checker
from ztosc.semantics.guards import GuardChecker
from ztosc.semantics.inventory import read_inventory
from ztosc.semantics.modules import Modules, load
from ztosc.semantics.policy import PolicyChecker
from ztosc.semantics.profiles import ProfileChecker
from ztosc.semantics.program import Program
from ztosc.semantics.project import FILE, read_project
from ztosc.semantics.publickeys import read_public_keys
from ztosc.semantics.scope import Names
from ztosc.semantics.templates import expand
from ztosc.source import Loader, Span
from ztosc.syntax import ast


def check(loader: Loader, report: Report) -> Program:
    """Read, parse, bind and type a project."""
    read_project(loader, report)
    modules = load(loader, report)
    expansion = expand(modules, report)
    names = Names(modules, report)
    names.collect()
    for word, kind, module in expansion.obligations:
        names.resolve(word, module, (kind,))
    countries = Countries(_blocs(modules), report)
    zone = _zone(modules)
    guards = GuardChecker(names, _attribute_types(modules, report), countries, zone, report)
    checker = Checker(names, countries, guards, zone, report)
    program = Program(sources={module.source.name: module.source for module in modules.parsed.values()}, symbols=names.symbols)
    _bind(modules, checker, program)
    program.public_keys = read_public_keys(loader, [node.name for node in program.of("node")], report)
    program.inventory = read_inventory(loader, names, guards, report)
    program.sources.update(modules.texts)
    _one_network(modules, program, report)
    return program


def _statements(modules: Modules) -> Iterator[tuple[str, ast.Statement]]:
    for name in sorted(modules.parsed):
        for statement in modules.parsed[name].statements:
            yield name, statement


def _blocs(modules: Modules) -> dict[str, tuple[str, ...]]:
    found = [statement for _, statement in _statements(modules) if isinstance(statement, ast.Declaration) and statement.kind == "bloc"]
    return {bloc.name.text: tuple(word.text for clause in bloc.clauses() for word in clause.words) for bloc in found}


def _attribute_types(modules: Modules, report: Report) -> dict[str, AttributeType]:
    found: dict[str, AttributeType] = {}
    for _, statement in _statements(modules):
        if isinstance(statement, ast.Declaration) and statement.kind == "attribute" and statement.type:
            try:
                found.setdefault(statement.name.text, types.attribute_type(statement.type))
            except literals.BadLiteral as error:
                report.error("ZT213", f"the type of `{statement.name.text}` cannot be used: {error}", statement.type.span)
    return found


def _zone(modules: Modules) -> str:
    for _, statement in _statements(modules):
        if isinstance(statement, ast.Declaration) and statement.kind == "network":
            for clause in statement.clauses():
                if clause.key == "timezone" and clause.words[0].text in zone_names():
                    return clause.words[0].text
    return "UTC"


def _bind(modules: Modules, checker: Checker, program: Program) -> None:
    policy = PolicyChecker(checker)
    regimes = ProfileChecker(modules, checker)
    for module, statement in _statements(modules):
        match statement:
            case ast.Group():
                checker.names.references((statement.name,), module, _ANY)
            case ast.Declaration() if statement.kind in _KINDS:
                bound = checker.declaration(statement, module)
                if statement.type and statement.kind == "attribute":
                    bound.fields["type"] = checker.guards.type_of(statement.name.text)
                program.declarations.append(bound)
            case ast.Separate():
                program.separations.append((checker.names.references(statement.roles, module, ("role",)), statement.span))
            case ast.PolicyRule():
                program.rules.extend(filter(None, (policy.rule(statement, module),)))
            case ast.Assertion():
                program.assertions.extend(filter(None, (policy.assertion(statement, module),)))
            case ast.Quarantine():
                program.quarantines.extend(filter(None, (policy.quarantine(statement, module),)))
            case ast.Profile():
                program.profiles.append(regimes.profile(statement, module))
            case ast.Comply():
                program.compliance.extend(regimes.comply(statement, module))
            case ast.Waive():
                program.waivers.extend(filter(None, (regimes.waive(statement, module),)))
            case ast.Test():
                program.tests.extend(filter(None, (policy.test(statement, module),)))
            case _:
                continue


_KINDS = frozenset(TABLE) - {"rule", "quarantine", "waive", "comply", "profile"}
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
