"""IPv4 through a node's own NAT64, with a real translator (tayga): what may leave before and after translation, and what may come back.

Each refusal is made twice: by the rules as emitted, and again where the other half of them is taken away, so either is seen to hold alone.
"""

from __future__ import annotations

import ipaddress
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.harness.acts import client
from tests.harness.lab import Lab
from tests.harness.matrix import HURRIED, PATIENT, Matrix
from tests.harness.rig import REASON, WHY_NOT, files
from tests.nodes import networks as n
from ztosc.ir.network import Network
from ztosc.ir.spaces import TRANSLATED, TRANSLATOR
from ztosc.nodes import project

TAYGA = shutil.which("tayga") or shutil.which("tayga", path="/usr/sbin:/sbin")
NO_TUN = "no TUN device" if not Path("/dev/net/tun").exists() else ""
pytestmark = [
    pytest.mark.netns,
    pytest.mark.slow,
    pytest.mark.skipif(WHY_NOT is not None, reason=REASON),
    pytest.mark.skipif(TAYGA is None or bool(NO_TUN), reason=f"NOTHING WAS TRANSLATED: {NO_TUN or 'tayga is not installed'}"),
]

SERVER, NEAR, FAR = "198.51.100.7", "192.0.2.1", "192.0.2.2"
TCP, UDP, PING = 6, 17, 58
TRANSLATOR_NODE = "branch-1"


def network() -> Network:
    """The hospital, whose guests may ping the internet too, and whose staff may use it from another node."""
    intent = n.hospital_intent()
    ping = ((58, 58, 128, 128),)
    more = (
        n.rule(20, "allow", "segment:guest", "external:internet", ping),
        n.rule(21, "allow", "segment:staff", "external:internet", n.tcp(443)),
    )
    return n.number(intent.model_copy(update={"rules": (*intent.rules, *more)}))


