"""Declarations to bound values, by the table in `clauses`.

Guarantees: every clause was known, stands once, and has a value of its type; each mistake is one diagnostic and costs that clause
alone.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

from ztosc.diagnostics import Label, Report, near, suggestion
from ztosc.diagnostics.fixes import delete, replace
from ztosc.ir.clock import zone_names
from ztosc.ir.intent import Governance, Release
from ztosc.ir.values import Ports
from ztosc.semantics import literals
from ztosc.semantics.clauses import GOVERNANCE, RELEASES, TABLE, Key, written
from ztosc.semantics.countries import Countries
from ztosc.semantics.guards import GuardChecker, conjunction
from ztosc.semantics.program import NOTHING_ASKED, Bound, Reference
from ztosc.semantics.scope import Names, article
from ztosc.source import Span
from ztosc.syntax import ast

SIMPLE: dict[str, Callable[[ast.Word], Any]] = {
    "text": literals.text,
    "domain": literals.domain,
    "ldh": literals.ldh,
    "duration": literals.duration,
    "rate": literals.rate,
    "address": literals.address,
    "prefix": literals.prefix,
    "moment": literals.moment,
    "fingerprint": literals.fingerprint,
}

GUARDS = {kind: [key for key, spec in keys.items() if spec.type == "guard"] for kind, keys in TABLE.items()}
ASKED = frozenset([*GOVERNANCE, *RELEASES])


def _signed(releases: Iterable[Iterable[tuple[str, str]]]) -> list[tuple[str, str]]:
    """Every release of several clauses once, in order."""
    return sorted({each for clause in releases for each in clause})


class Checker:
    """Checks the clauses of declarations and rules of one program."""

    def __init__(self, names: Names, countries: Countries, guards: GuardChecker, zone: str, report: Report) -> None:
        self.names, self.countries, self.guards, self.zone, self.report = names, countries, guards, zone, report

    def declaration(self, declaration: ast.Declaration, module: str) -> Bound:
        """A declaration with its clauses checked; its nested ones too."""
        fields, spans = self.clauses(declaration.kind, declaration.clauses(), module)
        self._head(declaration, module, fields, spans)
        if declaration.kind == "node":
            fields["attachments"] = [
                each for each in (self._attach(item, module) for item in declaration.items if isinstance(item, ast.Attach)) if each
            ]
        if not declaration.broken:
            self._require(declaration, fields)
        nested = (item for item in declaration.items if isinstance(item, ast.Declaration) and item.kind in TABLE)
        children = tuple(self.declaration(item, module) for item in nested)
        return Bound(
            declaration.kind,
            declaration.name.text,
            declaration.span,
            declaration.doc,
            fields,
            {"name": declaration.name.span, **spans},
            children,
            self.governance(fields),
        )

    def governance(self, fields: dict[str, Any]) -> Governance:
        """What governance asks, from the checked clauses of anything."""
        if ASKED.isdisjoint(fields):
            return NOTHING_ASKED
        review = fields.get("review")
        sinks = fields.get("log_to", ())
        return Governance(
            owner=fields.get("owner"),
            purpose=fields.get("purpose"),
            review_by=review.end(self.zone) if review else None,
            tickets=tuple(fields.get("ticket", ())),
            approved_by=tuple(fields.get("approved", ())),
            agreement=fields.get("agreement"),
            environment=fields.get("environment"),
            log_to=sinks[0].name if sinks else None,
            idle=fields.get("idle"),
            releases=tuple(Release(label=label, because=because) for label, because in _signed(fields.get("releases", ()))),
        )

    def _head(self, declaration: ast.Declaration, module: str, fields: dict[str, Any], spans: dict[str, Span]) -> None:
        kinds = {"site": ("region",), "service": ("segment",), "link": ("node",)}.get(declaration.kind, ())
        found = [self.names.resolve(word, module, kinds) for word in declaration.head]
        fields["head"] = tuple(symbol.name for symbol in found if symbol is not None)
        fields["head_complete"] = all(found) and not declaration.broken
        spans.update({f"head{index}": word.span for index, word in enumerate(declaration.head)})

    def _require(self, declaration: ast.Declaration, fields: dict[str, Any]) -> None:
        given = {clause.key for clause in declaration.clauses()}
        for key, spec in TABLE[declaration.kind].items():
            if spec.required and key not in given:
                self.report.error(
                    "ZT208",
                    f"{declaration.kind} `{declaration.name.text}` has no `{written(key)}`",
                    declaration.name.span,
                    help=f"add a line with `{written(key)} …` to its block",
                )

    def clauses(self, kind: str, clauses: Iterable[ast.Clause], module: str) -> tuple[dict[str, Any], dict[str, Span]]:
        """The typed values of clauses by key, and where each stands."""
        fields: dict[str, Any] = {}
        spans: dict[str, Span] = {}
        for clause in clauses:
            spec = TABLE[kind].get(clause.key)
            if spec is None:
                message = f"`{written(clause.key)}` has no meaning in {article(kind)}"
                self.report.error("ZT210", message, clause.span, help="take it out, or write it where it is kept")
                continue
            if clause.key in spans and not spec.many:
                first = Label(spans[clause.key], "given here first")
                message, fixes = f"`{written(clause.key)}` is given twice", delete(clause.span, "the second one")
                self.report.error("ZT207", message, clause.span, help="keep one of them", related=[first], fixes=fixes)
                continue
            spans.setdefault(clause.key, clause.span)
            value = self._value(spec, clause, module)
            if value is None:
                fields["incomplete"] = True
            elif spec.many:
                fields.setdefault(clause.key, []).append(value)
            else:
                fields[clause.key] = value
        for key in GUARDS[kind]:
            fields[key] = conjunction(fields.get(key, []))
        return fields, spans

    def _value(self, spec: Key, clause: ast.Clause, module: str) -> Any:
        word = clause.words[0] if clause.words else None
        try:
            return self._typed(spec, clause, word, module)
        except literals.BadLiteral as error:
            wrong = error.word if isinstance(error, literals.BadWord) else word
            assert wrong is not None
            fixes = replace(wrong.span, error.instead)
            self.report.error("ZT213", f"`{wrong.text}` cannot be used: {error}", wrong.span, fixes=fixes)
        return None

    def _typed(self, spec: Key, clause: ast.Clause, word: ast.Word | None, module: str) -> Any:
        if spec.type == "flag":
            return True
        if spec.type == "access":
            return self._access(clause, module)
        if isinstance(clause.value, ast.Ports):
            return literals.port_set(clause.value)
        if clause.value is not None:
            return self.guards.check(clause.value, module)
        if spec.type == "groups":
            return tuple(self._group(each) for each in clause.words)
        assert word is not None
        if spec.type in SIMPLE:
            return SIMPLE[spec.type](word)
        match spec.type:
            case "integer":
                return literals.integer(word, spec.low, spec.high)
            case "prefixes":
                return tuple(self._prefix(each) for each in clause.words)
            case "names":
                return self._names(spec, clause, module)
            case "release":
                return self._release(clause, module)
            case "word" | "words":
                return self._choices(spec, clause)
            case "zone":
                return self._zone(word)
            case "country":
                return self.countries.country(word)
            case _:
                return self.places(clause.words)

    def _access(self, clause: ast.Clause, module: str) -> tuple[tuple[Reference, ...], Ports] | None:
        """Who may reach the nodes themselves, on which ports."""
        assert isinstance(clause.value, ast.Ports)
        ports = literals.port_set(clause.value)
        subjects = self.names.references(clause.words, module, ("role", "segment", "device", "service", "external"))
        return (subjects, ports) if subjects else None

    def _release(self, clause: ast.Clause, module: str) -> tuple[tuple[str, str], ...] | None:
        """The labels that end here, each with who signs for it why: none for an empty group, `None` where one is unknown."""
        because, before = literals.text(clause.words[-1]), len(self.report.items)
        labels = self.names.references(clause.words[:-1], module, ("label",))
        return tuple((label.name, because) for label in labels) if len(self.report.items) == before else None

    def _group(self, word: ast.Word) -> str:
        """A prefix of multicast groups (RFC 4291 §2.7)."""
        found = self._prefix(word)
        if not ipaddress.ip_network(found).is_multicast or ":" not in found:
            raise literals.BadWord(word, "it is no IPv6 multicast group or prefix of such; they begin with `ff`")
        return found

    def _prefix(self, word: ast.Word) -> str:
        try:
            return literals.prefix(word)
        except literals.BadLiteral as error:
            raise literals.BadWord(word, str(error), error.instead) from None

    def _names(self, spec: Key, clause: ast.Clause, module: str) -> Any:
        fixed = [word.text for word in clause.words if word.text in spec.choices]
        rest = [word for word in clause.words if word.text not in spec.choices]
        references = self.names.references(rest, module, spec.kinds, also=spec.choices)
        return (*fixed, *references)

    def _choices(self, spec: Key, clause: ast.Clause) -> Any:
        known = []
        for word in clause.words:
            if spec.choices and word.text not in spec.choices:
                help_ = suggestion(word.text, spec.choices, "one of " + ", ".join(f"`{choice}`" for choice in spec.choices))
                fixes = replace(word.span, near(word.text, spec.choices))
                self.report.error("ZT210", f"`{written(clause.key)}` knows no `{word.text}`", word.span, help=help_, fixes=fixes)
            elif word.text not in known:
                known.append(word.text)
        if spec.type == "word":
            return known[0] if known else None
        return tuple(known) if spec.choices else clause.words

    def _zone(self, word: ast.Word) -> str | None:
        if word.text in zone_names():
            return word.text
        self.report.error(
            "ZT212",
            f"unknown time zone `{word.text}`",
            word.span,
            help=suggestion(word.text, zone_names(), "zones have IANA names like `Europe/Berlin`"),
            fixes=replace(word.span, near(word.text, zone_names())),
        )
        return None

    def places(self, words: Iterable[ast.Word]) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
        """Countries and blocs as (written, codes); `None` where one is unknown."""
        found = [(word.text, self.countries.resolve(word)) for word in words]
        known = tuple((text, codes) for text, codes in found if codes is not None)
        return known if len(known) == len(found) else None

    def _vlan(self, word: ast.Word | None) -> int | None:
        try:
            return literals.integer(word, 1, 4094) if word is not None else None
        except literals.BadLiteral as error:
            assert word is not None
            self.report.error("ZT213", f"`{word.text}` cannot be used: a VLAN is a number, and {error}", word.span)
            return None

    def _attach(self, attach: ast.Attach, module: str) -> dict[str, Any] | None:
        kinds = ("shared", "exclusive", "dot1x")
        segment = self.names.resolve(attach.segment, module, ("segment",))
        kind = attach.kind.text if attach.kind else "shared"
        if kind not in kinds and attach.kind:
            help_ = suggestion(kind, kinds, "one of " + ", ".join(f"`{each}`" for each in kinds))
            fixes = replace(attach.kind.span, near(kind, kinds))
            self.report.error("ZT210", f"`attach` knows no `{kind}`", attach.kind.span, help=help_, fixes=fixes)
            return None
        vlan = self._vlan(attach.vlan)
        if attach.vlan is not None and vlan is None:
            return None
        if segment is None:
            return None
        return {"port": attach.port.text, "vlan": vlan, "segment": segment.name, "kind": kind, "span": attach.span}
