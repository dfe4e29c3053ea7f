"""`ztosc diff`."""

from __future__ import annotations

from pathlib import Path

import click

from ztosc.cli.against import against, compiled_base, loader_of, show_comparison
from ztosc.cli.cache import disk_cache
from ztosc.cli.project import (
    Outcome,
    at_option,
    clock,
    count,
    find_project,
    findings_option,
    plural,
    print_document,
    show_diagnostics,
    strictly,
)
from ztosc.cli.recall import compile_again
from ztosc.diagnostics.text import safe
from ztosc.revision import RevisionUnknown


@click.command("diff")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW", required=False)
@click.option("-C", "path", type=click.Path(path_type=Path), default=None, help="The project.", metavar="PATH")
@at_option
@findings_option
@click.option("--strict", is_flag=True, help="Warnings fail too.")
def command(old: str, new: str | None, path: Path | None, at: int | None, form: str, strict: bool) -> int:
    """What a change widens: access, guarantees, memberships and numbers of NEW (the project, where absent) against OLD."""
    instant = clock(at)
    base = compiled_base(old, path, instant)
    try:
        with disk_cache() as cache:
            compiled = compile_again(loader_of(new, path) if new is not None else find_project(path), instant, cache)
    except RevisionUnknown as error:
        raise click.UsageError(safe(str(error))) from None
    outcome = Outcome(instant, compiled, list(compiled.diagnostics))
    against(outcome, old, base)
    if form != "text":
        print_document(outcome, form)
        return strictly(outcome, strict)
    show_diagnostics(outcome.diagnostics, compiled.sources)
    show_comparison(outcome)
    figures = count(outcome)
    click.echo(f"{plural(figures['errors'], 'error')}, {plural(figures['warnings'], 'warning')}")
    return strictly(outcome, strict)
