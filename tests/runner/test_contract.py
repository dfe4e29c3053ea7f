"""The contract on a node: what the compiler writes is what the runner reads, and no element gets past it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

import pytest

from tests.backends.cases import CASES
from tests.bench.firewall import shared
from tests.runner.namespace import Node, why_missing
from ztosc.backends.nftables import BACKEND
from ztosc.logic import addresses
from ztosc.nodes import NodeSpec, project
from ztosc.nodes.contract import may_stand
from ztosc.runner import firewall
from ztosc.runner.contract import Contract, parse
from ztosc.runner.elements import Element
from ztosc.runner.report import OK, REFUSED
from ztosc.runner.wanted import BadFile

NOW = 1_800_000_000
NAME = "zt_s_0123456789ab"
EVERY = [["::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]]


def anybody(names: Iterable[str]) -> bytes:
    """A contract under which a session anywhere may open these sets."""
    return said(*({"set": name, "stale": None, "within": EVERY} for name in sorted(names)))


def said(*sets: Any, **more: Any) -> bytes:
    return json.dumps({"schema_version": 1, "sets": list(sets), **more}).encode()


def admitted(stale: Any = None, within: Any = None, name: Any = NAME) -> dict[str, Any]:
    return {"set": name, "stale": stale, "within": [["fd00::1", "fd00::9"], ["fd00::20", "fd00::20"]] if within is None else within}


def read(content: bytes) -> Contract:
    found = parse(content)
    assert found is not None
    return found


def spec_with(stale: int | None = None, case: str = "hospital", node: str = "edge-1") -> NodeSpec:
    """A node; where it is said, every rule bounds how old its facts may be."""
    network = CASES[case]()
    if stale is not None:
        rules = tuple(rule.model_copy(update={"stale": stale}) if rule.effect == "allow" else rule for rule in network.intent.rules)
        network = network.model_copy(update={"intent": network.intent.model_copy(update={"rules": rules})})
    return next(each for each in project(network) if each.node == node)


def files(spec: NodeSpec) -> tuple[bytes, ...]:
    return tuple(each.content for each in BACKEND.render(BACKEND.lower(spec)))


@pytest.mark.parametrize("case", CASES)
def test_what_the_compiler_writes_admits_who_the_spec_says(case: str) -> None:
    for spec in project(CASES[case]()):
        contract = read(files(spec)[2])
        known = {f"zt_s_{each.condition[2:]}": each for each in spec.contract if each.holds == "sessions"}
        assert contract.sets.keys() == known.keys()
        ends = [number for each in contract.sets.values() for pair in each.within for number in pair]
        for number in sorted({each + step for each in ends for step in (-1, 0, 1)} - {-1, 2**128})[:: max(1, len(ends) // 20)]:
            if addresses.ALL4[0][0] <= number <= addresses.ALL4[0][1]:
                continue
            for name, held in known.items():
                element = Element(name, str(IPv6Address(number)), NOW + 60, NOW)
                if may_stand(spec, held.condition, element.key):
                    assert contract.bounded([element], NOW) == (element,)
                else:
                    with pytest.raises(BadFile, match="nobody who may is there"):
                        contract.bounded([element], NOW)


def test_a_bound_of_the_policy_is_the_node_s() -> None:
    assert {each.stale for each in read(files(spec_with())[2]).sets.values()} == {None}
    spec = spec_with(stale=300)
    asked = {f"zt_s_{each.condition[2:]}": each.stale for each in spec.contract if each.holds == "sessions"}
    assert {name: each.stale for name, each in read(files(spec)[2]).sets.items()} == asked and 300 in asked.values()


@pytest.mark.parametrize(
    ("until", "confirmed", "ends"),
    [
        (NOW + 1000, NOW, NOW + 300),
        (NOW + 1000, NOW - 100, NOW + 200),
        (NOW + 100, NOW, NOW + 100),
        (NOW + 1000, NOW - 400, NOW - 100),
        (NOW + 1000, NOW + 9999, NOW + 300),
    ],
)
def test_an_element_ends_with_what_is_known(until: int, confirmed: int, ends: int) -> None:
    """A confirmation that is still to come is one of now."""
    contract, element = read(said(admitted(300))), Element(NAME, "fd00::5", until, confirmed)
    assert contract.bounded([element], NOW + 0.9) == (replace(element, until=ends),)


def test_facts_of_an_unknown_age_open_nothing_that_bounds_it() -> None:
    element = Element(NAME, "fd00::5", NOW + 10)
    assert read(said(admitted())).bounded([element], NOW) == (element,)
    with pytest.raises(BadFile, match="`confirmed`"):
        read(said(admitted(300))).bounded([element], NOW)


@pytest.mark.parametrize("key", ["fd00::", "fd00::a", "fd00::21", "2001:db8::1"])
def test_nobody_elsewhere_is_admitted(key: str) -> None:
    contract = read(said(admitted()))
    for known in ("fd00::1", "fd00::9", "fd00::20"):
        assert contract.bounded([Element(NAME, known, NOW)], NOW)
    with pytest.raises(BadFile, match="nobody"):
        contract.bounded([Element(NAME, key, NOW)], NOW)


@pytest.mark.parametrize("name", ["zt_s_ffffffffffff", "zt_o_0123456789ab"])
def test_no_session_opens_what_the_contract_does_not_name(name: str) -> None:
    with pytest.raises(BadFile, match="no session may open"):
        read(said(admitted())).bounded([Element(name, "ipv6", NOW)], NOW)


HOSTILE: dict[str, bytes] = {
    "another version": b'{"schema_version": 2, "sets": []}',
    "more": said(elements=[]),
    "no list": b'{"schema_version": 1, "sets": {}}',
    "no set": said(7),
    "a word less": said({"set": NAME, "within": []}),
    "a set of the clock": said(admitted(name="zt_o_0123456789ab")),
    "a set of ours": said(admitted(name="zt_grants")),
    "no name": said(admitted(name=None)),
    "twice": said(admitted(), admitted()),
    "no time": said(admitted(0)),
    "half a second": said(admitted(0.5)),
    "true": said(admitted(True)),
    "a word": said(admitted("5m")),
    "no ranges": said(admitted(within="fd00::/8")),
    "a prefix": said(admitted(within=[["fd00::/8", "fd00::/8"]])),
    "one end": said(admitted(within=[["fd00::1"]])),
    "numbers": said(admitted(within=[[1, 2]])),
    "reversed": said(admitted(within=[["fd00::2", "fd00::1"]])),
    "IPv4": said(admitted(within=[["10.0.0.1", "10.0.0.2"]])),
    "no JSON": b"{",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_contract_is_refused_as_a_whole(what: str) -> None:
    with pytest.raises(BadFile):
        parse(HOSTILE[what])


MISSING = why_missing("nft")


@pytest.mark.skipif(MISSING is not None, reason=f"NOT LOADED: {MISSING}")
def test_a_real_load_is_bounded_by_the_contract_that_was_built(machine: Node) -> None:
    spec = spec_with(stale=300)
    names = ("ruleset.nft", "windows.json", "contract.json")
    for name, content in (*zip(names, files(spec), strict=True), ("underlay.nft", shared()[0].content)):
        (machine.folder / name).write_bytes(content)
    asked = next(each for each in spec.contract if each.stale == 300 and not each.standing and each.admissions)
    name, inside = f"zt_s_{asked.condition[2:]}", asked.admissions[0].addresses[-1][1]
    now = int(firewall.time.time())

    def load(key: str, **more: int) -> dict[str, Any]:
        told = {"schema_version": 1, "elements": [{"set": name, "key": key, "until": now + 86_400, **more}]}
        (machine.folder / "elements.json").write_text(json.dumps(told))
        order = ("ruleset.nft", "underlay.nft", "windows.json", "contract.json", "elements.json")
        return machine.runner("firewall", "--load", *(str(machine.folder / each) for each in order))

    assert load(inside, confirmed=now)["code"] == OK
    listed = json.loads(machine.run("nft", "--json", "list", "set", "inet", "ztos", name))["nftables"]
    (element,) = next(each["set"]["elem"] for each in listed if "set" in each)
    assert element["elem"]["val"] == inside and 200 < element["elem"]["expires"] <= 300
    for report in (load(inside), load("2001:db8::9", confirmed=now)):
        assert report["code"] == REFUSED and report["changes"] == []
    late = load(inside, confirmed=now - 301)
    assert late["code"] == OK and late["changes"][0] == f"{name} {inside} is left out: its instant has passed"


def test_the_runner_s_own_words_for_what_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "contract.json"
    path.write_bytes(said())
    assert firewall.run(("--windows", str(path))).code == REFUSED
