"""`ztos-node firewall --follow WINDOWS`: what the clock opens, opened at its instants for as long as this runs.

Guarantees: looks again when something opens next and at least once a minute, because the clock may be set, the file replaced or the
firewall loaded anew in between; what cannot be done is told and tried again; what is told once is not told again; only a signal ends it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from ztosc.runner import firewall
from ztosc.runner.firewall import Clock
from ztosc.runner.report import Problem, Report

EVERY = 60.0
"""Seconds."""
SOON = 0.1
"""Seconds that pass at least: an instant that is over was somebody's, but the clock may have gone back since."""

Sleep = Callable[[float], None]


def run(paths: Sequence[str], clock: Clock = time.time, sleep: Sleep = time.sleep) -> Iterator[Report]:
    """A report whenever there is something new to say."""
    if len(paths) != 1:
        yield Report(problems=[Problem("file", "", f"firewall wants one of {firewall.USES}")])
        return
    told = None
    while True:
        report = firewall.run(("--windows", *paths), clock)
        if report.table() != told:
            told = report.table()
            yield report
        sleep(_pause(report.due.get("next"), clock()))


def _pause(due: int | None, now: float) -> float:
    return EVERY if due is None else min(EVERY, max(SOON, due - now))
