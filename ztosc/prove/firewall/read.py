"""`nft --json --numeric list ruleset` as a program.

Guarantees: every object, flag and statement is known or `Unsupported` is raised; whatever depends on another field without saying so
(nft leaves that out of its listing) gets it back when the program runs.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Iterator
from typing import Any

from ztosc.logic.intervals import Interval
from ztosc.prove.firewall.program import (
    Chain,
    Collection,
    Field,
    Key,
    Limit,
    Log,
    Lookup,
    Match,
    Program,
    Rule,
    Statement,
    Unsupported,
    Value,
    Verdict,
)

FIELDS: dict[tuple[str, str], Field] = {
    ("meta", "iifname"): "iif",
    ("meta", "oifname"): "oif",
    ("meta", "sdifname"): "sdif",
    ("meta", "nfproto"): "nfproto",
    ("meta", "l4proto"): "proto",
    ("ct", "state"): "state",
    ("ct", "direction"): "direction",
    ("ip6", "saddr"): "saddr6",
    ("ip6", "daddr"): "daddr6",
    ("ip6", "hoplimit"): "hoplimit",
    ("ip", "saddr"): "saddr4",
    ("ip", "daddr"): "daddr4",
    ("th", "sport"): "sport",
    ("th", "dport"): "dport",
    ("icmpv6", "type"): "icmp6",
    ("icmp", "type"): "icmp4",
    ("ether", "type"): "ether",
    ("exthdr", "frag"): "fragment",
}
INTERFACES = {"iif", "oif", "sdif"}
BITS = {1: (0, 0), 2: (1, 1), 4: (2, 2), 8: (3, 3), 64: (4, 4)}
"""Of `ct state`: invalid, established, related, new and untracked by their bits, as numbers from 0."""
NFPROTO = {2: 4, 10: 6}
SILENT = {"counter", "comment"}
FLAGS = {"interval", "timeout", "dynamic"}
KNOWN = {"family", "table", "name", "handle", "type", "flags", "elem", "comment", "map", "size", "gc-interval"}


def program(text: str, among: str = "inet") -> Program:
    """What was loaded into our table of a family. Raises `Unsupported`."""
    try:
        listed = json.loads(text)["nftables"]
        collections: dict[str, Collection] = {}
        chains: dict[str, dict[str, Any]] = {}
        rules: dict[str, list[Rule]] = {}
        for each in listed:
            ((kind, found),) = each.items()
            if kind != "metainfo" and found["family"] != among:
                _one_table({"name": found.get("table", found["name"] if kind == "table" else None), "family": found["family"]})
            elif kind in ("set", "map"):
                collections[found["name"]] = _collection(found)
            elif kind == "chain":
                chains[found["name"]] = found
            elif kind == "rule":
                rules.setdefault(found["chain"], []).append(tuple(_statements(found["expr"])))
            elif kind == "table":
                _one_table(found)
            elif kind != "metainfo":
                raise Unsupported(f"`{kind}`")
        return Program(collections, {name: _chain(found, rules.get(name, [])) for name, found in chains.items()})
    except (KeyError, ValueError, TypeError, AttributeError, OSError) as error:
        raise Unsupported(f"the listing of nft ({error!r})") from error


def _one_table(found: dict[str, Any]) -> None:
    if (found["family"], found["name"]) not in (("inet", "ztos"), ("bridge", "ztos")) or found.get("flags"):
        raise Unsupported(f"table `{found['family']} {found['name']}`")


def _chain(found: dict[str, Any], rules: list[Rule]) -> Chain:
    if "hook" not in found:
        return Chain(found["name"], tuple(rules))
    if found["type"] != "filter" or found.get("dev"):
        raise Unsupported(f"a chain of type `{found['type']}`")
    hook = found["hook"] if found["family"] == "inet" else f"{found['family']} {found['hook']}"
    return Chain(found["name"], tuple(rules), hook, int(found["prio"]), {"accept": True, "drop": False}[found["policy"]])


# Sets


def _collection(found: dict[str, Any]) -> Collection:
    types = tuple([found["type"]] if isinstance(found["type"], str) else found["type"])
    flags = set(found.get("flags", ()))
    if found.keys() - KNOWN or flags - FLAGS or found.get("map", "verdict") != "verdict":
        raise Unsupported(f"what is said of set `{found['name']}`")
    pairs = found.get("elem", ()) if "map" in found else ((each, None) for each in found.get("elem", ()))
    elements = tuple((_key(key, types), _verdict(verdict) if verdict else None) for key, verdict in pairs)
    return Collection(found["name"], types, frozenset(flags), elements)


def _key(found: Any, types: tuple[str, ...]) -> Key:
    if isinstance(found, dict) and "elem" in found:
        if found["elem"].keys() - {"val", "comment"}:
            raise Unsupported("an element with a time of its own")
        found = found["elem"]["val"]
    parts = found["concat"] if isinstance(found, dict) and "concat" in found else [found]
    if len(parts) != len(types):
        raise Unsupported(f"a key `{found}`")
    return tuple([_value(part, name=kind == "ifname") for part, kind in zip(parts, types, strict=True)])


def _value(found: Any, *, name: bool) -> Value:
    if name:
        if not isinstance(found, str) or "*" in found:
            raise Unsupported(f"an interface `{found}`")
        return found
    if isinstance(found, dict):
        ((kind, parts),) = found.items()
        if kind == "range":
            return _number(parts[0]), _number(parts[1])
        if kind == "prefix":
            return _prefix(parts["addr"], parts["len"])
        raise Unsupported(f"a value `{kind}`")
    number = _number(found)
    return number, number


def _prefix(address: str, length: int) -> Interval:
    number, host = _number(address), (1 << ((128 if ":" in address else 32) - length)) - 1
    if number & host:
        raise Unsupported(f"a prefix `{address}/{length}`")
    return number, number | host


def _number(found: Any) -> int:
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    return int.from_bytes(socket.inet_pton(socket.AF_INET6 if ":" in found else socket.AF_INET, found))


# Rules


def _statements(found: Iterable[dict[str, Any]]) -> Iterator[Statement]:
    for each in found:
        ((kind, said),) = each.items()
        if kind == "match":
            yield _match(said)
        elif kind == "vmap" and isinstance(said["data"], str):
            yield Lookup(_fields(said["key"]), said["data"].removeprefix("@"))
        elif kind == "limit":
            yield Limit()
        elif kind == "log":
            yield Log((said or {}).get("prefix", ""))
        elif kind in ("accept", "drop", "return", "goto", "jump", "reject"):
            yield _verdict(each)
        elif kind not in SILENT:
            raise Unsupported(f"statement `{kind}`")


def _verdict(found: dict[str, Any]) -> Verdict:
    ((kind, said),) = found.items()
    match kind:
        case "accept" | "drop" | "return":
            return Verdict(kind)
        case "reject":
            return Verdict("drop")
        case "goto" | "jump":
            return Verdict(kind, said["target"])
    raise Unsupported(f"verdict `{kind}`")


def _fields(found: dict[str, Any]) -> tuple[Field, ...]:
    return tuple(_field(part) for part in found.get("concat", [found]))


def _field(found: dict[str, Any]) -> Field:
    ((kind, said),) = found.items()
    named = (said.get("protocol"), said.get("field")) if kind == "payload" else (kind, said.get("name" if kind == "exthdr" else "key"))
    if named not in FIELDS or said.keys() - {"protocol", "field", "key", "name"}:
        raise Unsupported(f"a look at `{kind} {' '.join(map(str, said.values()))}`")
    return FIELDS[named]


def _match(said: dict[str, Any]) -> Match:
    fields, right, operator = _fields(said["left"]), said["right"], said["op"]
    if operator not in ("==", "!=", "in") or (operator == "in") is not (fields == ("state",)):
        raise Unsupported(f"`{operator}` on {', '.join(fields)}")
    if isinstance(right, str) and right.startswith("@"):
        return Match(fields, right.removeprefix("@"), operator == "!=")
    if len(fields) > 1:
        raise Unsupported("several fields against values that have no name")
    return Match(fields, tuple((each,) for each in _values(fields[0], right)), operator == "!=")


def _values(field: Field, right: Any) -> Iterator[Value]:
    several = right["set"] if isinstance(right, dict) and "set" in right else right if isinstance(right, list) else [right]
    for each in several:
        if field == "state":
            yield BITS[each]
        elif field == "nfproto":
            yield (NFPROTO[each],) * 2
        elif field == "fragment":
            yield {True: (1, 1), False: (0, 0)}[each]
        elif field == "ether":
            yield (socket.ntohs(each),) * 2  # nft lists this one number as it lies in memory
        else:
            yield _value(each, name=field in INTERFACES)
