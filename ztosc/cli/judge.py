"""Verification as commands show it: verdicts and tests turned into findings, and both into text.

Guarantees: a verdict that is not `proved` is an error with its own code; nothing undecided is ever worded as fine.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click

from ztosc.cli.project import Outcome, paint
from ztosc.cli.retold import Retold
from ztosc.compiler import verify_session
from ztosc.diagnostics import Diagnostic, Label, sort_diagnostics
from ztosc.diagnostics.text import safe
from ztosc.ir.network import Network
from ztosc.ir.verdict import Verdict
from ztosc.report.model import TEST_CODE, code_of, steps
from ztosc.verify import TestResult, run_tests

COLOURS = {"proved": "green", "refuted": "red", "unknown": "yellow", "unsupported": "yellow"}


def judge(outcome: Outcome, network: Network) -> Retold:
    """Decide every assertion and run every test of a network; what else there is to tell of it, for whoever asks."""
    session = verify_session(network, _progress if sys.stderr.isatty() else None)
    told = Retold(outcome.compiled, network, session)
    outcome.verdicts = told.verdicts()
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)
    run(outcome, network)
    found = [_finding(verdict) for verdict in outcome.verdicts if verdict.verdict != "proved"]
    outcome.diagnostics = list(sort_diagnostics([*outcome.diagnostics, *found]))
    return told


def run(outcome: Outcome, network: Network, pattern: str = "") -> None:
    """Run the tests whose name has a pattern in it."""
    outcome.tests = tuple(result for result in run_tests(network) if pattern in result.name)
    failures = [Diagnostic(TEST_CODE, failure.reason, failure.origin) for result in outcome.tests for failure in result.failures]
    outcome.diagnostics = list(sort_diagnostics([*outcome.diagnostics, *failures]))


def look_for_findings(outcome: Outcome, told: Retold) -> None:
    """Add what the policy grants beyond its need; such findings are warnings and remarks."""
    outcome.diagnostics = list(sort_diagnostics([*outcome.diagnostics, *told.findings()]))


def _progress(done: int, total: int, statement: str) -> None:
    click.echo(f"\r\x1b[K{done + 1}/{total} {safe(statement)[:100]}", nl=False, err=True)


def _finding(verdict: Verdict) -> Diagnostic:
    words = {"refuted": "does not hold", "unknown": "could not be decided", "unsupported": "is not supported"}[verdict.verdict]
    hops = verdict.witness.hops
    numbered = [(f"{number}. {hop.text}" if len(hops) > 1 else hop.text, hop.rule) for number, hop in enumerate(hops, 1)]
    related = tuple(Label(rule, text) for text, rule in numbered if rule is not None)
    told = verdict.explanation
    reason = told.sentence.removesuffix(".") if told else verdict.reason
    help_ = f"though {told.nearest}" if told and told.nearest else ""
    return Diagnostic(code_of(verdict) or "", f"`{verdict.statement}` {words}: {reason}", verdict.origin, help=help_, related=related)


def show_verdicts(verdicts: Iterable[Verdict]) -> None:
    """One line a verdict, its reason below it."""
    colour = paint(sys.stdout)
    for verdict in verdicts:
        where = f"{safe(verdict.origin.file)}:{verdict.origin.line}" if verdict.origin else ""
        click.echo(f"{colour(f'{verdict.verdict:<11}', COLOURS[verdict.verdict])} {safe(verdict.statement)}  ({where})")
        if verdict.verdict == "proved":
            click.echo(f"            {safe(verdict.reason)}")
        else:
            for line in steps(verdict).splitlines():
                click.echo(f"            {line}")


def show_tests(results: Iterable[TestResult]) -> None:
    """One line a test."""
    colour = paint(sys.stdout)
    for result in results:
        mark = colour("passed     ", "green") if result.passed else colour("failed     ", "red")
        click.echo(f'{mark} test "{safe(result.name)}"  ({safe(result.origin.file)}:{result.origin.line})')
