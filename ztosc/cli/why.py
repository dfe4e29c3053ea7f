"""`ztosc why`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from ztosc.cli.app import OK, USAGE, WRONG
from ztosc.cli.project import Outcome, at_option, compile_at, format_option, print_json, show_diagnostics
from ztosc.diagnostics.text import safe
from ztosc.ir.clock import instant_text
from ztosc.verify import AUTHENTICATED, Asker, Explanation, Grounds, Unanswerable, why
from ztosc.verify.why import Change
from ztosc.verify.words import at

SHOWN = 8
"""The most ways that are told in text."""


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
    for line in (*_allowed(explanation), *_denied(explanation)):
        click.echo(f"  {safe(line)}")
    return OK


def _allowed(explanation: Explanation) -> Iterator[str]:
    """What the grant rests on, a line each."""
    grounds = explanation.grounds
    if explanation.guard and explanation.guard != "always":
        yield f"under: {explanation.guard}"
    if grounds is None:
        return
    yield f"holds: {grounds.holds or 'always'}"
    source, destination = (", ".join(nodes) or "no node" for nodes in (grounds.enforced.source, grounds.enforced.destination))
    yield f"enforced: who may initiate, on {source}" + (f"; what may arrive, on {destination}" if grounds.enforced.destination else "")
    basis = grounds.assurance
    yield f"assurance: {basis.level} ({basis.because}{at(basis.origin)})"
    if basis.level not in AUTHENTICATED:
        yield "  nobody proves there who they are; what a session's facts are worth depends on whoever fills them in"
    yield from _governance(grounds)


def _governance(grounds: Grounds) -> Iterator[str]:
    said = grounds.governance
    named = {
        "because": grounds.because,
        "owner": said.owner,
        "purpose": said.purpose,
        "ticket": ", ".join(said.tickets),
        "approved by": ", ".join(said.approved_by),
        "agreement": said.agreement,
        "review by": instant_text(said.review_by) if said.review_by is not None else None,
    }
    yield from (f"{name}: {text}" for name, text in named.items() if text)


def _head(change: Change) -> str:
    return f"{change.about} at {change.origin.file}:{change.origin.line}" if change.origin else "a new rule"


def _denied(explanation: Explanation) -> Iterator[str]:
    """Each way to have it allowed, the shortest first, and the rules that are about something else altogether left to the JSON."""
    if explanation.ways:
        yield "what would have to change, the least first:"
    for number, way in enumerate(explanation.ways[:SHOWN], 1):
        for index, (head, changes) in enumerate(groupby(way.changes, _head)):
            yield f"{f'{number}.' if index == 0 else '  '} {'and ' if index else ''}{head}"
            yield from (f"     - {change.text}" for change in changes)
    if len(explanation.ways) > SHOWN:
        yield f"{len(explanation.ways) - SHOWN} further ways are in the JSON (`--format json`)"
