"""`accept widening`: what it names, checked.

Guarantees: a reason and somebody who approves; every name that the changed network must still have is declared, and of a kind that fits.
What a change may have taken away (a label, a role, a profile, an assertion, a test) is kept as written: whoever compares with an earlier
revision looks for it there, and says so where neither has it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import Any

from ztosc.diagnostics import suggestion
from ztosc.ir.acceptance import Topic, waiver_clause
from ztosc.semantics import literals
from ztosc.semantics.clauses import TABLE
from ztosc.semantics.declarations import Checker
from ztosc.semantics.policy import PolicyChecker
from ztosc.semantics.program import BoundAcceptance, BoundRule
from ztosc.semantics.scope import article
from ztosc.syntax import ast

GOVERNED = ("idle", "log")
CLAUSES = {
    "label": ("encryption", "rekey", "psk", "within", "retention"),
    "segment": ("within", "observe", "access", "mdns", "multicast", "stretched", *GOVERNED),
    "role": ("requires", "stale", "break-glass", *GOVERNED),
    "attribute": ("max-age", "source"),
    "class": ("recognised",),
    "service": GOVERNED,
    "external": ("reach", *GOVERNED),
    "partner": ("domain", "ca"),
    "region": ("country",),
    "link": ("macsec",),
}
"""The clauses that can be widened, by what has them."""
RELATED = {
    "label": ("above",),
    "segment": ("carries", "admits", "releases"),
    "role": ("releases",),
    "service": ("releases",),
    "external": ("releases",),
}
MEMBERS = {"person": ("role",), "device": ("device",)}
FACTS = ("segment", "mac", "certificate")
"""What an inventory says of a device besides its class and attributes."""
SUBJECTS = ("role", "segment", "device", "service", "external", "label")
TARGETS = ("segment", "service", "external", "label", "system")


class AcceptanceChecker:
    """Checks the acceptances of one program."""

    def __init__(self, checker: Checker, policy: PolicyChecker) -> None:
        self._checker, self._policy, self._names, self._report = checker, policy, checker.names, checker.report

    def accept(self, statement: ast.Accept, module: str) -> BoundAcceptance | None:
        """A checked acceptance; nothing where any part of it is wrong."""
        before = len(self._report.items)
        access = self._access(statement, module) if statement.what == "access" else None
        fields = access.fields if access else self._clauses(statement, module)
        self._signed(statement)
        topics = () if statement.what == "access" else self._topics(statement, module)
        if len(self._report.items) > before:
            return None
        because, approved = fields["because"], tuple(fields["approved"])
        return BoundAcceptance(access, topics, because, approved, statement.doc, statement.span)

    def _clauses(self, statement: ast.Accept, module: str) -> dict[str, Any]:
        fields, _ = self._checker.clauses("accept" if statement.what != "access" else "rule", statement.clauses, module)
        return fields

    def _access(self, statement: ast.Accept, module: str) -> BoundRule | None:
        rule = ast.PolicyRule("allow", statement.subjects, statement.objects, statement.clauses, statement.span, statement.doc)
        bound = self._policy.rule(rule, module)
        bare = next((each for each in bound.targets if each.kind not in ("service", "system")), None) if bound else None
        if bound is not None and bound.ports is None and bare is not None:
            message = f"what is accepted to {bare.kind} `{bare.name}` does not say its ports"
            self._report.error("ZT208", message, statement.span, help="add `on tcp/443` or the like: nothing is accepted that is not said")
        return bound

    def _signed(self, statement: ast.Accept) -> None:
        given = {clause.key for clause in statement.clauses}
        for key, wanted in (("because", 'because "…"'), ("approved", 'approved by "…"')):
            if key not in given:
                message = f"this acceptance has no `{'approved by' if key == 'approved' else key}`"
                self._report.error("ZT208", message, statement.span, help=f"add `{wanted}`: somebody signs for it, and says why")

    # What is named

    def _topics(self, statement: ast.Accept, module: str) -> tuple[Topic, ...]:
        match statement.what:
            case "assert" | "test" | "lock":
                return (Topic(kind=statement.what, name=" ".join(literals.text(statement.subjects[0]).split())),)
            case "separate":
                return self._separate(statement, module)
            case "comply":
                return tuple(Topic(kind="comply", name=word.text) for word in statement.subjects)
            case "manage":
                names = self._resolved(statement.subjects, module, SUBJECTS[:-1])
                return tuple(Topic(kind="manage", name=name) for name in names)
            case "control" | "waive":
                return self._control(statement, module)
            case "person" | "device":
                return self._member(statement, module)
            case "rule":
                return self._rule(statement, module)
            case "node":
                return self._attach(statement, module)
            case _:
                return self._thing(statement, module)

    def _resolved(self, words: Iterable[ast.Word], module: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(each.name for each in self._names.references(words, module, kinds))

    def _kept(self, words: Iterable[ast.Word], module: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
        """Names that may be gone: one that is still there must be of a kind that fits."""
        words = tuple(words)
        there = [word for word in words if self._names.symbol(word, module) is not None]
        self._names.references(there, module, kinds)
        return tuple(dict.fromkeys(word.text.rpartition(".")[2] for word in words))

    def _separate(self, statement: ast.Accept, module: str) -> tuple[Topic, ...]:
        roles = sorted(set(self._resolved(statement.subjects, module, ("role",))))
        if len(statement.subjects) == 1 and len(roles) == 1:
            self._report.error("ZT208", "one role is separated from nothing", statement.span, help="name both roles: `separate a, b`")
        return tuple(Topic(kind="separate", name=f"{a}, {b}") for a, b in combinations(roles, 2))

    def _control(self, statement: ast.Accept, module: str) -> tuple[Topic, ...]:
        profile, control = statement.subjects[0].text, literals.text(statement.objects[0])
        kinds = TABLE["waive"]["scope"].kinds
        scope = self._resolved(statement.more, module, kinds)
        return (Topic(kind=statement.what, name=profile, clause=waiver_clause(control, scope)),)

    def _member(self, statement: ast.Accept, module: str) -> tuple[Topic, ...]:
        kinds = MEMBERS[statement.what]
        match statement.relation:
            case "as":
                names = self._resolved(statement.objects, module, kinds)
            case "without":
                names = self._kept(statement.objects, module, kinds)
            case _:
                facts = [word.text for word in statement.objects if statement.what == "device" and word.text in FACTS]
                rest = [word for word in statement.objects if word.text not in facts]
                names = (*facts, *(symbol.name for word in rest if (symbol := self._names.resolve(word, module, ("attribute",)))))
        who = literals.text(statement.subjects[0])
        return tuple(Topic(kind=statement.what, name=who, clause=f"{statement.relation} {name}") for name in names)

    def _rule(self, statement: ast.Accept, module: str) -> tuple[Topic, ...]:
        subjects = sorted(set(self._resolved(statement.subjects, module, SUBJECTS)))
        targets = sorted(set(self._resolved(statement.objects, module, TARGETS)))
        name = f"{', '.join(subjects)} to {', '.join(targets)}"
        labels = self._resolved(statement.more, module, ("label",))
        said = [f"releases {label}" for label in labels] if statement.relation == "releases" else [statement.relation]
        return tuple(Topic(kind="rule", name=name, clause=each) for each in said)

    def _attach(self, statement: ast.Accept, module: str) -> tuple[Topic, ...]:
        nodes = self._resolved(statement.subjects, module, ("node",))
        vlan = f" vlan {statement.more[0].text}" if statement.more else ""
        return tuple(Topic(kind="node", name=node, clause=f"attach {statement.objects[0].text}{vlan}") for node in nodes)

    def _thing(self, statement: ast.Accept, module: str) -> tuple[Topic, ...]:
        kind = {"class": "device", "link": "node"}.get(statement.what, statement.what)
        may_be_gone = kind == "label"
        found = (self._kept if may_be_gone else self._resolved)(statement.subjects, module, (kind,))
        name = "--".join(sorted(found)) if statement.what == "link" else next(iter(found), "")
        clauses = self._related(statement, module) if statement.relation else self._known(statement)
        return tuple(Topic(kind=statement.what, name=name, clause=clause) for clause in clauses)

    def _known(self, statement: ast.Accept) -> tuple[str, ...]:
        choices = CLAUSES[statement.what]
        for word in statement.objects:
            if word.text not in choices:
                thing = "device" if statement.what == "class" else statement.what
                help_ = suggestion(word.text, choices, "one of " + ", ".join(f"`{choice}`" for choice in choices))
                self._report.error("ZT210", f"{article(thing)} has no `{word.text}` that could be widened", word.span, help=help_)
        return tuple(dict.fromkeys(word.text for word in statement.objects))

    def _related(self, statement: ast.Accept, module: str) -> tuple[str, ...]:
        relation = statement.relation
        if relation not in RELATED.get(statement.what, ()):
            thing = "device" if statement.what == "class" else statement.what
            message = f"`{relation}` has no meaning in {article(thing)}"
            self._report.error("ZT210", message, statement.span, help="name the thing that has it")
            return ()
        if relation == "admits":
            fixed = [word.text for word in statement.objects if word.text in ("people", "unknown")]
            rest = [word for word in statement.objects if word.text not in fixed]
            names = (*fixed, *self._resolved(rest, module, ("device",)))
        elif relation == "releases":
            names = self._resolved(statement.objects, module, ("label",))
        else:
            names = self._kept(statement.objects, module, ("label",))
        return tuple(f"{relation} {name}" for name in names)
