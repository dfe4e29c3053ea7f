"""What is changed of ports between which groups may pass: isolation ends behind the table alone, and comes back without it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.backends.cases import gathering
from ztosc.backends.interfaces import BACKEND
from ztosc.nodes import project
from ztosc.runner import kernel
from ztosc.runner.difference import changes, problems
from ztosc.runner.kernel import State
from ztosc.runner.wanted import Wanted, parse

PORTS = [f"p{number}" for number in range(1, 7)]


def wanted() -> Wanted:
    spec = next(each for each in project(gathering()) if each.node == "g")
    return parse(BACKEND.render(BACKEND.lower(spec))[0].content)


def state(*, gathers: bool, links: dict[str, Any]) -> State:
    return State(links, {}, frozenset(), frozenset(), gathers)


def bare() -> dict[str, Any]:
    return {name: {"flags": ["UP"]} for name in PORTS}


def isolation(found: State) -> dict[str, str]:
    """What is said of isolation, by port."""
    lines = [each.words for each in changes(wanted(), found) if "isolated" in each.words]
    return {words[words.index("dev") + 1]: words[words.index("isolated") + 1] for words in lines}


def test_ports_are_open_behind_the_table_alone() -> None:
    transits = {each.name for each in wanted().interfaces if each.kind == "vxlan"}
    said = isolation(state(gathers=True, links=bare()))
    vlan = next(each.name for each in wanted().interfaces if each.kind == "vlan")
    open_ports = {name for name, value in said.items() if value == "off"}
    assert open_ports - transits == {"p1", "p3", "p4", "p5", "p6", vlan}
    closed = isolation(state(gathers=False, links=bare()))
    assert closed.keys() == said.keys() and {name for name, value in closed.items() if value == "off"} == transits


def test_a_port_that_stands_open_without_the_table_is_isolated_again() -> None:
    master = next(each.master for each in wanted().ports if each.name == "p1")
    slave = {"linkinfo": {"info_slave_data": {"isolated": False}}, "master": master, "flags": ["UP"]}
    links = {**bare(), "p1": slave}
    assert isolation(state(gathers=False, links=links))["p1"] == "on"
    assert "p1" not in isolation(state(gathers=True, links=links))


@pytest.mark.parametrize("called", [None, "0", "1"])
def test_what_would_keep_groups_back_is_told_by_port(called: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "sysctl", lambda path: called if path.startswith("bridge/") else "0")
    found = list(problems(wanted(), state(gathers=True, links=bare())))
    told = {each.name for each in found if "bridge-nf-call" in each.text}
    assert len(told) == (6 if called == "1" else 0)
    missing = [each for each in problems(wanted(), state(gathers=False, links=bare())) if "`bridge ztos`" in each.text]
    assert {each.kind for each in missing} == {"missing"} and len(missing) == 6
