"""`ztosc version`."""

from __future__ import annotations

import json
import platform
from importlib import metadata

import click

from ztosc import __version__

LIBRARIES = ("lark", "pydantic", "z3-solver", "networkx", "jinja2", "dnspython", "click", "tzdata")


@click.command("version")
@click.option("--json", "as_json", is_flag=True, help="With the libraries that results depend on.")
def command(as_json: bool) -> int:
    """The version of ztosc."""
    if as_json:
        libraries = {name: metadata.version(name) for name in LIBRARIES}
        click.echo(json.dumps({"schema": 1, "ztosc": __version__, "python": platform.python_version(), "libraries": libraries}, indent=2))
    else:
        click.echo(f"ztosc {__version__}")
    return 0