@contextmanager
def translating(lab: Lab, folder: Path) -> Iterator[None]:
    """A translator on the node, and a road for IPv4 from there to the server."""
    prefix, conf = lab.network.nat64_prefix, folder / "tayga.conf"
    conf.write_text(
        f"tun-device {TRANSLATOR}\nipv4-addr {ipaddress.ip_network(TRANSLATED)[1]}\nprefix {prefix}\n"
        f"dynamic-pool {TRANSLATED}\ndata-dir {folder}\n"
    )
    assert TAYGA is not None
    lab.inside(TRANSLATOR_NODE, TAYGA, "--mktun", "-c", str(conf))
    node, out = lab.space(TRANSLATOR_NODE), lab.space("out")
    batch = (
        (node, f"link set {TRANSLATOR} up"),
        (node, f"route add {prefix} dev {TRANSLATOR}"),
        (node, f"route add {TRANSLATED} dev {TRANSLATOR}"),
        (node, f"addr add {NEAR}/24 dev out0"),
        (node, f"route add {SERVER}/32 via {FAR}"),
        (out, f"addr add {FAR}/24 dev eth0"),
        (out, f"addr add {SERVER}/32 dev eth0"),
        (out, f"route add {TRANSLATED} via {NEAR}"),
    )
    for space, words in batch:
        lab.where.run("ip", "-n", space, *words.split())
    lab.inside(TRANSLATOR_NODE, "sh", "-ec", "echo 1 >/proc/sys/net/ipv4/ip_forward")
    with subprocess.Popen(
        ["ip", "netns", "exec", node, TAYGA, "--nodetach", "-c", str(conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        try:
            yield
        finally:
            running.terminate()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    net = network()
    with (
        Lab(net, project(net), files(net), tmp_path_factory.mktemp("rulesets")) as lab,
        translating(lab, tmp_path_factory.mktemp("tayga")),
    ):
        lab.ask("out", "listen", [[protocol, f"::ffff:{SERVER}", port] for protocol in (TCP, UDP) for port in (443, 444)])
        yield Matrix(lab)


@pytest.fixture
def lab(shared: Matrix) -> Lab:
    """The rulesets as emitted."""
    for spec in shared.lab.specs:
        shared.lab.load(spec.node)
    return shared.lab


def there(lab: Lab) -> str:
    """The server as our hosts address it."""
    return str(ipaddress.IPv6Network(lab.network.nat64_prefix)[int(ipaddress.IPv4Address(SERVER))])


def guest(shared: Matrix) -> tuple[str, str]:
    found = client(shared, "guest", TRANSLATOR_NODE)
    return found.name, found.addresses[0]


def test_what_is_granted_passes_both_ways_and_nothing_else(shared: Matrix, lab: Lab) -> None:
    name, source = guest(shared)
    ways = [[TCP, source, there(lab), 443], [UDP, source, there(lab), 443], [PING, source, there(lab), 0]]
    assert lab.ask(name, "probe", ways, PATIENT) == [True, True, True]
    shut = [[TCP, source, there(lab), 444], [UDP, source, there(lab), 444]]
    assert lab.ask(name, "probe", shut, HURRIED) == [False, False]
    lab.nft(TRANSLATOR_NODE, ["insert rule inet ztos zt_forward accept"])
    assert lab.ask(name, "probe", shut, PATIENT) == [True, True], "the same packets arrive where the firewall lets them"


@pytest.mark.parametrize("family", ["ipv6", "ipv4"])
def test_either_side_of_the_translator_holds_alone(shared: Matrix, lab: Lab, family: str) -> None:
    """One family is let through whatever it is; the rules of the other still keep the port shut, and the granted one open."""
    name, source = guest(shared)
    lab.nft(TRANSLATOR_NODE, [f"insert rule inet ztos zt_forward meta nfproto {family} accept"])
    ways = [[TCP, source, there(lab), 444], [UDP, source, there(lab), 444], [TCP, source, there(lab), 443]]
    assert lab.ask(name, "probe", ways, HURRIED) == [False, False, True]


def test_nobody_outside_begins_a_flow_with_a_host_by_its_translated_name(shared: Matrix, lab: Lab) -> None:
    """The translator has given the guest an address, and would translate what comes for it."""
    name, source = guest(shared)
    lab.ask(name, "send", source, there(lab), 443, "who am I")
    called = _patiently(lambda: lab.ask("out", "sender", "who am I"))
    assert ipaddress.ip_address(called.removeprefix("::ffff:")) in ipaddress.ip_network(TRANSLATED)
    lab.ask(name, "listen", [[UDP, source, 5353]])
    lab.ask("out", "send", f"::ffff:{SERVER}", called, 5353, "unasked")
    time.sleep(HURRIED)
    assert not lab.ask(name, "hears", "unasked")
    lab.nft(TRANSLATOR_NODE, ["insert rule inet ztos zt_forward accept"])
    lab.ask("out", "send", f"::ffff:{SERVER}", called, 5353, "let in")
    assert _patiently(lambda: lab.ask(name, "hears", "let in"))


def _patiently(ask: Callable[[], Any]) -> Any:
    """What is said once something is, or at last."""
    ends = time.monotonic() + PATIENT
    while not (said := ask()) and time.monotonic() < ends:
        time.sleep(0.05)
    return said


def test_from_another_node_as_well(shared: Matrix, lab: Lab) -> None:
    """Staff sits on edge-1, whose way to IPv4 is this node."""
    staff = client(shared, "staff", "edge-1")
    number = lab.numbers[TRANSLATOR_NODE]
    device = next(spec for spec in lab.specs if spec.node == "edge-1").transits[0].interface
    way = f"route replace {lab.network.nat64_prefix} via fe80::{number:x} dev {device}"
    lab.where.run("ip", "-n", lab.space("edge-1"), *way.split())
    ways = [[TCP, staff.addresses[0], there(lab), port] for port in (443, 444)]
    assert lab.ask(staff.name, "probe", ways, PATIENT) == [True, False]
