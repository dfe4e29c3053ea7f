"""`ztos-node COMMAND …`: the one place of the runner that prints. Report on standard output as JSON, mistakes of use on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence

from ztosc.runner import firewall, interfaces
from ztosc.runner.report import USAGE, Report

COMMANDS: dict[str, Callable[[Sequence[str]], Report]] = {"firewall": firewall.run, "interfaces": interfaces.run}


def main(arguments: Sequence[str]) -> int:
    """Run a command; its exit code."""
    if not arguments or arguments[0] not in COMMANDS:
        print(f"usage: ztos-node {{{','.join(sorted(COMMANDS))}}} …", file=sys.stderr)
        return USAGE
    report = COMMANDS[arguments[0]](arguments[1:])
    print(json.dumps(report.table(), sort_keys=True, indent=1))
    return report.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
