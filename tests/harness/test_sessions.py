"""What no table of flows shows: flows end with their session, forged sources are dropped, answers are no way back in.

And the harness itself is tried on rulesets that are wrong: it must see it.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator
from copy import copy

import pytest

from tests.harness.acts import client, forge, replica, set_for
from tests.harness.lab import OUTSIDE_GATE, Lab
from tests.harness.matrix import HURRIED, PATIENT, Matrix
from tests.harness.rig import REASON, WHY_NOT, files, small_network
from tests.harness.sessions import Session
from tests.nodes import networks as n
from ztosc.backends.nftables.sets import set_of
from ztosc.ir.flow import Person
from ztosc.nodes import project

pytestmark = [pytest.mark.netns, pytest.mark.slow, pytest.mark.skipif(WHY_NOT is not None, reason=REASON)]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    network = small_network()
    specs = project(network)
    with Lab(network, specs, files(network), tmp_path_factory.mktemp("rulesets")) as lab:
        yield Matrix(lab)


@pytest.fixture
def small(shared: Matrix) -> Matrix:
    """The same namespaces for all, with every ruleset as emitted and every session open."""
    for spec in shared.lab.specs:
        shared.lab.load(spec.node)
    shared.fill(n.NOON)
    return copy(shared)


def clinician(matrix: Matrix, node: str) -> Session:
    """A nurse on a healthy device, signed in with a second factor, on a node."""
    wanted = (("device.health", "healthy"), ("device.managed", True), ("user.mfa", True))
    return next(each for each in matrix.sessions if each.node == node and each.principal == Person(roles=("clinician",), attributes=wanted))


@pytest.mark.parametrize("node", ["edge-1", "branch-1"])
def test_live_flows_stop_with_their_session(small: Matrix, node: str) -> None:
    lab, session = small.lab, clinician(small, node)
    pump, records = client(small, "infusion", "edge-1").addresses[0], replica(small, "ehr-web", "edge-2").addresses[0]
    assert lab.ask(session.host, "hold", "tcp", [6, session.address, records, 443], PATIENT)
    assert lab.ask(session.host, "hold", "udp", [17, session.address, pump, 5000], PATIENT)
    assert lab.ask(session.host, "exchange", "tcp", PATIENT) and lab.ask(session.host, "exchange", "udp", PATIENT)
    for name in {set_for(small, session, "ehr", 443), set_for(small, session, "infusion", 5000)}:
        lab.nft(node, [f"delete element inet ztos {name} {{ {session.address} }}"])
    assert not lab.ask(session.host, "exchange", "tcp", HURRIED) and not lab.ask(session.host, "exchange", "udp", HURRIED)


def test_a_session_that_times_out_closes_by_itself(small: Matrix) -> None:
    lab, session = small.lab, clinician(small, "edge-1")
    records, pump = replica(small, "ehr-web", "edge-1").addresses[0], client(small, "infusion", "edge-1").addresses[0]
    ends = time.time() + 8  # an instant is kept; the timeout is computed from it when the element is made
    for name in {set_for(small, session, "ehr", 443), set_for(small, session, "infusion", 5000)}:
        left = f"add element inet ztos {name} {{ {session.address} timeout {int((ends - time.time()) * 1000)}ms }}"
        lab.nft("edge-1", [f"delete element inet ztos {name} {{ {session.address} }}", left])
    assert lab.ask(session.host, "hold", "tcp", [6, session.address, records, 443], 3)
    assert lab.ask(session.host, "hold", "udp", [17, session.address, pump, 5000], 3)
    assert lab.ask(session.host, "exchange", "tcp", 1) and lab.ask(session.host, "exchange", "udp", 1), "before it ends"
    time.sleep(max(0.0, ends - time.time()) + 0.5)
    assert not lab.ask(session.host, "exchange", "tcp", HURRIED) and not lab.ask(session.host, "exchange", "udp", HURRIED)
    lab.nft("edge-1", ["insert rule inet ztos zt_forward accept"])
    assert lab.ask(session.host, "exchange", "udp", PATIENT), "it is the firewall that ended them"


@pytest.mark.parametrize("shape", ["fragments", "headers", "fragments and headers"])
def test_fragments_and_extension_headers_change_nothing(small: Matrix, shape: str) -> None:
    """What is granted passes in any shape, and nothing else does: ports are found behind headers, fragments are put together first."""
    lab, session = small.lab, clinician(small, "edge-1")
    pump = client(small, "infusion", "edge-1").addresses[0]
    lab.ask(client(small, "infusion", "edge-1").name, "listen", [[17, pump, 5001]])
    granted, denied = ([17, session.address, pump, port] for port in (5000, 5001))
    assert lab.ask(session.host, "odd", granted, shape, PATIENT), lab.ask(session.host, "reason", granted)
    assert not lab.ask(session.host, "odd", denied, shape, HURRIED)
    lab.nft("edge-1", ["insert rule inet ztos zt_forward accept"])
    assert lab.ask(session.host, "odd", denied, shape, PATIENT), "the same packets arrive where the firewall lets them"


def test_a_load_closes_until_the_sets_are_filled_again(small: Matrix) -> None:
    lab, session = small.lab, clinician(small, "edge-1")
    flow = [6, session.address, replica(small, "ehr-web", "edge-1").addresses[0], 443]
    assert lab.ask(session.host, "probe", [flow], PATIENT) == [True]
    lab.load("edge-1")
    assert lab.ask(session.host, "probe", [flow], HURRIED) == [False]
    small.fill(n.NOON)
    assert lab.ask(session.host, "probe", [flow], PATIENT) == [True]


def test_an_answer_passes_but_nothing_that_looks_like_one(small: Matrix) -> None:
    lab, session, server = small.lab, clinician(small, "edge-1"), replica(small, "ehr-web", "edge-1")
    assert lab.ask(session.host, "probe", [[6, session.address, server.addresses[0], 443]], PATIENT) == [True]
    lab.ask(session.host, "listen", [[6, session.address, 40000], [17, session.address, 40000]])
    back = [[protocol, server.addresses[0], session.address, 40000, port] for protocol in (6, 17) for port in (443, 0)]
    assert lab.ask(server.name, "probe", back, HURRIED) == [False] * 4
    lab.nft("edge-1", ["insert rule inet ztos zt_forward accept"])
    assert all(lab.ask(server.name, "probe", back, PATIENT)), "the same packets arrive where the firewall lets them"


def test_forged_sources_are_dropped(small: Matrix) -> None:
    lab, staff = small.lab, client(small, "staff", "edge-1")
    records = client(small, "ehr", "edge-1")
    forged = {
        "another-segment": (staff.name, client(small, "infusion", "edge-1").prefix.split("/")[0][:-1] + "7"),
        "another-node": (records.name, replica(small, "ehr-web", "edge-2").addresses[0]),
        "the-gateway": (staff.name, staff.gateway),
        "the-outside": (staff.name, "2600::77"),
        "from-outside": ("out", staff.addresses[200]),
    }
    assert lab.ask(staff.name, "send", staff.addresses[0], lab.network.anycast[0].address, 53, "true")
    assert not [name for name, (host, source) in forged.items() if forge(small, "edge-1", host, source, name)]
    assert lab.ask("edge-1", "hears", "true"), "a true source does arrive"
    lab.nft("edge-1", ["flush chain inet ztos zt_guard"])
    assert forge(small, "edge-1", staff.name, "2600::77", "control"), "without the guard the forged source arrives"


def test_a_host_is_no_router(small: Matrix) -> None:
    lab, staff = small.lab, client(small, "staff", "edge-1")
    denied = ["insert rule inet ztos zt_input icmpv6 type nd-router-advert counter accept", "add counter inet ztos seen"]
    lab.nft("edge-1", denied)
    lab.ask(staff.name, "advertise", "ff02::1")
    time.sleep(0.3)
    assert "counter packets 0 " in lab.nft("edge-1", ["list chain inet ztos zt_input"])
    lab.nft("edge-1", ["flush chain inet ztos zt_guard"])
    lab.ask(staff.name, "advertise", "ff02::1")
    time.sleep(0.3)
    assert "counter packets 1 " in lab.nft("edge-1", ["list chain inet ztos zt_input"])


def test_routers_are_asked_and_heard_on_the_side_where_they_are(small: Matrix) -> None:
    """The node is its segments' router and never the underlay's; who listens to which group is asked from the underlay alone."""
    lab, staff = small.lab, client(small, "staff", "edge-1")
    query, report, advert = (130, 1), (143, 1), (134, 255)
    assert [lab.ask("edge-1", "on_link", side, "ff02::1", *advert) for side in (staff.interface, "out0")] == [True, False]
    assert lab.ask("edge-1", "on_link", "out0", "ff02::16", *report) and not lab.ask("edge-1", "on_link", "out0", "ff02::1", *query)
    behind = ["add table inet probe", "add chain inet probe late { type filter hook input priority 10 ; }", "flush chain inet probe late"]
    lab.nft("edge-1", [*behind, "add rule inet probe late icmpv6 type { mld-listener-query, mld2-listener-report } counter"])
    for name, kind in (("out", query), (staff.name, query), (staff.name, report)):
        assert lab.ask(name, "on_link", "eth0", "ff02::1", *kind)
    time.sleep(0.3)
    assert "counter packets 1 " in lab.nft("edge-1", ["list chain inet probe late"]), "what the outside asks, and nothing of a host"
    lab.nft("edge-1", ["flush chain inet ztos zt_guard", "insert rule inet ztos zt_input accept"])
    for kind in (query, report):
        lab.ask(staff.name, "on_link", "eth0", "ff02::1", *kind)
    time.sleep(0.3)
    assert "counter packets 3 " in lab.nft("edge-1", ["list chain inet probe late"]), "it is the firewall that dropped them"
    lab.nft("edge-1", ["delete table inet probe"])


def test_everything_outside_is_nothing_of_ours(small: Matrix) -> None:
    """Guests may go to `::/0`: not to an address of the overlay, whoever would answer there."""
    lab, guest = small.lab, client(small, "guest", "branch-1")
    spec = next(each for each in lab.specs if each.node == "branch-1")
    inside = str(ipaddress.IPv6Network(lab.network.prefix)[0xDEAD << 64])
    own = [
        inside,
        next(each for each in lab.specs if each.node == "dr-1").loopbacks[0].address,
        str(ipaddress.ip_address(spec.ours[-1][1])),
    ]
    lab.where.run("ip", "-n", lab.space("out"), "-batch", "-", given="".join(f"addr add {each}/128 dev eth0 nodad\n" for each in own))
    lab.ask("out", "listen", [[protocol, each, 443] for each in (*own, "2600::1") for protocol in (6, 17)])
    ways = [[protocol, guest.addresses[0], each, 443] for each in (*own, "2600::1") for protocol in (6, 17)]
    assert lab.ask(guest.name, "probe", ways, HURRIED) == [False] * 6 + [True] * 2
    lab.nft("branch-1", ["insert rule inet ztos zt_forward accept", "flush chain inet ztos zt_guard"])
    for each in own:
        lab.where.run("ip", "-n", lab.space("branch-1"), "route", "replace", f"{each}/128", "via", OUTSIDE_GATE, "dev", "out0")
    assert lab.ask(guest.name, "probe", ways, PATIENT) == [True] * 8, "the same packets arrive where the firewall lets them"
    for each in own:
        lab.where.run("ip", "-n", lab.space("branch-1"), "route", "delete", f"{each}/128", "via", OUTSIDE_GATE, "dev", "out0")
        lab.where.run("ip", "-n", lab.space("out"), "addr", "delete", f"{each}/128", "dev", "eth0")


def test_before_translation_ipv4_is_judged_by_what_it_embeds(small: Matrix) -> None:
    """Guests may go to all of IPv4 through our own NAT64, but to nothing private, no machine itself, no group; never through another's."""
    lab, guest = small.lab, client(small, "guest", "branch-1")
    ours, theirs = ipaddress.IPv6Network(lab.network.nat64_prefix), ipaddress.IPv6Network("64:ff9b::/96")
    assert ours != theirs
    shut = ("10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "127.0.0.1", "169.254.0.1", "224.0.0.1", "0.0.0.1", "255.255.255.255")
    there = {each: str(ours[int(ipaddress.IPv4Address(each))]) for each in ("198.51.100.7", *shut)}
    there["another's"] = str(theirs[int(ipaddress.IPv4Address("198.51.100.7"))])
    lab.where.run(
        "ip", "-n", lab.space("out"), "-batch", "-", given="".join(f"addr add {each}/128 dev eth0 nodad\n" for each in there.values())
    )
    lab.ask("out", "listen", [[17, each, 443] for each in there.values()])

    def heard(word: str) -> list[str]:
        for name, address in there.items():
            lab.ask(guest.name, "send", guest.addresses[0], address, 443, f"{word}-{name}")
        time.sleep(HURRIED)
        return [name for name in there if lab.ask("out", "hears", f"{word}-{name}")]

    assert heard("closed") == ["198.51.100.7"]
    lab.nft("branch-1", ["insert rule inet ztos zt_forward accept"])
    assert heard("open") == list(there), "the same packets arrive where the firewall lets them"
    lab.where.run("ip", "-n", lab.space("out"), "-batch", "-", given="".join(f"addr del {each}/128 dev eth0\n" for each in there.values()))


def test_no_grant_leads_to_the_underlay_address_of_a_node(small: Matrix) -> None:
    """The outside answers at the address of another node, as a router on the way might: guests may go anywhere but there."""
    lab, guest = small.lab, client(small, "guest", "branch-1")
    there = next(spec.underlay for spec in lab.specs if spec.node == "dr-1")
    ways = [[6, guest.addresses[0], address, 443] for address in (there, "2600::1")]
    lab.where.run("ip", "-n", lab.space("out"), "addr", "add", f"{there}/128", "dev", "eth0", "nodad")
    lab.ask("out", "listen", [[6, there, 443], [6, "2600::1", 443]])
    assert lab.ask(guest.name, "probe", ways, PATIENT) == [False, True]
    lab.nft("branch-1", [f"delete element inet ztos zt_underlay {{ {there} }}"])
    assert lab.ask(guest.name, "probe", ways, PATIENT) == [True, True], "it is the withheld address that stood in the way"
    lab.where.run("ip", "-n", lab.space("out"), "addr", "delete", f"{there}/128", "dev", "eth0")


def test_a_firewall_is_closed_until_the_file_of_the_network_is_loaded(small: Matrix) -> None:
    lab, guest = small.lab, client(small, "guest", "branch-1")
    flow = [6, guest.addresses[0], "2600::1", 443]
    lab.ask("out", "listen", [[6, "2600::1", 443]])
    own, shared = lab.files("branch-1")
    lab.load_file("branch-1", own)
    assert lab.ask(guest.name, "probe", [flow], HURRIED) == [False]
    lab.load_file("branch-1", shared)
    assert lab.ask(guest.name, "probe", [flow], PATIENT) == [True]


SABOTAGE = {
    "a rule that accepts": ("edge-1", ["insert rule inet ztos zt_forward accept"]),
    "an element too many": ("edge-1", ['add element inet ztos zt_grants { "zt-s2" . fd3c:91a2:77e0:1::100 . 6 . 443 : accept }']),
    "a set that was never filled": ("edge-1", []),
    "a destination that is shut": ("edge-2", ["flush set inet ztos zt_inbound"]),
}


@pytest.mark.parametrize("how", SABOTAGE)
def test_the_harness_sees_what_is_wrong(small: Matrix, how: str) -> None:
    node, lines = SABOTAGE[how]
    spec = next(each for each in small.lab.specs if each.node == node)
    lines = lines or [f"flush set inet ztos {set_of(condition)}" for condition in spec.conditions]
    fill = small.fill

    def sabotaged(instant: int) -> None:
        fill(instant)
        small.lab.nft(node, lines)

    small.fill = sabotaged  # type: ignore[method-assign]
    small.sessions = [each for each in small.sessions if each == clinician(small, "edge-1") or each.place.name in ("guest", "infusion")]
    _, wrong = small.run(n.NOON, patience=1.5)
    assert wrong and all(" was let through at " in line or " was refused at " in line for line in wrong)
