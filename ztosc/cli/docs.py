"""`ztosc docs`."""

from __future__ import annotations

import click

from ztosc.diagnostics import near
from ztosc.library import FORMATS, find, listing, pages, render


@click.command("docs")
@click.argument("name", required=False)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How it is printed.")
def command(name: str | None, form: str) -> int:
    """The standard library: its modules, a module, or one name of it (`std.medical`, `medical.clinic`)."""
    if name is None:
        click.echo(listing(pages(), form))
        return 0
    found = find(name)
    if found is None:
        raise click.UsageError(_missing(name))
    page, entry = found
    click.echo(render([(page, [entry] if entry else page.entries)], form))
    return 0


def _missing(name: str) -> str:
    known = [each for page in pages() for each in (page.name, *(f"{page.name}.{entry.name}" for entry in page.entries))]
    guess = near(name if name.startswith("std.") else f"std.{name}", known)
    return f"the standard library has no `{name}`" + (f"; did you mean `{guess}`?" if guess else "; `ztosc docs` lists its modules")
