"""Names that are keywords of nft or BIND build, and the real tools load what comes out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from ztosc.prove import real_tools

SOURCE = """
## A "hostile" } ; description,\twith $(commands) and \\\\ more: LONG
network set { domain "drop.example" }
region map { country US }
site table in map {
  node fwd { underlay 2001:db8::1; serves gateway, resolver; attach eth0 to drop; attach eth1 vlan 7 to any }
  node accept { underlay 2001:db8::2; serves gateway; attach eth0 to rule }
  link fwd -- accept
}
## } ; drop # "
segment drop { at table; admits people }
segment any { at table }
segment rule { at table }
service limit on rule { listen tcp/1-65535, udp/53, icmp; replicas 3 }
service none on any { listen any except udp/67-68 }
service localhost on any { listen sctp/2905, proto/47 }
service in on any { listen tcp/53; name "type" }
external zone { reach ::/0, 10.0.0.0/8, fd00:9::/32 }
attribute in.set : bool
role queue { from drop; requires in.set }
allow queue to limit
allow drop to none
allow any to drop on any
allow any to zone on any except tcp/25
allow queue to zone on tcp/23
assert drop reaches none
"""


@pytest.fixture
def built(ztosc: Run, tmp_path: Path) -> Path:
    """The bundle of a network whose every name is somebody's keyword."""
    project = tmp_path / "set"
    project.mkdir()
    (project / "network.ztos").write_text(SOURCE.replace("LONG", "x" * 300))
    assert ztosc("keys", "generate", "--lab", tmp_path / "lab", "-C", project).returncode == 0
    done = ztosc("build", project, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    return tmp_path / "out"


def test_what_is_judged_here_is_said_in_the_manifest(built: Path) -> None:
    judged = json.loads((built / "manifest.json").read_text())["judged_by"]
    for target, tool in (("nftables", "nft"), ("bind", "named-checkconf"), ("bind", "named-checkzone")):
        assert (tool in judged[target]) == real_tools().usable(tool)
        assert judged[target][0] == "reader"


def test_every_ruleset_loads_twice_to_the_same(built: Path) -> None:
    missing = real_tools().why_missing("nft")
    if missing:
        pytest.skip(missing)
    for file in sorted(built.rglob("ruleset.nft")):
        script = 'nft -f "$1" && nft -s list ruleset && echo === && nft -f "$1" && nft -s list ruleset'
        done = subprocess.run(["unshare", "-rn", "sh", "-c", script, "sh", file], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        once, twice = done.stdout.split("===\n")
        assert once == twice
        assert "table inet ztos" in once
