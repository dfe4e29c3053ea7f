"""The grammar's tree to the AST, span by span.

Guarantees: one method a grammar rule; nothing is judged here beyond what the grammar says.
"""

from __future__ import annotations

from typing import Any, cast

from lark import Token, Transformer, v_args
from lark.tree import Meta

from ztosc.source import Source, Span
from ztosc.syntax import ast

Children = list[Any]


def _words(children: Children) -> tuple[ast.Word, ...]:
    """The words among a rule's children, lists flattened."""
    found: list[ast.Word] = []
    for child in children:
        if isinstance(child, ast.Word):
            found.append(child)
        elif isinstance(child, tuple):
            found.extend(cast("tuple[ast.Word, ...]", child))
    return tuple(found)


def _clauses(children: Children) -> tuple[ast.Clause, ...]:
    return tuple(child for child in children if isinstance(child, ast.Clause))


@v_args(meta=True)
class Builder(Transformer[Token, Any]):
    """Builds the nodes of one statement; `offset` is where its text starts in the source."""

    def __init__(self, source: Source, offset: int, docs: dict[int, str]) -> None:
        super().__init__(visit_tokens=True)
        self._source, self._offset, self._docs = source, offset, docs

    def __default_token__(self, token: Token) -> ast.Word:
        start = self._offset + (token.start_pos or 0)
        return ast.Word(token.type, str(token), self._source.span(start, start + len(token)))

    def _span(self, meta: Meta) -> Span:
        if meta.empty:
            return self._source.span(self._offset, self._offset)
        return self._source.span(self._offset + meta.start_pos, self._offset + meta.end_pos)

    def _doc(self, meta: Meta) -> str:
        return "" if meta.empty else self._docs.get(self._offset + meta.start_pos, "")

    def _clause(self, key: str, meta: Meta, children: Children) -> ast.Clause:
        structured = [child for child in children if isinstance(child, ast.Ports | ast.Holds | ast.Comparison | ast.Relation | ast.Logic)]
        return ast.Clause(key, _words(children), self._span(meta), structured[0] if structured else None)

    def __default__(self, data: str, children: Children, meta: Meta) -> ast.Clause:
        return self._clause(str(data).rstrip("_"), meta, children)

    # lists

    def names(self, meta: Meta, children: Children) -> tuple[ast.Word, ...]:
        return _words(children)

    places = addresses = days = values = except_ports = names

    def any_ports(self, meta: Meta, children: Children) -> str:
        return "any"

    def ports(self, meta: Meta, children: Children) -> ast.Ports:
        if children and children[0] == "any":
            return ast.Ports(True, (), children[1] or () if len(children) > 1 else (), self._span(meta))
        return ast.Ports(False, _words(children), (), self._span(meta))

    # declarations

    def _declare(self, kind: str, meta: Meta, children: Children, heads: int = 0) -> ast.Declaration:
        name, *rest = children
        head = tuple(word for word in rest[:heads] if word is not None)
        items = tuple(child for child in rest[heads:] if isinstance(child, ast.Clause | ast.Attach | ast.Declaration))
        typed = next((child for child in rest if isinstance(child, ast.AttributeType)), None)
        return ast.Declaration(kind, name, head, items, self._span(meta), typed, self._doc(meta))

    def network(self, meta: Meta, children: Children) -> ast.Declaration:
        return self._declare("network", meta, children)

    def region(self, meta: Meta, children: Children) -> ast.Declaration:
        return self._declare("region", meta, children)

    def site(self, meta: Meta, children: Children) -> ast.Declaration:
        return self._declare("site", meta, children, heads=1)

    def node(self, meta: Meta, children: Children) -> ast.Declaration:
        return self._declare("node", meta, children)

    def link(self, meta: Meta, children: Children) -> ast.Declaration:
        first, _, second, *rest = children
        return self._declare("link", meta, [first, first, second, *rest], heads=2)

    def segment(self, meta: Meta, children: Children) -> ast.Declaration:
        return self._declare("segment", meta, children)

    def label(self, meta: Meta, children: Children) -> ast.Declaration:
        return self._declare("label", meta, children)

    def device(self, meta: Meta, children: Children) -> ast.Declaration:
        return self._declare("device", meta, children)

    def attribute(self, meta: Meta, children: Children) -> ast.Declaration:
        return self._declare("attribute", meta, children)

    def role(self, meta: Meta, children: Children) -> ast.Declaration:
        return self._declare("role", meta, children)

    def service(self, meta: Meta, children: Children) -> ast.Declaration:
        return self._declare("service", meta, children, heads=1)

    def external(self, meta: Meta, children: Children) -> ast.Declaration:
        return self._declare("external", meta, children)

    def system(self, meta: Meta, children: Children) -> ast.Declaration:
        return self._declare("system", meta, children)

    def bloc(self, meta: Meta, children: Children) -> ast.Declaration:
        members = ast.Clause("members", _words(children[1:]), self._span(meta))
        return self._declare("bloc", meta, [children[0], members])

    def type(self, meta: Meta, children: Children) -> ast.AttributeType:
        return ast.AttributeType(_words(children), self._span(meta))

    def attach(self, meta: Meta, children: Children) -> ast.Attach:
        port, vlan, segment, kind = children
        return ast.Attach(port, vlan, segment, kind, self._span(meta))

    def break_glass(self, meta: Meta, children: Children) -> ast.Declaration:
        name, limit, *items = children
        return self._declare("role", meta, [name, ast.Clause("break_glass", (limit,), limit.span), *items])

    def partner(self, meta: Meta, children: Children) -> ast.Declaration:
        return self._declare("partner", meta, children)

    def separate(self, meta: Meta, children: Children) -> ast.Separate:
        return ast.Separate(children[0], self._span(meta))

    def group(self, meta: Meta, children: Children) -> ast.Group:
        name, members, excepted = children
        return ast.Group(name, members or (), excepted or (), self._span(meta), self._doc(meta))

    def importing(self, meta: Meta, children: Children) -> ast.Import:
        return ast.Import(children[0], self._span(meta))

    # templates

    def template(self, meta: Meta, children: Children) -> ast.Template:
        name, *rest = children
        parameters = tuple(child for child in rest if isinstance(child, ast.Parameter))
        body = tuple(child for child in rest if isinstance(child, ast.Statement))
        return ast.Template(name, parameters, body, self._span(meta), self._doc(meta))

    def parameter(self, meta: Meta, children: Children) -> ast.Parameter:
        name, kind, default = children
        return ast.Parameter(name, kind, default, self._span(meta))

    def new(self, meta: Meta, children: Children) -> ast.New:
        name, *arguments = children
        return ast.New(name, tuple(each for each in arguments if each is not None), self._span(meta))

    def binding(self, meta: Meta, children: Children) -> ast.Argument:
        return ast.Argument(*children)

    # compliance

    def profile(self, meta: Meta, children: Children) -> ast.Profile:
        name, labels, *rest = children
        controls = tuple(child for child in rest if isinstance(child, ast.Control))
        return ast.Profile(name, labels or (), controls, _clauses(rest), self._span(meta), self._doc(meta))

    def control(self, meta: Meta, children: Children) -> ast.Control:
        name, severity, title, *rest = children
        each = tuple(child for child in rest if isinstance(child, ast.Each))
        return ast.Control(name, severity, title, each, _clauses(rest), self._span(meta), self._doc(meta))

    def severity(self, meta: Meta, children: Children) -> str:
        return str(children[0].text)

    def each(self, meta: Meta, children: Children) -> ast.Each:
        kind, variable, where = children
        return ast.Each(kind, variable, where, self._span(meta))

    def comply(self, meta: Meta, children: Children) -> ast.Comply:
        profiles, *rest = children
        return ast.Comply(profiles, _clauses(rest), self._span(meta), self._doc(meta))

    def waive(self, meta: Meta, children: Children) -> ast.Waive:
        profile, control, *rest = children
        return ast.Waive(profile, control, _clauses(rest), self._span(meta), self._doc(meta))

    # rules

    def quarantine(self, meta: Meta, children: Children) -> ast.Quarantine:
        what, start, reason, *rest = children
        said = (ast.Clause("from", (start,), start.span), ast.Clause("because", (reason,), reason.span))
        return ast.Quarantine(what, (*said, *_clauses(rest)), self._span(meta), self._doc(meta))

    def _rule(self, effect: str, meta: Meta, children: Children) -> ast.PolicyRule:
        subjects, targets, *rest = children
        return ast.PolicyRule(effect, subjects, targets, _clauses(rest), self._span(meta), self._doc(meta))

    def allow(self, meta: Meta, children: Children) -> ast.PolicyRule:
        return self._rule("allow", meta, children)

    def deny(self, meta: Meta, children: Children) -> ast.PolicyRule:
        return self._rule("deny", meta, children)

    # guards

    def holds(self, meta: Meta, children: Children) -> ast.Holds:
        return ast.Holds(children[0], self._span(meta))

    def compare(self, meta: Meta, children: Children) -> ast.Comparison:
        return ast.Comparison(children[0], children[1].text, (children[2],), self._span(meta))

    def member(self, meta: Meta, children: Children) -> ast.Comparison:
        return ast.Comparison(children[0], "in", children[1], self._span(meta))

    def _relation(self, relation: str, meta: Meta, children: Children) -> ast.Relation:
        return ast.Relation(children[0], relation, _words(children[1:]), self._span(meta))

    def is_a(self, meta: Meta, children: Children) -> ast.Relation:
        return self._relation("is", meta, children)

    def has(self, meta: Meta, children: Children) -> ast.Relation:
        return self._relation("has", meta, children)

    def carrying(self, meta: Meta, children: Children) -> ast.Relation:
        return self._relation("carries", meta, children)

    def may_carry(self, meta: Meta, children: Children) -> ast.Relation:
        return self._relation("may carry", meta, children)

    def lies_within(self, meta: Meta, children: Children) -> ast.Relation:
        return self._relation("within", meta, children)

    def _logic(self, operator: str, meta: Meta, children: Children) -> ast.Logic:
        return ast.Logic(operator, tuple(children), self._span(meta))

    def implies(self, meta: Meta, children: Children) -> ast.Logic:
        return self._logic("implies", meta, children)

    def disjunction(self, meta: Meta, children: Children) -> ast.Logic:
        return self._logic("or", meta, children)

    def conjunction(self, meta: Meta, children: Children) -> ast.Logic:
        return self._logic("and", meta, children)

    def denial(self, meta: Meta, children: Children) -> ast.Logic:
        return self._logic("not", meta, children)

    # claims

    def assertion(self, meta: Meta, children: Children) -> ast.Assertion:
        claim: ast.Assertion = children[0]
        return ast.Assertion(
            claim.claim, claim.subjects, claim.targets, claim.through, claim.failures, claim.failing, claim.text, self._span(meta)
        )

    def _claim(self, kind: str, meta: Meta, subjects: Any, targets: Any, through: Any = None, despite: Any = None) -> ast.Assertion:
        span = self._span(meta)
        text = " ".join(self._source.text[self._offset + meta.start_pos : self._offset + meta.end_pos].split())
        failures, failing = despite or (None, "any")
        return ast.Assertion(kind, subjects, targets, through or (), failures, failing, text, span)

    def never_reaches(self, meta: Meta, children: Children) -> ast.Assertion:
        return self._claim("never-reaches", meta, *children)

    def isolated(self, meta: Meta, children: Children) -> ast.Assertion:
        return self._claim("isolated", meta, *children)

    def only_reach(self, meta: Meta, children: Children) -> ast.Assertion:
        return self._claim("only-reach", meta, *children)

    def reaches(self, meta: Meta, children: Children) -> ast.Assertion:
        return self._claim("reaches", meta, children[0], children[1], None, children[2])

    def stays_within(self, meta: Meta, children: Children) -> ast.Assertion:
        return self._claim("stays-within", meta, *children)

    def never_flows_down(self, meta: Meta, children: Children) -> ast.Assertion:
        return self._claim("never-flows-down", meta, children[0], (), children[1])

    def despite(self, meta: Meta, children: Children) -> tuple[ast.Word, str]:
        return children[0], f"{children[1]}s" if children[1] else "any"

    def failing(self, meta: Meta, children: Children) -> str:
        return str(children[0].text)

    effect = failing

    # tests

    def test(self, meta: Meta, children: Children) -> ast.Test:
        given = tuple(child for child in children if isinstance(child, ast.Given))
        expects = tuple(child for child in children if isinstance(child, ast.Expect))
        return ast.Test(children[0], given, expects, self._span(meta))

    def given(self, meta: Meta, children: Children) -> ast.Given:
        subjects, source, settings, instant = children
        return ast.Given(subjects, source, settings or (), instant, self._span(meta))

    def settings(self, meta: Meta, children: Children) -> tuple[ast.Setting, ...]:
        return tuple(children)

    def setting(self, meta: Meta, children: Children) -> ast.Setting:
        return ast.Setting(children[0], children[1])

    def expect(self, meta: Meta, children: Children) -> ast.Expect:
        effect, target, ports = children
        return ast.Expect(effect, target, ports, self._span(meta))
