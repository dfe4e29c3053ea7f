"""What leaves a NAT64 is proved against what may be sent to it, whatever the spec says of the translator."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.nodes.test_translation import EDGES, NETWORK, SPECS, WAYS, asked_for
from tests.prove.listings import listed
from ztosc.backends import backends, network_backends, render, render_network
from ztosc.logic import addresses
from ztosc.nodes import NodeSpec, project
from ztosc.nodes.spec import Leaving, intervals_of, ranges
from ztosc.nodes.translation import extracted, in_ipv4
from ztosc.prove import real_tools
from ztosc.prove.demand import demanded, unreached
from ztosc.prove.firewall import judge
from ztosc.prove.leaving import leaving

MISSING = real_tools().why_missing("nft")
SPEC = SPECS["branch-1"]


def found(address: str, protocol: int, port: int) -> bool:
    point = (addresses.value(address), protocol, port)
    return any(all(low <= value <= high for value, (low, high) in zip(point, box, strict=True)) for box in leaving(SPEC))


def test_it_is_what_was_granted() -> None:
    assert [found(each, *way) for each in EDGES for way in WAYS] == [asked_for(SPEC, each, *way) for each in EDGES for way in WAYS]
    assert all(leaving(spec) == () for name, spec in SPECS.items() if name != "branch-1")


@given(st.sampled_from(EDGES), st.integers(0, 255), st.integers(0, 65535))
def test_at_any_port(address: str, protocol: int, port: int) -> None:
    assert found(address, protocol, port) is asked_for(SPEC, address, protocol, port)


def told(spec: NodeSpec, *entries: Leaving) -> NodeSpec:
    assert spec.translator is not None
    return spec.model_copy(update={"translator": spec.translator.model_copy(update={"leaving": entries})})


def entries() -> tuple[Leaving, ...]:
    assert SPEC.translator is not None and len(SPEC.translator.leaving) > 1
    return SPEC.translator.leaving


def wider(each: Leaving) -> Leaving:
    return each.model_copy(update={"destinations": (*each.destinations, (addresses.address_text(addresses.value("10.9.9.9")),) * 2)})


def here_alone() -> tuple[Leaving, ...]:
    """Without what other nodes may send through this one."""
    assert SPEC.translator is not None
    sent = [(extracted(intervals_of(each.destinations), SPEC.translator.prefix), each) for each in SPEC.permits if each.interface]
    return tuple(Leaving(destinations=ranges(parts), ports=in_ipv4(each.ports), origins=each.origins) for parts, each in sent if parts)


def pinged(each: Leaving) -> Leaving:
    return each.model_copy(update={"ports": tuple({*each.ports, (1, 1, 8, 8)})})


WRONG: dict[str, Callable[[], NodeSpec]] = {
    "a destination more": lambda: told(SPEC, wider(entries()[0]), *entries()[1:]),
    "a port more": lambda: told(SPEC, entries()[0].model_copy(update={"ports": (*entries()[0].ports, (132, 132, 9, 9))}), *entries()[1:]),
    "an entry less": lambda: told(SPEC, *entries()[1:]),
    "nothing": lambda: told(SPEC),
    "pings everywhere": lambda: told(SPEC, *map(pinged, entries())),
    "what this node's own segments send alone": lambda: told(SPEC, *here_alone()),
}


@pytest.mark.skipif(MISSING is not None, reason=f"NOT LOADED: {MISSING}")
@pytest.mark.parametrize("what", WRONG)
def test_a_translator_that_is_told_otherwise_is_refuted_by_a_packet(what: str) -> None:
    specs = [WRONG[what]() if spec.node == SPEC.node else spec for spec in project(NETWORK)]
    bundle = render_network(NETWORK, render(specs, backends()), network_backends())
    outcome, reason = judge(listed(NETWORK, SPEC.node, bundle), SPEC, unreached(NETWORK))
    assert outcome == "refuted" and reason.startswith("forward: ") and "`zn64`" in reason, reason
    assert demanded(NETWORK, SPEC) == demanded(NETWORK, WRONG[what]()), "what is demanded does not come from there"


@pytest.mark.skipif(MISSING is not None, reason=f"NOT LOADED: {MISSING}")
def test_the_right_one_is_proved() -> None:
    assert judge(listed(NETWORK, SPEC.node), SPEC, unreached(NETWORK)) == ("proved", "")
