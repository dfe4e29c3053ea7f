"""`ztosc verify`."""

from __future__ import annotations

from pathlib import Path

import click

from ztosc.cli.against import against, compiled_base, show_comparison
from ztosc.cli.certify import write_certificates
from ztosc.cli.ground import ground, show_assurance, show_scope
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
@click.option("--certificates", type=click.Path(path_type=Path), default=None, help="Write each verdict's evidence there.", metavar="DIR")
@click.option("--assurance", is_flag=True, help="Show what each grant rests on.")
@click.option("--scope", is_flag=True, help="Show all that the model covers and does not.")
def command(
    path: Path | None, at: int | None, form: str, base: str | None, strict: bool, certificates: Path | None, assurance: bool, scope: bool
) -> int:
    """Decide every assertion, for every flow and instant, run every test, and find what is granted beyond need."""
    instant = clock(at)
    former = compiled_base(base, path, instant) if base is not None else None
    outcome = compile_at(path, instant)
    network = outcome.compiled.verifiable
    told = judge(outcome, network) if network is not None else None
    if network is not None and told is not None:
        look_for_findings(outcome, told)
        if certificates is not None:
            write_certificates(network, outcome.verdicts, certificates)
    if base is not None and former is not None:
        against(outcome, base, former)
    if form != "text":
        print_document(outcome, form, **ground(network))
        return strictly(outcome, strict)
    show_diagnostics(outcome.diagnostics, outcome.compiled.sources)
    show_verdicts(outcome.verdicts)
    show_tests(outcome.tests)
    show_comparison(outcome)
    figures = count(outcome)
    if network is None or told is None:
        click.echo(f"not verified: {plural(figures['errors'], 'error')} in the sources come first")
    else:
        passed = sum(result.passed for result in outcome.tests)
        verdicts = ", ".join(f"{figures[name]} {name}" for name in ("proved", "refuted", "unknown", "unsupported"))
        click.echo(f"{verdicts}; {passed} of {len(outcome.tests)} tests passed; {plural(figures['warnings'], 'warning')}")
        if assurance:
            show_assurance(network)
        show_scope(network, told.levels(), scope)
    return strictly(outcome, strict)
