"""One port at least for each way in which the rules about an end can treat it, out of those that are wanted."""

from __future__ import annotations

import itertools

import pytest

from tests.verify.networks import allow, deny, network, segment, service
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import Place
from ztosc.logic.ports import ANY, Boxes, contains
from ztosc.verify.cells import cells
from ztosc.verify.literals import port_set

NET = network(
    segment("a"), segment("b"), service("s", "b", "tcp/8443"),
    allow("segment:a", "segment:b", on="tcp/20-30"),
    deny("segment:a", "service:s", on="tcp/25"), allow("segment:b", "segment:a", on="tcp/9"),
)  # fmt: skip
RULES = {"": ("tcp/20-30",), "s": ("tcp/20-30", "tcp/25", "tcp/8443")}
WANTED = {
    "all": ANY,
    "one": port_set("tcp/22"),
    "one of no rule": port_set("tcp/9"),
    "two": port_set("tcp/25, tcp/99"),
    "a range": port_set("tcp/24-25"),
    "a range of no rule": port_set("udp/24-25"),
    "one port of every protocol": ((0, 255, 25, 25),),
}


@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("service", RULES)
def test_each_way_has_one_of_those_that_are_wanted(service: str, wanted: str) -> None:
    boxes = WANTED[wanted]
    told = list(cells(Policy(NET.intent), Place(kind="segment", name="b", service=service or None), boxes))
    every = [cell for cell in itertools.product((0, 6, 17, 255), range(0, 9000)) if contains(boxes, *cell)]
    assert all(contains(boxes, *cell) for cell in told)
    assert {_treated(service, cell) for cell in told} == {_treated(service, cell) for cell in every}
    assert wanted != "one" or told == [(6, 22)]


def _treated(service: str, cell: tuple[int, int]) -> tuple[bool, ...]:
    spoken: tuple[Boxes, ...] = tuple(map(port_set, RULES[service]))
    return tuple(contains(boxes, *cell) for boxes in spoken)


def test_the_most_readable_comes_first_and_nothing_wanted_is_everything() -> None:
    policy, end = Policy(NET.intent), Place(kind="segment", name="a")
    assert list(cells(policy, end))[:3] == [(6, 9), (6, 10), (6, 443)]
    assert list(cells(policy, end)) == list(cells(policy, end, ANY))
