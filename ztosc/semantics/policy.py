"""Rules, assertions and tests to bound values.

Guarantees: subjects and targets are of kinds that can be one; a rule whose guard, time or names are wrong falls away as a whole, so
that a mistake never widens access.
"""

from __future__ import annotations

from collections.abc import Iterable

from ztosc.ir.values import Ports, Value
from ztosc.semantics import literals
from ztosc.semantics.declarations import Checker
from ztosc.semantics.program import Bound, BoundAssertion, BoundExpect, BoundRule, BoundTest, Reference
from ztosc.semantics.scope import article
from ztosc.syntax import ast

SUBJECTS = ("role", "segment", "device", "service", "external", "label")
TARGETS = ("segment", "service", "external", "label", "system")
ENDS = ("role", "segment", "device", "service", "external", "label")
QUARANTINED = ("role", "segment", "device", "service", "external")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NO_TARGET = {
    "role": "people are not a target; name the segment or service that is to be reached",
    "device": "name the segment that admits the device: that is where it can be reached",
}


class PolicyChecker:
    """Checks what a program allows, denies, claims and tests."""

    def __init__(self, checker: Checker) -> None:
        self._checker, self._names, self._report = checker, checker.names, checker.report

    def rule(self, rule: ast.PolicyRule, module: str) -> BoundRule | None:
        """A checked rule; nothing where any part of it is wrong."""
        before = len(self._report.items)
        subjects = self._ends(rule.subjects, module, SUBJECTS, "subject")
        targets = self._ends(rule.targets, module, TARGETS, "target")
        others = [clause for clause in rule.clauses if clause.key != "between"]
        fields, spans = self._checker.clauses("rule", others, module)
        windows = tuple(self._window(clause) for clause in rule.clauses if clause.key == "between")
        days = self._days(fields.pop("on_days", ()))
        if len(self._report.items) > before:
            return None
        fields["governance"] = self._checker.governance(fields)
        return BoundRule(
            rule.effect,
            subjects,
            targets,
            fields.get("on"),
            fields["when"],
            tuple(each for each in windows if each),
            days,
            fields.get("from"),
            fields.get("until"),
            fields,
            rule.doc,
            rule.span,
            spans,
        )

    def _ends(self, words: tuple[ast.Word, ...], module: str, kinds: tuple[str, ...], what: str) -> tuple[Reference, ...]:
        fitting = []
        for word in words:
            symbol = self._names.symbol(word, module)
            if symbol is not None and symbol.kind not in (*kinds, "group"):
                message = f"`{word.text}` is {article(symbol.kind)}, which cannot be a {what}"
                self._report.error("ZT404", message, word.span, help=NO_TARGET.get(symbol.kind, f"a {what} is a " + ", ".join(kinds[:-1])))
            else:
                fitting.append(word)
        return self._names.references(fitting, module, kinds)

    def _window(self, clause: ast.Clause) -> tuple[int, int] | None:
        try:
            start, end = (literals.clock(word) for word in clause.words)
        except literals.BadLiteral as error:
            self._report.error("ZT213", f"this window cannot be used: {error}", clause.span)
            return None
        if start == end or start == 86400:
            self._report.error(
                "ZT403", "this window is empty", clause.span, label="it ends where it starts", help="leave `between` out for the whole day"
            )
            return None
        return start, end % 86400 if end == 86400 and start else end

    def _days(self, words: Iterable[ast.Word]) -> tuple[int, ...]:
        found: set[int] = set()
        for word in words:
            first, _, last = word.text.partition("-")
            if first not in DAYS or (last and last not in DAYS):
                self._report.error(
                    "ZT213",
                    f"`{word.text}` is no day",
                    word.span,
                    help="days are " + ", ".join(f"`{day}`" for day in DAYS) + " or `mon-fri`",
                )
                continue
            start, end = DAYS.index(first), DAYS.index(last or first)
            found.update((start + step) % 7 for step in range((end - start) % 7 + 1))
        return tuple(sorted(found))

    def quarantine(self, statement: ast.Quarantine, module: str) -> Bound | None:
        """An incident: what is shut off, from when, and why."""
        before = len(self._report.items)
        what = self._ends(statement.what, module, QUARANTINED, "subject of a quarantine")
        fields, spans = self._checker.clauses("quarantine", statement.clauses, module)
        if len(self._report.items) > before:
            return None
        return Bound("quarantine", "", statement.span, statement.doc, {**fields, "what": what}, spans, (), self._checker.governance(fields))

    def assertion(self, claim: ast.Assertion, module: str) -> BoundAssertion | None:
        """A checked assertion."""
        before = len(self._report.items)
        of_label = claim.claim in ("stays-within", "never-flows-down")
        staying = claim.claim == "stays-within"
        if of_label and len(claim.subjects) > 1:
            self._report.error(
                "ZT404", "this is claimed of one label, not of several", claim.subjects[1].span, help="write one assertion a label"
            )
        subjects = (
            self._names.references(claim.subjects, module, ("label",)) if of_label else self._ends(claim.subjects, module, ENDS, "subject")
        )
        targets = () if of_label else self._ends(claim.targets, module, TARGETS, "target")
        ways = ("service",) if of_label else ("segment", "service", "external")
        through = self._ends(claim.through, module, ways, "way through")
        places = self._checker.places(claim.targets) if staying else ()
        failures = self._failures(claim.failures)
        if len(self._report.items) > before:
            return None
        return BoundAssertion(claim.claim, subjects, targets, through, places or (), failures, claim.failing, claim.text, claim.span)

    def _failures(self, word: ast.Word | None) -> int:
        try:
            return literals.integer(word, 1, 16) if word else 0
        except literals.BadLiteral as error:
            assert word is not None
            self._report.error("ZT213", f"`{word.text}` cannot be used: {error}", word.span)
            return 0

    def test(self, test: ast.Test, module: str) -> BoundTest | None:
        """A checked test."""
        if test.broken:
            return None
        if len(test.given) != 1 or not test.expects:
            missing = "one `given` line" if len(test.given) != 1 else "an `expect` line"
            self._report.error(
                "ZT208",
                f"test {test.name.text} needs {missing}",
                test.name.span,
                help="`given ROLE from SEGMENT`, then `expect allow to …`",
            )
            return None
        before = len(self._report.items)
        given = test.given[0]
        subjects = self._ends(given.subjects, module, ("role", "segment", "device", "service", "external"), "subject")
        source = self._names.resolve(given.source, module, ("segment",)) if given.source else None
        attributes = tuple(filter(None, (self._setting(setting, module) for setting in given.settings)))
        instant = self._instant(given.instant)
        expects = tuple(self._expect(expect, module) for expect in test.expects)
        if len(self._report.items) > before:
            return None
        origin = Reference(source, given.source.span) if source and given.source else None
        return BoundTest(literals.text(test.name), subjects, origin, attributes, instant, expects, test.span)

    def _setting(self, setting: ast.Setting, module: str) -> tuple[str, Value] | None:
        symbol = self._names.resolve(setting.attribute, module, ("attribute",))
        kind = self._checker.guards.type_of(symbol.name) if symbol else None
        values = self._checker.guards.values(setting.value, kind) if kind else None
        if symbol is None or values is None:
            return None
        if len(values) > 1:
            self._report.error(
                "ZT209", f"`{setting.value.text}` is a group of countries, not one", setting.value.span, help="name one country"
            )
            return None
        return symbol.name, values[0]

    def _instant(self, word: ast.Word | None) -> literals.Moment | None:
        try:
            return literals.moment(word) if word else None
        except literals.BadLiteral as error:
            assert word is not None
            self._report.error("ZT213", f"`{word.text}` cannot be used: {error}", word.span)
            return None

    def _expect(self, expect: ast.Expect, module: str) -> BoundExpect:
        targets = self._ends((expect.target,), module, ("segment", "service", "external", "system"), "target")
        ports: Ports | None = None
        try:
            ports = literals.port_set(expect.ports) if expect.ports else None
        except literals.BadWord as error:
            self._report.error("ZT213", f"`{error.word.text}` cannot be used: {error}", error.word.span)
        if len(targets) > 1:
            self._report.error("ZT404", "an `expect` names one target, not a group", expect.target.span, help="write one line a target")
        return BoundExpect(expect.effect, targets[0] if targets else None, ports, expect.span)
