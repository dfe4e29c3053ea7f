"""What is said of a group without members: rules, quarantines and tests of nobody.

Guarantees: none of them is left out without a word. A rule that grants or denies nothing is a warning; a quarantine that shuts
nothing off, or a test that comes true whatever the rules are, is an error. Of claims the verifier tells (ZT451), and of others
about what is nowhere.
"""

from __future__ import annotations

from ztosc.diagnostics import Report
from ztosc.semantics.program import BoundRule, BoundTest, Program


def check(program: Program, report: Report) -> None:
    """Every check of this file; for a program whose names are all there."""
    for rule in program.rules:
        if not (rule.subjects and rule.targets):
            _rule(rule, report)
    for bound in program.quarantines:
        if not bound.fields["what"]:
            report.error("ZT404", "this quarantine shuts nothing off: its group is empty", bound.span, help="name what is to be shut off")
    for test in program.tests:
        _test(test, report)


def _rule(rule: BoundRule, report: Report) -> None:
    code, does = ("ZT440", "grants nothing to anybody") if rule.effect == "allow" else ("ZT446", "denies nothing to anybody")
    message = f"this rule {does}: its {'target' if rule.subjects else 'subject'} is an empty group"
    report.warning(code, message, rule.span, help="put somebody into the group, or delete the rule")


def _test(test: BoundTest, report: Report) -> None:
    if not test.subjects:
        message = f'test "{test.name}" is of nobody: the group that it names is empty'
        report.error("ZT404", message, test.span, help="name the role, segment or service itself")
    for each in test.expects:
        if each.target is None:
            message = "an `expect` names one target, and this group is empty"
            report.error("ZT404", message, each.span, help="name the segment or service itself")
