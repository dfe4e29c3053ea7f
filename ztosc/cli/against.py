"""Comparing with an earlier revision: finding it, and turning what differs into findings.

Guarantees: a folder wins over a revision of its name; the work tree is neither read for a revision nor changed. What widens and nobody
signed for is an error with its own code, and says the statement that would sign for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ztosc.cli.cache import disk_cache
from ztosc.cli.project import Outcome, find_project, paint, plural
from ztosc.cli.recall import compile_again
from ztosc.compiler import Compiled, compare_compiled
from ztosc.diagnostics import Diagnostic, Label, Severity, sort_diagnostics
from ztosc.diagnostics.text import safe
from ztosc.ir.acceptance import Topic
from ztosc.report.changes import idle_text, lines, sections, statement, unsigned
from ztosc.revision import RevisionUnknown, open_revision
from ztosc.source import DiskLoader, Loader, Source, Span

if TYPE_CHECKING:
    from ztosc.compare import Comparison, Region

SIGN = 'because "…" approved by "…"'


def loader_of(name: str, project: Path | None) -> Loader:
    """The sources that a folder or revision has. A revision is one of the repository that the project is in."""
    given = Path(name)
    with suppress(OSError):  # a name that is too long for a file may still be one of a revision
        if name and given.exists() and (given.is_dir() or given.suffix == ".ztos"):
            return find_project(given)
    here: DiskLoader = find_project(project)
    try:
        return open_revision(here.root, name, here.only)
    except RevisionUnknown as error:
        raise click.UsageError(safe(str(error))) from None


def compiled_base(name: str, project: Path | None, at: int) -> Compiled:
    """The base of a comparison, compiled."""
    try:
        with disk_cache() as cache:
            return compile_again(loader_of(name, project), at, cache, base=True)
    except RevisionUnknown as error:
        raise click.UsageError(safe(str(error))) from None


def against(outcome: Outcome, name: str, base: Compiled) -> None:
    """Compare an outcome with a base, and add what is to be told of it."""
    outcome.against = name
    found: list[Diagnostic] = []
    if base.network is None:
        errors = [item for item in base.diagnostics if item.severity is Severity.ERROR]
        first = f"{errors[0].span.file}:{errors[0].span.line}: {errors[0].message}" if errors and errors[0].span else "it has no network"
        message = f"`{name}` cannot be compared with, for it has {plural(len(errors), 'error')} itself: {first}"
        found.append(Diagnostic("ZT437", message, None, help="compare with a revision that compiles"))
    comparison = compare_compiled(base, outcome.compiled)
    if comparison is not None:
        outcome.comparison = comparison
        found += findings(comparison, outcome.compiled.sources)
    outcome.diagnostics = list(sort_diagnostics([*outcome.diagnostics, *found]))


def findings(comparison: Comparison, sources: dict[str, Source]) -> Iterator[Diagnostic]:
    """What of a comparison fails, and the acceptances that accept nothing."""
    for region in comparison.gained:
        if region.accepted is None and not region.inherent:
            yield _access(region)
    refuted = {statement(verdict) for verdict in unsigned(comparison) if verdict.verdict == "refuted"}
    for guarantee in comparison.guarantees:
        if guarantee.accepted is None and not (guarantee.topic.kind == "assert" and guarantee.topic.name in refuted):
            yield _finding("ZT431", guarantee.text, guarantee.accept, guarantee.old, guarantee.new)
    for membership in comparison.memberships:
        if membership.widens and membership.accepted is None:
            yield _finding("ZT432", membership.text, membership.accept, membership.old, membership.new)
    for number in comparison.numbers:
        if number.accepted is None:
            yield _finding("ZT433", number.text, number.accept, None, None)
    for verdict in unsigned(comparison):
        was = f" (it stood at {lines((verdict.origin,))})" if verdict.origin else ""
        code = {"refuted": "ZT434", "unknown": "ZT421", "unsupported": "ZT422"}[verdict.verdict]
        hops = tuple(Label(hop.rule, hop.text) for hop in verdict.witness.hops if hop.rule is not None)
        message = f"`{verdict.statement}` was asserted{was}, and is {verdict.verdict}: {verdict.reason}"
        help_ = f"accept widening {Topic(kind='assert', name=statement(verdict)).text()} {SIGN}"
        yield Diagnostic(code, message, None, help=help_, related=hops)
    for why in comparison.undecided:
        yield Diagnostic("ZT438", f"what changed could not be computed: {why}", None, help="split the change, or simplify the guards in it")
    for idle in comparison.idle:
        severity = Severity.ERROR if idle.why == "unknown" else Severity.WARNING
        code = "ZT435" if idle.why == "unknown" else "ZT436"
        help_ = f"did you mean `{idle.near}`?" if idle.near else "delete it" if idle.why != "unknown" else "neither revision has it"
        yield Diagnostic(code, idle_text(idle), idle.origin, help=help_, severity=severity)


def _access(region: Region) -> Diagnostic:
    first, *rest = region.new or (None,)
    was = f" (before: {lines(region.old)})" if region.old else ""
    related = tuple(Label(span, "and here") for span in rest if span is not None)
    return Diagnostic("ZT430", region.text + was, first, help=f"{region.accept} {SIGN}", related=related)


def _finding(code: str, text: str, accept: str, old: Span | None, new: Span | None) -> Diagnostic:
    was = f" (it stood at {lines((old,))})" if old is not None else ""
    return Diagnostic(code, text + was, new, help=f"{accept} {SIGN}")


def show_comparison(outcome: Outcome) -> None:
    """The comparison as text."""
    comparison = outcome.comparison
    if comparison is None:
        return
    colour = paint(sys.stdout)
    for title, rows in sections(comparison):
        click.echo(colour(title, "blue"))
        for row in rows:
            mark = {"accepted": "green", "fails": "red"}.get(row.state, "yellow")
            where = f"  [{safe(row.where)}]" if row.where else ""
            click.echo(f"  {colour(f'{row.state:<8}', mark)} {safe(row.text)}{where}")
    if not comparison.changed:
        click.echo("nothing that the network allows or promises has changed")
