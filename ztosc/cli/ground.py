"""What every report on a network says besides its verdicts: what each grant rests on, and what the model covers and what it does not.

Guarantees: complete in JSON; in text a summary that names what is weak about this network, and the whole where it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from ztosc.diagnostics.text import one_line, safe
from ztosc.ir.compliance import ASSURANCE
from ztosc.ir.network import Network
from ztosc.verify import Assurances, Coverage, coverage
from ztosc.verify.coverage import Line

WIDE = 100
"""Characters of names that a line shows."""


def ground(network: Network | None) -> dict[str, Any]:
    """The `assurance` and the `model` of a report's JSON; empty ones where there is no network."""
    if network is None:
        return {"assurance": {"grants": [], "unenforced": []}, "model": {"covers": [], "does_not_cover": []}}
    found = Assurances(network)
    grants, unenforced = ([each.model_dump(mode="json") for each in part] for part in (found.grants(), found.unenforced()))
    return {"assurance": {"grants": grants, "unenforced": unenforced}, "model": coverage(network).model_dump(mode="json")}


def show_assurance(network: Network) -> None:
    """Every grant by the assurance it rests on, the weakest first."""
    grants = sorted(Assurances(network).grants(), key=lambda each: (ASSURANCE.index(each.level), each.origin))
    click.echo("\nwhat each grant rests on:")
    for level in dict.fromkeys(each.level for each in grants):
        click.echo(f"  {level}")
        for each in (grant for grant in grants if grant.level == level):
            what = f"{', '.join(each.subjects)} to {', '.join(each.targets)}"
            click.echo(f"    {safe(what)}  ({safe(each.origin.file)}:{each.origin.line}): {safe(each.because)}")


def show_scope(network: Network, levels: Mapping[str, int], whole: bool) -> None:
    """How many grants rest on which assurance, and what the model does not cover: of this network always, in general where `whole`."""
    told = ", ".join(f"{levels[name]} {name}" for name in ASSURANCE if levels.get(name))
    click.echo(f"\ngrants by assurance: {told or 'none'}")
    found = coverage(network)
    if whole:
        _lines("the model covers", found.covers)
        _lines("the model does not cover", found.does_not_cover)
        return
    _lines("not covered, in this network", (line for line in found.does_not_cover if line.names))
    click.echo(f"{_general(found)} further limits hold for every network, and what is covered: `ztosc verify --scope`")


def _general(found: Coverage) -> int:
    return sum(not line.names for line in found.does_not_cover)


def _lines(title: str, lines: Iterable[Line]) -> None:
    lines = tuple(lines)
    if lines:
        click.echo(f"{title}:")
    for line in lines:
        click.echo(f"  {line.topic}: {_names(line)}{safe(line.text)}")


def _names(line: Line) -> str:
    told = one_line(", ".join(line.names))
    return (told if len(told) <= WIDE else f"{told[:WIDE]}… ({len(line.names)} in all)") + (": " if told else "")
