"""Load time, packets a second, time of the proof, by number of grants: `python -m tests.bench.firewall [rounds] [grants ...]`.

A node in a namespace forwards 64-byte UDP of one session to one of many granted destinations, each tuple under one of two conditions. In
turns with it: a node without rules, the same rules with answers and all else of a known connection let through first, and (up to
`LINEAR` grants) a rule a grant. Needs root. Figures are packets for each second of CPU that the sender took: over veth the kernel forwards
a packet inside the call that sends it. Each round gives every node a short turn, in another order; a ratio is of two turns of one round.
"""

from __future__ import annotations

import ipaddress
import os
import random
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.nodes import networks as n
from ztosc.backends import Artifact, backends, render
from ztosc.backends.base import NetworkSpec
from ztosc.backends.nftables import BACKEND
from ztosc.backends.nftables.sets import set_of
from ztosc.backends.underlay import BACKEND as UNDERLAY
from ztosc.collector import uncollected
from ztosc.nodes import NodeSpec, project
from ztosc.prove import real_tools
from ztosc.prove.demand import unreached
from ztosc.prove.firewall import judge

CLIENT, GATE, FIRST = "fd3c:91a2:77e0:31::9", "fd3c:91a2:77e0:31::1", int(ipaddress.ip_address("fd3c:91a2:77e0:1:5::"))
LINEAR = 1000
TURN = 6000
"""Packets in a row: short, so that what else the machine does meets all of them alike."""
NETWORK = n.hospital()


def many(grants: int) -> NodeSpec:
    """A node of the hospital, and that many grants from staff to single addresses."""
    spec = next(each for each in project(NETWORK) if each.node == "edge-1")
    some = next(each for each in spec.permits if each.interface == "zt-s3")
    asked = [each for each in spec.conditions if not each.of_time_alone][:2]

    def permit(index: int) -> object:
        address = str(ipaddress.ip_address(FIRST + 2 * index))
        change = {"destinations": ((address, address),), "ports": n.udp(1000 + index % 7), "condition": asked[index % 2].id}
        return some.model_copy(update=change)

    return spec.model_copy(update={"permits": (*spec.permits, *(permit(index) for index in range(grants)))})


def shared() -> tuple[Artifact, ...]:
    return UNDERLAY.render(UNDERLAY.lower(NetworkSpec(NETWORK, render(project(NETWORK), backends()))))


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


class Road:
    """A client, a node and a server in a row."""

    def __init__(self, name: str) -> None:
        self.ends: list[subprocess.Popen[str]] = []
        self.spaces = {part: f"ztb{os.getpid()}{name}{part}" for part in ("client", "node", "server")}
        for space in self.spaces.values():
            run("ip", "netns", "add", space)
        client, node, server = self.spaces.values()
        for left, one, right, other in ((client, "eth0", node, "zt-s3"), (node, "zt-d0", server, "eth0")):
            run("ip", "-n", left, "link", "add", one, "type", "veth", "peer", "name", other, "netns", right)
            run("ip", "-n", left, "link", "set", one, "up")
            run("ip", "-n", right, "link", "set", other, "up")
        run("ip", "netns", "exec", node, "sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")
        for space, words in (
            (client, f"addr add {CLIENT}/64 dev eth0 nodad"), (node, f"addr add {GATE}/64 dev zt-s3 nodad"),
            (node, "addr add fd3c:91a2:77e0:1::1/64 dev zt-d0 nodad"), (server, "addr add fd3c:91a2:77e0:1::2/64 dev eth0 nodad"),
            (client, f"route add default via {GATE}"), (node, "route add fd3c:91a2:77e0:1:5::/80 via fd3c:91a2:77e0:1::2"),
            (server, "link set lo up"), (server, "route add local fd3c:91a2:77e0:1:5::/80 dev lo"),
            (server, "route add default via fd3c:91a2:77e0:1::1"),
        ):  # fmt: skip
            run("ip", "-n", space, "-6", *words.split())

    def load(self, *files: str) -> float:
        began = time.perf_counter()
        for file in files:
            run("ip", "netns", "exec", self.spaces["node"], "nft", "-f", file)
        return time.perf_counter() - began

    def begin(self, index: int) -> None:
        """A flow to one of the granted destinations, answered once."""
        end = [str(ipaddress.ip_address(FIRST + 2 * index)), str(1000 + index % 7)]
        self._python("server", "0", RECEIVER, *end)
        self._python("client", "1", SENDER, CLIENT, *end)
        self.sent, self.before = 0, _counter(self.spaces["server"])

    def _python(self, part: str, core: str, script: str, *words: str) -> None:
        """Each end on a core of its own, where there are two; it has said that it is ready."""
        pinned = ["taskset", "-c", core] if (os.cpu_count() or 1) > 1 else []
        command = ["ip", "netns", "exec", self.spaces[part], *pinned, sys.executable, "-I", "-S", "-c", script, *words]
        running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ends.append(running)
        assert running.stdout is not None and running.stdout.readline() == "ready\n"

    def turn(self) -> float:
        """Packets for each second of CPU that the sender took."""
        client = self.ends[-1]
        assert client.stdin is not None and client.stdout is not None
        client.stdin.write(f"{TURN}\n")
        client.stdin.flush()
        self.sent += TURN
        return TURN / float(client.stdout.readline())

    def arrived(self) -> float:
        """Which part of what was sent."""
        return (_counter(self.spaces["server"]) - self.before) / self.sent

    def close(self) -> None:
        for running in reversed(self.ends):
            running.communicate()
        for space in self.spaces.values():
            subprocess.run(["ip", "netns", "delete", space], check=False)


