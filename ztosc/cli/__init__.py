"""The command line: one file a command, and the only room that prints.

Guarantees: data goes to standard output, diagnostics to standard error; exit codes are those of docs/cli.md; no traceback reaches
a user. Heavy libraries are loaded by the commands that need them.
"""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run `ztosc` and exit."""
    from ztosc.cli.app import run

    gc.disable()  # not held back and let go again: whatever was made in between would be searched then
    code = run(sys.argv[1:])
    gc.freeze()  # a process that ends need not be searched for cycles once more
    sys.exit(code)


__all__ = ["main"]
