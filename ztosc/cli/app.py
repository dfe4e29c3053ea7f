"""`ztosc` itself: finds the command, and turns whatever happens into an exit code.

Guarantees: a command's module is imported only when that command runs, so `--version` and `--help` cost what click costs.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from ztosc import __version__
from ztosc.collector import uncollected

COMMANDS = {
    "init": "a project that builds, verifies and tests at once",
    "check": "parse, resolve, type: fast, never loads the solver",
    "fmt": "the canonical layout, comments kept",
    "verify": "decide every assertion and run every test",
    "test": "run the `test` blocks alone",
    "diff": "access gained and lost, and guarantees lost, between two folders or git revisions",
    "why": "the rule that allows a flow, or everything that would have to change",
    "recheck": "check verdicts again from their certificates",
    "build": "configuration for every node, after verification and proof",
    "keys": "which keys there are, and throw-away ones for a lab",
    "explain": "what a diagnostic's code means, with examples",
    "docs": "the standard library: modules, device classes, templates",
    "schema": "the JSON schema of a format",
    "doctor": "which real tools this machine has, and what is skipped without them",
    "version": "the version of ztosc",
}
OK, WRONG, UNDECIDED, USAGE, BUG, INTERRUPTED = 0, 1, 3, 64, 70, 130

click.UsageError.exit_code = USAGE


class LazyGroup(click.Group):
    """Commands by name, each in its own module, imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"ztosc.cli.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            from ztosc.diagnostics.near import near

            guess = near(args[0], COMMANDS)
            raise click.UsageError(f"there is no command `{args[0]}`" + (f"; did you mean `{guess}`?" if guess else ""), ctx) from None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ztosc", message="%(prog)s %(version)s")
def app() -> None:
    """Compile a network's intent, prove what it promises, and emit what its nodes need."""


def run(arguments: list[str]) -> int:
    """Run one command line; the exit code."""
    try:
        with uncollected():  # a process that ends when it has answered
            code = app.main(arguments, prog_name="ztosc", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception as error:
        return _bug(error)
    return code if isinstance(code, int) else OK


def _bug(error: Exception) -> int:
    if os.environ.get("ZTOSC_TRACEBACK"):
        raise error
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" in {trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}" if trace else ""
    click.echo(f"ztosc {__version__} has a bug: {type(error).__name__}{where}: {error}", err=True)
    click.echo("nothing was written; please report it with the output of the same command under ZTOSC_TRACEBACK=1", err=True)
    return BUG
