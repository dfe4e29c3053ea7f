"""`ztos-node firewall (--check | --load) RULESET WITHHELD [WINDOWS [CONTRACT [ELEMENTS]]]`: a node's firewall, as a whole or not at all;
`ztos-node firewall --windows WINDOWS`: what the clock opens in the one that is loaded (`--follow`: in `follow`).

Guarantees: nothing but our tables is touched; nft checks all of it first, and takes ruleset, withheld addresses and elements in one
transaction, under `TZ=UTC`; an element is within the contract and ends at its instant, whatever the load took; one whose instant has
passed is not made; success is said only after the sets were read again; in a network namespace one of these runs at a time; where the
file of windows is missing, what the clock alone opens stays closed, and without a contract no session opens anything. A report on
windows says when one opens `next`, at which instant somebody must come again.
"""

from __future__ import annotations

import fcntl
import json
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ztosc.runner import kernel
from ztosc.runner.contract import Contract
from ztosc.runner.contract import parse as parse_contract
from ztosc.runner.elements import Element, parse, refused
from ztosc.runner.kernel import ENVIRONMENT
from ztosc.runner.report import Problem, Report
from ztosc.runner.statements import foreign, written
from ztosc.runner.wanted import BadFile
from ztosc.runner.windows import Window, Windows, following, standing
from ztosc.runner.windows import parse as parse_windows

WANTS = {"--check": (2, 5), "--load": (2, 5), "--windows": (1, 1)}
"""How many files."""
USES = "--check or --load with two rulesets, then windows, contract and elements if there are any; --windows or --follow with windows"
HELPERS = "netfilter/nf_conntrack_helper"
"""Kernels before 6.0 can give helpers to connections by themselves. Of the whole network namespace, so it is told and never set."""
ALONE = Path("/proc/self/ns/net")
"""Locked while a firewall is loaded, or windows are opened in it."""
TIMEOUT = 300
"""Seconds for one transaction."""
DAY = 86_400
SLACK = 2
"""Seconds by which nft may say more than is left: it tells whole ones."""
Clock = Callable[[], float]
"""Seconds since 1970."""
Standing = dict[tuple[str, str], int | None]
"""What stands in the sets: seconds that are left, or none where an element has no timeout."""


class Refused(Exception):
    """nft refused; the text says why."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is to stand in dynamic sets: until an instant, and by the clock; and what bounds the former."""

    elements: tuple[Element, ...]
    windows: tuple[Windows, ...]
    contracts: tuple[Contract, ...] = ()

    @property
    def timed(self) -> tuple[Window, ...]:
        """Every window."""
        return tuple(window for each in self.windows for window in each.windows)

    def at(self, now: float) -> tuple[Element, ...]:
        """All that stands at an instant; where two say so of one key, for as long as the later one."""
        latest: dict[tuple[str, str], Element] = {}
        for each in (*self.elements, *standing(self.timed, now)):
            known = latest.get((each.set, each.key))
            if known is None or known.until < each.until:
                latest[(each.set, each.key)] = each
        return tuple(latest.values())


def run(arguments: Sequence[str], clock: Clock = time.time) -> Report:
    """The whole command."""
    report = Report()
    mode, paths = (arguments[0], arguments[1:]) if arguments else ("", ())
    few, many = WANTS.get(mode, (1, 0))
    if not few <= len(paths) <= many:
        report.problems.append(Problem("file", "", f"firewall wants one of {USES}"))
        return report
    try:
        with _alone():
            _done(mode, paths, clock, report)
    except (BadFile, OSError, UnicodeDecodeError) as error:
        report.problems.append(Problem("file", " ".join(paths), str(error)))
    except Refused as error:
        report.problems.append(Problem("failed", "nft", str(error)))
    return report


@contextmanager
def _alone() -> Iterator[None]:
    """What the old file said must not come to stand in a firewall that was loaded since."""
    with ALONE.open("rb") as namespace:
        fcntl.flock(namespace, fcntl.LOCK_EX)
        yield


def _done(mode: str, paths: Sequence[str], clock: Clock, report: Report) -> None:
    if mode == "--windows":
        _opened(_held(paths), clock, report)
        return
    rules = "".join(_read(Path(path)) for path in paths[:2])
    _transaction(mode, rules, _held(_there(paths[2:], report)), clock, report)


def _held(paths: Iterable[str]) -> Held:
    """Of files with windows, with a contract, with elements."""
    windows: list[Windows] = []
    contracts: list[Contract] = []
    elements: list[Element] = []
    for content in [Path(path).read_bytes() for path in paths]:
        if (times := parse_windows(content)) is not None:
            windows.append(times)
        elif (bounds := parse_contract(content)) is not None:
            contracts.append(bounds)
        else:
            elements.extend(parse(content))
    return Held(tuple(elements), tuple(windows), tuple(contracts))


