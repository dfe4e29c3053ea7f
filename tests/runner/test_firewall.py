"""The firewall's loader: one transaction, our table alone, elements that end at their instants."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.bench.firewall import shared
from tests.nodes import networks as n
from tests.runner.namespace import Node, why_missing
from tests.runner.test_contract import anybody
from ztosc.backends.nftables import BACKEND
from ztosc.backends.nftables.sets import set_of
from ztosc.nodes import project
from ztosc.runner import firewall
from ztosc.runner.elements import LAST, Element, parse, refused
from ztosc.runner.firewall import Held
from ztosc.runner.report import FAILED, OK, REFUSED, Report
from ztosc.runner.statements import foreign, written
from ztosc.runner.wanted import BadFile

SPEC = next(each for each in project(n.hospital()) if each.node == "edge-1")
RULES, WITHHELD = BACKEND.render(BACKEND.lower(SPEC))[0].content.decode(), shared()[0].content.decode()
ASKED = next(each for each in SPEC.contract if not each.standing and each.holds == "sessions").condition
NAME = set_of(next(each for each in SPEC.conditions if each.id == ASKED))
UNKNOWN = "zt_s_000000000000"
STANDS = next(each for each in SPEC.contract if each.standing)
STANDING = set_of(next(each for each in SPEC.conditions if each.id == STANDS.condition))


def test_what_the_compiler_writes_is_ours() -> None:
    assert foreign(RULES) is None and foreign(WITHHELD) is None and foreign("") is None


STRANGE = (
    "flush ruleset",
    "table inet ztos\nflush table inet other",
    "table inet ztos { } table inet other { chain a { } }",
    "table inet ztos { }; delete table ip nat",
    "table inet ztos {\n\tchain a {\n\t}\n}\n}\n",
    "table inet ztos {",
    'include "/etc/shadow"',
    'table inet ztos {\n include "/etc/shadow"\n}',
    "define a = 1",
    "add element inet ztos zt_s_1 { $a }",
    "add rule inet ztos zt_forward accept",
    "table ip ztos { }",
    "table inet ztosx { }",
    '"table inet ztos" flush ruleset',
    "table inet ztos # { \nflush ruleset",
    "delete table inet \\\n other",
)


@pytest.mark.parametrize("text", STRANGE)
def test_a_statement_about_anything_else_is_told(text: str) -> None:
    assert foreign(text) is not None and foreign(f"{RULES}\n{text}\n{WITHHELD}") is not None


def elements(*found: tuple[Any, Any, Any]) -> bytes:
    told = [{"set": name, "key": key, "until": until} for name, key, until in found]
    return json.dumps({"schema_version": 1, "elements": told}).encode()


GOOD = ("zt_s_0123456789ab", "fd00::9", 1_800_000_000)
HOSTILE: tuple[tuple[Any, Any, Any], ...] = (
    ("zt_grants", "fd00::9", 9),
    ("zt_s_0123456789ab }; flush ruleset; {", "fd00::9", 9),
    ("zt_s_0123456789ab\n", "fd00::9", 9),
    (GOOD[0], "fd00::9 timeout 9d", 9),
    (GOOD[0], "fd00::/64", 9),
    (GOOD[0], "fe80::1%eth0", 9),
    (GOOD[0], "::ffff:192.0.2.1", 9),
    (GOOD[0], "192.0.2.1", 9),
    (GOOD[0], "ipv6", 9),
    ("zt_o_0123456789ab", "fd00::9", 9),
    (GOOD[0], "fd00::9", LAST),
    (GOOD[0], "fd00::9", True),
    (GOOD[0], "fd00::9", -1),
    (GOOD[0], "fd00::9", 1.5),
    (GOOD[0], None, 9),
    ([], "fd00::9", 9),
)


@pytest.mark.parametrize("found", HOSTILE, ids=repr)
def test_what_is_no_element_is_refused_as_a_whole(found: tuple[Any, Any, Any]) -> None:
    assert parse(elements(GOOD)) == (Element(*GOOD),)
    with pytest.raises(BadFile):
        parse(elements(GOOD, found))


def test_a_file_that_is_none_or_says_a_thing_twice_is_refused() -> None:
    for content in (
        b"",
        b"[]",
        b"{}",
        b'{"schema_version": 2, "elements": []}',
        b'{"schema_version": 1, "elements": {}}',
        elements(GOOD, GOOD),
    ):
        with pytest.raises(BadFile):
            parse(content)


def test_a_timeout_is_what_is_left_at_the_moment_of_the_load() -> None:
    one, other = Element(*GOOD), Element("zt_o_0123456789ab", "ipv6", 1_800_000_000)
    assert one.left(1_799_999_990.25) == 9750 and refused((one, other), 1_799_999_999.9) == ()
    assert refused((one, other), 1_800_000_000.0) == (one, other), "an instant that has come has passed"
    assert firewall._added((one,), 1_799_999_990.25) == "add element inet ztos zt_s_0123456789ab { fd00::9 timeout 0d9s750ms }\n"
    assert firewall._added((one,), 1_800_000_001) == "" and "timeout" not in firewall._renewed((one,), 1_800_000_001)


def test_what_stands_in_the_file_is_found_there() -> None:
    assert written(RULES, STANDING) == set(STANDS.standing) and written(RULES, NAME) == written(RULES, "zt_s_") == frozenset()


def test_mistakes_of_use_are_reported(tmp_path: Path) -> None:
    assert firewall.run(()).code == REFUSED and firewall.run(("--load", "a")).code == REFUSED
    assert firewall.run(("--load", str(tmp_path / "none"), str(tmp_path / "none"))).code == REFUSED


MISSING = why_missing("nft")
real = pytest.mark.skipif(MISSING is not None, reason=f"NOT LOADED: {MISSING}")


def load(machine: Node, held: bytes = b"", rules: str = RULES, mode: str = "--load") -> dict[str, Any]:
    paths = [machine.folder / name for name in ("ruleset.nft", "underlay.nft", "no-windows.json", "contract.json", "elements.json")]
    paths[0].write_text(rules)
    paths[1].write_text(WITHHELD)
    paths[2].write_text('{"schema_version": 1, "since": 1, "until": 253402300799, "windows": []}')
    paths[3].write_bytes(anybody((NAME, STANDING, UNKNOWN)))
    paths[4].write_bytes(held or elements())
    return machine.runner("firewall", mode, *map(str, paths))


def stands(machine: Node, name: str = NAME) -> dict[str, int | None]:
    (found,) = (
        each["set"] for each in json.loads(machine.run("nft", "--json", "list", "set", "inet", "ztos", name))["nftables"] if "set" in each
    )
    timed = [each["elem"] if isinstance(each, dict) else {"val": each} for each in found.get("elem", ())]
    return {each["val"]: each.get("expires") for each in timed}


@real
def test_a_load_is_whole_leaves_others_alone_and_ends_each_element_at_its_instant(machine: Node) -> None:
    machine.run("nft", "add table ip other")
    now = int(time.time())
    report = load(machine, elements((NAME, "fd00::1", now + 3600), (NAME, "fd00::2", now + 6), (NAME, "fd00::3", now - 1)))
    assert report["code"] == OK and report["changes"] == [
        f"{NAME} fd00::3 is left out: its instant has passed",
        "the ruleset, with 2 elements",
    ]
    found = stands(machine)
    assert found.keys() == {"fd00::1", "fd00::2"} and 3590 <= (found["fd00::1"] or 0) <= 3600
    time.sleep(max(0.0, now + 6.3 - time.time()))
    assert stands(machine).keys() == {"fd00::1"}
    assert "table ip other" in machine.run("nft", "list tables")
    assert load(machine)["code"] == OK and stands(machine) == {}, "what is not said again is gone"
    assert "2001:db8:" in machine.run("nft", "list set inet ztos zt_underlay"), "what is withheld came with the same transaction"


@real
@pytest.mark.parametrize("days", [1, 12, 400, 30_000])
def test_an_element_may_be_far_from_its_end(machine: Node, days: int) -> None:
    """nft refuses a timeout of more than nine digits of milliseconds, which are eleven days."""
    report = load(machine, elements((NAME, "fd00::1", int(time.time()) + days * 86_400)))
    assert report["code"] == OK and abs((stands(machine)["fd00::1"] or 0) - days * 86_400) < 30


@real
def test_a_load_that_is_refused_changes_nothing(machine: Node) -> None:
    now = int(time.time())
    assert load(machine, elements((NAME, "fd00::1", now + 3600)))["code"] == OK
    before = machine.run("nft", "--stateless", "list ruleset")
    gone = elements((UNKNOWN, "fd00::1", now + 3600))
    for report, code in (
        (load(machine, rules=RULES.replace("policy drop", "policy drip")), FAILED),
        (load(machine, gone), FAILED),
        (load(machine, rules=RULES + "flush ruleset\n"), REFUSED),
        (load(machine, b"{"), REFUSED),
    ):
        assert report["code"] == code and report["changes"] == []
        assert machine.run("nft", "--stateless", "list ruleset") == before and stands(machine).keys() == {"fd00::1"}
    assert load(machine, elements((NAME, "fd00::2", now + 3600)), mode="--check")["code"] == OK and stands(machine).keys() == {"fd00::1"}


@pytest.mark.parametrize(("said", "told"), [(None, False), ("0", False), ("1", True)])
def test_helpers_that_the_kernel_gives_by_itself_are_told(said: str | None, told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they let in is `related`, and only ICMP errors pass as such; but the kernel parses what strangers send."""
    monkeypatch.setattr(firewall.kernel, "sysctl", lambda path: said if path == firewall.HELPERS else None)
    monkeypatch.setattr(firewall, "_nft", lambda *words, given="": "")
    report = Report()
    firewall._transaction("--load", RULES, Held((), ()), time.time, report)
    assert [each.kind for each in report.problems] == (["foreign"] if told else []) and report.changes == ["the ruleset, with 0 elements"]


@real
def test_what_stands_in_the_file_stays_without_a_timeout(machine: Node) -> None:
    address = STANDS.standing[0]
    report = load(machine, elements((STANDING, address, int(time.time()) + 60), (STANDING, "fd00::5", int(time.time()) + 60)))
    assert report["code"] == OK and report["problems"] == []
    found = stands(machine, STANDING)
    assert found[address] is None and 50 <= (found["fd00::5"] or 0) <= 60
