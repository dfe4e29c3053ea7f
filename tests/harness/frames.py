"""Run in a network namespace of its own: frames into ports of a bridge, before and behind a firewall that lets groups through.

Reads from standard input `{"ruleset": TEXT, "ports": [...], "frames": {NAME: [PORT, HEX], ...}}`; prints for each frame which other ports
it left by, with the ports isolated, open without a table, and open behind the table; and what the runner says of the table.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ztosc.runner import kernel

PATIENCE = 0.4
"""Seconds in which a frame passes a bridge."""


def ip(*words: str) -> None:
    subprocess.run(("ip", *words), check=True)


CALLS = Path("/proc/sys/net/bridge")
"""There where the kernel can hand bridged packets to the filters of routed ones: those let no group through."""


def bridge(ports: list[str]) -> dict[str, socket.socket]:
    """A bridge with our ports, and one that is not ours; a socket at the other end of each cable."""
    for called in CALLS.glob("bridge-nf-call-*"):
        called.write_text("0")
    ip("link", "add", "zs1", "type", "bridge", "stp_state", "0", "mcast_snooping", "0")
    Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
    ends = {}
    for index, port in enumerate(ports):
        ip("link", "add", port, "type", "veth", "peer", "name", f"host{index}")
        ip("link", "set", port, "master", "zs1", "up")
        ip("link", "set", f"host{index}", "up")
        ends[port] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        ends[port].bind((f"host{index}", 0))
        ends[port].settimeout(0.01)
    ip("link", "set", "zs1", "up")
    time.sleep(1)  # until every cable carries
    return ends


def passed(ends: dict[str, socket.socket], port: str, frame: bytes) -> list[str]:
    """By which ports a frame left that came in by one."""
    ends[port].send(frame)
    found, until = set(), time.monotonic() + PATIENCE
    while time.monotonic() < until:
        for name, end in ends.items():
            try:
                if name != port and _same(end.recv(2048), frame):
                    found.add(name)
            except TimeoutError:
                continue
    return sorted(found)


def _same(found: bytes, sent: bytes) -> bool:
    """Whether it is the frame; the kernel keeps a tag (IEEE 802.1Q) beside it."""
    return found == (sent[:12] + sent[16:] if sent[12:14] == b"\x81\0" else sent)


def isolate(ports: list[str], state: str) -> None:
    for port in ports:
        subprocess.run(("bridge", "link", "set", "dev", port, "isolated", state), check=True)


def main() -> None:
    asked: dict[str, Any] = json.load(sys.stdin)
    ours = [port for port in asked["ports"] if port != "other"]
    ends = bridge(asked["ports"])
    frames = {name: (port, bytes.fromhex(content)) for name, (port, content) in asked["frames"].items()}

    def all_of_them() -> dict[str, list[str]]:
        return {name: passed(ends, *each) for name, each in frames.items()}

    told: dict[str, Any] = {"before": kernel.gathers()}
    isolate(ours, "on")
    told["isolated"] = all_of_them()
    isolate(ours, "off")
    told["open"] = all_of_them()
    subprocess.run(("nft", "-f", "-"), input=asked["ruleset"].encode(), check=True)
    told["behind"], told["table"] = kernel.gathers(), all_of_them()
    subprocess.run(("nft", "flush", "chain", "bridge", "ztos", "zt_between"), check=True)
    told["emptied"] = kernel.gathers()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