SENDER = """
import socket, sys, time
sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sock.bind((sys.argv[1], 4242)); sock.connect((sys.argv[2], int(sys.argv[3])))
send, word = sock.send, bytes(16)
sock.settimeout(5); send(word); sock.recv(64); sock.settimeout(None)
print("ready", flush=True)
for line in sys.stdin:
    began = time.process_time()
    for _ in range(int(line)): send(word)
    print(time.process_time() - began, flush=True)
"""
RECEIVER = """
import socket, sys
sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sock.setsockopt(socket.IPPROTO_IPV6, 78, 1)  # IPV6_FREEBIND: the prefix is local, none of its addresses is anybody's
sock.bind((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
word, sender = sock.recvfrom(64); sock.sendto(word, sender)  # answered: from here on the connection is established
sys.stdin.read()
"""


def _counter(space: str) -> int:
    said = subprocess.run(["ip", "-n", space, "-s", "-o", "link", "show", "eth0"], capture_output=True, text=True, check=True)
    return int(said.stdout.split("RX:")[1].split("\\")[1].split()[1])


def without_withheld(text: str) -> str:
    """The same, without any look at what is withheld: what could be gained at most by that."""
    found, count = re.subn(r"\t\tip6 [sd]addr @zt_underlay goto zt_deny_underlay\n", "", text)
    assert count == 11
    return found


def with_classes(text: str) -> str:
    """The same grants by class: a source's class from a map that a runner would fill, then class, destination, protocol and port in a set.

    The client's class holds every condition; so each tuple stands once here, and would stand once for each class that holds its condition.
    """
    key = '"zt-s3" . 1 . '
    exact = text.partition("\tmap zt_grants {")[2].partition("\n\t}")[0]
    mine = (line.strip() for line in re.findall(r'^\t\t\t"zt-s3" [^\n]*goto zt_c_\w+,$', exact, flags=re.MULTILINE))
    tuples = "".join(f"\t\t\t{line.replace(chr(34) + 'zt-s3' + chr(34) + ' . ', key).split(' : ')[0]},\n" for line in mine)
    classes = f"\tmap zt_class {{\n\t\ttype ipv6_addr : mark\n\t\tflags timeout\n\t\telements = {{ {CLIENT} timeout 1h : 1 }}\n\t}}\n"
    types = "type ifname . mark . ipv6_addr . inet_proto . inet_service"
    tuple_set = f"\tset zt_tuples {{\n\t\t{types}\n\t\telements = {{\n{tuples}\t\t}}\n\t}}\n"
    head, begin, rest = text.partition("\n\tchain zt_guard {")
    found = f"{head}\n{classes}\n{tuple_set}{begin}{rest}"
    for chain, way, near, far, port in (
        ("zt_source", "iifname", "saddr", "daddr", "dport"),
        ("zt_reply_source", "oifname", "daddr", "saddr", "sport"),
    ):
        rules = (
            f"meta mark set ip6 {near} map @zt_class",
            f"{way} . meta mark . ip6 {far} . meta l4proto . th {port} @zt_tuples accept",
            "goto zt_deny_grant",
        )
        before, _, behind = found.partition(f"\tchain {chain} {{\n")
        found = before + _chain(chain, rules) + behind.partition("\n\t}\n")[2]
    return found


