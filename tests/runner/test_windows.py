"""Windows of time on a node: what the compiler writes is what the runner reads, and each opens and closes at its instants."""

from __future__ import annotations

import json
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.bench.firewall import shared
from tests.nodes import networks as n
from tests.nodes.small import base
from tests.runner.namespace import Node, why_missing
from tests.runner.test_contract import anybody
from ztosc.backends.nftables import BACKEND
from ztosc.nodes import NodeSpec, project
from ztosc.runner import firewall
from ztosc.runner.elements import Element
from ztosc.runner.report import FAILED, OK, REFUSED
from ztosc.runner.wanted import BadFile
from ztosc.runner.windows import Windows, following, parse, standing

NOW = n.AT
TIME, SESSION = "zt_o_0123456789ab", "zt_s_0123456789ab"


def specs(first: int, last: int, at: int = NOW) -> NodeSpec:
    """A node where the outside may come in by the clock alone, and an endpoint may ask by it."""
    valid = n.Validity(not_before=first, not_after=last)
    rules = (
        n.rule(1, "allow", "external:net", "service:ip", validity=valid),
        n.rule(2, "allow", "service:ip", "service:log", validity=valid),
        n.rule(3, "allow", "role:map", "service:log", guard=n.MFA),
    )
    return next(each for each in project(n.number(base(rules), at=at)) if each.node == "accept")


def files(spec: NodeSpec) -> tuple[str, bytes]:
    ruleset, windows, _ = BACKEND.render(BACKEND.lower(spec))
    return ruleset.content.decode(), windows.content


def said(*windows: tuple[Any, Any, Any], since: Any = NOW, until: Any = NOW + 1000, **more: Any) -> bytes:
    told = [{"set": name, "key": key, "open": times} for name, key, times in windows]
    return json.dumps({"schema_version": 1, "since": since, "until": until, "windows": told, **more}).encode()


GOOD = (TIME, "ipv6", [[NOW, NOW + 10], [NOW + 20, NOW + 30]])


def read(content: bytes) -> Windows:
    found = parse(content)
    assert found is not None
    return found


def test_what_the_compiler_writes_is_read_and_opens_when_the_spec_says() -> None:
    spec = specs(NOW + 100, NOW + 200)
    found = read(files(spec)[1])
    assert sorted({each.set[:5] for each in found.windows}) == ["zt_o_", "zt_s_"] and found.until == spec.life[1]
    written = {(each.set[5:], each.key) for each in found.windows}
    assert written == {(each.condition[2:], opening.address or "ipv6") for each in spec.contract for opening in each.openings}
    dice = Random(7)
    for instant in (NOW + 99, NOW + 100, NOW + 199, NOW + 200, *(dice.randrange(NOW, NOW + 400) for _ in range(50))):
        assert len(standing(found.windows, instant)) == (len(found.windows) if NOW + 100 <= instant < NOW + 200 else 0)
    assert following(found.windows, NOW) == NOW + 100 and following(found.windows, NOW + 100) is None


def test_an_element_stands_until_its_window_closes_and_what_comes_next_is_told() -> None:
    (window,) = read(said(GOOD)).windows
    assert window.at(NOW + 9.9) == Element(TIME, "ipv6", NOW + 10) and window.at(NOW + 10) is None and window.at(NOW - 0.1) is None
    assert [following((window,), NOW + step) for step in (-1, 0, 19.5, 20)] == [NOW, NOW + 20, NOW + 20, None]
    other = read(said((SESSION, "fd00::1", [[NOW + 5, NOW + 6]]))).windows
    assert following((window, *other), NOW) == NOW + 5 and standing((window, *other), NOW + 5.5)[1].key == "fd00::1"
    assert read(said()).windows == () and following((), NOW) is None


