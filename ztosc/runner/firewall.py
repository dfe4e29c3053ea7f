"""`ztos-node firewall (--check | --load) RULESET WITHHELD [ELEMENTS]`: the firewall of a node, loaded as a whole or not at all.

Guarantees: nothing but table `inet ztos` is touched; nft checks all of it first, and takes ruleset, withheld addresses and elements in one
transaction, under `TZ=UTC`; an element ends at its instant, whatever the load took; one whose instant has passed is not made; success is
said only after the sets were read again.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ztosc.runner.elements import Element, parse, refused
from ztosc.runner.kernel import ENVIRONMENT
from ztosc.runner.report import Problem, Report
from ztosc.runner.statements import foreign, written
from ztosc.runner.wanted import BadFile

MODES = ("--check", "--load")
TIMEOUT = 300
"""Seconds for one transaction."""
SLACK = 2
"""Seconds by which nft may say more than is left: it tells whole ones."""
Clock = Callable[[], float]
"""Seconds since 1970."""
Standing = dict[tuple[str, str], int | None]
"""What stands in the sets: seconds that are left, or none where an element has no timeout."""


class Refused(Exception):
    """nft refused; the text says why."""


def run(arguments: Sequence[str], clock: Clock = time.time) -> Report:
    """The whole command."""
    report = Report()
    if len(arguments) not in (3, 4) or arguments[0] not in MODES:
        report.problems.append(Problem("file", "", f"firewall wants one of {' '.join(MODES)}, two rulesets, and elements if there are any"))
        return report
    mode, *paths = arguments
    try:
        rules = "".join(_read(Path(path)) for path in paths[:2])
        elements = parse(Path(paths[2]).read_bytes()) if len(paths) > 2 else ()
        _transaction(mode, rules, elements, clock, report)
    except (BadFile, OSError, UnicodeDecodeError) as error:
        report.problems.append(Problem("file", " ".join(paths), str(error)))
    except Refused as error:
        report.problems.append(Problem("failed", "nft", str(error)))
    return report


def _read(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    strange = foreign(text)
    if strange is not None:
        raise BadFile(f"{path}: `{strange}` is not about table `inet ztos`")
    return text if text.endswith("\n") else text + "\n"


def _transaction(mode: str, rules: str, elements: tuple[Element, ...], clock: Clock, report: Report) -> None:
    """Checked, loaded, and the elements once more: a large ruleset takes seconds, and each is one that an element would live on."""
    over = refused(elements, clock())
    report.changes.extend(f"{each.set} {each.key} is left out: its instant has passed" for each in over)
    standing = {name: written(rules, name) for name in {each.set for each in elements}}
    kept = tuple(each for each in elements if each not in over and each.key not in standing[each.set])
    _nft("--check", "--file", "-", given=rules + _added(kept, clock()))
    if mode == "--check":
        return
    _nft("--file", "-", given=rules + _added(kept, clock()))
    report.changes.append(f"the ruleset, with {len(kept)} elements")
    if kept:
        _nft("--file", "-", given=_renewed(kept, clock()))
    report.problems.extend(_unlike(kept, _standing(kept), clock()))


def _added(elements: Iterable[Element], now: float) -> str:
    return "".join(
        f"add element inet ztos {each.set} {{ {each.key} timeout {left}ms }}\n" for each in elements if (left := each.left(now)) > 0
    )


def _renewed(elements: tuple[Element, ...], now: float) -> str:
    """Added, so that deleting never fails, deleted, and added again with what is left now: nothing is gone in between."""
    named = "".join(f"element inet ztos {each.set} {{ {each.key} }}\n" for each in elements)
    lines = named.splitlines(keepends=True)
    return "".join(f"add {line}delete {line}" for line in lines) + _added(elements, now)


def _standing(elements: Iterable[Element]) -> Standing:
    found: Standing = {}
    for name in sorted({each.set for each in elements}):
        listed = json.loads(_nft("--json", "list", "set", "inet", "ztos", name))["nftables"]
        for each in next(part["set"] for part in listed if "set" in part).get("elem", ()):
            timed: dict[str, Any] = each.get("elem", {}) if isinstance(each, dict) else {}
            found[(name, str(timed.get("val", each)))] = timed.get("expires")
    return found


def _unlike(elements: Iterable[Element], standing: Standing, now: float) -> Iterable[Problem]:
    """Elements that are not there although their time is not over, or that stay for longer."""
    for each in elements:
        key, left = (each.set, each.key), each.left(now) / 1000
        if left > SLACK and key not in standing:
            yield Problem("failed", each.set, f"{each.key} is not there")
        elif (stays := standing.get(key)) is not None and stays > left + SLACK:
            yield Problem("failed", each.set, f"{each.key} stays for {stays} seconds, and {left:.0f} are left")


def _nft(*words: str, given: str = "") -> str:
    try:
        done = subprocess.run(
            ("nft", *words), env={**ENVIRONMENT, "TZ": "UTC"}, input=given.encode(), capture_output=True, timeout=TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"nft cannot be run: {error}") from error
    if done.returncode != 0:
        raise Refused("; ".join(done.stderr.decode(errors="replace").strip().splitlines()[:3]))
    return done.stdout.decode()
