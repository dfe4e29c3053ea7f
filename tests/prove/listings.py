"""What nft says it has loaded of a node's files, and what could be wrong with that: one change a time, which changes what passes."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import lru_cache
from random import Random
from typing import Any

from tests.backends.cases import CASES
from ztosc.backends import Bundle, backends, network_backends, render, render_network
from ztosc.backends.nftables import BACKEND
from ztosc.backends.underlay import BACKEND as UNDERLAY
from ztosc.ir.network import Network
from ztosc.logic.intervals import Intervals
from ztosc.nodes import NodeSpec, project
from ztosc.prove import real_tools
from ztosc.prove.demand import unreached

Listing = list[dict[str, Any]]


@lru_cache(maxsize=8)
def loaded(case: str, node: str) -> tuple[str, NodeSpec, Intervals]:
    """What nft lists of a node of a case, the node's spec, and what no grant leads to."""
    network = CASES[case]()
    spec = next(each for each in project(network) if each.node == node)
    return listed(network, node), spec, unreached(network)


def listed(network: Network, node: str, bundle: Bundle | None = None) -> str:
    found = bundle or render_network(network, render(project(network), backends()), network_backends())
    shared = [(UNDERLAY.manifest.folder, artifact) for artifact in found.at("underlay")]
    said = real_tools().listing(BACKEND.manifest, found.of(node, "nftables"), shared)
    assert said is not None and said.outcome == "accepted", said
    return said.output