HOSTILE: dict[str, bytes] = {
    "another set": said(GOOD, ("zt_grants", "ipv6", [])),
    "a command": said(GOOD, (f"{TIME} }}; flush ruleset; {{", "ipv6", [])),
    "another key": said(GOOD, (TIME, "ipv4", [])),
    "a prefix": said((SESSION, "fd00::/64", [])),
    "twice": said(GOOD, GOOD),
    "twice in other words": said((SESSION, "fd00::1", []), (SESSION, "fd00:0::1", [])),
    "reversed": said((TIME, "ipv6", [[NOW + 9, NOW]])),
    "empty": said((TIME, "ipv6", [[NOW, NOW]])),
    "out of order": said((TIME, "ipv6", [[NOW + 20, NOW + 30], [NOW, NOW + 10]])),
    "touching": said((TIME, "ipv6", [[NOW, NOW + 10], [NOW + 10, NOW + 30]])),
    "too early": said(GOOD, since=NOW + 1),
    "too late": said(GOOD, until=NOW + 29),
    "no end": said(GOOD, until=None),
    "half": said((TIME, "ipv6", [[NOW, NOW + 0.5]])),
    "true": said((TIME, "ipv6", [[True, NOW]])),
    "one instant": said((TIME, "ipv6", [[NOW]])),
    "no list": said((TIME, "ipv6", {"0": [NOW, NOW + 1]})),
    "more": said(GOOD, elements=[]),
    "no text": said((None, "ipv6", [])),
    "no windows": b'{"schema_version": 1, "since": 1, "until": 2, "windows": {}}',
    "another version": b'{"schema_version": 2, "since": 1, "until": 2, "windows": []}',
    "no JSON": b"{",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_window_is_refused_as_a_whole(what: str, tmp_path: Path) -> None:
    with pytest.raises(BadFile):
        parse(HOSTILE[what])
    path = tmp_path / "windows.json"
    path.write_bytes(HOSTILE[what])
    assert firewall.run(("--windows", str(path))).code == REFUSED


def test_mistakes_of_use_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "elements.json"
    path.write_text('{"schema_version": 1, "elements": []}')
    for words in (("--windows",), ("--windows", str(path)), ("--windows", str(path), str(path)), ("--load", *([str(path)] * 6))):
        assert firewall.run(words).code == REFUSED


MISSING = why_missing("nft")
real = pytest.mark.skipif(MISSING is not None, reason=f"NOT LOADED: {MISSING}")


def place(machine: Node, name: str, content: bytes) -> str:
    (machine.folder / name).write_bytes(content)
    return str(machine.folder / name)


def load(machine: Node, rules: str, windows: bytes, elements: tuple[tuple[str, str, int], ...] = ()) -> dict[str, Any]:
    told = [{"set": name, "key": key, "until": until} for name, key, until in elements]
    paths = (
        place(machine, "ruleset.nft", rules.encode()),
        place(machine, "underlay.nft", shared()[0].content),
        place(machine, "windows.json", windows),
        place(machine, "contract.json", anybody({name for name, _, _ in elements})),
        place(machine, "elements.json", json.dumps({"schema_version": 1, "elements": told}).encode()),
    )
    return machine.runner("firewall", "--load", *paths)


def stands(machine: Node, name: str) -> dict[str, int | None]:
    listed = json.loads(machine.run("nft", "--json", "list", "set", "inet", "ztos", name))["nftables"]
    (found,) = (each["set"] for each in listed if "set" in each)
    timed = [each["elem"] if isinstance(each, dict) else {"val": each} for each in found.get("elem", ())]
    return {each["val"]: each.get("expires") for each in timed}


def wait(instant: float) -> None:
    time.sleep(max(0.0, instant - time.time()))


@real
def test_a_window_opens_when_it_is_told_to_come_again_and_closes_by_itself(machine: Node) -> None:
    """A session in the same set is left alone."""
    first = int(time.time()) + 5
    rules, windows = files(specs(first, first + 4, at=first - 5))
    found = {each.set: each.key for each in read(windows).windows if not each.key.endswith(("101", "102"))}
    name = next(each for each in found if each.startswith("zt_s_"))
    report = load(machine, rules, windows, ((name, "fd00::1", first + 3600),))
    assert report["code"] == OK and report["next"] == first and report["changes"] == ["the ruleset, with 1 elements"]
    assert stands(machine, name).keys() == {"fd00::1"} and [stands(machine, each) for each in found if each != name] == [{}]
    again = ("firewall", "--windows", str(machine.folder / "windows.json"))
    early = machine.runner(*again)
    assert early["code"] == OK and early["changes"] == [] and early["next"] == first and stands(machine, name).keys() == {"fd00::1"}
    wait(report["next"])
    report = machine.runner(*again)
    assert report["code"] == OK and report["next"] is None and len(report["changes"]) == len(read(windows).windows)
    for each, key in found.items():
        assert 0 < (stands(machine, each)[key] or 0) <= 4, "no longer than what is left"
    wait(first + 4.3)
    assert stands(machine, name).keys() == {"fd00::1"} and [stands(machine, each) for each in found if each != name] == [{}]
    late = machine.runner(*again)
    assert late["code"] == OK and late["changes"] == [] and stands(machine, name).keys() == {"fd00::1"}


@real
def test_what_is_open_at_a_load_is_open_after_it_for_as_long_as_is_left(machine: Node) -> None:
    now = int(time.time())
    rules, windows = files(specs(now - 100, now + 400 * 86_400, at=now - 200))
    found = read(windows)
    report = load(machine, rules, windows)
    assert report["code"] == OK and report["next"] is None, report
    end = min(now + 400 * 86_400, found.until)
    for each in found.windows:
        assert abs((stands(machine, each.set)[each.key] or 0) - (end - now)) < 60
    closed = said(*((each.set, each.key, [[now + 500, now + 600]]) for each in found.windows), since=now, until=now + 1000)
    report = machine.runner("firewall", "--windows", place(machine, "other.json", closed))
    assert report["code"] == OK and report["next"] == now + 500
    assert all(stands(machine, each.set) == {} for each in found.windows), "it is not their time any more"
    over = said(*((each.set, each.key, [[now - 50, now - 40]]) for each in found.windows), since=now - 60, until=now - 30)
    report = machine.runner("firewall", "--windows", place(machine, "other.json", over))
    assert report["code"] == OK and report["next"] is None and "until the network is built anew" in report["changes"][0]


@real
def test_windows_of_a_set_that_is_not_there_change_nothing(machine: Node) -> None:
    now = int(time.time())
    rules, windows = files(specs(now - 100, now + 3600, at=now - 200))
    assert load(machine, rules, windows)["code"] == OK
    before = {each.set: stands(machine, each.set).keys() for each in read(windows).windows}
    strange = said(*((each.set, each.key, []) for each in read(windows).windows), (TIME, "ipv6", []), since=now, until=now + 9)
    assert machine.runner("firewall", "--windows", place(machine, "other.json", strange))["code"] == FAILED
    assert {name: stands(machine, name).keys() for name in before} == before and all(before.values())


@real
def test_a_bundle_from_before_windows_loads_and_what_the_clock_would_open_stays_closed(machine: Node) -> None:
    """A rollback to one names a `windows.json` that it has not; rules that are not there are still a mistake."""
    now = int(time.time())
    rules, windows = files(specs(now - 100, now + 3600, at=now - 200))
    assert load(machine, rules, windows)["code"] == OK
    names = {each.set: each.key for each in read(windows).windows}
    assert all(key in stands(machine, name) for name, key in names.items())
    ruleset, underlay = str(machine.folder / "ruleset.nft"), str(machine.folder / "underlay.nft")
    gone = str(machine.folder / "previous" / "windows.json")
    line = f"{gone} is not there: what the clock alone opens stays closed"
    report = machine.runner("firewall", "--check", ruleset, underlay, gone)
    assert report["code"] == OK and report["changes"] == [line] and "next" not in report
    report = machine.runner("firewall", "--load", ruleset, underlay, gone)
    assert report["code"] == OK and report["problems"] == [] and report["changes"] == [line, "the ruleset, with 0 elements"]
    assert all(key not in stands(machine, name) for name, key in names.items())
    name = next(each for each in names if each[3] == "s")
    told = {"schema_version": 1, "elements": [{"set": name, "key": "fd00::9", "until": now + 99}]}
    contract, elements = place(machine, "contract.json", anybody([name])), place(machine, "elements.json", json.dumps(told).encode())
    report = machine.runner("firewall", "--load", ruleset, underlay, gone, contract, elements)
    assert report["code"] == OK and report["changes"] == [line, "the ruleset, with 1 elements"]
    report = machine.runner("firewall", "--load", ruleset, underlay, gone, gone)
    assert report["code"] == OK and report["changes"][:2] == [line, f"{gone} is not there: no session may open anything"]
    assert machine.runner("firewall", "--load", ruleset, underlay, gone, gone, elements)["code"] == REFUSED, "nothing says who may"
    assert machine.runner("firewall", "--load", str(machine.folder / "none"), underlay, gone)["code"] == REFUSED
    assert machine.runner("firewall", "--load", ruleset, underlay, gone, contract, gone)["code"] == REFUSED, (
        "what is said is there"
    )
    assert machine.runner("firewall", "--windows", gone)["code"] == REFUSED
