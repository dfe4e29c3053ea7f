"""`interfaces.json` as the runner takes it.

Guarantees: every value that comes to stand in a command is a name, number or address of its own form; a key that is missing or unknown,
or a name that is used twice, is a `BadFile`, and nothing is done.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

SCHEMA = 1
PREFIX = re.compile(r"z[dmpsvwxt]")
"""How a name of ours begins."""


class BadFile(Exception):
    """The file cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface of ours."""

    name: str
    kind: str
    purpose: str
    isolated: bool
    link_local: bool
    addresses: tuple[str, ...]
    sysctls: Mapping[str, str]
    master: str | None = None
    mtu: int | None = None
    mac: str | None = None
    table: int | None = None
    vni: int | None = None
    local: str | None = None
    parent: str | None = None
    vlan: int | None = None
    holding: str | None = None
    sci_port: int | None = None


@dataclass(frozen=True, slots=True)
class Port:
    """A port that is not ours."""

    name: str
    master: str | None = None
    gathers: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """A route of ours; an absent table is the main one."""

    type: str
    prefix: str
    table: int | None = None
    via: str | None = None
    dev: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What comes out of a VRF for a prefix, or what is sent from a source, is looked up in another table."""

    table: int
    vrf: str | None = None
    prefix: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that the file asks for."""

    underlay: str
    loopback: tuple[str, ...]
    sysctls: Mapping[str, str]
    ports: tuple[Port, ...]
    interfaces: tuple[Interface, ...]
    routes: tuple[Route, ...]
    rules: tuple[Rule, ...]


Check = Callable[[Any], bool]


def _text(pattern: str) -> Check:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _number(low: int, high: int) -> Check:
    return lambda value: type(value) is int and low <= value <= high


def _is_address(value: Any, parse: Callable[[str], object] = ipaddress.ip_address) -> bool:
    try:
        return isinstance(value, str) and "%" not in value and str(parse(value)) == value
    except ValueError:
        return False


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(check(each) for each in value)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


_name = _text(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")
_number_text = _text(r"-?[0-9]{1,9}")


def _sysctls(pattern: str) -> Check:
    path = _text(pattern)
    return lambda value: isinstance(value, dict) and all(path(key) and _number_text(each) for key, each in value.items())


def _interface_address(value: Any) -> bool:
    return _is_address(value, ipaddress.ip_interface)


def _prefix(value: Any) -> bool:
    return _is_address(value, ipaddress.ip_network)


INTERFACE: dict[str, Check] = {
    "name": _name,
    "kind": _text(r"bridge|macsec|vlan|vrf|vxlan|wireguard"),
    "purpose": _text(r"[A-Za-z0-9 ,._-]{1,200}"),
    "isolated": _is_flag,
    "link_local": _is_flag,
    "addresses": _list_of(_interface_address),
    "sysctls": _sysctls(r"ipv[46]/[a-z0-9_]{1,40}"),
    "master": _name,
    "mtu": _number(1280, 65535),
    "mac": _text(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}"),
    "table": _number(256, 2**32 - 1),
    "vni": _number(1, 2**24 - 1),
    "local": _is_address,
    "parent": _name,
    "vlan": _number(1, 4094),
    "holding": _is_address,
    "sci_port": _number(1, 65534),
}
NEEDS = {
    "bridge": {"mtu", "mac"},
    "macsec": {"mtu", "holding", "sci_port"},
    "vlan": {"master", "parent", "vlan"},
    "vrf": {"table"},
    "vxlan": {"master", "mtu", "vni", "local"},
    "wireguard": {"mtu"},
}
ALWAYS = {"name", "kind", "purpose", "isolated", "link_local", "addresses", "sysctls"}
PORT: dict[str, Check] = {"name": _name, "master": _name, "gathers": _is_flag}
ROUTE: dict[str, Check] = {
    "type": _text(r"blackhole|throw|unicast|unreachable"),
    "prefix": _prefix,
    "table": _number(256, 2**32 - 1),
    "via": _is_address,
    "dev": _name,
    "source": _is_address,
}
RULE: dict[str, Check] = {
    "vrf": _name,
    "prefix": lambda value: _prefix(value) and ":" in value,
    "source": lambda value: _prefix(value) and value.endswith("/128"),
    "table": _number(256, 2**32 - 1),
}
TOP: dict[str, Check] = {
    "schema_version": _number(SCHEMA, SCHEMA),
    "node": lambda value: isinstance(value, str),
    "underlay": _is_address,
    "loopback": _list_of(_interface_address),
    "sysctls": _sysctls(r"ipv[46]/conf/(all|default)/[a-z0-9_]{1,40}|ipv4/(tcp|udp)_l3mdev_accept"),
    "ports": _list_of(lambda value: isinstance(value, dict)),
    "interfaces": _list_of(lambda value: isinstance(value, dict)),
    "routes": _list_of(lambda value: isinstance(value, dict)),
    "rules": _list_of(lambda value: isinstance(value, dict)),
}


def parse(content: bytes) -> Wanted:
    """What a file asks for. Raises `BadFile`."""
    try:
        table = json.loads(content.decode("ascii"), object_pairs_hook=_once)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise BadFile(f"this is no JSON: {error}") from error
    _checked(table, "the file", TOP, set(TOP))
    interfaces = tuple(_interface(each) for each in table["interfaces"])
    ports = tuple(Port(**_checked(each, f"port {each.get('name')}", PORT, {"name"})) for each in table["ports"])
    routes = tuple(_route(each) for each in table["routes"])
    _distinct([*(each.name for each in interfaces), *(each.name for each in ports)])
    known = {each.name for each in interfaces if each.kind in ("bridge", "vrf")}
    for master in {*(each.master for each in interfaces), *(each.master for each in ports)} - {None}:
        if master not in known:
            raise BadFile(f"`{master}` has ports but is neither bridge nor VRF here")
    _only_back(routes, interfaces)
    rules = tuple(_rule(each) for each in table["rules"])
    for vrf in sorted({each.vrf for each in rules if each.vrf} - {each.name for each in interfaces if each.kind == "vrf"}):
        raise BadFile(f"`{vrf}` has a rule but is no VRF here")
    return Wanted(table["underlay"], tuple(table["loopback"]), table["sysctls"], ports, interfaces, routes, rules)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise BadFile("a key is given twice")
    return table


def _checked(table: Any, what: str, checks: Mapping[str, Check], needed: set[str]) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise BadFile(f"{what} is no record")
    for key, value in table.items():
        if key not in checks:
            raise BadFile(f"{what} has a key that is not known: {key!r}")
        if not checks[key](value):
            raise BadFile(f"{what} has a `{key}` that cannot be: {value!r}")
    if needed - table.keys():
        raise BadFile(f"{what} has no `{min(needed - table.keys())}`")
    return table


def _interface(table: dict[str, Any]) -> Interface:
    what = f"interface {table.get('name')!r}"
    needed = NEEDS.get(str(table.get("kind")), set())
    _checked(table, what, {key: INTERFACE[key] for key in (*ALWAYS, *needed, "master", "mtu")}, ALWAYS | needed)
    if not PREFIX.match(table["name"]):
        raise BadFile(f"{what} is not called like one of ours")
    return Interface(**{**table, "addresses": tuple(table["addresses"])})


def _route(table: dict[str, Any]) -> Route:
    what = f"route {table.get('prefix')!r}"
    route = Route(**_checked(table, what, ROUTE, {"type", "prefix"}))
    if (route.dev is not None) != (route.type == "unicast"):
        raise BadFile(f"{what}: a unicast route has a `dev`, and no other")
    if (route.via is None) != (route.source is None) or (route.via is not None and (route.dev is None or route.table is not None)):
        raise BadFile(f"{what}: `via` and `source` come together, in a unicast route")
    return route


def _only_back(routes: tuple[Route, ...], interfaces: tuple[Interface, ...]) -> None:
    """In the main table nothing leads onto an interface of ours but a gateway's own prefix."""
    gateways = {(each.name, str(ipaddress.ip_interface(address).network)) for each in interfaces for address in each.addresses}
    for route in routes:
        if route.type == "unicast" and route.table is None and route.via is None and (route.dev, route.prefix) not in gateways:
            raise BadFile(f"route {route.prefix!r} of the main table leads onto `{route.dev}`, which is no gateway of it")


def _rule(table: dict[str, Any]) -> Rule:
    what = f"rule {table.get('prefix', table.get('source'))!r}"
    _checked(table, what, RULE, {"table"})
    if table.keys() not in ({"vrf", "prefix", "table"}, {"source", "table"}):
        raise BadFile(f"{what} is about a VRF and a prefix, or about a source")
    return Rule(**table)


def _distinct(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadFile(f"`{twice[0]}` is there twice")