def _within(held: Held, now: float) -> Held:
    """No session opens anything that no contract admits."""
    if held.elements and len(held.contracts) != 1:
        raise BadFile(f"elements, and {len(held.contracts) or 'no'} contracts that say who may open what; one is expected")
    bound = held.contracts[0].bounded(held.elements, now) if held.elements else ()
    return replace(held, elements=bound)


LACKING = ("what the clock alone opens stays closed", "no session may open anything")
"""What follows where a file of a bundle is not there."""


def _there(paths: Sequence[str], report: Report) -> Sequence[str]:
    """An older bundle has no windows, or no contract: that is no reason against its rules."""
    kept = list(paths[len(LACKING) :])
    for path, follows in zip(paths, LACKING, strict=False):
        if Path(path).exists():
            kept.append(path)
        else:
            report.changes.append(f"{path} is not there: {follows}")
    return kept


def _read(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    strange = foreign(text)
    if strange is not None:
        raise BadFile(f"{path}: `{strange}` is not about our tables, `inet ztos` and `bridge ztos`")
    return text if text.endswith("\n") else text + "\n"


def _transaction(mode: str, rules: str, held: Held, clock: Clock, report: Report) -> None:
    """Checked, loaded, and the elements once more: a large ruleset takes seconds, and each is one that an element would live on."""
    now = clock()
    held = _within(held, now)
    over = refused(held.elements, now)
    report.changes.extend(f"{each.set} {each.key} is left out: its instant has passed" for each in over)
    elements = held.at(now)
    written_ = {name: written(rules, name) for name in {each.set for each in elements}}
    kept = tuple(each for each in elements if each not in over and each.key not in written_[each.set])
    _nft("--check", "--file", "-", given=rules + _added(kept, clock()))
    _due(held, now, report)
    if kernel.sysctl(HELPERS) == "1":
        words = "connection tracking gives helpers to connections by itself, so it parses what strangers send; set it to 0"
        report.problems.append(Problem("foreign", HELPERS, words))
    if mode == "--check":
        return
    _nft("--file", "-", given=rules + _added(kept, clock()))
    report.changes.append(f"the ruleset, with {len(kept)} elements")
    if kept:
        _nft("--file", "-", given=_renewed(kept, clock()))
    report.problems.extend(_unlike(kept, _standing(kept), clock()))


def _opened(held: Held, clock: Clock, report: Report) -> None:
    """What is open now stands there until it closes, and nothing else of what the file names; sessions are left alone."""
    now = clock()
    if held.elements or held.contracts or not held.windows:
        raise BadFile("windows are expected, and nothing else")
    kept, timed = held.at(now), held.timed
    if timed:
        _nft("--file", "-", given=_emptied(timed) + _added(kept, clock()))
    report.changes.extend(f"{each.set} {each.key} is open until {each.until}" for each in kept)
    _due(held, now, report)
    found, opened = _standing(timed), {(each.set, each.key) for each in kept}
    report.problems.extend(_unlike(kept, found, clock()))
    closed = sorted({(each.set, each.key) for each in timed} - opened)
    report.problems.extend(
        Problem("failed", name, f"{key} is there, and it is not its time") for name, key in closed if (name, key) in found
    )


def _due(held: Held, now: float, report: Report) -> None:
    """When to come again; and where there is no use in it, because nobody has said more."""
    if held.windows:
        report.due["next"] = following(held.timed, now)
    for each in held.windows:
        if each.until <= now:
            report.changes.append(f"windows were written until {each.until}: all of them stay closed until the network is built anew")


def _added(elements: Iterable[Element], now: float) -> str:
    timed = ((each, each.left(now)) for each in elements)
    return "".join(f"add element inet ztos {each.set} {{ {each.key} timeout {_lasting(left)} }}\n" for each, left in timed if left > 0)


def _lasting(left: int) -> str:
    """Milliseconds in words of nft, which refuses a number of ten digits."""
    seconds, rest = divmod(left, 1000)
    return f"{seconds // DAY}d{seconds % DAY}s{rest}ms"


def _renewed(elements: tuple[Element, ...], now: float) -> str:
    """With what is left now; nothing is gone in between."""
    return _emptied(elements) + _added(elements, now)


def _emptied(keys: Iterable[Element | Window]) -> str:
    """Added, so that deleting never fails, and deleted."""
    lines = (f"element inet ztos {each.set} {{ {each.key} }}\n" for each in keys)
    return "".join(f"add {line}delete {line}" for line in lines)


def _standing(elements: Iterable[Element | Window]) -> Standing:
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
