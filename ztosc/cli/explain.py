"""`ztosc explain`."""

from __future__ import annotations

import click

from ztosc.diagnostics import CODES, near
from ztosc.resources import ResourceNotFoundError, diagnostic_page


@click.command("explain")
@click.argument("code")
def command(code: str) -> int:
    """What a diagnostic's code means, with a wrong and a right example."""
    wanted = code.upper()
    if wanted not in CODES:
        guess = near(wanted, CODES)
        raise click.UsageError(f"there is no code `{code}`" + (f"; did you mean `{guess}`?" if guess else ""))
    try:
        click.echo(diagnostic_page(wanted).rstrip())
    except ResourceNotFoundError:
        raise click.UsageError(f"`{wanted}` has no page") from None
    return 0
