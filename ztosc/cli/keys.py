"""`ztosc keys`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from ztosc.cli.app import OK, WRONG
from ztosc.cli.output import NotWritable, write_file
from ztosc.cli.project import Outcome, at_option, compile_at, find_project, format_option, plural, show_diagnostics
from ztosc.diagnostics.text import safe
from ztosc.ir.clock import instant_text
from ztosc.ir.intent import Intent
from ztosc.keyplan import key_plan
from ztosc.semantics.publickeys import key_file

path_option = click.option("-C", "path", type=click.Path(path_type=Path), default=None, help="The project.", metavar="PATH")


@click.group("keys")
def command() -> None:
    """Which keys there are, and throw-away ones for a lab. Nodes make their own private keys."""


@command.command("plan")
@path_option
@at_option
@format_option
def plan(path: Path | None, at: int | None, form: str) -> int:
    """Which key exists, who holds it, and when its next rotation is due."""
    outcome = compile_at(path, at)
    network = outcome.compiled.verifiable
    if network is None:
        return _stop(outcome)
    found = key_plan(network)
    if form == "json":
        click.echo(json.dumps(found.model_dump(mode="json"), indent=2))
        return OK
    for key in found.keys:
        state = f"epoch {key.epoch}" if key.public else "not made yet" if key.purpose == "wireguard" else "made on the nodes"
        because = f" ({', '.join(key.because)})" if key.because else ""
        since = f"; anew from {instant_text(key.period_start)}, {', '.join(key.quarantined)} quarantined" if key.quarantined else ""
        click.echo(
            f"{safe(key.id):<44} {state:<18} held by {', '.join(key.holders)}; due by {instant_text(key.period_end)}{because}{since}"
        )
    return OK


@command.command("generate")
@click.option("--lab", "folder", type=click.Path(path_type=Path), required=True, help="Where the private halves go.", metavar="DIR")
@path_option
@at_option
def generate(folder: Path, path: Path | None, at: int | None) -> int:
    """Make throw-away keys for every node that has none: public halves into the project, private ones into DIR.

    For laboratories alone: a real node makes its own key, and its private half never leaves it.
    """
    root = find_project(path).root
    if folder.resolve().is_relative_to(root.resolve()):
        raise click.UsageError(f"`{safe(str(folder))}` lies inside the project; private keys never enter it")
    outcome = compile_at(path, at)
    intent = outcome.compiled.intent
    if outcome.compiled.failed or intent is None:
        return _stop(outcome)
    try:
        made = _make(intent, root, folder)
    except (OSError, NotWritable) as error:
        raise click.UsageError(f"`{safe(str(folder))}` cannot be written: {error}") from None
    click.echo(f"made {plural(made, 'key')}; private halves in {safe(str(folder))}, for a laboratory alone")
    return OK


def _stop(outcome: Outcome) -> int:
    show_diagnostics(outcome.diagnostics, outcome.compiled.sources)
    return WRONG


def _make(intent: Intent, root: Path, folder: Path) -> int:
    from ztosc.keys import generate as new_pair

    missing = [node.name for node in intent.nodes if node.name not in {key.holder for key in intent.public_keys}]
    for node in missing:
        pair = new_pair()
        private = folder / node / "wireguard.1.key"
        private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(pair.private + "\n")
        public = root / key_file(node, 1)
        public.parent.mkdir(parents=True, exist_ok=True)
        write_file(public, (pair.public + "\n").encode())
    return len(missing)
