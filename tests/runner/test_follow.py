"""Windows that are followed: opened at their instants, again after whatever happens to clock, file and firewall, and told once."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

import pytest

from tests.runner.namespace import Node, why_missing
from tests.runner.test_windows import files, load, place, read, said, specs, stands
from ztosc.runner import firewall, follow
from ztosc.runner.report import FAILED, OK, REFUSED, Problem, Report

START = 1_000_000.0


class Clock:
    """Time that passes while somebody sleeps, and otherwise not; it may be set."""

    def __init__(self) -> None:
        self.now = START
        self.slept: list[float] = []
        self.set_to: dict[int, float] = {}

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now = self.set_to.get(len(self.slept), self.now + seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def scripted(monkeypatch: pytest.MonkeyPatch, clock: Clock, opens: list[int], broken: tuple[float, float] = (0, 0)) -> list[float]:
    """A firewall that is broken for a while; when it was looked at."""
    looked: list[float] = []

    def run(words: tuple[str, ...], given: Any) -> Report:
        assert words == ("--windows", "w.json") and given is clock
        looked.append(clock.now)
        if len(looked) > 200:
            raise KeyboardInterrupt
        if broken[0] <= clock.now < broken[1]:
            return Report(problems=[Problem("failed", "nft", "no such set")])
        done = [f"{each} is open" for each in opens if each <= clock.now]
        return Report(changes=done, due={"next": min((each for each in opens if each > clock.now), default=None)})

    monkeypatch.setattr(firewall, "run", run)
    return looked


def test_it_looks_when_something_opens_and_once_a_minute(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = scripted(monkeypatch, clock, [1_000_005, 1_000_130])
    reports = list(islice(follow.run(["w.json"], clock, clock.sleep), 3))
    assert looked == [START, START + 5, START + 65, START + 125, START + 130]
    assert [each.table()["changes"] for each in reports] == [[], ["1000005 is open"], ["1000005 is open", "1000130 is open"]]
    assert [each.table()["next"] for each in reports] == [1_000_005, 1_000_130, None]


def test_a_clock_that_is_set_is_noticed_within_a_minute(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, clock, [1_009_000])
    clock.set_to[2] = 1_009_500.0
    assert [each.due["next"] for each in islice(follow.run(["w.json"], clock, clock.sleep), 2)] == [1_009_000, None]
    assert clock.slept == [60.0, 60.0]


def test_what_fails_is_told_once_and_tried_again(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = scripted(monkeypatch, clock, [], broken=(START + 50, START + 200))
    reports = list(islice(follow.run(["w.json"], clock, clock.sleep), 3))
    assert [each.code for each in reports] == [OK, FAILED, OK] and len(looked) == 5


def test_an_instant_that_is_over_is_no_reason_to_turn_without_end(clock: Clock) -> None:
    assert follow._pause(int(START) - 5, START) == follow.SOON


@pytest.mark.parametrize("words", [(), ("a", "b")])
def test_mistakes_of_use_end_it(words: tuple[str, ...]) -> None:
    assert [each.code for each in follow.run(words)] == [REFUSED]


MISSING = why_missing("nft")
real = pytest.mark.skipif(MISSING is not None, reason=f"NOT LOADED: {MISSING}")


@contextmanager
def followed(machine: Node, path: str) -> Iterator[Queue[dict[str, Any]]]:
    """The reports of the runner while it follows; it ends by a signal."""
    command = [*machine.listen, sys.executable, "-I", "-S", str(machine.archive), "firewall", "--follow", path]
    told: Queue[dict[str, Any]] = Queue()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        reader = Thread(target=lambda lines: [told.put(json.loads(line)) for line in lines], args=(running.stdout,))
        reader.start()
        try:
            yield told
        finally:
            running.terminate()
            reader.join(timeout=30)


@real
def test_windows_open_by_themselves_in_a_real_firewall(machine: Node) -> None:
    first = int(time.time()) + 6
    rules, windows = files(specs(first, first + 3600, at=first - 6))
    assert load(machine, rules, windows)["code"] == OK
    named = {each.set: each.key for each in read(windows).windows}
    with followed(machine, str(machine.folder / "windows.json")) as told:
        early = told.get(timeout=30)
        assert (early["code"], early["next"]) == (OK, first) and all(key not in stands(machine, name) for name, key in named.items())
        late = told.get(timeout=30)
        assert late["code"] == OK and first <= late["at"] <= first + 3 and late["next"] is None
        assert all(key in stands(machine, name) for name, key in named.items())
        with pytest.raises(Empty):
            told.get(timeout=0.2)


@real
def test_one_runs_at_a_time(machine: Node) -> None:
    """Whoever loads holds the namespace; an old file is not made to stand in what was loaded since."""
    now = int(time.time())
    rules, windows = files(specs(now - 100, now + 3600, at=now - 200))
    assert load(machine, rules, windows)["code"] == OK
    held = machine.enter[machine.enter.index("-t") + 1]
    path = place(machine, "other.json", said(*((each.set, each.key, []) for each in read(windows).windows), since=now, until=now + 9))
    namespace = os.open(Path("/proc", held, "ns", "net"), os.O_RDONLY)
    try:
        fcntl.flock(namespace, fcntl.LOCK_EX)
        command = [*machine.enter, sys.executable, "-I", "-S", str(machine.archive), "firewall", "--windows", path]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as waiting:
            with pytest.raises(subprocess.TimeoutExpired):
                waiting.wait(timeout=2)
            os.close(namespace)
            namespace = -1
            assert waiting.wait(timeout=30) == OK
    finally:
        if namespace >= 0:
            os.close(namespace)
