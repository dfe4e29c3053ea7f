"""Intervals, boxes, ports and addresses against sets written out."""

from __future__ import annotations

import itertools
import socket
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ztosc.logic import addresses, intervals, ports, regions

TOP = 12
pairs = st.tuples(st.integers(0, TOP), st.integers(0, TOP)).map(lambda pair: (min(pair), max(pair)))
several = st.lists(pairs, max_size=6)
quick = settings(derandomize=True, database=None, max_examples=200, deadline=None)


def points(parts: intervals.Intervals | list[tuple[int, int]]) -> set[int]:
    return {point for low, high in parts for point in range(low, high + 1)}


def runs(wanted: set[int]) -> intervals.Intervals:
    """The normal form, from the points themselves."""
    starts = sorted(point for point in wanted if point - 1 not in wanted)
    ends = sorted(point for point in wanted if point + 1 not in wanted)
    return tuple(zip(starts, ends, strict=True))


@quick
@given(several, several)
def test_intervals_are_sets(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    left, right = intervals.normalize(one), intervals.normalize(other)
    assert left == runs(points(one))
    assert intervals.union(left, right) == intervals.normalize([*one, *other]) == runs(points(one) | points(other))
    assert intervals.subtract(left, right) == runs(points(one) - points(other))
    assert intervals.intersect(left, right) == runs(points(one) & points(other))
    assert intervals.covers(left, right) is (points(other) <= points(one))
    assert {point for point in range(-1, TOP + 2) if intervals.contains(left, point)} == points(one)


def test_an_interval_that_ends_before_it_begins_is_refused() -> None:
    assert intervals.normalize([(3, 3)]) == ((3, 3),)
    with pytest.raises(ValueError, match="3-2"):
        intervals.normalize([(3, 2)])


@quick
@given(several)
def test_who_overlaps_is_told_with_the_widest_before_it(parts: list[tuple[int, int]]) -> None:
    named = sorted((low, high, f"n{index}") for index, (low, high) in enumerate(parts))
    found = intervals.first_overlap(reversed(named))
    wanted = []
    for position, (low, _, name) in enumerate(named):
        earlier = named[:position]
        widest = max((high for _, high, _ in earlier), default=-1)
        if low <= widest:
            wanted.append((next(each for _, high, each in earlier if high == widest), name))
    assert found == wanted


def boxes_of(size: int) -> st.SearchStrategy[list[regions.Box]]:
    side = st.tuples(st.integers(0, 4), st.integers(0, 4)).map(lambda pair: (min(pair), max(pair)))
    return st.lists(st.tuples(*[side] * size), max_size=5)


def inside(boxes: regions.Boxes | list[regions.Box]) -> set[tuple[int, ...]]:
    return {point for box in boxes for point in itertools.product(*(range(low, high + 1) for low, high in box))}


@quick
@given(st.integers(1, 3).flatmap(lambda size: st.tuples(boxes_of(size), boxes_of(size))))
def test_boxes_are_sets(given_: tuple[list[regions.Box], list[regions.Box]]) -> None:
    one, other = given_
    form = regions.normalize(one)
    assert inside(form) == inside(one)
    assert list(form) == sorted(form) and regions.disjoint(form)
    assert regions.volume(form) == len(inside(one))
    assert (form == regions.normalize(other)) == (inside(one) == inside(other))
    assert regions.disjoint(one) == (sum(len(inside([box])) for box in one) == len(inside(one)))


@quick
@given(st.integers(1, 3).flatmap(boxes_of))
def test_cells_say_who_holds_each_point(boxes: list[regions.Box]) -> None:
    labelled = [(box, index // 2) for index, box in enumerate(boxes)]
    told = {}
    for cell, labels in regions.cells(labelled):
        assert labels
        for point in inside([cell]):
            assert point not in told
            told[point] = labels
    wanted = {point: tuple(sorted({label for box, label in labelled if point in inside([box])})) for point in inside(boxes)}
    assert told == wanted


port_boxes = st.lists(st.tuples(pairs, pairs).map(lambda box: (*box[0], *box[1])), max_size=4)


def held(boxes: ports.Boxes | list[ports.Box]) -> set[tuple[int, int]]:
    return {(protocol, port) for a, b, c, d in boxes for protocol in range(a, b + 1) for port in range(c, d + 1)}


@quick
@given(port_boxes, port_boxes)
def test_ports_are_sets(one: list[ports.Box], other: list[ports.Box]) -> None:
    left, right = ports.boxes(one), ports.boxes(other)
    assert held(left) == held(one)
    assert (left == right) == (held(one) == held(other))
    assert ports.union(left, right) == ports.boxes([*one, *other])
    assert ports.subtract(left, right) == ports.boxes((p, p, n, n) for p, n in held(one) - held(other))
    assert ports.intersect(left, right) == ports.boxes((p, p, n, n) for p, n in held(one) & held(other))
    assert {point for point in itertools.product(range(-1, TOP + 2), repeat=2) if ports.contains(left, *point)} == held(one)


@quick
@given(port_boxes, port_boxes)
def test_every_way_to_lie_in_sets_has_its_sample(one: list[ports.Box], other: list[ports.Box]) -> None:
    sides = held(one), held(other)
    ways = {tuple(point in side for side in sides) for point in itertools.product(range(TOP + 2), repeat=2)}
    sampled = {
        tuple(ports.contains(ports.boxes(side), *sample) for side in (one, other)) for sample in ports.samples(tuple(one), tuple(other))
    }
    assert sampled == ways


def test_ports_at_the_edges_of_their_numbers() -> None:
    assert ports.subtract(ports.ANY, ((0, 254, 0, 65535),)) == ((255, 255, 0, 65535),)
    assert ports.subtract(ports.ANY, ((0, 255, 1, 65535),)) == ((0, 255, 0, 0),)
    assert list(ports.samples(ports.ANY)) == [(0, 0)]
    assert list(ports.samples(((255, 255, 65535, 65535),))) == [(0, 0), (0, 65535), (255, 0), (255, 65535)]
    assert list(ports.samples(((254, 254, 65534, 65534),))) == list(itertools.product((0, 254, 255), (0, 65534, 65535)))


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        ((), "nothing"),
        (ports.ANY, "any"),
        (((6, 6, 443, 443), (17, 17, 5000, 5100)), "tcp/443, udp/5000-5100"),
        (((58, 58, 128, 128),), "icmp"),
        (((58, 58, 0, 65535),), "proto/58"),
        (((58, 58, 128, 129),), "proto/58 port 128-129"),
        (((6, 7, 128, 128),), "proto/6-7 port 128-128"),
        (((47, 47, 0, 65535),), "proto/47"),
        (((33, 33, 5, 5),), "proto/33 port 5-5"),
        (((132, 132, 36412, 36412),), "sctp/36412"),
    ],
)
def test_ports_in_words(boxes: ports.Boxes, said: str) -> None:
    assert ports.text(boxes) == said


ADDRESSES = [
    "::",
    "::1",
    "::ffff:ffff",
    "2001:db8::1",
    "fd00::1:0:0:1",
    "0.0.0.0",
    "10.0.0.1",
    "255.255.255.255",
    "::fffe:0:1",
    "::1:0:0:0",
]


@pytest.mark.parametrize("text", ADDRESSES)
def test_an_address_is_a_number_and_back(text: str) -> None:
    address = ip_address(text)
    number = addresses.value(text)
    assert number == int(address) + (0xFFFF << 32 if address.version == 4 else 0)
    assert addresses.address_text(number) == str(address)
    assert addresses.of_prefix(text) == ((number, number),)


@pytest.mark.parametrize(("text", "number"), [("fe80::1%eth0", 0xFE80 << 112 | 1), ("::10.0.0.1", 0x0A000001)])
def test_unusual_ways_to_write_an_address(text: str, number: int) -> None:
    assert addresses.value(text) == number == int(ip_address(text))


@pytest.mark.parametrize("text", ["", "10.0.0.01", "1:2", "::1::", "12345::", "::1/128", "10.0.0.1%eth0"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="address"):
        addresses.value(text)


@pytest.mark.parametrize("text", ["10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "2001:db8::4/127", "::ffff:0:0/97", "::1:0:0/96"])
def test_a_prefix_is_all_its_addresses_and_back(text: str) -> None:
    network = ip_network(text)
    ends = addresses.value(str(network[0])), addresses.value(str(network[-1]))
    assert addresses.of_prefix(text) == (ends,)
    if not text.startswith("::ffff:"):
        assert addresses.prefixes((ends,)) == (text,)


def test_all_of_one_family_holds_nothing_of_the_other() -> None:
    four, six = addresses.of_prefix("0.0.0.0/0"), addresses.of_prefix("::/0")
    assert intervals.intersect(four, six) == () and intervals.union(four, six) == (addresses.EVERY,)
    assert (four, six) == (addresses.ALL4, addresses.ALL6)
    assert addresses.of_prefixes(["::/0", "0.0.0.0/0"]) == ((0, 2**128 - 1),)
    assert addresses.of_prefix("::ffff:0:0/96") == four
    assert addresses.of_prefix("::/95") == intervals.subtract(((0, 2**33 - 1),), four)
    edges = [part for low, high in six for part in ((low, low), (high, high))]
    assert [addresses.address_text(low) for low, _ in edges] == [
        "::",
        "::fffe:ffff:ffff",
        "::1:0:0:0",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ]


def test_what_no_prefix_holds_alone_takes_the_fewest() -> None:
    start = addresses.value("10.0.0.1")
    assert addresses.prefixes(((start, start + 2),)) == ("10.0.0.1/32", "10.0.0.2/31")
    assert addresses.prefixes(((start - 1, start), (start + 4, start + 4))) == ("10.0.0.0/31", "10.0.0.5/32")
    assert addresses.prefixes(((2, 3),)) == ("::2/127",)


def test_protocols_have_the_numbers_of_iana() -> None:
    assert ports.PROTOCOLS == {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP, "sctp": 132, "icmp": socket.IPPROTO_ICMPV6}
    assert ports.ICMPV6 == ports.ECHO[0] == socket.IPPROTO_ICMPV6
    assert {socket.IPPROTO_TCP, socket.IPPROTO_UDP, 33, 132, 136} == ports.WITH_PORTS
    assert [ports.text(((number, number, 7, 7),)) for number in (6, 17, 58, 132)] == ["tcp/7", "udp/7", "proto/58 port 7-7", "sctp/7"]
