"""Regions: who may do what where, merged; and who counts as one of some subjects."""

from __future__ import annotations

from tests.verify.networks import allow, deny, external, network, ref, role, segment, service
from ztosc.logic.diagrams import FALSE, TRUE
from ztosc.verify.region import Regions
from ztosc.verify.scope import destinations, starts
from ztosc.verify.slices import HOST, PERSON, Kind

PUMP, HUB = Kind("device", "pump"), Kind("service", "hub")
NET = network(
    segment("a"), segment("b", admits=("pump",)), segment("c"), role("r", "b"), service("hub", "b", "tcp/9"), external("net"),
    allow("segment:a", "segment:c", on="tcp/1-5"), deny("segment:a", "segment:c", on="tcp/2"),
    allow("device:pump", "segment:c", on="tcp/6"), allow("role:r", "segment:c", on="tcp/7"), allow("service:hub", "segment:c", on="tcp/8"),
    allow("external:net", "segment:c", on="tcp/10"), allow("segment:b", "segment:c", on="tcp/11"),
)  # fmt: skip
REGIONS = Regions(NET)
BIT = {place.name: index for index, place in enumerate(REGIONS.slices.places)}
KINDS = (HOST, PERSON, PUMP, HUB)


def test_one_of_some_subjects_is_who_is_there_and_of_the_kind() -> None:
    held = REGIONS.slices.reading.held("b", "r")
    wanted = {
        "segment:b": {("b", kind): TRUE for kind in KINDS},
        "external:net": {("net", kind): TRUE for kind in KINDS},
        "device:pump": {("b", PUMP): TRUE},
        "service:hub": {("b", HUB): TRUE},
        "role:r": {("b", PERSON): held},
        "segments:*": {(name, kind): TRUE for name in "abc" for kind in KINDS},
    }
    for name, found in wanted.items():
        one, none = REGIONS.is_one_of([ref(name)]), REGIONS.is_none_of([ref(name)])
        for place, bit in BIT.items():
            for kind in KINDS:
                assert one.among(bit, kind) == found.get((place, kind), FALSE), (name, place, kind)
                assert none.among(bit, kind) == REGIONS.slices.diagrams.negated(one.among(bit, kind))
        assert one.places == sum(1 << BIT[place] for place in {place for place, _ in found})


def test_a_region_says_who_from_where_on_which_ports_by_which_rule() -> None:
    who = REGIONS.at(start for name in ("segments:*", "external:net") for start in starts(REGIONS.policy, ref(name)))
    found = REGIONS.region(who, destinations(REGIONS.policy, ref("segment:c")))
    assert [(each.who, each.sources, each.ports, each.rule) for each in found] == [
        (who, sources, on, rule.origin)
        for (who, sources, on), rule in zip(
            [
                (("anyone",), ("a",), "tcp/1, tcp/3-5"),
                (("pump",), ("b",), "tcp/6"),
                (("r",), ("b",), "tcp/7"),
                (("hub",), ("b",), "tcp/8"),
                (("anyone",), ("net",), "tcp/10"),
                (("anyone", "pump", "hub"), ("b",), "tcp/11"),
            ],
            (rule for rule in NET.intent.rules if rule.effect == "allow"),
            strict=True,
        )
    ]
