"""Profiles, `comply` and `waive`: regimes read and typed.

Guarantees: every property in a control exists for what it is asked of, every word beside it is one of its values, every label is declared;
a waiver names a control that is there. Profiles have a namespace of their own.
"""

from __future__ import annotations

from typing import cast

from ztosc.diagnostics import Label, near, suggestion
from ztosc.ir import compliance as ir
from ztosc.semantics import literals
from ztosc.semantics.conditions import Conditions
from ztosc.semantics.declarations import Checker
from ztosc.semantics.modules import ALWAYS, Modules
from ztosc.semantics.program import Bound
from ztosc.semantics.templates import base
from ztosc.syntax import ast


class ProfileChecker:
    """Checks the regimes of one program."""

    def __init__(self, modules: Modules, checker: Checker) -> None:
        self._modules, self._checker, self._report = modules, checker, checker.report
        self._profiles: dict[str, tuple[str, ast.Profile]] = {}
        for module in sorted(modules.parsed, key=lambda name: (not name.startswith("std."), name)):
            for statement in modules.parsed[module].statements:
                if isinstance(statement, ast.Profile):
                    self._declare(statement, module)

    def _declare(self, profile: ast.Profile, module: str) -> None:
        _, first = self._profiles.setdefault(profile.name.text, (module, profile))
        if first is not profile:
            label = Label(first.name.span, "declared here first")
            message = f"profile `{profile.name.text}` is declared twice"
            self._report.error("ZT202", message, profile.name.span, help="rename one of them", related=[label])

    def _find(self, word: ast.Word, module: str) -> ast.Profile | None:
        seen = {base(module), *ALWAYS, *(name for name, _ in self._modules.imports.get(module, ()))}
        visible = {name for name, (where, _) in self._profiles.items() if not where.startswith("std.") or where in seen}
        if word.text in visible:
            return self._profiles[word.text][1]
        known = self._profiles.get(word.text)
        guess = near(word.text, visible)
        help_ = (
            f"`import {known[0]}` brings it into scope"
            if known
            else f"did you mean `{guess}`?"
            if guess
            else "import the module that has it"
        )
        self._report.error("ZT201", f"unknown profile `{word.text}`", word.span, label="no profile has this name", help=help_)
        return None

    def comply(self, statement: ast.Comply, module: str) -> tuple[ir.Compliance, ...]:
        """What is complied with."""
        self._checker.clauses("comply", statement.clauses, module)
        found = [(word, self._find(word, module)) for word in statement.profiles]
        return tuple(ir.Compliance(profile=profile.name.text, origin=word.span) for word, profile in found if profile)

    def waive(self, statement: ast.Waive, module: str) -> Bound | None:
        """A waiver whose control is there and whose end and reason are said."""
        before = len(self._report.items)
        profile = self._find(statement.profile, module)
        name = literals.text(statement.control)
        if profile is not None and not profile.broken and name not in (known := [literals.text(each.name) for each in profile.controls]):
            help_ = suggestion(name, known, "it has " + ", ".join(f'"{each}"' for each in sorted(known)[:12]))
            self._report.error("ZT502", f"profile `{profile.name.text}` has no control `{name}`", statement.control.span, help=help_)
        fields, spans = self._checker.clauses("waive", statement.clauses, module)
        for key, word in (("until", "until DATE"), ("because", 'because "…"')):
            if not any(clause.key == key for clause in statement.clauses):
                message = f"this waiver of `{name}` has no `{key}`"
                self._report.error(
                    "ZT208", message, statement.control.span, help=f"add `{word}`: nothing is waived for ever or for no reason"
                )
        if len(self._report.items) > before:
            return None
        return Bound(
            "waive",
            statement.profile.text,
            statement.span,
            statement.doc,
            {**fields, "control": name},
            spans,
            (),
            self._checker.governance(fields),
        )

    def profile(self, statement: ast.Profile, module: str) -> ir.Profile:
        """A profile with the controls of it that could be read."""
        self._checker.clauses("profile", statement.clauses, module)
        labels = self._checker.names.references(statement.labels, module, ("label",))
        controls: dict[str, ir.Control] = {}
        for each in statement.controls:
            control = self._control(each, module)
            if control is not None and control.name in controls:
                label = Label(controls[control.name].origin, "the first")
                self._report.error("ZT202", f"control `{control.name}` is declared twice", each.name.span, related=[label])
            elif control is not None:
                controls[control.name] = control
        return ir.Profile(
            name=statement.name.text,
            labels=tuple(sorted(each.name for each in labels)),
            controls=tuple(controls.values()),
            doc=statement.doc,
            origin=statement.name.span,
        )

    # One control

    def _control(self, control: ast.Control, module: str) -> ir.Control | None:
        before = len(self._report.items)
        conditions = Conditions(self._checker, module)
        each = tuple(conditions.quantifier(item) for item in control.each)
        said = {clause.key: clause for clause in control.clauses}
        required = [
            conditions.condition(clause.value) for clause in control.clauses if clause.key == "require" and clause.value is not None
        ]
        self._shape(control, said)
        if len(self._report.items) > before:
            return None
        return ir.Control(
            name=literals.text(control.name),
            title=literals.text(control.title),
            severity=cast(ir.Severity, control.severity),
            each=tuple(item for item in each if item is not None),
            require=ir.Every(parts=tuple(item for item in required if item is not None)) if required else None,
            hint=_text(said, "hint"),
            manual=_text(said, "manual"),
            doc=control.doc,
            origin=control.name.span,
        )

    def _shape(self, control: ast.Control, said: dict[str, ast.Clause]) -> None:
        name = literals.text(control.name)
        if "require" not in said and "manual" not in said:
            message = f"control `{name}` asks for nothing"
            self._report.error("ZT208", message, control.name.span, help='add `require …`, or `manual "…"` for what somebody must show')
        if "require" in said and "manual" in said:
            message = f"control `{name}` is both checked and manual"
            self._report.error(
                "ZT207", message, said["manual"].span, help="make two controls of it", related=[Label(said["require"].span, "checked")]
            )
        for key in ("hint", "manual"):
            twice = [clause for clause in control.clauses if clause.key == key]
            for clause in twice[1:]:
                self._report.error(
                    "ZT207", f"`{key}` is given twice", clause.span, help="keep one of them", related=[Label(twice[0].span, "first")]
                )


def _text(said: dict[str, ast.Clause], key: str) -> str | None:
    return literals.text(said[key].words[0]) if key in said else None
