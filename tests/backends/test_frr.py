"""`frr.conf`: nothing dangles, nothing is open, no name breaks out, whatever is changed is seen, and what cannot be routed is said."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests import support
from tests.backends.cases import HOSTILE
from tests.nodes import networks as n
from ztosc.backends import Artifact, ReadFault
from ztosc.backends.frr import BACKEND
from ztosc.backends.frr.model import Clause, Match, RouteMap, Routing, complaints, misnamed
from ztosc.nodes import NodeSpec, project

EDGE = 2
"""`edge-1`: gateway, reflector and resolver."""


def spec(node: int = EDGE) -> NodeSpec:
    return project(n.hospital())[node]


def files(node: int = EDGE) -> tuple[Artifact, ...]:
    return BACKEND.render(BACKEND.lower(spec(node)))


def changed(old: str, new: str, *, count: int = 1) -> tuple[Artifact, ...]:
    """The files of the edge with a pattern in `frr.conf` replaced."""
    conf, daemons = files()
    text, found = re.subn(old, new, conf.content.decode(), count=count, flags=re.M)
    assert found, old
    return replace(conf, content=text.encode()), daemons


CHANGES = {
    "a filter less": (r"^  neighbor \S+ route-map \S+ in\n", ""),
    "a filter that is not there": (r"(route-map ZT-IN-)\w+( in)", r"\g<1>000000000000\g<2>"),
    "a filter that nobody uses": (r"^!\nroute-map", "!\nroute-map ZT-IN-000000000000 deny 65535\nexit\n!\nroute-map"),
    "no deny at the end": (r"^route-map (ZT-IN-\w+) deny 65535\nexit\n!\n", ""),
    "a permit at the end": (r"^route-map (ZT-IN-\w+) deny 65535", r"route-map \1 permit 65535"),
    "a permit that asks nothing": (r"^ match large-community \S+ exact-match\n", ""),
    "other communities besides": (r" exact-match$", ""),
    "a wider pool": (r"ge 128", "ge 64"),
    "a prefix more": (r"^(ipv6 prefix-list (\S+) seq 1 permit) (\S+)$", r"\1 \3\nipv6 prefix-list \2 seq 2 permit ::/0"),
    "any route target": (r"permit \^RT:\d+:\d+ ET:8", "permit .*"),
    "another's next hop": (r"match ip next-hop address 10.192.0.1", "match ip next-hop address 10.192.0.2"),
    "no blackhole": (r"^ipv6 route \S+ blackhole\n", ""),
    "another neighbour": (r"remote-as 4200000001", "remote-as 4200000009"),
    "an open default": (r"^ no bgp default ipv4-unicast\n", ""),
    "everything announced": (r"redistribute connected route-map \S+", "redistribute connected"),
    "the table unguarded": (r"^  table-map \S+\n", ""),
    "a session without BFD": (r"^ neighbor \S+ bfd\n", ""),
    "a neighbour of nobody": (r"^ !\n address-family ipv4", " neighbor fd00::1 remote-as 1\n !\n address-family ipv4"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_refused_or_seen(change: str) -> None:
    try:
        assert BACKEND.read(changed(*CHANGES[change])) != BACKEND.lower(spec())
    except ReadFault as fault:
        assert fault.path == "frr.conf" and fault.line >= 1


def test_most_changes_need_no_comparison() -> None:
    """Read alone, without the network, a file with a gap is refused; a consistent other file must be compared."""
    consistent = {"no blackhole", "another neighbour", "another's next hop"}
    for change in set(CHANGES) - consistent:
        with pytest.raises(ReadFault):
            BACKEND.read(changed(*CHANGES[change]))


def test_the_line_of_a_dangling_name_is_told() -> None:
    broken = changed(r"(route-map ZT-IN-)\w+( in)", r"\g<1>000000000000\g<2>")
    lines = broken[0].content.decode().split("\n")
    with pytest.raises(ReadFault) as fault:
        BACKEND.read(broken)
    assert "ZT-IN-" in lines[fault.value.line - 1] and "not" in fault.value.reason


@pytest.mark.parametrize("line", ["sharpd=yes", "bgpd=no", 'bgpd_options="-A 0.0.0.0"', "zebra=yes"])
def test_daemons_are_ours_alone(line: str) -> None:
    conf, daemons = files()
    with pytest.raises(ReadFault):
        BACKEND.read([conf, replace(daemons, content=daemons.content + line.encode() + b"\n")])


def dangling(routing: Routing) -> set[str]:
    return {re.sub(r"`[^`]*`", "_", each) for each in complaints(routing)}


def test_references_are_checked_in_the_model_too() -> None:
    routing = BACKEND.lower(spec())
    assert not [*complaints(routing), *misnamed(routing)]
    without = [getattr(routing, kind)[1:] for kind in ("maps", "prefix_lists", "value_lists")]
    for kind, rest in zip(("maps", "prefix_lists", "value_lists"), without, strict=True):
        assert "_ is used and not defined" in dangling(routing.model_copy(update={kind: rest}))
    twice = routing.model_copy(update={"maps": (*routing.maps, routing.maps[0])})
    assert dangling(twice) == {"_ is defined twice"}
    idle = RouteMap(name="ZT-OWN-0123456789ab", clauses=())
    assert dangling(routing.model_copy(update={"maps": (*routing.maps, idle)})) == {"_ is defined and not used"}
    wrong = Clause(matches=(Match(kind="prefix4", value=routing.value_lists[0].name),))
    odd = routing.maps[0].model_copy(update={"clauses": (wrong,)})
    assert "_ is used as prefix4 and is extcommunity" in dangling(routing.model_copy(update={"maps": (odd, *routing.maps[1:])}))
    assert [*misnamed(routing.model_copy(update={"maps": (odd, *routing.maps[1:])}))]


def test_a_map_that_is_called_calls_no_other() -> None:
    routing = BACKEND.lower(spec())
    shared = next(each for each in routing.maps if each.name.startswith("ZT-DOMAIN-"))
    loop = shared.model_copy(update={"clauses": (shared.clauses[0].model_copy(update={"call": shared.name}),)})
    maps = tuple(loop if each.name == shared.name else each for each in routing.maps)
    assert "_ is used as a map that calls no other and is route-map" in dangling(routing.model_copy(update={"maps": maps}))


@pytest.mark.parametrize("word", [*HOSTILE, "a b", "x" * 64, "-x", "x\n", ""])
def test_no_name_breaks_out(word: str) -> None:
    hostile = spec().model_copy(update={"node": word})
    with pytest.raises(ValueError, match="hostname"):
        BACKEND.lower(hostile)
    fabric = spec().fabric
    peers = tuple(each.model_copy(update={"peer": word or "x"}) for each in fabric.underlay)
    sessions = tuple(each.model_copy(update={"peer": word or "x"}) for each in fabric.domains[0].sessions)
    domains = tuple(each.model_copy(update={"sessions": sessions}) for each in fabric.domains)
    around = spec().model_copy(update={"fabric": fabric.model_copy(update={"underlay": peers, "domains": domains})})
    conf, daemons = BACKEND.render(BACKEND.lower(around))
    lines = conf.content.decode().split("\n")
    assert len(lines) == len(files()[0].content.decode().split("\n")), "a name stays on its line"
    assert all(line.isprintable() for line in lines) and BACKEND.read([conf, daemons]) == BACKEND.lower(around)


def test_every_filter_is_named_by_what_it_says() -> None:
    """A filter that is the same on two nodes has the same name; one that changed has another."""
    by_name = {each.name: each for node in range(4) for each in BACKEND.lower(spec(node)).maps}
    for node in range(4):
        assert all(by_name[each.name] == each for each in BACKEND.lower(spec(node)).maps)


FRAME = support.FRAME.replace("  node g { underlay 2001:db8::1; serves gateway, resolver }", """
  node g { underlay 2001:db8::1; serves gateway, resolver }
  node h { underlay 2001:db8::2; serves gateway }
  link g -- h { cost 17 }""")  # fmt: skip


def test_what_cannot_be_routed_is_said_where_it_is_asked() -> None:
    bound = "segment deep { at s; within DE, FR }\nsegment mine { at s; within DE, IT }\nallow mine to deep on tcp/22\n"
    network = support.network(bound, frame=FRAME)
    found = {(each.message.split("`")[1], each.span.line if each.span else 0) for each in BACKEND.unsupported(network)}
    rule = next(each for each in network.intent.rules if each.effect == "allow" and each.targets[0].name == "deep")
    assert found == {("g--h", network.intent.links[0].origin.line), ("mine", rule.origin.line)}
    assert all(each.code == "ZT603" and each.help for each in BACKEND.unsupported(network))
    assert BACKEND.unsupported(n.hospital()) == ()


def test_a_link_that_costs_more_counts_as_more_hops() -> None:
    cheap = BACKEND.render(BACKEND.lower(project(support.network(frame=FRAME.replace("cost 17", "cost 3")))[0]))[0].content.decode()
    asn = re.search(r"local-as (\d+)", cheap)
    assert asn is not None and cheap.count(f" set as-path prepend {asn[1]} {asn[1]}\n") == 2
