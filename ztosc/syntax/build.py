"""The parser's reductions to the AST, span by span, without a tree in between.

Guarantees: one method a grammar rule; nothing is judged here beyond what the grammar says. Every token reaches its rule, keywords and
braces too, so that a node's first and last child say where it stands. A `Builder` works on one statement at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lark import Token

from ztosc.source import Ruler, Source, Span
from ztosc.syntax import ast
from ztosc.syntax.ast import Word
from ztosc.syntax.parts import Children, Despite, Enclosed, Kept, Settings, Words, after, bare, every, lists_of, words_of
from ztosc.syntax.words import CLAUSES, DECLARATIONS

WORDS = frozenset(
    [
        *("NAME", "HOLE", "PLACE", "ZONE", "STRING", "INT", "RANGE", "DURATION", "RATE", "INSTANT", "CLOCK"),
        "ADDRESS",
        "PORTS",
        "ICMP",
        "COMPARE",
    ]
)
"""The terminals that carry meaning; every other one is a keyword or a mark, and stays a token."""


class Builder:
    """Builds the nodes of the statement that `begin` names."""

    _ruler: Ruler
    _docs: Mapping[int, str]
    _single: bool
    _line: int
    _column: int

    def begin(self, source: Source, offset: int, length: int, docs: Mapping[int, str]) -> None:
        """Turn to a statement: where its text starts in the source, and its documentation by offset from there."""
        self._ruler = ruler = source.ruler(offset, offset + length)
        self._docs = docs
        self._single, self._line, self._column = ruler.single, ruler.line, ruler.column

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        if name in WORDS:
            return self._word
        if name in CLAUSES:
            key = str(name).rstrip("_")
            return lambda children: self._clause(key, children)
        if name in DECLARATIONS:
            kind = str(name)
            return lambda children: self._declare(kind, children)
        raise AttributeError(name)

    # Places

    def _word(self, token: Token) -> Word:
        start, end = token.start_pos or 0, token.end_pos or 0
        if self._single:
            line, column = self._line, self._column
            return Word(token.type, token.value, Span(self._ruler.file, line, column + start, line, column + end))
        return Word(token.type, token.value, self._ruler.span(start, end))

    def _span(self, children: Children) -> Span:
        first, last = children[0], children[-1]
        if self._single:
            line, base = self._line, self._column
            column = base + (first.start_pos or 0) if type(first) is Token else first.span.column
            end = base + (last.end_pos or 0) if type(last) is Token else last.span.end_column
            return Span(self._ruler.file, line, column, line, end)
        line, column = self._ruler.position(first.start_pos or 0) if type(first) is Token else (first.span.line, first.span.column)
        end_line, end = self._ruler.position(last.end_pos or 0) if type(last) is Token else (last.span.end_line, last.span.end_column)
        return Span(self._ruler.file, line, column, end_line, end)

    def _doc(self, children: Children) -> str:
        return self._docs.get(children[0].start_pos, "") if self._docs else ""

    # Lists

    def names(self, children: Children) -> Words:
        if len(children) == 1:
            return Words((children[0],), children[0].span)
        return Words(words_of(children), self._span(children))

    places = addresses = days = values = except_ports = names

    def any_ports(self, children: Children) -> Token:
        token: Token = children[0]
        return token

    def ports(self, children: Children) -> ast.Ports:
        if type(children[0]) is Token and children[0].value == "any":
            return ast.Ports(True, (), children[2].words if len(children) > 2 else (), self._span(children))
        return ast.Ports(False, words_of(children), (), self._span(children))

    def _clause(self, key: str, children: Children) -> ast.Clause:
        value = None
        words: list[Word] = []
        for child in children:
            kind = type(child)
            if kind is Word:
                words.append(child)
            elif kind is Words:
                words.extend(child.words)
            elif kind is not Token:
                value = bare(child)
        return ast.Clause(key, tuple(words), self._span(children), value)

    # Declarations

    def _declare(self, kind: str, children: Children, head: tuple[Word, ...] = (), said: tuple[ast.Clause, ...] = ()) -> ast.Declaration:
        items = tuple([child for child in children if type(child) in (ast.Clause, ast.Attach, ast.Declaration)])
        typed = next((child for child in children if type(child) is ast.AttributeType), None)
        return ast.Declaration(kind, children[1], head, said + items, self._span(children), typed, self._doc(children))

    def site(self, children: Children) -> ast.Declaration:
        return self._declare("site", children, (children[3],))

    def link(self, children: Children) -> ast.Declaration:
        return self._declare("link", children, (children[1], children[3]))

    def service(self, children: Children) -> ast.Declaration:
        placed = len(children) > 3 and type(children[3]) is Word
        return self._declare("service", children, (children[3],) if placed else ())

    def bloc(self, children: Children) -> ast.Declaration:
        span = self._span(children)
        members = ast.Clause("members", children[3].words, span)
        return ast.Declaration("bloc", children[1], (), (members,), span, None, self._doc(children))

    def type(self, children: Children) -> ast.AttributeType:
        words = [self._word(child) if type(child) is Token else child for child in children if child != ","]
        return ast.AttributeType(tuple(words), self._span(children))

    def attach(self, children: Children) -> ast.Attach:
        tagged = children[2].value == "vlan"
        rest = children[5:] if tagged else children[3:]
        return ast.Attach(children[1], children[3] if tagged else None, rest[0], rest[1] if len(rest) > 1 else None, self._span(children))

    def break_glass(self, children: Children) -> ast.Declaration:
        limit = children[4]
        return self._declare("role", [children[0], *children[2:]], said=(ast.Clause("break_glass", (limit,), limit.span),))

    def separate(self, children: Children) -> ast.Separate:
        return ast.Separate(children[1].words, self._span(children))

    def group(self, children: Children) -> ast.Group:
        members = children[3].words if len(children) > 3 and type(children[3]) is Words else ()
        excepted = after(children[3:], "except")
        return ast.Group(children[1], members, excepted.words if excepted else (), self._span(children), self._doc(children))

    def importing(self, children: Children) -> ast.Import:
        return ast.Import(children[1], self._span(children))

    # Templates

    def template(self, children: Children) -> ast.Template:
        body = tuple(child for child in children if isinstance(child, ast.Statement))
        return ast.Template(children[1], every(children, ast.Parameter), body, self._span(children), self._doc(children))

    def parameter(self, children: Children) -> ast.Parameter:
        return ast.Parameter(children[0], after(children, ":"), after(children, "="), self._span(children))

    def new(self, children: Children) -> ast.New:
        return ast.New(children[1], every(children, ast.Argument), self._span(children))

    def binding(self, children: Children) -> ast.Argument:
        return ast.Argument(children[0], children[2])

    # Compliance

    def profile(self, children: Children) -> ast.Profile:
        labels = children[3].words if type(children[3]) is Words else ()
        controls, clauses = every(children, ast.Control), every(children, ast.Clause)
        return ast.Profile(children[1], labels, controls, clauses, self._span(children), self._doc(children))

    def control(self, children: Children) -> ast.Control:
        _, name, severity, title, *rest = children
        return ast.Control(name, severity, title, every(rest, ast.Each), every(rest, ast.Clause), self._span(children), self._doc(children))

    def severity(self, children: Children) -> str:
        return str(children[0].value)

    failing = effect = thing = relation = standing = severity

    def each(self, children: Children) -> ast.Each:
        return ast.Each(children[1], children[2], bare(after(children, "where")), self._span(children))

    def comply(self, children: Children) -> ast.Comply:
        return ast.Comply(children[1].words, every(children, ast.Clause), self._span(children), self._doc(children))

    def waive(self, children: Children) -> ast.Waive:
        return ast.Waive(children[1], children[2], every(children, ast.Clause), self._span(children), self._doc(children))

    # Accepted widenings

    def _accept(
        self,
        children: Children,
        what: str,
        subjects: tuple[Word, ...],
        objects: tuple[Word, ...] = (),
        relation: str = "",
        more: tuple[Word, ...] = (),
    ) -> ast.Accept:
        clauses = every(children, ast.Clause)
        return ast.Accept(what, relation, subjects, objects, more, clauses, self._span(children), self._doc(children))

    def kept(self, children: Children) -> Kept:
        return Kept(children[0].value, words_of(children[1:]), self._span(children))

    def accept_access(self, children: Children) -> ast.Accept:
        return self._accept(children, "access", children[2].words, children[4].words)

    def accept_rule(self, children: Children) -> ast.Accept:
        kept: Kept = children[5]
        return self._accept(children, "rule", children[2].words, children[4].words, kept.relation, kept.words)

    def accept_text(self, children: Children) -> ast.Accept:
        return self._accept(children, children[2].value, (children[3],))

    def accept_names(self, children: Children) -> ast.Accept:
        return self._accept(children, children[2].value, lists_of(children)[0])

    def accept_control(self, children: Children) -> ast.Accept:
        scope = after(children[5:], "for")
        return self._accept(children, children[2].value, (children[3],), (children[4],), more=scope.words if scope else ())

    def accept_member(self, children: Children) -> ast.Accept:
        return self._accept(children, children[2].value, (children[3],), children[5].words, children[4])

    def accept_link(self, children: Children) -> ast.Accept:
        return self._accept(children, "link", (children[5], children[7]), children[2].words)

    def accept_attach(self, children: Children) -> ast.Accept:
        vlan = after(children[6:], "vlan")
        return self._accept(children, "node", (children[3],), (children[5],), more=(vlan,) if vlan else ())

    def accept_clauses(self, children: Children) -> ast.Accept:
        return self._accept(children, _thing(children[4]), (children[5],), children[2].words)

    def accept_relation(self, children: Children) -> ast.Accept:
        return self._accept(children, _thing(children[2]), (children[3],), children[5].words, children[4])

    # Rules

    def quarantine(self, children: Children) -> ast.Quarantine:
        _, what, _, start, _, reason, *rest = children
        said = (ast.Clause("from", (start,), start.span), ast.Clause("because", (reason,), reason.span))
        return ast.Quarantine(what.words, said + every(rest, ast.Clause), self._span(children), self._doc(children))

    def _rule(self, children: Children) -> ast.PolicyRule:
        effect, subjects, _, targets, *rest = children
        clauses = every(rest, ast.Clause)
        return ast.PolicyRule(effect.value, subjects.words, targets.words, clauses, self._span(children), self._doc(children))

    allow = deny = _rule

    # Guards

    def negation(self, children: Children) -> Enclosed:
        return Enclosed(bare(children[1]), self._span(children))

    def holds(self, children: Children) -> ast.Holds:
        return ast.Holds(children[0], children[0].span)

    def compare(self, children: Children) -> ast.Comparison:
        return ast.Comparison(children[0], children[1].text, (children[2],), self._span(children))

    def member(self, children: Children) -> ast.Comparison:
        return ast.Comparison(children[0], "in", children[2].words, self._span(children))

    def _relation(self, relation: str, children: Children) -> ast.Relation:
        return ast.Relation(children[0], relation, words_of(children[1:]), self._span(children))

    def is_a(self, children: Children) -> ast.Relation:
        return self._relation("is", children)

    def has(self, children: Children) -> ast.Relation:
        return self._relation("has", children)

    def carrying(self, children: Children) -> ast.Relation:
        return self._relation("carries", children)

    def may_carry(self, children: Children) -> ast.Relation:
        return self._relation("may carry", children)

    def lies_within(self, children: Children) -> ast.Relation:
        return self._relation("within", children)

    def _logic(self, operator: str, children: Children) -> ast.Logic:
        parts = tuple([bare(child) for child in children if type(child) is not Token])
        return ast.Logic(operator, parts, self._span(children))

    def implies(self, children: Children) -> ast.Logic:
        return self._logic("implies", children)

    def disjunction(self, children: Children) -> ast.Logic:
        return self._logic("or", children)

    def conjunction(self, children: Children) -> ast.Logic:
        return self._logic("and", children)

    def denial(self, children: Children) -> ast.Logic:
        return self._logic("not", children)

    # Claims

    def assertion(self, children: Children) -> ast.Assertion:
        made: ast.Assertion = children[1]
        parts = (made.claim, made.subjects, made.targets, made.through, made.failures, made.failing, made.text)
        return ast.Assertion(*parts, self._span(children))

    def _claim(
        self,
        kind: str,
        children: Children,
        targets: tuple[Word, ...],
        through: Words | None = None,
        despite: Despite | None = None,
    ) -> ast.Assertion:
        span = self._span(children)
        failures, failing = (despite.failures, despite.failing) if despite else (None, "any")
        text = " ".join(self._ruler.text(span).split())
        return ast.Assertion(kind, lists_of(children)[0], targets, through.words if through else (), failures, failing, text, span)

    def never_reaches(self, children: Children) -> ast.Assertion:
        return self._claim("never-reaches", children, children[3].words)

    def isolated(self, children: Children) -> ast.Assertion:
        return self._claim("isolated", children, children[3].words, after(children, "except", "through"))

    def only_reach(self, children: Children) -> ast.Assertion:
        return self._claim("only-reach", children, children[3].words)

    def reaches(self, children: Children) -> ast.Assertion:
        return self._claim("reaches", children, children[2].words, None, children[3] if len(children) > 3 else None)

    def stays_within(self, children: Children) -> ast.Assertion:
        return self._claim("stays-within", children, children[3].words)

    def never_flows_down(self, children: Children) -> ast.Assertion:
        return self._claim("never-flows-down", children, (), after(children, "except", "by"))

    def despite(self, children: Children) -> Despite:
        return Despite(children[1], f"{children[2]}s" if len(children) > 3 else "any", self._span(children))

    # Tests

    def test(self, children: Children) -> ast.Test:
        return ast.Test(children[1], every(children, ast.Given), every(children, ast.Expect), self._span(children))

    def given(self, children: Children) -> ast.Given:
        settings = next((child.settings for child in children if type(child) is Settings), ())
        rest = children[2:]
        return ast.Given(children[1].words, after(rest, "from"), settings, after(rest, "at"), self._span(children))

    def settings(self, children: Children) -> Settings:
        found = every(children, ast.Setting)
        first, last = found[0].attribute.span, found[-1].value.span
        return Settings(found, Span(first.file, first.line, first.column, last.end_line, last.end_column))

    def setting(self, children: Children) -> ast.Setting:
        return ast.Setting(children[0], children[2])

    def expect(self, children: Children) -> ast.Expect:
        return ast.Expect(children[1], children[3], after(children[4:], "on"), self._span(children))


def _thing(keyword: str) -> str:
    """A class of devices is declared as `device`; as `device "…"` stands one of the inventory."""
    return "class" if keyword == "device" else keyword
