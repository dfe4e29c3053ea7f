"""Templates to the statements that their uses stand for.

Guarantees: after expansion no `new` and no `${…}` is left; every word of an expansion knows both its place in the template and the use
that brought it there; expansion ends: a template never uses itself, and the number of statements and the length of words are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import lru_cache
from typing import Any

from ztosc.diagnostics import Label, Report, near
from ztosc.diagnostics.fixes import import_line
from ztosc.diagnostics.fixes import replace as replace_text
from ztosc.semantics.modules import ALWAYS, Modules, standard_templates
from ztosc.source import Span
from ztosc.syntax import ast

MAX_STATEMENTS = 100_000
"""Statements that all expansions of a project may give together."""
MAX_DEPTH = 32
"""How deep uses of templates may nest."""
MAX_WORD = 4096
"""The longest word after substitution."""
HOLE = re.compile(r"\$\{([a-z][a-z0-9-]*)\}")
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*(\.[a-z][a-z0-9]*(-[a-z0-9]+)*)*")
KINDS = ("region", "site", "node", "segment", "service", "role", "label", "device", "external", "partner", "group", "attribute")
"""Types of parameters that stand for something declared."""
LITERALS = {
    "name": ("NAME",),
    "address": ("ADDRESS",),
    "prefix": ("ADDRESS",),
    "int": ("INT",),
    "text": ("STRING",),
    "duration": ("DURATION",),
    "rate": ("RATE",),
    "instant": ("INSTANT",),
    "clock": ("CLOCK",),
    "port": ("PORTS", "ICMP"),
    "country": ("PLACE",),
}
"""Types of parameters that stand for a literal, and the kinds of words that they take."""
TYPES = (*LITERALS, *KINDS)


@dataclass(slots=True)
class Expansion:
    """What expanding gave beside the modules: arguments that must name something of a kind, to be checked once names are known."""

    obligations: list[tuple[ast.Word, str, str]] = field(default_factory=list)
    """The argument, the kind, the module that it is read in."""


@dataclass(frozen=True, slots=True)
class _Known:
    template: ast.Template
    module: str


def base(module: str) -> str:
    """The module that an expansion belongs to: the one whose text has the `new`."""
    return module.partition("+")[0]


def expand(modules: Modules, report: Report) -> Expansion:
    """Replace every use of a template by what it stands for."""
    expanding = _Expanding(modules, report)
    expanding.collect()
    for name in sorted(modules.parsed):
        expanding.module(name)
    return expanding.result


class _Expanding:
    def __init__(self, modules: Modules, report: Report) -> None:
        self._modules, self._report = modules, report
        self._templates: dict[str, _Known] = {}
        self._stack: list[str] = []
        self._left = MAX_STATEMENTS
        self._count = 0
        self.result = Expansion()

    def collect(self) -> None:
        """Every template by name; a second one of a name is reported."""
        for name in sorted(self._modules.parsed, key=lambda name: (not name.startswith("std."), name)):
            for statement in self._modules.parsed[name].statements:
                if isinstance(statement, ast.Template):
                    self._declare(statement, name)
                    self._check(statement)

    def _declare(self, template: ast.Template, module: str) -> None:
        first = self._templates.setdefault(template.name.text, _Known(template, module))
        if first.template is not template:
            help_ = f"rename it, or leave out `import {first.module}`" if first.module.startswith("std.") else "rename one of them"
            label = Label(first.template.name.span, f"template `{template.name.text}` is declared here first")
            message = f"template `{template.name.text}` is declared twice"
            self._report.error("ZT202", message, template.name.span, help=help_, related=[label])

    def _check(self, template: ast.Template) -> None:
        known: dict[str, ast.Parameter] = {}
        for parameter in template.parameters:
            first = known.setdefault(parameter.name.text, parameter)
            if first is not parameter:
                label = Label(first.span, "the first")
                message = f"template `{template.name.text}` has two parameters `{parameter.name.text}`"
                self._report.error("ZT217", message, parameter.span, related=[label], help="rename one of them")
            if parameter.type is not None and parameter.type.text not in TYPES:
                self._unknown_type(parameter.type)
            elif parameter.default is not None:
                self._fits(parameter, parameter.default)
        for word in () if template.broken else _words(template.body):
            for hole in HOLE.findall(word.text):
                if hole not in known:
                    self._unknown_hole(template, word, hole, known)
        for statement in template.body:
            if isinstance(statement, ast.Template | ast.Import) or (isinstance(statement, ast.Declaration) and statement.kind == "network"):
                what = (
                    "a template"
                    if isinstance(statement, ast.Template)
                    else "an import"
                    if isinstance(statement, ast.Import)
                    else "the network"
                )
                self._report.error(
                    "ZT217", f"{what} cannot stand inside template `{template.name.text}`", statement.span, help="move it out"
                )

    def _unknown_type(self, word: ast.Word) -> None:
        guess = near(word.text, TYPES)
        help_ = f"did you mean `{guess}`?" if guess else "one of " + ", ".join(f"`{each}`" for each in TYPES)
        self._report.error("ZT217", f"parameters have no type `{word.text}`", word.span, help=help_)

    def _unknown_hole(self, template: ast.Template, word: ast.Word, hole: str, known: dict[str, ast.Parameter]) -> None:
        guess = near(hole, known)
        help_ = f"did you mean `${{{guess}}}`?" if guess else f"add `{hole}` to the parameters"
        self._report.error("ZT217", f"template `{template.name.text}` has no parameter `{hole}`", word.span, help=help_)

    def module(self, name: str) -> None:
        """Expand what one module uses."""
        for statement in self._modules.parsed[name].statements:
            if isinstance(statement, ast.New):
                self._new(statement, name)

    def _new(self, use: ast.New, module: str) -> None:
        found = self._find(use.template, module)
        if found is None or self._left <= 0:
            return
        name = found.template.name.text
        if name in self._stack:
            way = " → ".join(f"`{each}`" for each in [*self._stack[self._stack.index(name) :], name])
            self._report.error("ZT214", f"templates use each other: {way}", use.span, help="take one `new` out of the circle")
            return
        if len(self._stack) >= MAX_DEPTH:
            self._report.error("ZT218", f"templates nest deeper than {MAX_DEPTH}", use.span, help="write it flat")
            return
        values = self._bind(found.template, use, module)
        if values is None or found.template.broken:
            return
        self._stack.append(name)
        self._instantiate(found, values, use, module)
        self._stack.pop()

    def _instantiate(self, found: _Known, values: dict[str, ast.Word], use: ast.New, module: str) -> None:
        self._count += 1
        inside = f"{base(module)}+{self._count}"
        where = replace(use.span, use=())
        body = _Substitution(values, (where, *use.span.use), self._report)
        statements = tuple(body.apply(each) for each in found.template.body)
        self._left -= len(statements)
        if self._left <= 0:
            message = f"templates expand to more than {MAX_STATEMENTS} statements"
            self._report.error(
                "ZT218", message, use.span, help="look for a template that uses another one several times, which does the same"
            )
            return
        source = self._modules.parsed[base(module)].source
        self._modules.parsed[inside] = ast.Module(source, tuple(each for each in statements if not isinstance(each, ast.New)))
        seen = {*self._imports(module), *self._imports(found.module)}
        self._modules.imports[inside] = [(each, use.span) for each in sorted(seen)]
        for statement in statements:
            if isinstance(statement, ast.New):
                self._new(statement, inside)

    def _imports(self, module: str) -> Iterator[str]:
        yield base(module)
        yield from (name for name, _ in self._modules.imports.get(module, ()))

    def _find(self, word: ast.Word, module: str) -> _Known | None:
        known = self._templates.get(word.text)
        if known is None:
            plain = word.text.rpartition(".")[2]
            known = self._templates.get(plain) if word.text == f"{self._module_of(plain)}.{plain}" else None
        elif not self._visible(known, module):
            help_ = f"`import {known.module}` brings it into scope"
            self._report.error(
                "ZT201", f"unknown name `{word.text}`", word.span, label="no template of this name is visible here", help=help_
            )
            return None
        if known is None:
            self._unknown(word, module)
        return known

    def _unknown(self, word: ast.Word, module: str) -> None:
        brings = standard_templates().get(word.text, "")
        guess = "" if brings else near(word.text, [name for name, each in self._templates.items() if self._visible(each, module)])
        help_ = f"`import {brings}` brings it into scope" if brings else "declare it with `template NAME(…) { … }`"
        fixes = import_line(word.span.file, brings) if brings else replace_text(word.span, guess)
        message = f"unknown name `{word.text}`"
        help_ = f"did you mean `{guess}`?" if guess else help_
        self._report.error("ZT201", message, word.span, label="no template has this name", help=help_, fixes=fixes)

    def _module_of(self, name: str) -> str:
        return self._templates[name].module if name in self._templates else ""

    def _visible(self, known: _Known, module: str) -> bool:
        if not known.module.startswith("std."):
            return not base(module).startswith("std.")
        return known.module in ALWAYS or known.module in set(self._imports(module))

    # Arguments

    def _bind(self, template: ast.Template, use: ast.New, module: str) -> dict[str, ast.Word] | None:
        before = len(self._report.items)
        parameters = {parameter.name.text: parameter for parameter in template.parameters}
        values: dict[str, ast.Word] = {}
        for argument in use.arguments:
            name = argument.name.text
            if name not in parameters:
                guess = near(name, parameters)
                help_ = f"did you mean `{guess}`?" if guess else "it has " + (", ".join(f"`{each}`" for each in parameters) or "none")
                self._report.error("ZT217", f"template `{template.name.text}` has no parameter `{name}`", argument.name.span, help=help_)
            elif name in values:
                self._report.error("ZT217", f"`{name}` is given twice", argument.name.span, help="keep one of them")
            elif self._fits(parameters[name], argument.value):
                values[name] = argument.value
                self._owe(parameters[name], argument.value, module)
        given = {argument.name.text for argument in use.arguments}
        for name, parameter in parameters.items():
            if name not in given and parameter.default is not None:
                values[name] = parameter.default
            elif name not in given:
                label = Label(parameter.span, "the parameter")
                message = f"this use of template `{template.name.text}` does not say `{name}`"
                self._report.error("ZT217", message, use.template.span, related=[label], help=f"add `{name}: …`")
        return values if len(self._report.items) == before else None

    def _owe(self, parameter: ast.Parameter, value: ast.Word, module: str) -> None:
        if parameter.type is not None and parameter.type.text in KINDS:
            self.result.obligations.append((value, parameter.type.text, module))

    def _fits(self, parameter: ast.Parameter, value: ast.Word) -> bool:
        kind = parameter.type.text if parameter.type else "name"
        wanted = LITERALS.get(kind, ("NAME",))
        if kind not in TYPES or value.kind in wanted or (value.kind == "HOLE" and value.span.use == ()):
            return True
        label = Label(parameter.span, f"`{parameter.name.text}` is declared here")
        message = f"`{value.text}` is no {kind}, which `{parameter.name.text}` is"
        self._report.error("ZT217", message, value.span, related=[label], help=EXAMPLES.get(kind, "write a name"))
        return False


EXAMPLES = {
    "address": "write an address, like `2001:db8::1`",
    "prefix": "write a prefix, like `fd00:1::/48`",
    "int": "write a number",
    "text": "write a text in quotes",
    "duration": "write a duration, like `8h`",
    "rate": "write a rate, like `10G`",
    "instant": "write a date, like `2027-01-31`",
    "clock": "write a time of day, like `06:00`",
    "port": "write a port, like `tcp/443`",
    "country": "write a country, like `DE`",
}


class _Substitution:
    """Puts arguments in the place of parameters, and marks every place with the use."""

    def __init__(self, values: dict[str, ast.Word], use: tuple[Span, ...], report: Report) -> None:
        self._values, self._use, self._report = values, use, report

    def apply(self, node: Any) -> Any:
        """A tree with its words replaced."""
        if isinstance(node, ast.Word):
            return self._word(node)
        if isinstance(node, Span):
            return replace(node, use=self._use)
        if isinstance(node, tuple):
            return tuple(self.apply(each) for each in node)
        if is_dataclass(node) and not isinstance(node, type):
            return type(node)(**{name: self.apply(getattr(node, name)) for name in _fields(type(node))})
        return self._text(node) if isinstance(node, str) and "${" in node else node

    def _word(self, word: ast.Word) -> ast.Word:
        span = replace(word.span, use=self._use)
        if "${" not in word.text:
            return ast.Word(word.kind, word.text, span)
        if word.kind == "HOLE":
            value = self._values.get(word.text[2:-1])
            return ast.Word(value.kind, value.text, span) if value else ast.Word("NAME", "unknown", span)
        text = self._text(word.text)
        if len(text) > MAX_WORD:
            self._report.error("ZT218", f"this word grows to {len(text)} characters", span, help=f"words have at most {MAX_WORD}")
            text = '""' if word.kind == "STRING" else "unknown"
        elif word.kind == "NAME" and not NAME.fullmatch(text):
            self._report.error("ZT215", f"`{text[:80]}` cannot be a name", span, help="use a-z, 0-9 and `-`")
            text = "unknown"
        return ast.Word(word.kind, text, span)

    def _text(self, text: str) -> str:
        return HOLE.sub(lambda found: self._inner(found.group(1)), text)

    def _inner(self, name: str) -> str:
        value = self._values.get(name)
        if value is None:
            return ""
        return value.text[1:-1] if value.kind == "STRING" else value.text


@lru_cache(maxsize=64)
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))


def _words(node: Any) -> Iterator[ast.Word]:
    """Every word of a tree."""
    if isinstance(node, ast.Word):
        yield node
    elif isinstance(node, tuple):
        for each in node:
            yield from _words(each)
    elif is_dataclass(node) and not isinstance(node, Span | type):
        for name in _fields(type(node)):
            yield from _words(getattr(node, name))
