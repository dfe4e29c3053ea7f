"""`ztos-node COMMAND …`: the one place of the runner that prints. Report on standard output as JSON, mistakes of use on standard error.

Guarantees: what goes on (`firewall --follow`) tells each report in a line, at once, with the instant.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence

from ztosc.runner import firewall, follow, interfaces
from ztosc.runner.report import OK, USAGE, Report

COMMANDS: dict[str, Callable[[Sequence[str]], Report]] = {"firewall": firewall.run, "interfaces": interfaces.run}
FOLLOW = ("firewall", "--follow")


def main(arguments: Sequence[str]) -> int:
    """Run a command; its exit code."""
    if not arguments or arguments[0] not in COMMANDS:
        print(f"usage: ztos-node {{{','.join(sorted(COMMANDS))}}} …", file=sys.stderr)
        return USAGE
    if tuple(arguments[:2]) == FOLLOW:
        return _followed(arguments[2:])
    report = COMMANDS[arguments[0]](arguments[1:])
    print(json.dumps(report.table(), sort_keys=True, indent=1))
    return report.code


def _followed(paths: Sequence[str]) -> int:
    code = OK
    for report in follow.run(paths):
        code = report.code
        print(json.dumps({"at": int(time.time()), **report.table()}, sort_keys=True), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
