"""What must change so that the kernel holds what the file says.

Guarantees: nothing is changed that is not marked as ours, but for the ports that the file names (their bridge, their state) and the way
in which the underlay's port hears its routers; where nothing differs there is no change.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from ztosc.runner import kernel
from ztosc.runner.kernel import GROUP, PROTOCOL, RouteKey, State
from ztosc.runner.report import Problem
from ztosc.runner.wanted import Interface, Port, Route, Wanted

LAST = 4_278_198_272
"""The metric of a wall: any other route wins."""
OPEN = LAST - 1
"""The metric of a `throw`: it wins over a wall alone."""
FIRST = 50
"""The metric of a route to a peer: it wins over what daemons learn."""
HOST = 10
"""The metric of a route to what sits on a bridge of ours: before what daemons learn of the same (20)."""
AGENT = 11
"""The metric of a single host on a bridge of ours that somebody else on the node has seen there: left alone."""
BEFORE_VRFS = 900
"""The priority of a rule about a VRF: the one that sends a VRF to its own table has 1000."""
BEHIND_VRFS = 2000
"""The priority of a rule about a source: whoever is bound to a VRF was sent to its table before. The main table is asked at 32766."""
BRIDGE = {"stp_state": 0, "vlan_filtering": 0, "mcast_snooping": 0}
"""No spanning tree in a star; no VLAN is told apart in a bridge (the kernel's default, and some know no other); without a querier
snooping would only lose neighbour discovery."""
VXLAN = {"learning": False, "neigh_suppress": True}
"""The control plane alone says what is where."""
SECURE = ("encrypt", "on", "protect", "on", "validate", "strict", "replay", "on", "window", "0")
"""A MACsec interface without keys sends nothing and takes nothing."""
MAIN = 254
CALLED = "bridge/bridge-nf-call-ip6tables"
"""Whether bridged packets are shown to the filters of routed ones; of the whole node, so it is told and never set."""


class Step(IntEnum):
    """The order in which changes are made."""

    CREATE = 0
    DROP_RULE = 1
    DROP_ROUTE = 2
    DROP_ADDRESS = 3
    RELEASE = 4
    DELETE = 5
    CREATE_ANEW = 6
    SET = 7
    SYSCTL = 8
    UP = 9
    ADD_ADDRESS = 10
    ADD_ROUTE = 11
    ADD_RULE = 12


@dataclass(frozen=True, slots=True)
class Change:
    """One line for `ip`, or for a `SYSCTL` its path and value. `kind` and `name` are of an interface to be created."""

    step: Step
    words: tuple[str, ...]
    kind: str = ""
    name: str = ""

    @property
    def text(self) -> str:
        """As a person reads it."""
        return f"sysctl {self.words[0]} = {self.words[1]}" if self.step is Step.SYSCTL else "ip " + " ".join(self.words)


def problems(wanted: Wanted, state: State) -> Iterator[Problem]:
    """What stands in the way or is not there."""
    for path in wanted.sysctls:
        if kernel.sysctl(path) is None:
            yield Problem("capability", path, f"this kernel has no sysctl `net/{path}`")
    for each in wanted.interfaces:
        if each.name in state.links and not state.ours(each.name):
            yield Problem("foreign", each.name, f"an interface `{each.name}` is there that is not ours; remove or rename it")
        if each.parent is not None and each.parent not in state.links:
            yield Problem("missing", each.parent, f"port `{each.parent}` is not on this node")
        if each.holding is not None and state.holder(each.holding) is None:
            yield Problem("missing", each.holding, f"no interface holds the underlay address {each.holding}")
    for name in (*(each.name for each in wanted.interfaces if _open(each)), *(port.name for port in wanted.ports if port.gathers)):
        yield from _gathering_problems(name, state)
    for port in wanted.ports:
        if port.name not in state.links:
            yield Problem("missing", port.name, f"port `{port.name}` is not on this node")
        else:
            yield from _port_problems(port, state)


def _gathering_problems(name: str, state: State) -> Iterator[Problem]:
    if kernel.sysctl(CALLED) == "1":
        words = f"sysctl `net/{CALLED}` is 1, so the filters of routed packets drop what `{name}` should let through; set it to 0"
        yield Problem("missing", name, words)
    if not state.gathers:
        words = f"table `bridge ztos` is not loaded, so `{name}` stays isolated; load the firewall and apply again"
        yield Problem("missing", name, words)


def _port_problems(port: Port, state: State) -> Iterator[Problem]:
    master = state.links[port.name].get("master")
    if state.ours(port.name):
        yield Problem("foreign", port.name, f"`{port.name}` is an interface of ours, no port")
    elif master is not None and not state.ours(master):
        yield Problem("foreign", port.name, f"port `{port.name}` belongs to `{master}`, which is not ours; take it out first")


def changes(wanted: Wanted, state: State) -> list[Change]:
    """In the order in which they are made."""
    present = [each for each in wanted.interfaces if _can_be(each, state)]
    found = [
        *_gone(wanted, state),
        *_sysctls(wanted, state),
        # A VLAN cannot be up on a port that is down.
        *(change for each in wanted.ports if each.name in state.links for change in _port(each, state)),
        *(change for each in present for change in _interface(each, state)),
        *_loopback(wanted, state),
        *_routes(wanted, state, {each.name for each in present}),
        *_rules(wanted, state),
    ]
    return sorted(dict.fromkeys(found), key=lambda change: (change.step, _rank(change)))


def _rank(change: Change) -> int:
    """Masters and what lies below come first."""
    return ("vrf", "bridge", "vxlan", "wireguard", "macsec", "vlan").index(change.kind) if change.kind else 0


def _can_be(each: Interface, state: State) -> bool:
    """Whether what must lie below it is there."""
    return (each.parent is None or each.parent in state.links) and (each.holding is None or state.holder(each.holding) is not None)


def _gone(wanted: Wanted, state: State) -> Iterator[Change]:
    """Ours that nobody wants any more, and ports of ours that nobody attached."""
    names = {each.name for each in wanted.interfaces}
    masters = {each.name: each.master for each in wanted.ports}
    for name, link in sorted(state.links.items()):
        if state.ours(name):
            if name not in names:
                yield Change(Step.DELETE, ("link", "delete", "dev", name))
        elif link.get("master") is not None and state.ours(link["master"]) and masters.get(name) != link["master"]:
            yield Change(Step.RELEASE, ("link", "set", "dev", name, "nomaster"))


def _interface(each: Interface, state: State) -> Iterator[Change]:
    link = state.links.get(each.name, {})
    if not link:
        yield Change(Step.CREATE, created(each, state), each.kind, each.name)
    elif not _same_kind(each, link, state):
        yield Change(Step.DELETE, ("link", "delete", "dev", each.name))
        yield Change(Step.CREATE_ANEW, created(each, state), each.kind, each.name)
        link = {}
    yield from _settings(each, link)
    yield from _slave(
        each.name, {**(VXLAN if each.kind == "vxlan" else {}), "isolated": _isolated(each, state)} if _is_port(each) else {}, link
    )
    if "UP" not in link.get("flags", ()):
        yield Change(Step.UP, ("link", "set", "dev", each.name, "up"))
    if link:
        yield from _addresses(each, state.addresses.get(each.name, []))
    else:
        yield from (_add(address, each.name) for address in each.addresses)


def _is_port(each: Interface) -> bool:
    return each.kind in ("vxlan", "vlan")


def _open(each: Interface) -> bool:
    """A port of a segment that lets groups through; the L3VNI's VXLAN is the only one on its bridge."""
    return each.kind == "vlan" and not each.isolated


def _isolated(each: Interface, state: State) -> bool:
    return each.isolated or (_open(each) and not state.gathers)


def created(each: Interface, state: State) -> tuple[str, ...]:
    """The line that makes an interface, marked as ours from its first moment."""
    below = each.parent or (state.holder(each.holding) if each.holding is not None else None)
    own: dict[str, tuple[str, ...]] = {
        "bridge": ("stp_state", "0", "mcast_snooping", "0"),
        "vrf": ("table", str(each.table)),
        "vxlan": ("id", str(each.vni), "local", str(each.local), "dstport", "4789", "nolearning", "ttl", "64"),
        "vlan": ("id", str(each.vlan)),
        "macsec": ("port", str(each.sci_port), *SECURE),
        "wireguard": (),
    }
    lower = ("link", below) if below is not None else ()
    return ("link", "add", *lower, "name", each.name, "group", str(GROUP), "type", each.kind, *own[each.kind])


def _same_kind(each: Interface, link: dict[str, Any], state: State) -> bool:
    """Whether an interface of ours is what it should be, in all that cannot be changed while it lives."""
    info = link.get("linkinfo", {})
    data = info.get("info_data", {})
    if each.kind == "wireguard":
        return info.get("info_kind") in ("wireguard", "tun")
    below = link.get("link")
    same: dict[str, bool] = {
        "bridge": True,
        "vrf": data.get("table") == each.table,
        "vxlan": (data.get("id"), data.get("local"), data.get("port")) == (each.vni, each.local, 4789),
        "vlan": (below, data.get("id")) == (each.parent, each.vlan),
        "macsec": each.holding is not None and below == state.holder(each.holding) and _sci_port(data) == each.sci_port,
    }
    return info.get("info_kind") == each.kind and same[each.kind]


def _sci_port(data: dict[str, Any]) -> int | None:
    """The last 16 bits of the secure channel identifier."""
    text = str(data.get("sci", ""))
    return int(text[-4:], 16) if len(text) >= 4 else None


def _settings(each: Interface, link: dict[str, Any]) -> Iterator[Change]:
    wanted: dict[str, tuple[Any, Any]] = {
        "alias": (link.get("ifalias"), f"ztos {each.purpose}"),
        "mtu": (link.get("mtu"), each.mtu),
        "address": (link.get("address"), each.mac),
        "addrgenmode": (link.get("inet6_addr_gen_mode"), "eui64" if each.link_local else "none"),
        "master": (link.get("master"), each.master),
    }
    for key, (found, value) in wanted.items():
        if value is not None and found != value:
            yield Change(Step.SET, ("link", "set", "dev", each.name, key, str(value)))
    if each.master is None and link.get("master") is not None:
        yield Change(Step.SET, ("link", "set", "dev", each.name, "nomaster"))
    data = link.get("linkinfo", {}).get("info_data", BRIDGE if not link else {})
    for key, value in BRIDGE.items() if each.kind == "bridge" else ():
        if data.get(key) != value:
            yield Change(Step.SET, ("link", "set", "dev", each.name, "type", "bridge", key, str(value)))
    yield from _own_sysctls(each)


def _own_sysctls(each: Interface) -> Iterator[Change]:
    for key, value in each.sysctls.items():
        family, _, name = key.partition("/")
        yield from _sysctl(f"{family}/conf/{each.name}/{name}", value)


def _slave(name: str, options: dict[str, bool], link: dict[str, Any]) -> Iterator[Change]:
    """As a port of a bridge."""
    data = link.get("linkinfo", {}).get("info_slave_data", {})
    words = [word for key, value in options.items() if data.get(key) is not value for word in (key, "on" if value else "off")]
    if words:
        yield Change(Step.UP, ("link", "set", "dev", name, "type", "bridge_slave", *words))


def _port(each: Port, state: State) -> Iterator[Change]:
    link = state.links[each.name]
    master = link.get("master")
    if each.master is not None:
        if master != each.master:
            yield Change(Step.SET, ("link", "set", "dev", each.name, "master", each.master))
        yield from _slave(each.name, {"isolated": not (each.gathers and state.gathers)}, link if master == each.master else {})
    if "UP" not in link.get("flags", ()):
        yield Change(Step.UP, ("link", "set", "dev", each.name, "up"))


def _addresses(each: Interface, found: list[dict[str, Any]]) -> Iterator[Change]:
    there = {f"{one['local']}/{one['prefixlen']}" for one in found if "local" in one}
    for address in sorted(there - set(each.addresses)):
        if not (each.link_local and ipaddress.ip_interface(address).is_link_local):
            yield Change(Step.DROP_ADDRESS, ("address", "delete", address, "dev", each.name))
    yield from (_add(address, each.name) for address in each.addresses if address not in there)


def _add(address: str, name: str) -> Change:
    still = ("nodad",) if ":" in address else ()
    mark = ("metric", str(GROUP)) if name == "lo" else ()
    return Change(Step.ADD_ADDRESS, ("address", "add", address, "dev", name, *mark, *still))


def _loopback(wanted: Wanted, state: State) -> Iterator[Change]:
    """Addresses on `lo`: the metric tells ours from the others; one that is there without it is somebody's, and will do."""
    found = [(f"{one['local']}/{one['prefixlen']}", one.get("metric") == GROUP) for one in state.addresses.get("lo", [])]
    for address in sorted(address for address, ours in found if ours and address not in wanted.loopback):
        yield Change(Step.DROP_ADDRESS, ("address", "delete", address, "dev", "lo"))
    there = {address for address, _ in found}
    yield from (_add(address, "lo") for address in wanted.loopback if address not in there)
    if "UP" not in state.links.get("lo", {}).get("flags", ()):
        yield Change(Step.UP, ("link", "set", "dev", "lo", "up"))


def _sysctls(wanted: Wanted, state: State) -> Iterator[Change]:
    for path, value in wanted.sysctls.items():
        yield from _sysctl(path, value)
    port = state.holder(wanted.underlay)
    # A router does not listen to router advertisements unless told so (RFC 4861 §6.2.7): the underlay's default route may hang on them.
    if port is not None and kernel.sysctl(f"ipv6/conf/{port}/accept_ra") == "1":
        yield Change(Step.SYSCTL, (f"ipv6/conf/{port}/accept_ra", "2"))


def _sysctl(path: str, value: str) -> Iterator[Change]:
    if kernel.sysctl(path) != value:
        yield Change(Step.SYSCTL, (path, value))


def _routes(wanted: Wanted, state: State, present: set[str]) -> Iterator[Change]:
    keys = {_key(each) for each in wanted.routes if each.dev is None or each.dev in present}
    for key in sorted(key for key in state.routes - keys if not _seen(key, present)):
        yield Change(Step.DROP_ROUTE, ("route", "delete", *_of_key(key)))
    for key in sorted(keys - state.routes):
        yield Change(Step.ADD_ROUTE, ("route", "add", *_of_key(key)))


def _key(each: Route) -> RouteKey:
    family = 6 if ":" in each.prefix else 4
    metric = {"unicast": FIRST if each.via else HOST, "throw": OPEN}.get(each.type, LAST)
    return (family, each.type, each.prefix, each.table or MAIN, metric, each.via or "", each.dev or "", each.source or "")


def _of_key(key: RouteKey) -> tuple[str, ...]:
    """The words that name a route. Its metric is one of them: the kernel would delete whichever route of that prefix comes first."""
    family, kind, prefix, table, metric, via, device, source = key
    words = (kind, prefix, "table", str(table), "protocol", str(PROTOCOL), "metric", str(metric))
    if kind != "unicast":
        return words
    towards = ("via", "inet6", via) if family == 4 and ":" in via else ("via", via) if via else ()
    return (*words, *towards, "dev", device, *(("src", source) if source else ()))


def _seen(key: RouteKey, present: set[str]) -> bool:
    """Whether a route says where a host was seen: not the file's to say."""
    _, kind, prefix, _, metric, via, device, _ = key
    return kind == "unicast" and prefix.endswith("/128") and metric == AGENT and not via and device in present


def _rules(wanted: Wanted, state: State) -> Iterator[Change]:
    keys = {
        (BEHIND_VRFS if each.source else BEFORE_VRFS, each.vrf or "", each.source or "", each.prefix or "", each.table)
        for each in wanted.rules
    }
    for step, verb, found in ((Step.DROP_RULE, "delete", state.rules - keys), (Step.ADD_RULE, "add", keys - state.rules)):
        for priority, vrf, source, prefix, table in sorted(found):
            named = (("iif", vrf), ("from", source), ("to", prefix))
            ends = tuple(word for pair in named if pair[1] for word in pair)
            yield Change(step, ("-6", "rule", verb, "priority", str(priority), *ends, "table", str(table), "protocol", str(PROTOCOL)))
