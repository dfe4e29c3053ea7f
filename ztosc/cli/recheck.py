"""`ztosc recheck`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from ztosc.cli.app import OK, UNDECIDED, USAGE, WRONG
from ztosc.cli.project import format_option
from ztosc.diagnostics.text import one_line
from ztosc.recheck import Checker, Finding, Solver

NETWORK = "network.json"
CODES = {"holds": OK, "fails": WRONG, "unchecked": UNDECIDED, "invalid": USAGE}
WORDS = {"holds": "holds", "fails": "does not hold", "unchecked": "cannot be checked", "invalid": "is no certificate"}


@click.command("recheck")
@click.argument("certificates", metavar="CERT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--network", "network", type=click.Path(path_type=Path), default=None, help=f"The network; `{NETWORK}` beside CERT where absent."
)
@click.option(
    "--solver", "program", default=None, help="Another solver's program, like cvc5, that judges instead of Z3.", metavar="PROGRAM"
)
@format_option
def command(certificates: tuple[Path, ...], network: Path | None, program: str | None, form: str) -> int:
    """Check verdicts again from their certificates, without what decided them."""
    solver = Solver(program)
    checkers: dict[Path, Checker] = {}
    found = []
    for path in _files(certificates):
        beside = network or path.parent / NETWORK
        if beside not in checkers:
            checkers[beside] = Checker(_read(beside), solver)
        found.append((path, checkers[beside].check(_read(path))))
    _say(found, form)
    states = {finding.state for _, finding in found}
    return next(CODES[state] for state in ("invalid", "fails", "unchecked", "holds") if state in states)


def _files(paths: Iterable[Path]) -> list[Path]:
    """Files, and of a folder every certificate in it."""
    found = []
    for path in paths:
        inside = sorted(each for each in path.glob("*.json") if each.name != NETWORK) if path.is_dir() else [path]
        if not inside:
            raise click.UsageError(f"there is no certificate in `{one_line(str(path))}`")
        found += inside
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise click.UsageError(f"`{one_line(str(path))}` cannot be read: {error.strerror}") from None


def _say(found: list[tuple[Path, Finding]], form: str) -> None:
    if form == "json":
        records: list[dict[str, Any]] = [{"path": str(path), **vars(finding)} for path, finding in found]
        click.echo(json.dumps({"schema": 1, "certificates": records}, indent=2, ensure_ascii=True))
        return
    for path, finding in found:
        claim = f" {finding.outcome}: {one_line(finding.statement)}" if finding.statement else ""
        click.echo(f"{WORDS[finding.state]:<17} {one_line(str(path))}{claim}")
        click.echo(f"                  {one_line(finding.reason)}")
    for digest in sorted({finding.digest for _, finding in found if finding.digest}):
        click.echo(f"network {one_line(digest)}")
