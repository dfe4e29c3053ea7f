"""`verify --certificates`: a folder with the network and one certificate a verdict.

Guarantees: a folder that is not one of ours is never touched; what an earlier run left there and this one does not write goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from ztosc.cli.output import NotWritable, write_file
from ztosc.diagnostics.text import one_line
from ztosc.ir.network import Network
from ztosc.ir.verdict import Verdict
from ztosc.verify.certificates import NETWORK, certificates


def write_certificates(network: Network, verdicts: Iterable[Verdict], folder: Path) -> None:
    """Write them. Raises a usage error where the folder holds something else, or cannot be written."""
    shown = one_line(str(folder))
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    if folder.exists() and not folder.is_dir():
        raise click.UsageError(f"`{shown}` is there and is not a folder")
    if there and not (folder / NETWORK).is_file():
        raise click.UsageError(f"`{shown}` is not empty and has no `{NETWORK}`, so it is not a folder of certificates")
    files = certificates(network, verdicts)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in sorted(files):
            write_file(folder / name, files[name])
        for path in there:
            if path.suffix == ".json" and path.name not in files:
                path.unlink()
    except (OSError, NotWritable) as error:
        raise click.UsageError(f"`{shown}` cannot be written: {error}") from None
