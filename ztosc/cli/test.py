"""`ztosc test`."""

from __future__ import annotations

from pathlib import Path

import click

from ztosc.cli.judge import run, show_tests
from ztosc.cli.project import at_option, compile_at, findings_option, path_argument, print_document, show_diagnostics


@click.command("test")
@path_argument
@click.option("-k", "pattern", default="", help="Only tests whose name has this text in it.", metavar="PATTERN")
@at_option
@findings_option
def command(path: Path | None, pattern: str, at: int | None, form: str) -> int:
    """Run the `test` blocks alone."""
    outcome = compile_at(path, at)
    network = outcome.compiled.verifiable
    if network is not None:
        run(outcome, network, pattern)
    if form != "text":
        print_document(outcome, form)
        return outcome.code
    show_diagnostics(outcome.diagnostics, outcome.compiled.sources)
    show_tests(outcome.tests)
    if network is None:
        click.echo("not tested: the errors in the sources come first")
    else:
        click.echo(f"{sum(result.passed for result in outcome.tests)} of {len(outcome.tests)} tests passed")
    return outcome.code
