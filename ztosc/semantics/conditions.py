"""What a control asks, as typed conditions over the model.

Guarantees: a path is typed step by step against `ztosc.ir.compliance.VIEWS`; a mistake is reported once, and its condition falls away.
"""

from __future__ import annotations

from typing import Any, NoReturn, cast

from ztosc.diagnostics import near, suggestion
from ztosc.ir import compliance as ir
from ztosc.ir.values import Jurisdiction
from ztosc.semantics import literals
from ztosc.semantics.clauses import GOVERNANCE, TABLE
from ztosc.semantics.declarations import Checker
from ztosc.syntax import ast

WORDED = {"review": "review", "ticket": "ticket", "approved": "approved", "log_to": "log"}
CLAUSES = tuple(sorted({WORDED.get(key, key.replace("_", "-")) for kind in TABLE for key in (*TABLE[kind], *GOVERNANCE)}))
"""Clauses that `has` asks for, by their first word."""


class _Wrong(Exception):
    """A part of a control that was reported and cannot be used."""


class Conditions:
    """The conditions of one control, over the variables that its `each` lines bind."""

    def __init__(self, checker: Checker, module: str) -> None:
        self._checker, self._module, self._report = checker, module, checker.report
        self._variables: dict[str, str] = {}

    def quantifier(self, each: ast.Each) -> ir.Quantifier | None:
        """One `each` line; its variable is known in what follows."""
        name = each.variable.text
        if each.kind.text not in ir.VIEWS:
            help_ = suggestion(each.kind.text, ir.VIEWS, "one of " + ", ".join(f"`{kind}`" for kind in ir.VIEWS))
            self._report.error("ZT210", f"`each` knows no `{each.kind.text}`", each.kind.span, help=help_)
            self._variables[name] = ""
            return None
        if name in self._variables or "." in name:
            self._report.error("ZT202", f"`{name}` cannot be bound here", each.variable.span, help="choose a new word without a dot")
        self._variables[name] = each.kind.text
        where = self.condition(each.where) if each.where is not None else ir.Every()
        return None if where is None else ir.Quantifier(over=each.kind.text, variable=name, where=where)

    def condition(self, expression: Any) -> Any:
        """A typed condition; nothing where it was wrong, which is reported."""
        try:
            return self._condition(expression)
        except _Wrong:
            return None

    def _condition(self, expression: ast.Expression) -> Any:
        match expression:
            case ast.Holds(attribute=word):
                path, kind = self._path(word)
                if kind != "bool":
                    self._fail(
                        "ZT209", f"`{word.text}` is {_shown(kind)}, not true or false", word, "compare it, or ask `is`, `has` or `carries`"
                    )
                return ir.IsTrue(path=path)
            case ast.Comparison():
                return self._comparison(expression)
            case ast.Relation():
                return self._relation(expression)
            case ast.Logic(operator="implies", parts=(ast.Holds(attribute=word), right)) if self._kind_of(word) == "guard":
                path, _ = self._path(word)
                guard = self._checker.guards.check(right, self._module)
                if guard is None:
                    raise _Wrong
                return ir.Entails(path=path, guard=guard)
            case ast.Logic(operator=operator, parts=parts):
                return _logic(operator, [self._condition(part) for part in parts])

    def _kind_of(self, word: ast.Word) -> str | None:
        variable, *steps = word.text.split(".")
        kind = self._variables.get(variable)
        for step in steps:
            kind = ir.VIEWS.get(kind or "", {}).get(step)
        return kind

    def _path(self, word: ast.Word) -> tuple[ir.Path, str]:
        variable, *steps = word.text.split(".")
        if variable not in self._variables:
            guess = near(variable, self._variables)
            help_ = f"did you mean `{guess}`?" if guess else "bind it with `each KIND NAME`"
            self._fail("ZT201", f"unknown variable `{variable}`", word, help_)
        kind = self._variables[variable]
        if not kind:
            raise _Wrong  # its `each` was reported
        for step in steps:
            known = ir.VIEWS.get(kind, {})
            if step not in known:
                fallback = "it has " + ", ".join(f"`{each}`" for each in known) if known else f"{_shown(kind)} has no properties"
                self._fail("ZT210", f"{_shown(kind)} has no `{step}`", word, suggestion(step, known, fallback))
            kind = known[step]
        return ir.Path(variable=variable, steps=tuple(steps)), kind

    def _fail(self, code: str, message: str, word: ast.Word, help_: str) -> NoReturn:
        self._report.error(code, message, word.span, help=help_)
        raise _Wrong

    def _comparison(self, expression: ast.Comparison) -> ir.PropertyCompare:
        path, kind = self._path(expression.attribute)
        ordered = kind in ("int", "duration") or (kind in ir.ENUMS and kind != "effect")
        if expression.operator in ("<", "<=", ">", ">=") and not ordered:
            self._fail("ZT209", f"`{expression.attribute.text}` has no order", expression.attribute, "compare it with `==`, `!=` or `in`")
        values: list[Any] = []
        for word in expression.values:
            values.extend(self._values(word, kind))
        return ir.PropertyCompare(path=path, operator=cast(Any, expression.operator), values=tuple(values))

    def _values(self, word: ast.Word, kind: str) -> tuple[Any, ...]:
        if kind == "country":
            found = self._checker.countries.resolve(word)
            if found is None:
                raise _Wrong
            return found
        if kind in ir.ENUMS and word.text in ir.ENUMS[kind]:
            return (word.text,)
        if kind == "bool" and word.text in ("true", "false"):
            return (word.text == "true",)
        try:
            if kind in ("int", "duration"):
                return ((literals.integer if kind == "int" else literals.duration)(word),)
        except literals.BadLiteral as error:
            self._fail("ZT213", f"`{word.text}` cannot be used: {error}", word, "")
        choices = ir.ENUMS.get(kind, ("true", "false") if kind == "bool" else ())
        fallback = "one of " + ", ".join(f"`{each}`" for each in choices) if choices else f"{_shown(kind)} is not compared with a word"
        self._fail("ZT209", f"`{word.text}` is no value of {_shown(kind)}", word, suggestion(word.text, choices, fallback))

    def _relation(self, relation: ast.Relation) -> Any:
        path, kind = self._path(relation.subject)
        word = relation.objects[0] if relation.objects else relation.subject
        match relation.relation:
            case "is":
                self._among(word, ir.UNIONS.get(kind, ()), f"{_shown(kind)} is never a `{word.text}`")
                return ir.IsKind(path=path, what=word.text)
            case "has":
                self._among(word, CLAUSES, f"nothing has a clause `{word.text}`")
                return ir.HasClause(path=path, clause=word.text)
            case "within":
                places = self._checker.places(relation.objects)
                if places is None:
                    raise _Wrong
                return ir.LiesWithin(path=path, jurisdiction=Jurisdiction.of(places))
            case _:
                symbol = self._checker.names.resolve(word, self._module, ("label",))
                if symbol is None:
                    raise _Wrong
                form = ir.Carries if relation.relation == "carries" else ir.MayCarry
                return form(path=path, label=symbol.name)

    def _among(self, word: ast.Word, choices: tuple[str, ...], message: str) -> None:
        if word.text not in choices:
            fallback = "one of " + ", ".join(f"`{each}`" for each in choices) if choices else "ask for one of its properties"
            self._fail("ZT210", message, word, suggestion(word.text, choices, fallback))


def _logic(operator: str, parts: list[Any]) -> Any:
    match operator:
        case "and":
            return ir.Every(parts=tuple(parts))
        case "or":
            return ir.Some(parts=tuple(parts))
        case "not":
            return ir.Not(part=parts[0])
        case _:
            return ir.Some(parts=(ir.Not(part=parts[0]), parts[1]))


def _shown(kind: str) -> str:
    names = {"bool": "true or false", "int": "a number", "duration": "a duration", "country": "a country", "guard": "a guard"}
    return names.get(kind, f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}")
