"""`ztosc doctor`."""

from __future__ import annotations

import json
import platform
import shutil
from pathlib import Path

import click

from ztosc import __version__
from ztosc.backends import targets
from ztosc.prove import real_tools


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
def command(as_json: bool) -> int:
    """Which real tools this machine has, and what is not judged without them."""
    tools = real_tools()
    rows = [
        {"target": target.name, "tool": proof.tool, "found": shutil.which(proof.tool), "usable": tools.why_not(proof) is None}
        for target in targets()
        for proof in target.manifest.proofs
    ]
    if as_json:
        click.echo(json.dumps({"schema": 1, "ztosc": __version__, "python": platform.python_version(), "tools": rows}, indent=2))
        return 0
    click.echo(f"ztosc {__version__} on Python {platform.python_version()}")
    for row in rows:
        state = "judges" if row["usable"] else "not usable" if row["found"] else "missing"
        click.echo(f"  {row['target']:<12} {row['tool']:<18} {state:<11} {row['found'] or 'our own reader alone proves its files'}")
    click.echo(f"  data in {Path(__file__).resolve().parents[1]}")
    return 0
