"""`ztos-node interfaces (--parse | --check | --apply) FILE`: make the kernel hold what the file says, and nothing else of ours.

Guarantees: applied twice, the second time changes nothing; what the kernel cannot do is named before anything is changed; success is
said only after the kernel was read again and nothing differed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from ztosc.runner import kernel
from ztosc.runner.difference import Change, Step, changes, problems
from ztosc.runner.kernel import GROUP, Refused, Unreadable
from ztosc.runner.report import Problem, Report
from ztosc.runner.wanted import BadFile, Wanted, parse

MODES = ("--parse", "--check", "--apply")
PASSES = 4
"""One change may undo another: an interface that joins a VRF loses its addresses, a bridge its state."""


def run(arguments: Sequence[str]) -> Report:
    """The whole command."""
    report = Report()
    if len(arguments) != 2 or arguments[0] not in MODES:
        report.problems.append(Problem("file", "", f"interfaces wants one of {' '.join(MODES)} and a file"))
        return report
    mode, path = arguments
    try:
        wanted = parse(Path(path).read_bytes())
        if mode == "--check":
            _check(wanted, report)
        elif mode == "--apply":
            _apply(wanted, report)
    except (BadFile, OSError) as error:
        report.problems.append(Problem("file", path, str(error)))
    except Unreadable as error:
        report.problems.append(Problem("capability", "iproute2", str(error)))
    return report


def _check(wanted: Wanted, report: Report) -> None:
    state = kernel.state()
    report.checked = True
    report.problems.extend(_distinct(problems(wanted, state)))
    report.changes.extend(change.text for change in changes(wanted, state))


def _apply(wanted: Wanted, report: Report) -> None:
    state = kernel.state()
    report.problems.extend(_distinct(problems(wanted, state)))
    if any(problem.kind in ("foreign", "capability") for problem in report.problems):
        return
    for _ in range(PASSES):
        todo = changes(wanted, state)
        if not todo or not _made(todo, report):
            return
        report.changes.extend(change.text for change in todo)
        state = kernel.state()
    left = changes(wanted, state)
    report.problems.extend(Problem("failed", "", f"this did not last: {change.text}") for change in left)


def _distinct(found: Iterable[Problem]) -> list[Problem]:
    return list(dict.fromkeys(found))


def _made(todo: Sequence[Change], report: Report) -> bool:
    """Make changes step by step; false, and a problem, where one is refused."""
    if not _created([change for change in todo if change.step is Step.CREATE], report):
        return False
    for step, found in groupby((change for change in todo if change.step is not Step.CREATE), key=lambda change: change.step):
        part = list(found)
        try:
            if step is Step.CREATE_ANEW:
                for change in part:
                    _create(change)
            elif step is Step.SYSCTL:
                for change in part:
                    kernel.set_sysctl(*change.words)
            else:
                kernel.batch([change.words for change in part])
        except Refused as error:
            change = part[min(error.line, len(part) - 1)]
            report.problems.append(Problem("failed", change.name, f"{change.text}: {error.text}"))
            return False
    return True


def _created(todo: Sequence[Change], report: Report) -> bool:
    """New interfaces, all or none: they come before everything else, so a kernel that lacks a kind is left as it was."""
    for index, change in enumerate(todo):
        try:
            _create(change)
        except Refused as error:
            for made in todo[:index]:
                kernel.batch([("link", "delete", "dev", made.name)])
            report.problems.append(_refusal(change, error))
            return False
    return True


def _refusal(change: Change, error: Refused) -> Problem:
    if error.of_kind:
        return Problem("capability", change.kind, f"this kernel has no `{change.kind}`: {error.text}")
    return Problem("failed", change.name, f"{change.text}: {error.text}")


def _create(change: Change) -> None:
    try:
        kernel.batch([change.words])
    except Refused as error:
        if change.kind != "wireguard" or not error.of_kind or not kernel.start_wireguard(change.name):
            raise
        kernel.batch([("link", "set", "dev", change.name, "group", str(GROUP))])
