"""`ztosc why`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ztosc.cli.app import OK, USAGE, WRONG
from ztosc.cli.project import Outcome, at_option, compile_at, format_option, print_json, show_diagnostics
from ztosc.diagnostics.text import safe
from ztosc.ir.clock import instant_text
from ztosc.verify import Asker, Explanation, Unanswerable, why


@click.command("why")
@click.argument("subject", required=False)
@click.argument("target", required=False)
@click.option("-C", "path", type=click.Path(path_type=Path), default=None, help="The project.", metavar="PATH")
@click.option("--on", "on", default=None, help="The port: tcp/443, udp/53, icmp …", metavar="PORT")
@click.option("--with", "given", multiple=True, help="An attribute that is present: user.mfa=true.", metavar="NAME=VALUE")
@click.option("--batch", type=click.File("r", encoding="utf-8"), default=None, help="Questions as JSON lines, `-` for standard input.")
@at_option
@format_option
def command(
    subject: str | None,
    target: str | None,
    path: Path | None,
    on: str | None,
    given: tuple[str, ...],
    batch: Any,
    at: int | None,
    form: str,
) -> int:
    """The rule that lets SUBJECT reach TARGET, or everything that would have to change."""
    if batch is None and (subject is None or target is None):
        raise click.UsageError("name a SUBJECT and a TARGET, or give questions with `--batch`")
    if batch is not None and (subject or on or given):
        raise click.UsageError("`--batch` takes its questions from the file alone")
    outcome = compile_at(path, at)
    network = outcome.compiled.verifiable
    if network is None:
        show_diagnostics(outcome.diagnostics, outcome.compiled.sources)
        return WRONG
    asker = Asker(network)
    if batch is not None:
        return _batch(asker, batch)
    assert subject is not None and target is not None
    try:
        question = asker.ask(subject, target, on, given)
        flow, _ = question.answer(asker.policy)
    except Unanswerable as error:
        raise _usage(error) from None
    return _show(why(network, flow, asker.policy), outcome, form)


def _usage(error: Unanswerable) -> click.UsageError:
    help_ = getattr(error, "help", "")
    return click.UsageError(f"{error}" + (f"; {help_}" if help_ and help_ not in str(error) else ""))


def _batch(asker: Asker, lines: Any) -> int:
    code = OK
    for answer in asker.batch(lines):
        if answer.record is None:
            click.echo(f"line {answer.line}: {_usage(answer.error).message if answer.error else 'not answered'}", err=True)
            code = USAGE
        else:
            click.echo(json.dumps(answer.record, ensure_ascii=False))
    return code


def _show(explanation: Explanation, outcome: Outcome, form: str) -> int:
    if form == "json":
        print_json({"schema": 1, "at": instant_text(outcome.at), **explanation.model_dump(mode="json")})
        return OK
    click.echo(f"{explanation.decision.effect}: {safe(explanation.sentence)}")
    if explanation.guard and explanation.guard != "always":
        click.echo(f"  under: {safe(explanation.guard)}")
    for difference in explanation.nearest:
        click.echo(f"  {difference.rule.effect} at {safe(difference.origin.file)}:{difference.origin.line}")
        for change in difference.changes:
            click.echo(f"    - {safe(change)}")
    return OK
