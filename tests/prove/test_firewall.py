"""A firewall as nft lists it, executed for every packet: the right is proved, changes are shown by a packet, the unknown is told."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from tests.nodes import networks as n
from tests.nodes.small import base as small
from tests.prove.listings import changes, listed, loaded
from tests.prove.test_prove import RULESET, built, changed
from ztosc.backends.nftables import BACKEND
from ztosc.ir.intent import External
from ztosc.logic import addresses
from ztosc.nodes import project
from ztosc.prove import prove, real_tools
from ztosc.prove.demand import unreached
from ztosc.prove.firewall import judge

MISSING = real_tools().why_missing("nft")
pytestmark = pytest.mark.skipif(MISSING is not None, reason=f"NOT LOADED: {MISSING}")
PACKET = re.compile(r"(prerouting|input|(?:bridge )?forward|output): \S+ -> \S+, protocol \d+, |a packet from \S+: ")
NODES = (
    ("hospital", "edge-1"),
    ("keywords", "queue"),
    ("keywords", "accept"),
    ("crossing", "h"),
    ("managed", "g"),
    ("observing", "h"),
    ("gathering", "g"),
)
MUTANTS = 60


@pytest.mark.slow
@pytest.mark.parametrize(("case", "node"), NODES)
def test_every_random_change_is_shown_by_a_packet(case: str, node: str) -> None:
    listing, spec, gone = loaded(case, node)
    assert judge(listing, spec, gone) == ("proved", "")
    kinds = set()
    for words, wrong in changes(listing, MUTANTS, seed=2026):
        outcome, reason = judge(wrong, spec, gone)
        assert outcome == "refuted" and PACKET.match(reason), f"{words}: {outcome} {reason}"
        kinds.add(words.split(":")[0])
    assert len(kinds) >= 9


SHOWN = {
    "no condition": (r"443 : goto zt_c_\w+", "443 : accept", r"forward: \S+ -> fd3c:91a2:77e0:1::100, protocol 6, .* -> 443, "),
    "an open policy": (
        r"hook forward priority -5; policy drop;(.*?)goto zt_deny_flow\n\t\}",
        r"hook forward priority -5; policy accept;\1\n\t}",
        r"forward: .*: passes, and must not",
    ),
    "a grant less": (r'\t\t\t"zt-s2" \. [^\n]* 8883 : accept,\n', "", r"forward: .* protocol 6, .*8883.*: does not pass, and must"),
    "a spoofed source": (r"\tfd3c:91a2:77e0:31::,", "\tfd3c:91a2:77e0:41::,", r"prerouting: fd3c:91a2:77e0:(31|41):: "),
    "an endpoint less": (
        r"\t\telements = \{\n\t\t\tfd3c:91a2:77e0:1::100,\n\t\t\}\n",
        "",
        r"a packet from .*::100: .*missing",
    ),
    "tracked too early": (r"hook prerouting priority -310", "hook prerouting priority -150", r".*is dropped at priority -150"),
}


@pytest.mark.parametrize("change", SHOWN)
def test_what_the_real_nft_loaded_is_what_is_judged(change: str) -> None:
    network = n.hospital()
    old, new, shown = SHOWN[change]
    verdicts = prove(network, project(network), changed(built(network), RULESET, old, new), real_tools())
    wrong = [each for each in verdicts if each.property == "executed" and each.verdict != "proved"]
    assert [each.statement.split(",")[0] for each in wrong] == ["nodes/edge-1/nftables"]
    assert wrong[0].verdict == "refuted" and re.match(shown, wrong[0].reason), wrong[0].reason


def rule(chain: str, *expr: dict[str, Any]) -> dict[str, Any]:
    return {"rule": {"family": "inet", "table": "ztos", "chain": chain, "handle": 9999, "expr": list(expr)}}


def base(name: str, hook: str, **more: Any) -> dict[str, Any]:
    known = {
        "family": "inet",
        "table": "ztos",
        "name": name,
        "handle": 9999,
        "type": "filter",
        "hook": hook,
        "prio": 10,
        "policy": "accept",
    }
    return {"chain": {**known, **more}}


TCP = {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": 6}}
UNKNOWN = {
    "a mark": [rule("zt_forward", {"mangle": {"key": {"meta": {"key": "mark"}}, "value": 1}})],
    "a queue": [rule("zt_forward", {"queue": {"num": 1}})],
    "no tracking": [rule("zt_guard", {"notrack": None})],
    "a field": [rule("zt_forward", {"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 1}}, {"accept": None})],
    "a mask": [rule("zt_forward", {"match": {"op": "==", "left": {"&": [{"meta": {"key": "mark"}}, 1]}, "right": 1}}, {"accept": None})],
    "an order": [rule("zt_forward", {"match": {"op": "<", "left": {"meta": {"key": "l4proto"}}, "right": 9}}, {"accept": None})],
    "now and then": [rule("zt_forward", {"limit": {"rate": 1, "per": "second"}}, {"accept": None})],
    "an interface that has no end": [
        rule("zt_forward", {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "zt*"}}, {"accept": None})
    ],
    "a port that is not there yet": [
        rule("zt_input", {"match": {"op": "==", "left": {"meta": {"key": "oifname"}}, "right": "zt-s0"}}, {"accept": None})
    ],
    "connections before they are tracked": [
        rule("zt_guard", {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": 2}}, {"accept": None})
    ],
    "connections before they are tracked, by another chain": [rule("zt_neighbours", {"goto": {"target": "zt_forward"}})],
    "another hook": [base("late", "postrouting")],
    "translation": [base("nat", "prerouting", type="nat")],
    "another table": [{"table": {"family": "ip", "name": "more", "handle": 3}}],
    "an object": [{"flowtable": {"family": "inet", "name": "fast"}}],
    "a chain that is not there": [rule("zt_forward", {"goto": {"target": "nowhere"}})],
    "a set of other types": [rule("zt_forward", {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "@zt_ours"}})],
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_what_is_not_known_is_unsupported(what: str) -> None:
    listing, spec, gone = loaded("hospital", "edge-1")
    found = json.loads(listing)["nftables"]
    first = next(index for index, each in enumerate(found) if "rule" in each)
    outcome, reason = judge(json.dumps({"nftables": [*found[:first], *UNKNOWN[what], *found[first:]]}), spec, gone)
    assert outcome == "unsupported" and reason.endswith("is not known to the proof")


def test_a_listing_that_is_none_is_unsupported() -> None:
    _, spec, gone = loaded("hospital", "edge-1")
    for said in ("", "[]", '{"nftables": [{"chain": {}}]}', '{"nftables": [7]}'):
        assert judge(said, spec, gone)[0] == "unsupported"


def test_an_accept_is_final_for_its_own_chain_alone() -> None:
    """A further base chain of the hook, whatever ours have accepted before."""
    listing, spec, gone = loaded("hospital", "edge-1")
    found = json.loads(listing)["nftables"]
    late = [base("late", "forward"), rule("late", TCP, {"drop": None})]
    outcome, reason = judge(json.dumps({"nftables": [*found, *late]}), spec, gone)
    assert outcome == "refuted" and reason.startswith("forward: ") and "protocol 6" in reason and reason.endswith("does not pass, and must")


def test_a_jump_comes_back_and_a_goto_does_not() -> None:
    listing, spec, gone = loaded("hospital", "edge-1")
    found = json.loads(listing)["nftables"]
    first = next(index for index, each in enumerate(found) if "rule" in each)
    empty = {"chain": {"family": "inet", "table": "ztos", "name": "empty", "handle": 9999}}
    ways = {
        kind: [*found[:first], empty, rule("zt_forward", TCP, {kind: {"target": "empty"}}), *found[first:]] for kind in ("jump", "goto")
    }
    assert judge(json.dumps({"nftables": ways["jump"]}), spec, gone) == ("proved", "")
    outcome, reason = judge(json.dumps({"nftables": ways["goto"]}), spec, gone)
    assert outcome == "refuted" and "protocol 6" in reason


def test_a_file_that_does_not_load_is_refuted_and_a_tool_that_is_missing_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    network = n.hospital()
    files = built(network)
    broken = changed(files, RULESET, r"6 \. 8883", "6 . 88830")
    wrong = [each for each in prove(network, project(network), broken, real_tools()) if each.property == "executed" and each.reason]
    assert len(wrong) == 1 and "8883" in wrong[0].reason and "/tmp" not in wrong[0].reason
    monkeypatch.setattr("ztosc.prove.tools._why_missing", lambda tool: f"{tool} is not installed")
    assert not [each for each in prove(network, project(network), files, real_tools()) if each.property == "executed"]
    manifest = BACKEND.manifest.model_copy(update={"listing": None})
    assert real_tools().listing(manifest, [replace(files.files[0].artifact)]) is None


def test_what_observes_must_also_log() -> None:
    """Into a segment that observes everything passes, and what no rule allows is logged under its name, no more and no less."""
    listing, spec, gone = loaded("observing", "g")
    found = json.loads(listing)["nftables"]
    logs = [each for each in found if "zt-observe" in json.dumps(each.get("rule", {}))]
    assert len(logs) == 1
    silent = json.dumps({"nftables": [each for each in found if each is not logs[0]]})
    outcome, reason = judge(silent, spec, gone)
    assert outcome == "refuted" and reason.startswith("forward: ") and reason.endswith("must be logged as `zt-observe trial`")
    first = next(index for index, each in enumerate(found) if each.get("rule", {}).get("chain") == "zt_forward")
    loud = rule("zt_forward", {"log": {"prefix": "zt-observe trial "}})
    outcome, reason = judge(json.dumps({"nftables": [*found[:first], loud, *found[first:]]}), spec, gone)
    assert outcome == "refuted" and reason.endswith("must not be logged as `zt-observe trial`")
    closed = re.sub(r'"vmap": \{"key": (\{[^@]*?\}), "data": "@zt_observed"\}', r'"return": null', json.dumps(json.loads(listing)))
    outcome, reason = judge(closed, spec, gone)
    assert closed != json.dumps(json.loads(listing)) and outcome == "refuted" and "does not pass, and must" in reason


def test_what_a_rule_wants_logged_is_logged_under_its_name_and_nothing_else() -> None:
    listing, spec, gone = loaded("observing", "g")
    names = {each for permit in spec.permits for each in permit.logged}
    assert len(names) == 5 and all(f'"zt-rule {name} "' in listing for name in names)
    for name in sorted(names):
        outcome, reason = judge(listing.replace(f"zt-rule {name} ", "zt-rule nobody "), spec, gone)
        assert outcome == "refuted" and "connection new" in reason and "logged as `zt-rule" in reason
    held = json.loads(listing)["nftables"]
    for each in held:
        expr = each.get("rule", {}).get("expr", [])
        if any("log" in part for part in expr) and any("@zt_s_" in json.dumps(part) for part in expr):
            each["rule"]["expr"] = [part for part in expr if "@zt_s_" not in json.dumps(part)]
    outcome, reason = judge(json.dumps({"nftables": held}), spec, gone)
    assert outcome == "refuted" and "must not be logged as" in reason, "a log of what was refused"


def _sets(listing: str, change: Any) -> str:
    """With something done to the first dynamic set."""
    found = json.loads(listing)["nftables"]
    change(found, next(each["set"] for each in found if "timeout" in each.get("set", {}).get("flags", ())))
    return json.dumps({"nftables": found})


BROKEN = {
    "no timeout": lambda found, each: each.update(flags=["dynamic"]),
    "packets fill it": lambda found, each: each.update(flags=["timeout", "dynamic"]),
    "one more": lambda found, each: found.insert(1, {"set": {**each, "name": "zt_s_000000000000"}}),
    "other keys": lambda found, each: found.insert(1, {"set": {**each, "name": "zt_spare", "type": "inet_proto"}}),
    "a timer on what stands": lambda found, each: found.insert(1, {"set": {**each, "name": "zt_o_000000000000", "type": "nf_proto"}}),
}


@pytest.mark.parametrize("how", BROKEN)
def test_the_dynamic_sets_are_those_of_the_contract_and_each_has_timeouts(how: str) -> None:
    listing, spec, gone = loaded("hospital", "edge-1")
    outcome, reason = judge(_sets(listing, BROKEN[how]), spec, gone)
    assert outcome == "refuted" and "may be filled at run time" in reason
    outcome, reason = judge(_sets(listing, lambda found, each: each.pop("flags")), spec, gone)
    assert outcome == "refuted" and "cannot be filled at run time, and the contract says so" in reason


def test_nothing_in_the_file_fills_a_dynamic_set() -> None:
    listing, spec, gone = loaded("hospital", "edge-1")
    found = json.loads(listing)["nftables"]
    first = next(index for index, each in enumerate(found) if "rule" in each)
    name = next(each["set"]["name"] for each in found if "timeout" in each.get("set", {}).get("flags", ()))
    for way in ("add", "update"):
        fills = {"set": {"op": way, "elem": {"payload": {"protocol": "ip6", "field": "saddr"}}, "set": f"@{name}"}}
        outcome, reason = judge(json.dumps({"nftables": [*found[:first], rule("zt_forward", fills), *found[first:]]}), spec, gone)
        assert outcome == "unsupported" and "`set`" in reason


def test_a_single_address_of_an_external_is_asked_for_behind_what_is_withheld() -> None:
    """One such address is a node's, which no external holds: the ruleset keeps it closed, and one without the order does not."""
    net = n.number(
        small(
            (n.rule(1, "allow", "segment:drop", "external:two", n.tcp(443)), n.rule(2, "allow", "segment:drop", "service:ip"))
        ).model_copy(update={"externals": (n.named(External, "two", reach=("2001:db8:12::1/128", "2001:db8:99::7/128")),)})
    )
    spec = next(each for each in project(net) if each.node == "queue")
    gone = unreached(net)
    assert addresses.value("2001:db8:12::1") in {low for low, _ in gone}
    grants = [each for each in BACKEND.lower(spec).collections if each.name.startswith("zt_grants")]
    held = {each.name: {element.key[1] for element in each.elements} for each in grants}
    assert held["zt_grants_far"] >= {"2001:db8:12::1", "2001:db8:99::7"}
    assert all(part.startswith("fd") for part in held["zt_grants"])
    listing = listed(net, "queue")
    assert judge(listing, spec, gone) == ("proved", "")
    every = json.loads(listing)["nftables"]
    far, source = "@zt_grants_far", "zt_source"
    at = [index for index, each in enumerate(every) if each.get("rule", {}).get("chain") == source]
    moved = next(index for index in at if far in json.dumps(every[index]))
    every.insert(at[0], every.pop(moved))
    outcome, reason = judge(json.dumps({"nftables": every}), spec, gone)
    assert outcome == "refuted" and "-> 2001:db8:12::1, protocol 6" in reason and "passes, and must not" in reason
