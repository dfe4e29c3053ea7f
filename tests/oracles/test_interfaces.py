"""The applier on a real kernel: twice changes nothing, drift is repaired, what is not ours stays, what a kernel lacks is named.

Kinds that this kernel does not know are taken out of the file first, and the test says which.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import support
from tests.runner.namespace import Node, node, why_missing
from ztosc.backends.interfaces import BACKEND
from ztosc.nodes import project

MISSING = why_missing("wireguard-go")
pytestmark = [pytest.mark.netns, pytest.mark.skipif(MISSING is not None, reason=f"NOT JUDGED: {MISSING}")]
PORTS = ("eth2", "eth3", "eth4")
UNDERLAY = "2001:db8:a::1/64"


def whole(name: str = "edge-1") -> dict[str, Any]:
    """The file of a node of the hospital, as a table."""
    network = support.hospital().network
    assert network is not None
    spec = next(spec for spec in project(network) if spec.node == name)
    table: dict[str, Any] = json.loads(BACKEND.render(BACKEND.lower(spec))[0].content)
    return table


def bytes_of(table: dict[str, Any]) -> bytes:
    return json.dumps(table).encode()


def without(table: dict[str, Any], kinds: set[str]) -> dict[str, Any]:
    """The same without kinds of interfaces and without sysctls, and without what hangs on them."""
    gone = {each["name"] for each in table["interfaces"] if each["kind"] in kinds}
    kept = [each for each in table["interfaces"] if each["name"] not in gone]
    freed = [{key: value for key, value in each.items() if key != "master" or value not in gone} for each in kept]
    routes = [each for each in table["routes"] if each.get("dev") not in gone]
    sysctls = {path: value for path, value in table["sysctls"].items() if path not in kinds}
    return {**table, "interfaces": freed, "routes": routes, "sysctls": sysctls}


def possible(here: Node, table: dict[str, Any]) -> dict[str, Any]:
    """What this kernel can hold of a file; told loudly where it is not all."""
    lacking: set[str] = set()
    while True:
        report = here.interfaces("--apply", bytes_of(without(table, lacking)))
        names = {each["name"] for each in report["problems"] if each["kind"] == "capability"}
        if not names:
            break
        assert report["code"] == 3 and names - lacking
        assert not [name for name in here.links() if name.startswith("z")], "a kernel that cannot is left as it was"
        lacking |= names
    assert report["problems"] == [] and report["code"] == 0, report
    if lacking:
        warnings.warn(f"NOT JUDGED on this kernel: {', '.join(sorted(lacking))}", stacklevel=2)
    return without(table, lacking)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Node]:
    """A node with three ports, an underlay, and things that are not ours."""
    with node(tmp_path) as made:
        for port in PORTS:
            made.sh(f"ip link add {port} type veth peer name h{port}; ip link set h{port} up")
        made.sh(f"ip link add up0 type veth peer name up1; ip address add {UNDERLAY} dev up0 nodad; ip link set up0 up; ip link set up1 up")
        made.sh("ip link add br-foreign type bridge; ip address add 192.0.2.7/24 dev br-foreign; ip link set br-foreign alias mine up")
        made.sh("ip address add 192.0.2.99/32 dev lo; ip route add blackhole 198.51.100.0/24")
        yield made


@pytest.mark.filterwarnings("default:NOT JUDGED")
def test_twice_changes_nothing(here: Node) -> None:
    content = bytes_of(possible(here, whole()))
    here.sh("sleep 2")  # the kernel's own link-local addresses settle
    before, addresses = here.links(), here.run("ip", "-j", "address", "show")
    with here.events() as heard:
        report = here.interfaces("--apply", content)
    assert report == {"code": 0, "changes": [], "problems": []}
    assert heard == []
    assert here.links() == before and here.run("ip", "-j", "address", "show") == addresses
    assert here.interfaces("--check", content)["code"] == 0


DRIFT = {
    "a size": "ip link set zs806829 mtu 1400",
    "a bridge that is down": "ip link set zs806829 down",
    "a port that left": "ip link set eth2 nomaster",
    "a port that may talk to others": "ip link set eth2 type bridge_slave isolated off",
    "a VXLAN that learns": "ip link set zx359806 type bridge_slave learning on",
    "a VXLAN gone": "ip link delete zx9022",
    "a VXLAN of another number": "ip link delete zx9022; ip link add zx9022 group 31348 type vxlan id 4 local 10.0.0.1 dstport 4789",
    "another VTEP": "ip link delete zx9022; ip link add zx9022 group 31348 type vxlan id 9022 local 10.0.0.1 dstport 4789",
    "a gateway less": "ip address delete fd3c:91a2:77e0:6c67::1/64 dev zs806829",
    "an address more": "ip address add fd00::99/64 dev zs806829",
    "an address more in a tunnel": "ip address add fe80::99/64 dev zw24338",
    "another MAC": "ip link set zs806829 address 02:00:00:00:00:01",
    "a foreign port in our bridge": "ip link add spy type veth peer name spy2; ip link set spy master zs806829",
    "an interface of ours that nobody wants": "ip link add zs99 group 31348 type bridge",
    "no alias": "ip link set zs806829 alias ''",
    "a wall gone": "ip -6 route delete blackhole fd3c:91a2:77e0:1b::/64 metric 4278198272",
    "a rule gone": "ip -6 rule delete priority 2000 protocol 122",
    "a rule more": "ip -6 rule add from fd00:9::/64 iif lo lookup 31348 priority 2001 protocol 122",
    "a route more": "ip -6 route add blackhole fd00:9::/64 protocol 122",
    "a loopback less": "ip -6 address delete fd3c:91a2:77e0:1b::bc08/128 dev lo",
    "a loopback more": "ip address add 10.9.9.9/32 dev lo metric 31348",
    "no forwarding": "echo 0 >/proc/sys/net/ipv6/conf/all/forwarding",
    "routers are heard": "echo 1 >/proc/sys/net/ipv6/conf/zs806829/accept_ra",
    "multicast snooping": "ip link set zs806829 type bridge mcast_snooping 1",
    "spanning tree": "ip link set zs806829 type bridge stp_state 1",
    "a tunnel gone": "ip link delete zw24338",
}


@pytest.mark.filterwarnings("default:NOT JUDGED")
def test_every_drift_is_reported_and_repaired(here: Node) -> None:
    content = bytes_of(possible(here, whole()))
    for what, script in DRIFT.items():
        here.sh(script)
        assert here.interfaces("--check", content)["code"] == 1, what
        report = here.interfaces("--apply", content)
        assert report["code"] == 0 and report["changes"], (what, report)
        assert here.interfaces("--check", content) == {"code": 0, "changes": [], "problems": []}, what


@pytest.mark.filterwarnings("default:NOT JUDGED")
def test_what_is_not_ours_stays(here: Node) -> None:
    foreign = ("br-foreign", "up0", "up1")
    before = {name: link for name, link in here.links().items() if name in foreign}
    table = possible(here, whole())
    assert {name: link for name, link in here.links().items() if name in foreign} == before
    nothing = {**table, "interfaces": [], "ports": [], "routes": [], "rules": [], "loopback": []}
    report = here.interfaces("--apply", bytes_of(nothing))
    assert report["code"] == 0
    links = here.links()
    assert not [name for name in links if name.startswith("z")]
    assert {name: link for name, link in links.items() if name in foreign} == before
    assert here.addresses("br-foreign") >= {"192.0.2.7/24"} and "192.0.2.99/32" in here.addresses("lo")
    assert here.addresses("lo") == {"127.0.0.1/8", "::1/128", "192.0.2.99/32"}
    assert "198.51.100.0/24" in here.run("ip", "route", "show", "table", "all")
    assert all("master" not in links[port] for port in PORTS)


@pytest.mark.filterwarnings("default:NOT JUDGED")
def test_hosts_that_others_saw_stay_and_ours_are_kept(here: Node) -> None:
    """A `/128` with the metric of the contract is not the file's; one with the file's metric is."""
    table = possible(here, whole())
    content, host = bytes_of(table), next(each for each in table["routes"] if each["type"] == "unicast" and "via" not in each)
    words = f"dev {host['dev']} table {host['table']} protocol 122"
    seen = host["prefix"].rsplit(":", 1)[0] + ":4000/128"
    here.sh(f"ip -6 route add {seen} {words} metric 11")
    assert here.interfaces("--check", content) == {"code": 0, "changes": [], "problems": []}
    assert f"{seen.removesuffix('/128')} dev {host['dev']}" in here.run("ip", "-6", "route", "show", "table", str(host["table"]))
    for drift in (
        f"ip -6 route delete {host['prefix']} {words}",
        f"ip -6 route add {seen} {words} metric 10",
        f"ip -6 route add {seen.replace('/128', '/127')} {words} metric 11",
    ):
        here.sh(drift)
        assert here.interfaces("--check", content)["code"] == 1, drift
        assert here.interfaces("--apply", content)["code"] == 0
        assert here.interfaces("--check", content)["code"] == 0
    assert f"{seen.removesuffix('/128')} dev {host['dev']}" in here.run("ip", "-6", "route", "show", "table", str(host["table"]))


def test_an_interface_that_only_has_our_name_is_left_alone(here: Node) -> None:
    here.sh("ip link add zs806829 type bridge")
    before = here.links()
    report = here.interfaces("--apply", bytes_of(whole()))
    assert report["code"] == 4 and report["changes"] == []
    assert [each["kind"] for each in report["problems"]] == ["foreign"] and "zs806829" in report["problems"][0]["text"]
    assert here.links() == before


def test_a_port_of_another_bridge_is_not_taken(here: Node) -> None:
    here.sh("ip link set eth2 master br-foreign")
    report = here.interfaces("--apply", bytes_of(whole()))
    assert report["code"] == 4 and report["changes"] == [] and "br-foreign" in report["problems"][0]["text"]
    assert here.links()["eth2"]["master"] == "br-foreign"


@pytest.mark.filterwarnings("default:NOT JUDGED")
def test_a_port_that_is_not_there_is_told_and_the_rest_is_made(here: Node) -> None:
    table = possible(here, whole())
    here.sh("ip link delete eth3")
    broken = {**table, "routes": [*table["routes"], {"type": "blackhole", "prefix": "fd00:5::/64"}]}
    report = here.interfaces("--apply", bytes_of(broken))
    assert report["code"] == 4 and [each["name"] for each in report["problems"]] == ["eth3"]
    assert any("fd00:5::/64" in change for change in report["changes"])


@pytest.mark.filterwarnings("default:NOT JUDGED")
def test_hosts_of_one_segment_meet_only_at_the_gateway(here: Node) -> None:
    """Two ports of one bridge: each reaches the gateway, neither reaches the other."""
    table = possible(here, whole())
    segment = table["ports"][0]["master"]
    here.interfaces("--apply", bytes_of({**table, "ports": [{"name": port, "master": segment} for port in ("eth2", "eth3")]}))
    gateway = next(each["addresses"][0] for each in table["interfaces"] if each["name"] == segment)
    prefix = gateway.split("::")[0]
    for number, port in ((21, "eth2"), (22, "eth3")):
        host = here.folder / str(number)
        here.sh(f"unshare -n sleep 60 >/dev/null 2>&1 & echo $! >{host}; sleep 0.3; ip link set h{port} netns $(cat {host})")
        inside = f"nsenter -t $(cat {host}) -n"
        here.sh(f"{inside} ip address add {prefix}::{number}/64 dev h{port} nodad; {inside} ip link set h{port} up")
    ask = f"nsenter -t $(cat {here.folder}/21) -n {sys.executable} -c '{REACHES}'"

    def meets(address: str) -> bool:
        return here.sh(f"if {ask} {address}; then echo yes; else echo no; fi").strip() == "yes"

    here.sh("sleep 1")
    assert meets(f"{prefix}::1") and not meets(f"{prefix}::22")
    here.sh("ip link set eth2 type bridge_slave isolated off; ip link set eth3 type bridge_slave isolated off")
    assert meets(f"{prefix}::22"), "the probe can say yes: only isolation kept the two apart"


REACHES = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], 9), timeout=1)
except ConnectionRefusedError:
    sys.exit(0)
except OSError:
    sys.exit(1)
"""
"""Nobody listens, so a refusal is an answer."""
