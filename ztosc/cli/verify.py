"""`ztosc verify`."""

from __future__ import annotations

from pathlib import Path

import click

from ztosc.cli.against import against, compiled_base, show_comparison
from ztosc.cli.judge import judge, look_for_findings, show_tests, show_verdicts
from ztosc.cli.project import (
    at_option,
    clock,
    compile_at,
    count,
    findings_option,
    path_argument,
    plural,
    print_document,
    show_diagnostics,
    strictly,
)


@click.command("verify")
@path_argument
@at_option
@findings_option
@click.option("--against", "base", default=None, help="Compare with a folder or git revision: what widens fails.", metavar="REV|DIR")
@click.option("--strict", is_flag=True, help="Warnings fail too.")
def command(path: Path | None, at: int | None, form: str, base: str | None, strict: bool) -> int:
    """Decide every assertion, for every flow and instant, run every test, and find what is granted beyond need."""
    instant = clock(at)
    former = compiled_base(base, path, instant) if base is not None else None
    outcome = compile_at(path, instant)
    network = outcome.compiled.verifiable
    if network is not None:
        judge(outcome, network)
        look_for_findings(outcome, network)
    if base is not None and former is not None:
        against(outcome, base, former)
    if form != "text":
        print_document(outcome, form)
        return strictly(outcome, strict)
    show_diagnostics(outcome.diagnostics, outcome.compiled.sources)
    show_verdicts(outcome.verdicts)
    show_tests(outcome.tests)
    show_comparison(outcome)
    figures = count(outcome)
    if network is None:
        click.echo(f"not verified: {plural(figures['errors'], 'error')} in the sources come first")
    else:
        passed = sum(result.passed for result in outcome.tests)
        verdicts = ", ".join(f"{figures[name]} {name}" for name in ("proved", "refuted", "unknown", "unsupported"))
        click.echo(f"{verdicts}; {passed} of {len(outcome.tests)} tests passed; {plural(figures['warnings'], 'warning')}")
    return strictly(outcome, strict)
