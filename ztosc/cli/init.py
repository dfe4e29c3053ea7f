"""`ztosc init`."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import click

from ztosc.diagnostics.text import safe
from ztosc.semantics.publickeys import key_file

TEMPLATES = ("empty", "hospital", "bank", "defence", "agencies", "tower")
KEYS = "keys"


def _name(folder: Path) -> str:
    """A project name made from a folder's."""
    return re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-").lstrip("0123456789-") or "network"


@click.command("init")
@click.argument("folder", required=False, default=".", type=click.Path(path_type=Path))
@click.option("--template", type=click.Choice(TEMPLATES), default="empty", help="What to start from.")
def command(folder: Path, template: str) -> int:
    """Make a project that builds, verifies and tests at once. Never overwrites a file."""
    source = resources.files("ztosc.cli").joinpath("starters", f"{template}.ztos").read_text(encoding="utf-8")
    files = {"ztos.toml": f'[project]\nname = "{_name(folder)}"\n', "network.ztos": source}
    taken = [name for name in (*files, KEYS) if (folder / name).exists()]
    if taken:
        raise click.UsageError(
            f"`{safe(str(folder))}` already has " + " and ".join(f"`{name}`" for name in taken) + "; choose another folder"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in {**files, **_placeholder_keys(source)}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"`{safe(str(folder))}` cannot be written: {error.strerror}") from None
    click.echo(f"made {safe(str(folder / 'network.ztos'))}; now: ztosc verify {safe(str(folder))}")
    click.echo(f"{KEYS} holds public keys whose private halves were thrown away; put each node's own there before you deploy")
    return 0


def _placeholder_keys(source: str) -> dict[str, str]:
    """Public keys that nobody can use, so that the project builds at once and no tunnel comes up before real ones are there."""
    from ztosc.compiler import compile_project
    from ztosc.keys import generate
    from ztosc.source import MemoryLoader

    intent = compile_project(MemoryLoader({"network.ztos": source.encode()}), 0).intent
    return {key_file(node.name, 1): f"{generate().public}\n" for node in intent.nodes} if intent else {}
