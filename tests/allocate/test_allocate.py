"""Numbers stay with their names; the lock is what makes them stay."""

from __future__ import annotations

import ipaddress
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import AT, FRAME, compiled, network
from ztosc.allocate import Lock, allocate, parse_lock, render_lock
from ztosc.allocate.lock import Record
from ztosc.allocate.pools import PoolExhausted, Pools
from ztosc.compiler import compile_project
from ztosc.diagnostics import Report
from ztosc.ir.network import Network
from ztosc.source import MemoryLoader

SITE = "site t in home { node h { underlay 2001:db8::2; serves gateway } }\nlink g -- h\n"


def lock_of(text: str, before: Lock | None = None) -> Lock:
    files = {"network.ztos": (FRAME + text).encode()}
    if before is not None:
        files["ztos.lock"] = render_lock(before)
    found = compile_project(MemoryLoader(files), AT)
    assert found.lock is not None, found.diagnostics
    return found.lock


def values(lock: Lock) -> dict[tuple[str, str], int | str]:
    return {key: record.value for key, record in lock.records.items() if record.retired is None and record.kind != "serial"}


def test_a_lock_that_says_everything_stays_as_it_is() -> None:
    first = lock_of(SITE)
    assert render_lock(lock_of(SITE, first)) == render_lock(first)


def test_the_lock_reads_back_as_it_was_written() -> None:
    first = lock_of(SITE)
    report = Report()
    assert parse_lock(render_lock(first), report) == first
    assert report.items == []


@pytest.mark.parametrize(
    "more",
    [
        "segment new { at s }",
        "service new on vault { listen tcp/1; replicas 3 }",
        "site u in home { node i { underlay 2001:db8::3; serves gateway } }\nlink i -- h",
    ],
)
def test_adding_one_thing_changes_no_number_of_another(more: str) -> None:
    first = lock_of(SITE)
    later = values(lock_of(SITE + more, first))
    assert values(first).items() <= later.items()
    assert len(later) > len(values(first))
    assert values(lock_of(SITE)).items() <= values(lock_of(SITE + more)).items(), "without a lock too: a name's hash says where to look"


def test_a_number_is_kept_from_others_for_three_generations() -> None:
    lock = Lock("n", 1, {("vni", "old"): Record(kind="vni", name="old", value=7)})
    only_one = range(7, 8)
    for generation in (2, 3, 4):
        pools = Pools(lock)
        with pytest.raises(PoolExhausted):
            pools.number("vni", f"other-{generation}", only_one)
        pools = Pools(lock)
        pools.number("filler", f"f{generation}", range(100))
        lock = pools.next_lock("n")
        assert lock.generation == generation
    assert Pools(lock).number("vni", "other", only_one) == 7


def test_a_name_that_comes_back_gets_its_number_back() -> None:
    first = lock_of("segment gone { at s }")
    without = lock_of("", first)
    assert without.records[("vni", "gone")].retired == 2
    assert values(lock_of("segment gone { at s }", without)) == values(first)


def test_serials_move_exactly_when_a_zone_does() -> None:
    first = lock_of("")
    same = lock_of("allow staff to web", first)
    assert same.records[("serial", "n.example")] == first.records[("serial", "n.example")]
    other = lock_of("service more on vault { listen tcp/1 }", first)
    assert other.records[("serial", "n.example")].value == 2


