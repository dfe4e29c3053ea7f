"""SMT-LIB text: written from a formula, and read back from a certificate, which is not trusted.

Guarantees: reads declarations of booleans and integers, named assertions over the operators of `formula`, and one `check-sat`; anything
else, or anything twice, is refused with a sentence. Nothing is ever handed to a solver as it was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ztosc.recheck.formula import Term, conjunction, disjunction, negation

LONGEST = 4_000_000
"""Characters of a text."""
DEEPEST = 200
TOKEN = re.compile(r"\s*(?:;[^\n]*\n\s*)*(\(|\)|\|[^|\\]*\||[^\s()|;\"]+)")
INTEGER = re.compile(r"\d{1,30}")


class BadText(Exception):
    """A text that is not what a certificate may hold; the message says what is wrong."""


def written(parts: Mapping[str, Term]) -> str:
    """A formula as SMT-LIB."""
    booleans, integers = sorted(_variables(parts.values(), True)), sorted(_variables(parts.values(), False))
    lines = ["(set-logic ALL)"]
    lines += [f"(declare-const {_symbol(name)} Bool)" for name in booleans] + [f"(declare-const {_symbol(name)} Int)" for name in integers]
    lines += [f"(assert (! {_text(term)} :named {_symbol(f'{name}!')}))" for name, term in parts.items()]
    return "\n".join([*lines, "(check-sat)"]) + "\n"


def _variables(terms: Any, boolean: bool) -> Iterator[str]:
    pending = list(terms)
    seen: set[str] = set()
    while pending:
        term = pending.pop()
        if isinstance(term, tuple):
            pending += term[1:]
        elif isinstance(term, str) and term.startswith(("role ", "has ")) == boolean and term not in seen:
            seen.add(term)
            yield term


def _symbol(name: str) -> str:
    return f"|{name}|"


def _text(term: Term) -> str:
    if isinstance(term, bool):
        return "true" if term else "false"
    if isinstance(term, int):
        return str(term) if term >= 0 else f"(- {-term})"
    if isinstance(term, str):
        return _symbol(term)
    return f"({term[0]} {' '.join(_text(part) for part in term[1:])})"


def read(text: str) -> dict[str, Term]:
    """The named assertions of a text. Raises `BadText`."""
    if len(text) > LONGEST:
        raise BadText("it is too long")
    declared: dict[str, str] = {}
    parts: dict[str, Term] = {}
    asked = 0
    for form in _forms(text):
        match form:
            case ["set-logic", "ALL"] if not declared and not parts:
                continue
            case ["declare-const", str(name), "Bool" | "Int" as sort] if name.startswith("|") and name not in declared and not asked:
                declared[name] = sort
            case ["assert", ["!", body, ":named", str(name)]] if name.endswith("!|") and name[1:-2] not in parts and not asked:
                parts[name[1:-2]] = _term(body, declared, "Bool", 0)
            case ["check-sat"] if not asked:
                asked += 1
            case _:
                raise BadText("it says something that no certificate says")
    if not asked:
        raise BadText("it asks nothing")
    return parts


def _forms(text: str) -> Iterator[Any]:
    stack: list[list[Any]] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        found = TOKEN.match(text, position)
        if found is None:
            raise BadText("it is not SMT-LIB")
        position, token = found.end(), found[1]
        if token == "(":
            stack.append([])
            if len(stack) > DEEPEST:
                raise BadText("it is nested too deeply")
        elif token != ")":
            if not stack:
                raise BadText("it is not SMT-LIB")
            stack[-1].append(token)
        elif not stack:
            raise BadText("it is not SMT-LIB")
        else:
            done = stack.pop()
            if stack:
                stack[-1].append(done)
            else:
                yield done
    if stack:
        raise BadText("it ends in the middle")


def _term(form: Any, declared: Mapping[str, str], sort: str, depth: int) -> Term:
    """A form as a term of a sort."""
    match form:
        case "true" | "false" if sort == "Bool":
            return form == "true"
        case str() if form in declared:
            if declared[form] != sort:
                raise BadText(f"{form[:80]} is of another sort")
            return form[1:-1]
        case str() if sort == "Int" and INTEGER.fullmatch(form):
            return int(form)
        case ["and" | "or" as operator, *forms] if sort == "Bool" and forms:
            parts = [_term(part, declared, "Bool", depth + 1) for part in forms]
            return conjunction(parts) if operator == "and" else disjunction(parts)
        case ["not", part] if sort == "Bool":
            return negation(_term(part, declared, "Bool", depth + 1))
        case ["=" | "<=" as operator, one, other] if sort == "Bool":
            return (operator, _term(one, declared, "Int", depth + 1), _term(other, declared, "Int", depth + 1))
        case ["*" | "div" as operator, one, other] if sort == "Int":
            return (operator, _term(one, declared, "Int", depth + 1), _term(other, declared, "Int", depth + 1))
        case _:
            raise BadText("it has a term that no certificate has")


def normal(term: Term) -> Term:
    """A term with nested `and` and `or` flat, each part once, in one order: equal normals mean the same."""
    if not isinstance(term, tuple):
        return term
    operator, *parts = term
    parts = [normal(part) for part in parts]
    if operator in ("and", "or"):
        flat = [inner for part in parts for inner in (part[1:] if isinstance(part, tuple) and part[0] == operator else (part,))]
        unique = sorted(set(flat), key=repr)
        return unique[0] if len(unique) == 1 else (operator, *unique)
    return (operator, *parts)
