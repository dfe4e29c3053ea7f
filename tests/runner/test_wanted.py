"""A file that is not what the runner knows is refused as a whole, before anything is looked at or changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.nodes import networks as n
from ztosc.backends.interfaces import BACKEND
from ztosc.nodes import project
from ztosc.runner import __main__ as command
from ztosc.runner.report import USAGE
from ztosc.runner.wanted import BadFile, parse


def table() -> dict[str, Any]:
    spec = next(spec for spec in project(n.hospital()) if spec.node == "edge-1")
    found: dict[str, Any] = json.loads(BACKEND.render(BACKEND.lower(spec))[0].content)
    return found


HOSTILE = ("a\nlink delete lo", 'a"', "a; reboot", "a b", "x" * 16, "", ".", "..", "a/b", "-x", "$(id)", "é", 7, None, True, [], {})
"""Whatever is no name; `None`, numbers and collections too."""
PLACES = [("interfaces", 0, "name"), ("interfaces", 0, "master"), ("ports", 0, "name"), ("ports", 0, "master"), ("routes", 0, "dev")]


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: "-".join(map(str, place)))
def test_no_name_becomes_a_command(place: tuple[str, int, str], value: Any) -> None:
    found = table()
    found[place[0]][place[1]][place[2]] = value
    with pytest.raises(BadFile):
        parse(json.dumps(found).encode())


def test_a_rule_that_is_one_is_taken() -> None:
    found = table()
    vrf = next(each["name"] for each in found["interfaces"] if each["kind"] == "vrf")
    found["rules"] = [{"vrf": vrf, "prefix": "fd00::/64", "table": 9000}]
    assert [(each.vrf, each.prefix, each.table) for each in parse(json.dumps(found).encode()).rules] == [(vrf, "fd00::/64", 9000)]
    found["rules"][0]["prefix"] = "10.0.0.0/8"
    with pytest.raises(BadFile):
        parse(json.dumps(found).encode())


VALUES: dict[str, Any] = {
    "purpose": 'x" group 0',
    "mtu": 99,
    "mac": "02:7a:00:00:00:6G",
    "addresses": ["fd00::1/64 dev lo"],
    "kind": "dummy",
    "isolated": "no",
    "sysctls": {"../../kernel/core_pattern": "1"},
    "hook": "x",
    "vlan": 4,
}


@pytest.mark.parametrize("key", VALUES)
def test_no_value_is_more_than_its_kind(key: str) -> None:
    found = table()
    bridge = next(each for each in found["interfaces"] if each["kind"] == "bridge")
    bridge[key] = VALUES[key]
    with pytest.raises(BadFile):
        parse(json.dumps(found).encode())


@pytest.mark.parametrize("key", ["schema_version", "underlay", "interfaces", "routes", "rules", "sysctls"])
def test_what_is_missing_is_refused(key: str) -> None:
    found = table()
    del found[key]
    with pytest.raises(BadFile):
        parse(json.dumps(found).encode())


def _twice(found: dict[str, Any]) -> None:
    found["ports"].append({"name": found["interfaces"][0]["name"]})


def _unprefixed(found: dict[str, Any]) -> None:
    found["interfaces"][0]["name"] = "eth0"


def _stranger(found: dict[str, Any]) -> None:
    found["ports"][0]["master"] = "br-foreign"


def _half_a_route(found: dict[str, Any]) -> None:
    found["routes"][0]["via"] = "fe80::1"


def _onto_the_main_table(found: dict[str, Any]) -> None:
    found["routes"].append({"type": "unicast", "prefix": "fd00::1/128", "dev": found["interfaces"][0]["name"]})


def _rule_of_no_vrf(found: dict[str, Any]) -> None:
    found["rules"] = [{"vrf": "eth0", "prefix": "fd00::/64", "table": 9000}]


def _rule_of_both_kinds(found: dict[str, Any]) -> None:
    vrf = next(each["name"] for each in found["interfaces"] if each["kind"] == "vrf")
    found["rules"] = [{"vrf": vrf, "prefix": "fd00::/64", "source": "fd00::1/128", "table": 9000}]


def _rule_for_a_whole_prefix(found: dict[str, Any]) -> None:
    found["rules"] = [{"source": "fd00::/64", "table": 9000}]


def _throw_onto_an_interface(found: dict[str, Any]) -> None:
    found["routes"].append({"type": "throw", "prefix": "::/0", "table": 9000, "dev": found["interfaces"][0]["name"]})


def _rule_for_the_main_table(found: dict[str, Any]) -> None:
    vrf = next(each["name"] for each in found["interfaces"] if each["kind"] == "vrf")
    found["rules"] = [{"vrf": vrf, "prefix": "fd00::/64", "table": 254}]


def _global_sysctl(found: dict[str, Any]) -> None:
    found["sysctls"] = {"core/bpf_jit_enable": "0"}


def _newer(found: dict[str, Any]) -> None:
    found["schema_version"] = 2


ODD = (
    _twice, _unprefixed, _stranger, _half_a_route, _onto_the_main_table, _rule_of_no_vrf, _rule_for_the_main_table,
    _rule_of_both_kinds, _rule_for_a_whole_prefix, _throw_onto_an_interface, _global_sysctl, _newer,
)  # fmt: skip


@pytest.mark.parametrize("change", ODD, ids=lambda each: each.__name__)
def test_what_does_not_fit_together_is_refused(change: Any) -> None:
    found = table()
    change(found)
    with pytest.raises(BadFile):
        parse(json.dumps(found).encode())


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b'{"a": 1, "a": 1}', b"[" * 100_000])
def test_what_is_no_table_is_refused(content: bytes) -> None:
    with pytest.raises(BadFile):
        parse(content)


def test_a_bad_file_says_so_and_ends_with_its_own_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "interfaces.json"
    path.write_text("{")
    for mode in ("--parse", "--check", "--apply"):
        assert command.main(["interfaces", mode, str(path)]) == 2
        report = json.loads(capsys.readouterr().out)
        assert report["changes"] == [] and [each["kind"] for each in report["problems"]] == ["file"]
    assert command.main(["interfaces", "--apply", str(tmp_path / "nowhere")]) == 2
    path.write_text(json.dumps(table()))
    capsys.readouterr()
    assert command.main(["interfaces", "--parse", str(path)]) == 0


def test_a_command_that_is_not_known_is_a_mistake_of_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == command.main(["reboot"]) == USAGE
    assert "usage" in capsys.readouterr().err
    assert command.main(["interfaces", "--force", "x"]) == 2