def changes(listing: str, count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Random changes: what was done, and the listing with it."""
    dice = Random(seed)
    made = 0
    while made < count:
        found: Listing = json.loads(listing)["nftables"]
        kind = dice.choice(sorted(KINDS))
        before = deepcopy(found)
        words = KINDS[kind](found, dice)
        if words and found != before:
            made += 1
            yield f"{kind}: {words}", json.dumps({"nftables": found})


def _collections(found: Listing) -> list[dict[str, Any]]:
    """Sets that say what passes, and hold something. Where every interface is ours, who is inside makes no difference to a granted flow."""
    every = [each[kind] for each in found for kind in ("set", "map") if kind in each]
    return [each for each in every if each.get("elem") and each["name"] not in ("zt_inside", "zt_ours")]


def _rules(found: Listing) -> list[dict[str, Any]]:
    """Rules that decide something: not those that log and count, nor those that ask an empty set, nor what the network withholds of
    externals (a node that is granted none loses nothing with it: `test_prove` has a case of its own)."""
    rules = [each["rule"] for each in found if "rule" in each]
    empty = {each[kind]["name"] for each in found for kind in ("set", "map") if kind in each and _holds_nothing(each[kind])}
    idle = {f'"@{name}"' for name in (*empty, "zt_underlay")} | ({'"@zt_inside"'} if "zt_ingress" in empty else set())
    counting = [each for each in rules if "counter" in each["expr"][0]]
    deciding = (each for each in rules if each not in counting and len(each["expr"]) > 1 and "log" not in each["expr"][-1])
    return [each for each in deciding if not any(name in json.dumps(each["expr"]) for name in idle)]


def _holds_nothing(collection: dict[str, Any]) -> bool:
    return not collection.get("elem") and "timeout" not in collection.get("flags", ())


def _element(found: Listing, dice: Random) -> str:
    """One less."""
    where = dice.choice(_collections(found))
    gone = where["elem"].pop(dice.randrange(len(where["elem"])))
    return f"{where['name']} without {json.dumps(gone)}"


def _wider(found: Listing, dice: Random) -> str:
    """An address, port or prefix that is another."""
    where = dice.choice(_collections(found))
    index = dice.randrange(len(where["elem"]))
    held = json.dumps(where["elem"][index])
    element = where["elem"][index]
    key = element[0] if "map" in where else element
    if not (isinstance(key, dict) and "concat" in key):
        return ""
    place = dice.randrange(len(key["concat"]))
    key["concat"][place] = _other(key["concat"][place], dice)
    return f"{where['name']}: {json.dumps(element)} for {held}"


def _other(part: Any, dice: Random) -> Any:
    if isinstance(part, int):
        return (part + dice.choice((1, 2, 7))) % 256 or 1
    if isinstance(part, dict) and "prefix" in part:
        length = part["prefix"]["len"]
        address = ipaddress.ip_network(f"{part['prefix']['addr']}/{max(length - 1, 1)}", strict=False).network_address
        return {"prefix": {"addr": str(address), "len": max(length - 1, 1)}}
    if isinstance(part, dict) and "range" in part:
        low, high = (ipaddress.ip_address(each) if isinstance(each, str) else each for each in part["range"])
        return {"range": [str(low) if not isinstance(low, int) else low, str(high - 1) if not isinstance(high, int) else high - 1]}
    if ":" in part or part[0].isdigit():
        return str(ipaddress.ip_address(int(ipaddress.ip_address(part)) ^ 0x4000))
    return "zt-d0" if part != "zt-d0" else "zt-s0"


def _verdict(found: Listing, dice: Random) -> str:
    """Of an element of a map."""
    maps = [each for each in _collections(found) if "map" in each]
    if not maps:
        return ""
    where = dice.choice(maps)
    element = dice.choice(where["elem"])
    chains = sorted(each["chain"]["name"] for each in found if "chain" in each and each["chain"]["name"].startswith("zt_c_"))
    if where["name"] == "zt_enters":  # a condition asks for connections, which are not tracked yet: another test
        chains = []
    others = [{"drop": None}, {"accept": None}, *({"goto": {"target": name}} for name in chains)]
    same = {"accept": None} if element[1] == {"return": None} else element[1]  # a return to a base chain that accepts
    element[1] = dice.choice([each for each in others if each != same])
    return f"{where['name']}: {json.dumps(element)}"


def _policy(found: Listing, dice: Random) -> str:
    """Of a base chain, whose last rule must then not deny by itself."""
    chain = dice.choice([each["chain"] for each in found if "policy" in each.get("chain", {})])
    chain["policy"] = "drop" if chain["policy"] == "accept" else "accept"
    last = [index for index, each in enumerate(found) if each.get("rule", {}).get("chain") == chain["name"]][-1]
    if len(found[last]["rule"]["expr"]) == 1:
        del found[last]
    return f"{chain['name']}: {chain['policy']}"


def _priority(found: Listing, dice: Random) -> str:
    chain = dice.choice([each["chain"] for each in found if "prio" in each.get("chain", {})])
    chain["prio"] += dice.choice((-150, -1, 1, 5, 150))
    return f"{chain['name']}: {chain['prio']}"


def _rule_less(found: Listing, dice: Random) -> str:
    rule = dice.choice(_rules(found))
    found[:] = [each for each in found if each.get("rule") is not rule]
    return f"{rule['chain']} without {json.dumps(rule['expr'])}"


def _rule_ends(found: Listing, dice: Random) -> str:
    """A rule that lets through what it sent elsewhere, or denies what it let through."""
    rule = dice.choice(_rules(found))
    ends = rule["expr"][-1]
    if "vmap" in ends:
        return ""
    rule["expr"][-1] = {"drop": None} if ends.keys() & {"accept", "return"} else {"accept": None}
    return f"{rule['chain']}: {json.dumps(rule['expr'])}"


def _condition_less(found: Listing, dice: Random) -> str:
    """A rule that lets something through, and asks one thing less; from where a packet is relayed its way to `zt_relay` says as well."""
    rule = dice.choice([each for each in _rules(found) if "accept" in each["expr"][-1] and each["chain"] != "zt_relay"])
    asked = rule["expr"][:-1]
    if not asked:
        return ""
    gone = dice.choice(asked)
    rule["expr"] = [each for each in rule["expr"] if each is not gone]
    return f"{rule['chain']}: {json.dumps(rule['expr'])} without {json.dumps(gone)}"


def _turned(found: Listing, dice: Random) -> str:
    """A match the other way round, or against something else."""
    rule = dice.choice(_rules(found))
    match = dice.choice([each["match"] for each in rule["expr"] if "match" in each] or [{"op": "in"}])
    if match["op"] == "in":
        return ""
    match["op"] = "!=" if match["op"] == "==" else "=="
    return f"{rule['chain']}: {json.dumps(rule['expr'])}"


def _set_other(found: Listing, dice: Random) -> str:
    """A rule that looks into another set of the same types; what `zt_relay` lets through names its tunnels once more."""
    rule = dice.choice([each for each in _rules(found) if "jump" not in each["expr"][-1]])
    for part in rule["expr"]:
        match = part.get("match", {})
        if isinstance(match.get("right"), str) and match["right"].startswith("@"):
            sets = {each["set"]["name"]: each["set"] for each in found if each.get("set", {}).get("family") == rule["family"]}
            asked = match["right"][1:]
            others = [name for name, each in sets.items() if each["type"] == sets[asked]["type"] and not _alike(each, sets[asked])]
            if others:
                match["right"] = "@" + dice.choice(sorted(others))
                return f"{rule['chain']}: {json.dumps(rule['expr'])} for {asked}"
    return ""


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one["name"] == other["name"] or ("flags" in one and one.get("elem") == other.get("elem") and "timeout" not in one["flags"])


def _silent(found: Listing, dice: Random) -> str:
    """A line less in the log, or one in other words."""
    rule = dice.choice([each["rule"] for each in found if "log" in each.get("rule", {"expr": [{}]})["expr"][-1]])
    log = rule["expr"][-1]["log"]
    said = log["prefix"]
    if dice.random() < 0.5:
        found[:] = [each for each in found if each.get("rule") is not rule]
        return f"{rule['chain']} without `{said}`"
    log["prefix"] = f"{said.split()[0]} {dice.choice(('grant', 'state', 'answer', 'c-000000000000', 'allow-0'))} "
    return f"{rule['chain']}: `{log['prefix']}` for `{said}`"


def _rule_more(found: Listing, dice: Random) -> str:
    """A rule that accepts, at the top of a chain that is asked."""
    chain = dice.choice(
        ["zt_input", "zt_forward", "zt_output", "zt_guard", "zt_original", "zt_reply", "zt_source_vrf", "zt_source", "zt_destination"]
    )
    first = next(index for index, each in enumerate(found) if each.get("rule", {}).get("chain") == chain)
    expr = [{"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": dice.choice((6, 17, 41, 47, 132))}}, {"accept": None}]
    found.insert(first, {"rule": {"family": "inet", "table": "ztos", "chain": chain, "handle": 9999, "expr": expr}})
    return f"{chain}: {json.dumps(expr)}"


KINDS: dict[str, Callable[[Listing, Random], str]] = {
    "an element less": _element,
    "another element": _wider,
    "another verdict": _verdict,
    "another policy": _policy,
    "another priority": _priority,
    "a rule less": _rule_less,
    "another end of a rule": _rule_ends,
    "a condition less": _condition_less,
    "a match turned round": _turned,
    "another set": _set_other,
    "a rule more": _rule_more,
    "another line in the log": _silent,
}
