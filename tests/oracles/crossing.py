"""Three whole nodes of a network in which grants cross isolation domains, on a kernel with VRFs: run by `test_crossing_uml.py`, inside.

Each node runs what we emit, unchanged: `interfaces.json` by the runner, WireGuard, FRR, and with `walled` the ruleset. What does not hold
is an assertion.
"""

from __future__ import annotations

import ipaddress
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests import support
from tests.oracles import frr_rig as rig
from tests.runner.namespace import archive
from ztosc.backends.interfaces import BACKEND as INTERFACES
from ztosc.ir.network import Network
from ztosc.nodes import project

FRAME = """
network n { domain "n.example"
  prefix fd00:77::/48
}
region home { country DE }
region abroad { country US }
label bound { within DE }
site one in home { node a { underlay 2001:db8::1; serves gateway; attach eth2 to desks; attach eth3 to lobby; attach eth4 to safe } }
site two in home { node b { underlay 2001:db8::2; serves gateway; attach eth2 to desks; attach eth4 to vault } }
site three in abroad { node c { underlay 2001:db8::3; serves gateway; attach eth2 to offices } }
link a -- b
link b -- c
link c -- a
segment desks { at one, two }
segment lobby { at one }
segment offices { at three }
segment safe { at one; carries bound }
segment vault { at two; carries bound }
service mail on lobby { listen udp/25 }
service door on safe { listen udp/22 }
service web on vault { listen udp/443 }
allow desks to web
allow desks to door
allow vault to mail
allow offices to mail
"""
"""`safe` and `vault` may be on `a` and `b` alone; `desks` and `lobby` live there too, in the domain of everybody."""

LISTEN = """
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind((sys.argv[1], int(sys.argv[2])))
print("listening", flush=True)
while True:
    data, peer = s.recvfrom(99)
    print(peer[0], flush=True)
    s.sendto(peer[0].encode(), peer)
"""
ASK = """
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
if len(sys.argv) > 4: s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, sys.argv[4].encode())
s.bind((sys.argv[1], 0))
s.settimeout(0.5)
for _ in range(8):
    try:
        s.sendto(b"x", (sys.argv[2], int(sys.argv[3])))
        if s.recv(99).decode() == sys.argv[1]: print("answered"); break
    except OSError: pass
"""
"""An answer says who asked: both ways were open, and nobody changed the source."""


class Node(rig.Node):
    """A node with real VRFs: FRR is told nothing about them."""

    def _placed(self, text: str) -> str:
        return text

    def apply(self, program: Path) -> None:
        """Everything below the daemons, by the runner; a second time it has nothing to do."""
        (self.etc / "interfaces.json").write_bytes(INTERFACES.render(INTERFACES.lower(self.spec))[0].content)
        self._runner(program, "--apply", 0)
        self._runner(program, "--check", 0)
        for vrf, prefix, table in ((each.vrf, each.prefix, each.table) for each in self.spec.fabric.detours[:1]):
            words = f"priority 900 iif {vrf} to {prefix} table {table} protocol 122"
            for drift in (f"delete {words}", f"add {words.replace(str(table), '77')}", "add priority 5 table 77 protocol 122"):
                self.run(f"ip -6 rule {drift}")
                self._runner(program, "--check", 1)
                self._runner(program, "--apply", 0)
                self._runner(program, "--check", 0)

    def _runner(self, program: Path, mode: str, code: int) -> None:
        said = self.run(f"{sys.executable} -I -S {program} interfaces {mode} {self.etc}/interfaces.json || true")
        assert json.loads(said)["code"] == code, f"{self.name} {mode}: {said}"

    def behind(self, segment: str, address: str) -> str:
        """A host behind the port of a segment, that knows its address and hears the rest from its gateway."""
        (port,) = (each.port for found in self.spec.segments for each in found.attachments if found.segment == segment)
        name = f"h-{segment}"
        self.run(
            f"ip netns add {name}; ip link set h{port} netns {name} name host; ip -n {name} link set lo up; ip -n {name} link set host up"
        )
        self.run(f"ip -n {name} addr add {address}/128 dev host nodad")
        assert rig.until(lambda: "default" in self.run(f"ip -n {name} -6 route"), 30), f"{self.name} {segment} hears no router"
        return name

    def table(self, domain: str) -> dict[str, set[str]]:
        """What BGP put into the table of a domain: prefix to next hops or interfaces."""
        number = next(each.l3vni for each in self.spec.transits if each.domain == domain)
        found = json.loads(self.run(f"ip -6 -j route show table {number} proto bgp", check=False) or "[]")
        return {route["dst"]: {hop.get("gateway", "").removeprefix("::ffff:") for hop in route.get("nexthops", [route])} for route in found}


