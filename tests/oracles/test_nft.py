"""The real nft on our bytes: the file loads, twice gives the same ruleset, and what is not ours stays."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.backends.cases import CASES
from tests.nodes import networks as n
from ztosc.backends.nftables import BACKEND
from ztosc.ir.values import Validity
from ztosc.logic import ports
from ztosc.nodes import NodeSpec, project
from ztosc.nodes.spec import NodeFlow
from ztosc.prove import real_tools

MISSING = real_tools().why_missing("nft")
pytestmark = pytest.mark.skipif(MISSING is not None, reason=f"NOT JUDGED: {MISSING}")

TWICE = """
set -e
nft add table ip other
nft -f "$1"; nft -s list ruleset >"$2/one"
nft -f "$1"; nft -s list ruleset >"$2/two"
"""


def in_namespace(script: str, *words: str) -> str:
    """What a shell script says in a network namespace of its own."""
    command = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", script, "sh", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def written(spec: NodeSpec, folder: Path) -> Path:
    path = folder / "ruleset.nft"
    path.write_bytes(BACKEND.render(BACKEND.lower(spec))[0].content)
    return path


@pytest.mark.parametrize("case", CASES)
def test_twice_gives_the_same_and_leaves_others_alone(case: str, tmp_path: Path) -> None:
    for spec in project(CASES[case]()):
        in_namespace(TWICE, str(written(spec, tmp_path)), str(tmp_path))
        first, second = ((tmp_path / name).read_text() for name in ("one", "two"))
        assert first == second and "table ip other" in first and first.count("table inet ztos") == 1


def test_the_runner_can_fill_and_empty_the_dynamic_sets(tmp_path: Path) -> None:
    timed = n.rule(1, "allow", "segment:guest", "segment:infusion", n.tcp(22), validity=Validity(windows=(n.DAYTIME,)))
    intent = n.hospital_intent()
    spec = project(n.number(intent.model_copy(update={"rules": (timed, *intent.rules)})))[0]
    names = [collection.name for collection in BACKEND.lower(spec).collections if collection.flags == ("timeout",)]
    assert sorted(name[:5] for name in names) == ["zt_o_", "zt_s_", "zt_s_"]
    script = 'set -e\nnft -f "$1"\n'
    for name in names:
        key = "ipv6" if name.startswith("zt_o_") else "fd00::9"
        script += f"nft add element inet ztos {name} '{{ {key} timeout 60s }}'; nft list set inet ztos {name}\n"
        script += f"nft delete element inet ztos {name} '{{ {key} }}'; nft list set inet ztos {name}\n"
    assert in_namespace(script, str(written(spec, tmp_path))).count("expires") == len(names)


def test_flows_of_every_kind_and_family_load(tmp_path: Path) -> None:
    spec = project(n.hospital())[0]
    flows = tuple(
        NodeFlow(direction=direction, interface=interface, local=local, remote=remote, ports=n.tcp(179), purpose="bgp")  # type: ignore[arg-type]
        for direction in ("in", "out")
        for interface in (None, "zt-w0")
        for local, remote in (("2001:db8::1", "2001:db8::2"), ("192.0.2.1", None), ("2001:db8::1", None))
    )
    spec = spec.model_copy(update={"flows": flows})
    assert BACKEND.read(BACKEND.render(BACKEND.lower(spec))) == BACKEND.lower(spec)
    in_namespace(TWICE, str(written(spec, tmp_path)), str(tmp_path))


def test_any_minus_much_is_made_disjoint(tmp_path: Path) -> None:
    """What nft would refuse as overlapping: everything to a segment and its services, less a few denials in the middle."""
    intent = n.hospital_intent()
    rules = [n.rule(1, "allow", "segments:*", "label:phi external:internet", ports.ANY)]
    denied = ("segment:guest role:biomed", "service:ehr-web segment:infusion")
    rules += [n.rule(port, "deny", *denied, n.tcp(port)) for port in range(20, 200, 9)]
    for spec in project(n.number(intent.model_copy(update={"rules": (*rules, *intent.rules)}))):
        path = written(spec, tmp_path)
        in_namespace(TWICE, str(path), str(tmp_path))  # fails where nft does
        assert "0-65535" in path.read_text() or not spec.permits, "what was granted is there, in pieces"
