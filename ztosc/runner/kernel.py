"""The kernel's interfaces, addresses, routes and sysctls, read and changed by iproute2 and `/proc/sys`.

Guarantees: numbers stand for groups and tables whatever `/etc/iproute2` calls them; a change is one line of one batch, and the first
that is refused is named. No shell.
"""

from __future__ import annotations

import ipaddress
import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

GROUP = 31348
"""The link group that marks an interface as ours, and the metric that marks an address on `lo`: "zt" in ASCII."""
PROTOCOL = 122
"""The routing protocol number that marks a route as ours."""
SYSCTLS = Path("/proc/sys/net")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": PATH, "LC_ALL": "C.UTF-8"}
TIMEOUT = 60
"""Seconds for one batch."""
APPEARS = 5.0
"""Seconds within which a WireGuard interface in user space must be there."""


class Unreadable(Exception):
    """The kernel's state could not be read: iproute2 is missing or refused."""


class Refused(Exception):
    """A line of a batch was refused; `line` counts from 0."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line, self.text = line, text

    @property
    def of_kind(self) -> bool:
        """Whether the kernel does not know this kind of interface."""
        return "Unknown device type" in self.text or "Operation not supported" in self.text


TYPES = {"1": "unicast", "6": "blackhole", "7": "unreachable", "9": "throw"}
"""Route types by their number (linux/rtnetlink.h)."""

RouteKey = tuple[int, str, str, int, int, str, str, str]
"""Family, type, prefix, table, metric, via, device, source."""

RuleKey = tuple[int, str, str, str, int]
"""Priority, input interface, source, destination, table; of IPv6 alone."""


@dataclass(frozen=True, slots=True)
class State:
    """What there is."""

    links: dict[str, dict[str, Any]]
    addresses: dict[str, list[dict[str, Any]]]
    routes: frozenset[RouteKey]
    """Ours alone."""
    rules: frozenset[RuleKey]
    """Ours alone."""
    gathers: bool = False
    """Whether the table is loaded that says what passes between ports of a bridge: without it they stay isolated."""

    def ours(self, name: str) -> bool:
        """Whether an interface is there and marked as ours."""
        return str(self.links.get(name, {}).get("group")) == str(GROUP)

    def holder(self, address: str) -> str | None:
        """The interface that holds an address, if it is not one of ours."""
        found = [name for name, each in self.addresses.items() if any(one.get("local") == address for one in each)]
        return next((name for name in sorted(found) if not self.ours(name) and name != "lo"), None)


def state() -> State:
    """Read everything. Raises `Unreadable`."""
    links = {each["ifname"]: each for each in _asked("-d", "link", "show")}
    addresses = {each["ifname"]: each.get("addr_info", []) for each in _asked("address", "show")}
    routes = {
        _route(family, each)
        for family in (4, 6)
        for each in _asked("-d", f"-{family}", "route", "show", "table", "all", "protocol", str(PROTOCOL))
    }
    rules = {_rule(each) for each in _asked("-6", "rule", "show") if str(each.get("protocol")) == str(PROTOCOL)}
    return State(links, addresses, frozenset(routes), frozenset(rules), gathers())


def gathers() -> bool:
    """Whether that table is loaded and not emptied; also no where there is no `nft` to ask."""
    command = ("nft", "--json", "list", "chain", "bridge", "ztos", "zt_between")
    try:
        done = subprocess.run(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False)
        listed = json.loads(done.stdout)["nftables"] if done.returncode == 0 else []
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError):
        return False
    return sum("rule" in each for each in listed) >= 2


def _asked(*words: str) -> list[dict[str, Any]]:
    try:
        done = subprocess.run(
            ("ip", "-N", "-j", *words), env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unreadable(f"ip cannot be run: {error}") from error
    # Without a single IPv4 route in any table, iproute2 says that the table does not exist.
    if done.returncode != 0 and b"FIB table does not exist" not in done.stderr:
        raise Unreadable(f"ip {' '.join(words)}: {done.stderr.decode(errors='replace').strip()}")
    return [each for each in json.loads(done.stdout or b"[]") if each]


def _route(family: int, found: dict[str, Any]) -> RouteKey:
    default = "0.0.0.0/0" if family == 4 else "::/0"
    prefix = default if found["dst"] == "default" else str(ipaddress.ip_network(found["dst"]))
    kind, number = TYPES.get(str(found.get("type", "1")), "other"), int(found.get("table", 254))
    metric = int(found.get("metric", 0))
    if kind != "unicast":
        return (family, kind, prefix, number, metric, "", "", "")
    via = found.get("gateway") or found.get("via", {}).get("host", "")
    return (family, kind, prefix, number, metric, str(via), str(found.get("dev", "")), str(found.get("prefsrc", "")))


def _rule(found: dict[str, Any]) -> RuleKey:
    source, prefix = (f"{found[key]}/{found.get(key + 'len', 128)}" if found.get(key, "all") != "all" else "" for key in ("src", "dst"))
    return (int(found["priority"]), str(found.get("iif", "")), source, prefix, int(found.get("table", 0)))


def batch(lines: Sequence[Sequence[str]]) -> None:
    """Run `ip` on lines, in order, until one is refused; options before the command are those of the first. Raises `Refused`."""
    options = tuple(takewhile(lambda word: word.startswith("-"), lines[0] if lines else ()))
    text = "".join(" ".join(_quoted(word) for word in line[len(options) :]) + "\n" for line in lines)
    command = ("ip", *options, "-batch", "-")
    try:
        done = subprocess.run(command, env=ENVIRONMENT, input=text.encode(), capture_output=True, timeout=TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(0, str(error)) from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        number = said.rpartition("Command failed -:")[2].split("\n")[0]
        raise Refused(int(number) - 1 if number.isdigit() else 0, said.replace("\n", "; "))


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word


def sysctl(path: str) -> str | None:
    """The value at a path below `net/`; absent where this kernel has none."""
    try:
        return (SYSCTLS / path).read_text(encoding="ascii").strip()
    except OSError:
        return None


def set_sysctl(path: str, value: str) -> None:
    """Raises `Refused`."""
    try:
        (SYSCTLS / path).write_text(value, encoding="ascii")
    except OSError as error:
        raise Refused(0, f"{path}: {error}") from error


def start_wireguard(name: str) -> bool:
    """An interface by `wireguard-go`, for kernels without the kind. False where that is not installed."""
    if shutil.which("wireguard-go", path=PATH) is None:
        return False
    # It puts itself into the background and keeps what it was given open: nothing of ours may wait for that.
    subprocess.run(
        ("wireguard-go", name),
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=TIMEOUT,
        check=False,
    )
    end = time.monotonic() + APPEARS
    while not (SYSCTLS / "ipv4" / "conf" / name).exists():
        if time.monotonic() > end:
            raise Refused(0, f"wireguard-go made no interface {name}")
        time.sleep(0.02)
    return True