class Service:
    """Somebody who answers in a host's namespace, and tells who asked."""

    def __init__(self, node: Node, host: str, address: str, port: int) -> None:
        command = node._entered(f"ip netns exec {host} {sys.executable} -c '{LISTEN}' {address} {port}")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None and self.process.stdout.readline() == "listening\n"
        self.address, self.port = address, port

    def answers(self, node: Node, host: str, source: str) -> bool:
        asked = f"ip netns exec {host} {sys.executable} -c '{ASK}' {source} {self.address} {self.port}"
        return "answered" in node.run(asked, check=False)


def up(network: Network, folder: Path, *, walled: bool) -> dict[str, Node]:
    nodes = {spec.node: Node(spec, folder) for spec in project(network)}
    program = archive(folder)
    rig.cables(dict(nodes))
    for node in nodes.values():
        for port in (each.port for found in node.spec.segments for each in found.attachments):
            # Somebody is plugged in: without a carrier nothing of a segment would be announced.
            node.run(f"ip link add {port} type veth peer name h{port}; ip link set h{port} up")
        node.apply(program)
    rig.keys(dict(nodes))
    for node in nodes.values() if walled else ():
        node.firewall()
    for node in nodes.values():
        node.start("-s 90000000")
    return nodes


def check(network: Network, nodes: dict[str, Node], *, walled: bool) -> None:
    a, b = nodes["a"], nodes["b"]
    at = {each.service: each.address for each in network.endpoints}
    prefix = {(plan.segment, place.site): place.prefix for plan in network.segments for place in plan.places}
    vtep = {(name, each.domain): each.vtep for name, node in nodes.items() for each in node.spec.loopbacks}
    strict, lax = "within-de", "main"
    wanted = {
        ("a", strict): {prefix["vault", "two"]: {vtep["b", strict]}, prefix["desks", "two"]: {vtep["b", strict]}},
        ("b", strict): {prefix[each]: {vtep["a", strict]} for each in (("desks", "one"), ("lobby", "one"), ("safe", "one"))},
        ("a", lax): {prefix["offices", "three"]: {vtep["c", lax]}},
        ("b", lax): {},
        ("c", lax): {prefix["lobby", "one"]: {vtep["a", lax]}},
    }
    found = lambda: {key: nodes[key[0]].table(key[1]) for key in wanted}  # noqa: E731
    assert rig.until(lambda: found() == wanted, 120), f"{found()}\n{wanted}"
    assert [node.drift().strip() for node in nodes.values()] == [""] * 3, "reloading what runs would change something"
    told("routes")
    hosts = {
        (name, segment): str(ipaddress.IPv6Network(place.prefix)[0x4000])
        for plan in network.segments
        for place in plan.places
        for name in place.nodes
        for segment in [plan.segment]
    }
    hosts[("a", "lobby")], hosts[("a", "safe")], hosts[("b", "vault")] = at["mail"], at["door"], at["web"]
    inside = {(name, segment): nodes[name].behind(segment, address) for (name, segment), address in hosts.items()}
    told("hosts")
    mail = Service(a, inside["a", "lobby"], at["mail"], 25)
    door = Service(a, inside["a", "safe"], at["door"], 22)
    web = Service(b, inside["b", "vault"], at["web"], 443)
    told("services")

    def asks(name: str, segment: str, service: Service) -> bool:
        return service.answers(nodes[name], inside[name, segment], hosts[name, segment])

    def gets_there(name: str, segment: str, service: Service) -> bool:
        """Within half a minute: plugging a host in took the carrier away, so its route was withdrawn and is on its way again."""
        return rig.until(lambda: asks(name, segment, service), 30)

    assert gets_there("a", "desks", web), "from the laxer domain to another node of the stricter one"
    assert gets_there("b", "desks", web), "from VRF to VRF on one node"
    assert gets_there("b", "desks", door) and gets_there("a", "desks", door)
    assert gets_there("b", "vault", mail), "from the stricter domain to the laxer one"
    assert gets_there("c", "offices", mail), "inside the laxer domain"
    told("granted")
    _tunnelled([a, b], lambda: asks("a", "desks", web))
    assert not asks("c", "offices", web), "no route leads there, whatever the filters say"
    told("no route")
    if walled:
        assert not asks("a", "lobby", web) and not asks("a", "safe", mail)
        told("not granted")
        _a_rogue_gains_nothing(nodes, door, hosts["b", "desks"])