DAMAGE = [
    (lambda text: text.replace('"generation": 1', '"generation": 2'), "ZT310"),
    (lambda text: text.replace('"kind": "vni"', '"kind": "vnj"', 1), "ZT310"),
    (lambda text: text[: len(text) // 2], "ZT310"),
    (lambda text: "<<<<<<< ours\n" + text, "ZT310"),
    (lambda text: "[]", "ZT310"),
    (lambda text: text.replace('"schema": 1', '"schema": 0'), "ZT311"),
    (lambda text: text.replace('"schema": 1', '"schema": 2'), "ZT312"),
    (lambda text: text.replace('"network": "n"', '"network": "m"'), "ZT310"),
]


@pytest.mark.parametrize(("damage", "code"), DAMAGE)
def test_a_lock_that_cannot_be_trusted_is_an_error_with_a_way_out(damage, code: str) -> None:  # type: ignore[no-untyped-def]
    text = render_lock(lock_of("")).decode()
    damaged = damage(text)
    assert damaged != text
    found = compile_project(MemoryLoader({"network.ztos": FRAME.encode(), "ztos.lock": damaged.encode()}), AT)
    assert [item.code for item in found.diagnostics] == [code]
    assert found.diagnostics[0].help
    assert found.network is None


def test_a_lock_of_another_network_is_refused() -> None:
    report = Report()
    intent = network().intent
    assert allocate(intent, Lock("other", 1), AT, report) is None
    assert [item.code for item in report.items] == ["ZT310"]


def everything(found: Network) -> list[ipaddress.IPv6Address]:
    own = [loopback.address for plan in found.nodes for loopback in plan.loopbacks]
    ends = [address for tunnel in found.tunnels for address in (tunnel.a_address, tunnel.b_address)]
    places = [place.gateway for plan in found.segments for place in plan.places]
    rest = [each.address for each in found.endpoints] + [each.address for each in found.anycast]
    return [ipaddress.IPv6Address(address) for address in own + ends + places + rest]


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.integers(1, 12), st.integers(1, 4), st.integers(1, 6))
def test_every_number_is_unique_and_inside_the_overlay(segments: int, sites: int, replicas: int) -> None:
    text = "".join(
        f"site t{i} in home {{ node h{i} {{ underlay 2001:db8::1:{i}; serves gateway }} }}\nlink g -- h{i}\n" for i in range(sites)
    )
    places = ", ".join(["s", *(f"t{i}" for i in range(sites))])
    text += "".join(
        f"segment x{i} {{ at {places} }}\nservice y{i} on x{i} {{ listen tcp/1; replicas {replicas} }}\n" for i in range(segments)
    )
    found = network(text)
    addresses = everything(found)
    assert len(set(addresses)) == len(addresses)
    assert all(address in ipaddress.IPv6Network(found.prefix) for address in addresses)
    prefixes = [place.prefix for plan in found.segments for place in plan.places]
    assert len(set(prefixes)) == len(prefixes)
    numbers = [plan.vni for plan in found.segments] + [domain.l3vni for domain in found.domains]
    assert len(set(numbers)) == len(numbers)
    assert len({tunnel.port for tunnel in found.tunnels}) == len(found.tunnels)


def test_replicas_go_to_the_first_places_in_the_order_of_at() -> None:
    text = SITE + "segment x { at t, s }\nservice y on x { listen tcp/1; replicas 1 }\nservice z on x { listen tcp/2; replicas 3 }"
    placed = [(each.service, each.replica, each.site) for each in network(text).endpoints if each.service in ("y", "z")]
    assert placed == [("y", 0, "t"), ("z", 0, "t"), ("z", 1, "s"), ("z", 2, "t")]


def test_a_segment_lives_where_it_is_attached_or_else_on_every_gateway() -> None:
    text = (
        "site t in home { node a { underlay 2001:db8::2; serves gateway; attach e1 to x }\n"
        " node b { underlay 2001:db8::3; serves gateway } }\nlink g -- a\nlink a -- b\nsegment x { at t }\nsegment y { at t }"
    )
    plans = {plan.segment: plan.places[0].nodes for plan in network(text).segments}
    assert (plans["x"], plans["y"]) == (("a",), ("a", "b"))


def test_what_is_bounded_lives_in_a_domain_of_its_own_and_crosses_no_foreign_link() -> None:
    text = (
        "region away { country US }\nsite t in away { node h { underlay 2001:db8::2; serves gateway } }\nlink g -- h\n"
        "segment core { at s; within EU }\nsegment open { at s, t }\n"
    )
    found = network(text)
    domains = {domain.name: domain.nodes for domain in found.domains}
    assert domains == {"main": ("g", "h"), "within-eu": ("g",)}
    assert {plan.segment: plan.domain for plan in found.segments}["core"] == "within-eu"
    assert [tunnel.domains for tunnel in found.tunnels] == [("main",)]


def test_a_grant_into_a_bounded_domain_from_outside_has_no_path() -> None:
    text = (
        "region away { country US }\nsite t in away { node h { underlay 2001:db8::2; serves gateway } }\nlink g -- h\n"
        "segment core { at s; within EU }\nsegment open { at t }\nallow open to core on tcp/1\n"
    )
    assert [item.code for item in compiled(text).diagnostics] == ["ZT316"]


def test_the_prefix_is_chosen_once_and_kept() -> None:
    frame = 'network n { domain "n.example" }\nregion r { country DE }\nsite s in r { node g { underlay 2001:db8::1; serves gateway } }\n'
    first = compiled("", frame=frame)
    assert first.network is not None and first.lock is not None
    assert ipaddress.IPv6Network(first.network.prefix).subnet_of(ipaddress.IPv6Network("fd00::/8"))
    renamed = frame.replace("n.example", "m.example")
    again = compile_project(MemoryLoader({"network.ztos": renamed.encode(), "ztos.lock": render_lock(first.lock)}), AT)
    assert again.network is not None
    assert again.network.prefix == first.network.prefix


def test_the_lock_has_one_record_a_line() -> None:
    lines = render_lock(lock_of("")).decode().splitlines()
    records = [json.loads(line.rstrip(",")) for line in lines if line.startswith('{"') and '"kind"' in line]
    assert len(records) == len(lock_of("").records)
