"""`ztosc check`."""

from __future__ import annotations

from pathlib import Path

import click

from ztosc.cli.project import (
    at_option,
    compile_at,
    count,
    findings_option,
    path_argument,
    plural,
    print_document,
    show_diagnostics,
    strictly,
)


@click.command("check")
@path_argument
@at_option
@findings_option
@click.option("--strict", is_flag=True, help="Warnings fail too.")
def command(path: Path | None, at: int | None, form: str, strict: bool) -> int:
    """Parse, resolve and type a project: fast, never loads the solver."""
    outcome = compile_at(path, at)
    if form != "text":
        print_document(outcome, form)
        return strictly(outcome, strict)
    show_diagnostics(outcome.diagnostics, outcome.compiled.sources)
    figures = count(outcome)
    intent = outcome.compiled.intent
    if figures["errors"] == 0 and intent is not None:
        parts = f"{len(intent.nodes)} nodes, {len(intent.segments)} segments, {len(intent.services)} services, {len(intent.rules)} rules"
        click.echo(f"{intent.network.name}: {parts}, {len(intent.assertions)} assertions")
    click.echo(f"{plural(figures['errors'], 'error')}, {plural(figures['warnings'], 'warning')}")
    return strictly(outcome, strict)
