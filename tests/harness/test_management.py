"""Real packets to a node itself: only from whom `manage` names, at the address of their own segment, while their session lasts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import support
from tests.backends.cases import MANAGED
from tests.harness.acts import client
from tests.harness.lab import Lab
from tests.harness.layout import Host
from tests.harness.matrix import HURRIED, PATIENT, Matrix
from tests.harness.rig import REASON, WHY_NOT, files
from tests.harness.sessions import Session, elements
from ztosc.ir.flow import Person
from ztosc.nodes import project

pytestmark = [pytest.mark.netns, pytest.mark.slow, pytest.mark.skipif(WHY_NOT is not None, reason=REASON)]
SAID = "timezone Europe/Berlin\n  manage from operator on tcp/22, icmp\n  manage from lab on tcp/443, udp/1000-2000"
SIGNED_IN, STRANGER = 0, 1
"""Addresses of one host: one has a session."""


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    network = support.network(MANAGED, frame=support.FRAME.replace("timezone Europe/Berlin", SAID))
    specs = project(network)
    with Lab(network, specs, files(network), tmp_path_factory.mktemp("rulesets")) as lab:
        found = Matrix(lab, chosen=[])
        gates = {segment.gateway for segment in specs[0].segments}
        lab.ask("g", "listen", [[protocol, gate, port] for gate in sorted(gates) for protocol, port in ((6, 22), (6, 443), (17, 1500))])
        yield found


@pytest.fixture
def open_session(matrix: Matrix) -> Iterator[Host]:
    """The desk of an operator who is signed in."""
    lab, desk = matrix.lab, client(matrix, "desk", "g")
    lab.load("g")
    operator = Person(roles=("operator",), attributes=(("user.mfa", True),))
    lab.nft("g", elements(lab.specs[0], [Session(desk.name, "g", desk.addresses[SIGNED_IN], desk.place, operator)], support.AT))
    yield desk


def answered(matrix: Matrix, host: Host, number: int, to: str, *what: tuple[int, int], patience: float = HURRIED) -> list[bool]:
    flows = [[protocol, host.addresses[number], to, port] for protocol, port in what]
    found: list[bool] = matrix.lab.ask(host.name, "probe", flows, patience)
    return found


def test_whoever_is_named_reaches_the_node_and_nobody_else(matrix: Matrix, open_session: Host) -> None:
    desk, lab, other = open_session, client(matrix, "lab", "g"), client(matrix, "desks", "g")
    assert answered(matrix, desk, SIGNED_IN, desk.gateway, (6, 22), (58, 128), patience=PATIENT) == [True, True]
    assert answered(matrix, lab, STRANGER, lab.gateway, (6, 443), (17, 1500), patience=PATIENT) == [True, True], "whoever sits there"
    assert answered(matrix, desk, SIGNED_IN, desk.gateway, (6, 443), (17, 1500)) == [False, False], "other ports"
    assert answered(matrix, desk, STRANGER, desk.gateway, (6, 22), (58, 128)) == [False, False], "no session"
    assert answered(matrix, desk, SIGNED_IN, lab.gateway, (6, 22), (6, 443)) == [False, False], "the address in another segment"
    assert answered(matrix, lab, STRANGER, lab.gateway, (6, 22), (58, 128)) == [False, False]
    assert answered(matrix, other, STRANGER, other.gateway, (6, 22), (6, 443), (17, 1500)) == [False] * 3, "nobody is named there"


def test_it_is_the_firewall_that_keeps_them_out(matrix: Matrix, open_session: Host) -> None:
    """The control: with everything let in, all of that is answered."""
    desk, other = open_session, client(matrix, "desks", "g")
    matrix.lab.nft("g", ["insert rule inet ztos zt_input accept", "insert rule inet ztos zt_output accept"])
    assert all(answered(matrix, other, STRANGER, other.gateway, (6, 22), (6, 443), (17, 1500), patience=PATIENT))
    assert all(answered(matrix, desk, STRANGER, desk.gateway, (6, 22), (58, 128), patience=PATIENT))


def test_management_ends_with_its_session(matrix: Matrix, open_session: Host) -> None:
    lab, desk = matrix.lab, open_session
    assert lab.ask(desk.name, "hold", "ssh", [6, desk.addresses[SIGNED_IN], desk.gateway, 22], PATIENT)
    assert lab.ask(desk.name, "exchange", "ssh", PATIENT)
    lab.load("g")
    assert not lab.ask(desk.name, "exchange", "ssh", HURRIED)


def test_a_file_without_management_lets_nobody_in(tmp_path: Path) -> None:
    network = support.network(MANAGED)
    specs = project(network)
    emitted = {artifact.path: artifact.content.decode() for artifact in files(network).of("g", "nftables")}
    assert specs[0].management == () and "zt_manage" not in emitted["ruleset.nft"]
