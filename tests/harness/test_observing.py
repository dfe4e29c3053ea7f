"""Real packets into a segment that only observes: what no rule allows passes and is counted as logged, and nothing else opens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests import support
from tests.harness.acts import client, replica
from tests.harness.lab import Lab
from tests.harness.matrix import HURRIED, PATIENT, Matrix
from tests.harness.rig import REASON, WHY_NOT, files
from ztosc.backends.nftables.sets import log_of, set_of
from ztosc.nodes import project

pytestmark = [pytest.mark.netns, pytest.mark.slow, pytest.mark.skipif(WHY_NOT is not None, reason=REASON)]
TRIAL = """
segment trial { at s; admits people; observe }
service beta on trial { listen tcp/8080 }
allow lab to beta
allow desks to web on tcp/443 when user.mfa { log to beta }
allow trial to web on tcp/443 when user.mfa
"""
PORTS = ((6, 22), (6, 8080), (6, 443), (17, 500))


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    network = support.network(TRIAL)
    specs = project(network)
    with Lab(network, specs, files(network), tmp_path_factory.mktemp("rulesets")) as lab:
        found = Matrix(lab, chosen=[])
        for host in (replica(found, "beta", "g"), replica(found, "web", "g"), client(found, "trial", "g"), client(found, "vault", "g")):
            missing = [[protocol, host.addresses[0], port] for protocol, port in PORTS]
            lab.ask(host.name, "listen", missing)
        yield found


def reached(matrix: Matrix, source: str, to: str, *what: tuple[int, int], patience: float = HURRIED) -> list[bool]:
    host = client(matrix, source, "g")
    found: list[bool] = matrix.lab.ask(host.name, "probe", [[protocol, host.addresses[0], to, port] for protocol, port in what], patience)
    return found


def counted(matrix: Matrix) -> int:
    """Packets that the log statement has seen before its limit."""
    chain = f"zt_w_{matrix.lab.specs[0].observed[0].vni}"
    return int(re.findall(r"counter packets (\d+)", matrix.lab.nft("g", [f"list chain inet ztos {chain}"]))[0])


@pytest.fixture
def fresh(matrix: Matrix) -> Matrix:
    matrix.lab.load("g")
    matrix.lab.nft("g", [f"insert rule inet ztos zt_w_{matrix.lab.specs[0].observed[0].vni} ct state new counter"])
    return matrix


def test_what_no_rule_allows_passes_into_it_and_is_logged_once_a_flow(fresh: Matrix) -> None:
    beta, other = replica(fresh, "beta", "g").addresses[0], client(fresh, "trial", "g").addresses[0]
    assert all(reached(fresh, "desks", beta, (6, 8080), (6, 22), (17, 500), (58, 128), patience=PATIENT))
    assert all(reached(fresh, "vault", other, (6, 22), (17, 500), patience=PATIENT))
    assert counted(fresh) == 6, "each flow as it begins, and no answer"
    assert all(reached(fresh, "lab", beta, (6, 8080), patience=PATIENT)) and counted(fresh) == 6, "what is allowed is no refusal"


def test_out_of_it_and_between_others_nothing_opens(fresh: Matrix) -> None:
    web, vault, desk = replica(fresh, "web", "g").addresses[0], client(fresh, "vault", "g").addresses[0], client(fresh, "desks", "g")
    assert not any(reached(fresh, "trial", web, *PORTS, (58, 128))), "a condition that does not hold is a refusal"
    assert not any(reached(fresh, "trial", vault, *PORTS)) and not any(reached(fresh, "lab", vault, *PORTS))
    fresh.lab.ask(desk.name, "listen", [[protocol, desk.addresses[0], port] for protocol, port in PORTS])
    assert not any(reached(fresh, "trial", desk.addresses[0], *PORTS))
    fresh.lab.ask(desk.name, "silence")
    assert counted(fresh) == 0
    fresh.lab.nft("g", ["insert rule inet ztos zt_forward accept"])
    assert all(reached(fresh, "trial", web, *PORTS, patience=PATIENT)), "the same packets arrive where the firewall lets them"


def test_from_outside_and_with_a_forged_source_it_is_as_closed_as_others(fresh: Matrix) -> None:
    lab, beta = fresh.lab, replica(fresh, "beta", "g").addresses[0]
    flows = [[protocol, lab.outside[0][0], beta, port] for protocol, port in PORTS]
    assert not any(lab.ask("out", "probe", flows, HURRIED))
    desk, forged = client(fresh, "desks", "g"), client(fresh, "lab", "g").prefix.split("/")[0][:-1] + "7"
    lab.where.run("ip", "-n", lab.space(desk.name), "addr", "add", f"{forged}/128", "dev", "eth0", "nodad")
    lab.ask(desk.name, "send", forged, beta, 500, "forged")
    lab.ask(desk.name, "send", desk.addresses[0], beta, 500, "true")
    assert lab.ask(desk.name, "probe", [[17, desk.addresses[0], beta, 500]], PATIENT) == [True]
    server = replica(fresh, "beta", "g").name
    assert lab.ask(server, "hears", "true") and not lab.ask(server, "hears", "forged")
    lab.nft("g", ["insert rule inet ztos zt_forward accept"])
    assert all(lab.ask("out", "probe", flows, PATIENT))


def test_a_rule_that_shall_be_logged_is_logged_as_a_flow_begins_and_not_when_it_is_refused(fresh: Matrix) -> None:
    lab, desk, web = fresh.lab, client(fresh, "desks", "g"), replica(fresh, "web", "g").addresses[0]
    permit = next(each for each in lab.specs[0].permits if each.logged)
    condition = next(each for each in lab.specs[0].conditions if each.id == permit.condition)
    lines = json.loads(lab.inside("g", "nft", "--json", "list", "chain", "inet", "ztos", log_of(permit)))["nftables"]
    ((*asked, _limit, log),) = (each["rule"]["expr"] for each in lines if "log" in json.dumps(each))
    assert log == {"log": {"prefix": f"zt-rule {permit.logged[0]} "}}
    lab.nft("g", [f"insert rule inet ztos {log_of(permit)} ct state new ip6 saddr @{set_of(condition)} counter"])
    assert [next(iter(each["match"]["left"])) for each in asked] == ["ct", "payload"], "what stands before the counter too"

    def seen() -> int:
        return int(re.findall(r"counter packets (\d+)", lab.nft("g", [f"list chain inet ztos {log_of(permit)}"]))[0])

    assert not any(reached(fresh, "desks", web, (6, 443))) and seen() == 0
    lab.nft("g", [f"add element inet ztos {set_of(condition)} {{ {desk.addresses[0]} timeout 1m }}"])
    assert all(reached(fresh, "desks", web, (6, 443), patience=PATIENT)) and seen() == 1
