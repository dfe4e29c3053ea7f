"""`ztosc fmt`.

Guarantees: a file is replaced whole or not at all, and only by a text that means and says the same; a file with a mistake in it is
left as it is, and the others go on; nothing outside of the project is written.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click

from ztosc.cli.app import BUG, OK, WRONG
from ztosc.cli.output import NotWritable, write_file
from ztosc.cli.project import find_project, paint, plural, show_diagnostics
from ztosc.diagnostics import Diagnostic, Report, sort_diagnostics
from ztosc.diagnostics.text import safe
from ztosc.format import NotTheSame, format_text
from ztosc.source import MAX_BYTES, DiskLoader, Source, SourceMissing, SourceRefused, Span
from ztosc.syntax.decode import decode

STDIN = "<stdin>"
HELP = "what was there is still there"


@dataclass
class Run:
    """What is asked for, and what came of it so far."""

    check: bool
    diff: bool
    report: Report = field(default_factory=Report)
    sources: dict[str, Source] = field(default_factory=dict)
    changed: int = 0
    seen: int = 0
    bugs: list[str] = field(default_factory=list)

    @property
    def code(self) -> int:
        """The exit code: our bug before wrong sources."""
        return BUG if self.bugs else WRONG if self.report.failed or (self.check and self.changed) else OK


@click.command("fmt")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, allow_dash=True), metavar="[PATH...|-]")
@click.option("--check", is_flag=True, help="Write nothing; list the files that are not canonical, and fail where there are any.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
def command(paths: tuple[Path, ...], check: bool, diff: bool) -> int:
    """Bring sources into their canonical layout. Comments are kept, and a file with a mistake in it is left as it is.

    PATHs are files and folders, or `-` for standard input, whose canonical form goes to standard output; without any, the project.
    """
    run = Run(check, diff)
    if Path("-") in paths:
        if len(paths) > 1:
            raise click.UsageError("`-` is standard input, and stands alone")
        _one(run, STDIN, sys.stdin.buffer.read(MAX_BYTES + 1), _print)
    else:
        for shown, loader, name in list(_files(paths)):
            _file(run, shown, loader, name)
    show_diagnostics(sort_diagnostics(run.report.items), run.sources)
    for bug in run.bugs:
        click.echo(bug, err=True)
    if not (check or diff or Path("-") in paths):
        click.echo(
            f"{plural(run.changed, 'file')} formatted, {run.seen - run.changed} left as {'it was' if run.seen == 1 else 'they were'}"
        )
    return run.code


def _files(paths: tuple[Path, ...]) -> Iterator[tuple[str, DiskLoader, str]]:
    """Each source once: how it is shown, and how it is read."""
    taken: set[Path] = set()
    for path in paths or (None,):
        loader, names = _below(path)
        for name in names:
            file = loader.root / name
            if file.resolve() not in taken:
                taken.add(file.resolve())
                yield _shown(file, path), loader, name


def _below(path: Path | None) -> tuple[DiskLoader, list[str]]:
    """The loader of what a path names, and the sources there. A file may link to another within its project, and not out of it."""
    if path is not None and path.suffix == ".ztos" and not path.is_dir():
        if not (path.exists() or path.is_symlink()):
            raise click.UsageError(f"there is no `{safe(str(path))}`")
        folder = path.parent.resolve()
        root = next((each for each in (folder, *folder.parents) if (each / "ztos.toml").is_file()), folder)
        return DiskLoader(root), [(folder / path.name).relative_to(root).as_posix()]
    loader = find_project(path)
    names = [name for name in loader.names() if name.endswith(".ztos")]
    if not names:
        raise click.UsageError(f"there is no `.ztos` file below `{safe(str(path or loader.root))}`")
    return loader, names


def _shown(file: Path, path: Path | None) -> str:
    return str(file) if path is not None and path.is_absolute() else os.path.relpath(file)


def _file(run: Run, shown: str, loader: DiskLoader, name: str) -> None:
    place = Span(shown, 1, 1, 1, 1)
    try:
        data = loader.read(name)
    except SourceMissing:
        run.report.error("ZT223", f"`{shown}` is not read: there is nothing where it leads", place, help="delete the link, or mend it")
        return
    except SourceRefused as refused:
        code = "ZT206" if "outside" in refused.reason else "ZT223"
        run.report.error(code, f"`{shown}` is not read: {refused.reason}", place, help="keep what a project needs below its root")
        return
    _one(run, shown, data, lambda text: _write(run, shown, (loader.root / name).resolve(), data, text))


def _one(run: Run, shown: str, data: bytes, put: Callable[[bytes], None]) -> None:
    """Format one text, and do with it what is asked for."""
    run.seen += 1
    text = _formatted(run, shown, data)
    if text is None:
        return
    differs = text != data
    run.changed += differs
    if run.check and differs:
        click.echo(safe(shown))
    if run.diff and differs:
        _show_difference(shown, data, text)
    if not (run.check or run.diff) and (differs or shown == STDIN):
        put(text)


def _formatted(run: Run, shown: str, data: bytes) -> bytes | None:
    """The canonical form; nothing where there is a mistake, which is in the report."""
    if len(data) > MAX_BYTES:
        message = f"`{shown}` is not read: it is larger than {MAX_BYTES // (1024 * 1024)} MiB"
        run.report.error("ZT223", message, Span(shown, 1, 1, 1, 1), help="split it")
        return None
    report = Report()
    source = decode(shown, data, report)
    if source is not None:
        run.sources[shown] = source
    try:
        text = format_text(source, report) if source is not None else None
    except NotTheSame as bug:
        run.bugs.append(f"ztosc has a bug: `{safe(shown)}` is left as it is, because {safe(str(bug))}; please report it with the file")
        return None
    run.report.items += report.items
    return None if text is None or report.failed else text.encode()


def _print(text: bytes) -> None:
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


def _write(run: Run, shown: str, path: Path, before: bytes, text: bytes) -> None:
    reason = _why_not(path, before)
    try:
        if not reason:
            write_file(path, text)
            click.echo(f"formatted {safe(shown)}")
            return
    except NotWritable as error:
        reason = str(error)
    run.changed -= 1
    run.report.items.append(Diagnostic("ZT701", f"`{shown}` cannot be written: {reason}", None, help=HELP))


def _why_not(path: Path, before: bytes) -> str:
    """Why a file should be left alone: replacing it needs no permission to write to it, so that is asked here."""
    try:
        if not path.stat().st_mode & 0o222 or not os.access(path, os.W_OK):
            return "it is read-only"
        return "" if path.read_bytes() == before else "it has changed since it was read"
    except OSError as error:
        return f"{error.strerror}"


COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def _show_difference(shown: str, before: bytes, after: bytes) -> None:
    colour: Callable[[str, str], str] = paint(sys.stdout)
    old, new = (data.decode("utf-8").split("\n") for data in (before, after))
    for line in difflib.unified_diff(_ended(old), _ended(new), shown, shown):
        body, newline = (line[:-1], "") if line.endswith("\n") else (line, "\n\\ No newline at end of file")
        text = safe(body) + newline
        click.echo(colour(text, COLOURS[line[0]]) if line[0] in COLOURS else text)


def _ended(lines: list[str]) -> list[str]:
    """Lines with their ends; the last one has none."""
    ended = [f"{line}\n" for line in lines]
    return ended[:-1] if lines[-1] == "" else [*ended[:-1], lines[-1]]