def _chain(name: str, rules: tuple[str, ...]) -> str:
    said = "".join(f"\t\t{each}\n" for each in rules)
    return f"\tchain {name} {{\n{said}\t}}\n"


def rulesets(grants: int, folder: Path) -> tuple[dict[str, list[str]], NodeSpec, tuple[Artifact, ...], float]:
    """Files by what they are called, in the order in which they are loaded."""
    spec = many(grants)
    began = time.process_time()
    with uncollected():  # as `compiler.build` does it
        files = BACKEND.render(BACKEND.lower(spec))
    emitted = time.process_time() - began
    own, withheld, more = folder / "own.nft", folder / "underlay.nft", folder / "sessions.nft"
    own.write_bytes(files[0].content)
    withheld.write_bytes(shared()[0].content)
    sets = [set_of(each) for each in spec.conditions if not each.of_time_alone][:2]
    more.write_text("".join(f"add element inet ztos {name} {{ {CLIENT} timeout 1h }}\n" for name in sets))
    first = folder / "first.nft"
    first.write_text("insert rule inet ztos zt_forward ct state established accept\n")
    tracked = folder / "tracked.nft"
    tracked.write_text(
        "table inet bare {\n\tchain f {\n\t\ttype filter hook forward priority 0; policy accept;\n\t\tct state invalid drop\n\t}\n}\n"
    )
    found = {"no rules": [], "tracking alone": [tracked], "ours": [own, withheld, more], "established first": [own, withheld, more, first]}
    plain = files[0].content.decode()
    for name, text in (("nothing withheld", without_withheld(plain)), ("class map", with_classes(plain))):
        found[name] = [folder / f"{len(found)}.nft", withheld, more]
        found[name][0].write_text(text)
    if grants <= LINEAR:
        linear = folder / "linear.nft"
        rule = "\t\tip6 saddr {} ip6 daddr {} udp dport {} accept\n"
        rules = (rule.format(CLIENT, ipaddress.ip_address(FIRST + 2 * index), 1000 + index % 7) for index in range(grants))
        opening = "type filter hook forward priority 0; policy drop;\n\t\tct direction reply accept"
        linear.write_text(f"table inet lin {{\n\tchain f {{\n\t\t{opening}\n{''.join(rules)}\t}}\n}}\n")
        found["a rule a grant"] = [linear]
    return {name: [str(file) for file in each] for name, each in found.items()}, spec, files, emitted


def measure(grants: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found, spec, files, emitted = rulesets(grants, Path(folder))
        roads = {name: Road(str(index)) for index, name in enumerate(found)}
        try:
            loads = {name: road.load(*found[name]) for name, road in roads.items()}
            rates: dict[str, list[float]] = {name: [] for name in found}
            for road in roads.values():
                road.begin(grants - 1)
            for _ in range(rounds):
                for name in random.sample(sorted(roads), len(roads)):
                    rates[name].append(roads[name].turn())
            assert all(road.arrived() > 0.999 for road in roads.values())
        finally:
            for road in roads.values():
                road.close()
        began = time.perf_counter()
        run("unshare", "--net", "nft", "-c", "-f", found["ours"][0])
        checked = time.perf_counter() - began
        print(f"\n{grants} grants: emitted in {emitted:.2f} s CPU, nft -c {checked:.2f} s, peak {_peak()} MiB")
        for name, each in rates.items():
            ratios = [one / bare for one, bare in zip(each, rates["no rules"], strict=True)]
            low, middle, high = statistics.quantiles(ratios, n=4)
            rate = f"{statistics.median(each) / 1000:6.1f}k/s"
            print(f"  {name:18} {rate}  {middle:6.1%} of no rules ({low:.0%}-{high:.0%}), loaded in {loads[name]:.2f} s")
        said = real_tools().listing(BACKEND.manifest, files, [(UNDERLAY.manifest.folder, each) for each in shared()])
        assert said is not None and said.outcome == "accepted", said
        began = time.process_time()
        with uncollected():
            verdict = judge(said.output, spec, unreached(NETWORK))
        print(f"  proof: {verdict[0]} in {time.process_time() - began:.2f} s CPU")


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    assert socket.has_ipv6
    rounds, *sizes = [int(each) for each in sys.argv[1:]] or [100]
    for size in sizes or (1000, 10_000, 100_000):
        measure(size, rounds)