def _tunnelled(nodes: list[Node], ask: Callable[[], bool]) -> None:
    """What crosses goes through the stricter domain's VXLAN alone, there and back."""
    before = [_sent(node) for node in nodes]
    assert all(ask() for _ in range(5))
    for node, earlier in zip(nodes, before, strict=True):
        sent = {name: count - earlier[name] for name, count in _sent(node).items()}
        assert sent["within-de"] >= 5 > sent["main"], f"{node.name} {sent}"
    told("tunnelled")


def _sent(node: Node) -> dict[str, int]:
    """Packets into the VXLAN of each domain."""
    shown = {each.domain: json.loads(node.run(f"ip -s -j link show zx{each.l3vni}"))[0] for each in node.spec.transits}
    return {name: int(each["stats64"]["tx"]["packets"]) for name, each in shown.items()}


def _a_rogue_gains_nothing(nodes: dict[str, Node], door: Service, forged: str) -> None:
    """`c`, outside the bound, sends by the laxer domain what pretends to be from a desk of `b`, to a strict segment on `a`."""
    a, c = nodes["a"], nodes["c"]
    (l3vni,) = (each.l3vni for each in c.spec.transits)
    vtep = next(each.vtep for each in a.spec.loopbacks if each.domain == "main")
    c.run("nft flush ruleset")
    c.run(f"ip -6 route add {door.address}/128 via inet6 ::ffff:{vtep} dev zd{l3vni} onlink table {l3vni} metric 1")
    c.run(f"ip -6 addr add {forged}/128 dev zv{l3vni} nodad")

    def received() -> str:
        return next(line for line in a.run("ip netns exec h-safe cat /proc/net/snmp6").splitlines() if line.startswith("Udp6InDatagrams"))

    def arrives() -> bool:
        before = received()
        c.run(f"{sys.executable} -c '{ASK}' {forged} {door.address} {door.port} zv{l3vni}", check=False)
        return received() != before

    assert not arrives(), "what came in the laxer domain stays in it"
    a.run("nft flush set inet ztos zt_strangers")
    assert arrives(), "or this test would show nothing"
    told("rogue")


def told(what: str) -> None:
    print(f"PASSED {what}", flush=True)


def main(folder: Path, *, walled: bool) -> None:
    network = support.network(frame=FRAME)
    nodes: dict[str, Node] = {}
    try:
        nodes = up(network, folder, walled=walled)
        told("up")
        check(network, nodes, walled=walled)
    finally:
        for node in nodes.values():
            node.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), walled="walled" in sys.argv[2:])
