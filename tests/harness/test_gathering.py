"""Real frames between ports of a segment: its groups pass, and nothing else that a host could send to another."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from functools import cache
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

import pytest

from tests.backends.cases import gathering
from tests.harness.rig import REASON, WHY_NOT
from ztosc.backends.nftables import BACKEND
from ztosc.nodes import project
from ztosc.nodes.spec import LocalSegment

pytestmark = [pytest.mark.netns, pytest.mark.skipif(WHY_NOT is not None, reason=REASON)]
ROOT = Path(__file__).resolve().parents[2]
HERE, THERE = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
UDP, TCP, ICMP6 = 17, 6, 58


@cache
def stage() -> LocalSegment:
    spec = next(each for each in project(gathering()) if each.node == "g")
    return next(each for each in spec.segments if each.segment == "stage")


def ports() -> tuple[str, str]:
    return tuple(sorted(each.key[0].strip('"') for each in _gathers() if (each.verdict or "").endswith(str(stage().vni))))  # type: ignore[return-value]


def _gathers() -> Any:
    table = _ruleset().gathering
    assert table is not None
    return next(each for each in table.collections if each.name == "zt_gathers").elements


@cache
def _ruleset() -> Any:
    return BACKEND.lower(next(each for each in project(gathering()) if each.node == "g"))


def packet(source: str, to: str, port: int = 0, protocol: int = UDP, first: bytes = b"") -> bytes:
    """A frame; to a group by its address (RFC 2464 §7), to one host by the MAC of the other end. `first`: instead of ports."""
    target = IPv6Address(to)
    mac = b"\x33\x33" + target.packed[-4:] if target.is_multicast else THERE
    body = (first or struct.pack("!HH", 5353, port)) + struct.pack("!HH", 12, 0) + b"data"
    head = struct.pack("!IHBB", 6 << 28, len(body), protocol, 255) + IPv6Address(source).packed + target.packed
    return mac + HERE + b"\x86\xdd" + head + body


def known() -> str:
    return stage().hosts[0][0]


def frames() -> dict[str, bytes]:
    host, fragment = known(), struct.pack("!BBHI", UDP, 0, 1 << 3, 77)
    return {
        "mdns": packet(host, "ff02::fb", 5353),
        "mdns, link-local": packet("fe80::5", "ff02::fb", 5353),
        "a group of the segment": packet(host, "ff15::99", 5004),
        "mdns from a stranger": packet("2001:db8::66", "ff02::fb", 5353),
        "another port of mdns' group": packet(host, "ff02::fb", 5354),
        "mdns to a group of the segment": packet(host, "ff15::99", 5353),
        "another group": packet(host, "ff02::1:3", 5355),
        "a group, not UDP": packet(host, "ff15::99", 443, TCP),
        "a rogue DHCPv6 client": packet("fe80::5", "ff02::1:2", 547),
        "a rogue router": packet("fe80::5", "ff02::1", protocol=ICMP6, first=b"\x86\0\0\0"),
        "a neighbour asked for": packet("fe80::5", "ff02::1:ff00:1", protocol=ICMP6, first=b"\x87\0\0\0"),
        "a later fragment": packet(host, "ff15::99", protocol=44, first=fragment),
        "one host": packet(host, stage().hosts[0][1], 5353),
        "one host, as a group's frame": b"\x33\x33\0\0\0\xfb" + packet(host, stage().hosts[0][1], 5353)[6:],
        "ARP": b"\xff" * 6 + HERE + b"\x08\x06" + bytes.fromhex("0001080006040001") + bytes(20),
        "IPv4 mDNS": bytes.fromhex("01005e0000fb")
        + HERE
        + b"\x08\x00"
        + bytes.fromhex("4500001c00000000ff1100000a000001e00000fb14e914e900080000")
        + bytes(18),
        "a VLAN inside": packet(host, "ff02::fb", 5353)[:12] + b"\x81\0\0\x07" + packet(host, "ff02::fb", 5353)[12:],
    }


PASSING = {"mdns", "mdns, link-local", "a group of the segment"}


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    ruleset = next(each for each in BACKEND.render(_ruleset()) if each.path == "ruleset.nft").content.decode()
    one, other = ports()
    sent = {name: [one, content.hex()] for name, content in frames().items()}
    sent["mdns, from a port that is not ours"] = ["other", frames()["mdns"].hex()]
    asked = {"ruleset": ruleset, "ports": [one, other, "other"], "frames": sent}
    apart = ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--user", "--map-root-user", "--net")
    command = (*apart, sys.executable, "-m", "tests.harness.frames")
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_isolated_ports_exchange_nothing_and_open_ones_everything(told: dict[str, Any]) -> None:
    """What follows means something only if the bridge passes these frames by itself."""
    _, other = ports()
    ours = [name for name in told["open"] if not name.endswith("not ours")]
    assert all(told["isolated"][name] == ["other"] for name in ours)
    assert {name: told["open"][name] for name in ours} == {name: sorted([other, "other"]) for name in ours}


def test_behind_the_table_the_groups_pass_and_nothing_else(told: dict[str, Any]) -> None:
    _, other = ports()
    assert told["table"] == {name: [other] if name in PASSING else [] for name in told["table"]}


def test_the_runner_opens_ports_only_behind_the_table(told: dict[str, Any]) -> None:
    assert (told["before"], told["behind"], told["emptied"]) == (False, True, False)
