"""Real packets that are refused: the counter behind the line in the log that says why, and no other."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests import support
from tests.harness.acts import client, forge, replica
from tests.harness.lab import Lab
from tests.harness.matrix import HURRIED, Matrix
from tests.harness.rig import REASON, WHY_NOT, files
from ztosc.backends.nftables.sets import bar_of, chain_of
from ztosc.nodes import project

pytestmark = [pytest.mark.netns, pytest.mark.slow, pytest.mark.skipif(WHY_NOT is not None, reason=REASON)]
DENYING = """
allow desks to web on tcp/1-1000
deny desks to web on tcp/23, icmp
allow staff to web on tcp/2000
allow lab to web on tcp/443 between 08:00 and 18:00
"""


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    network = support.network(DENYING)
    specs = project(network)
    with Lab(network, specs, files(network), tmp_path_factory.mktemp("rulesets")) as lab:
        found = Matrix(lab, chosen=[])
        web = replica(found, "web", "g")
        lab.ask(web.name, "listen", [[protocol, web.addresses[0], port] for protocol, port in ((6, 22), (6, 23), (6, 2000), (6, 443))])
        yield found


@pytest.fixture
def fresh(matrix: Matrix) -> Matrix:
    matrix.lab.load("g")
    return matrix


def refusals(matrix: Matrix) -> set[str]:
    """Chains that dropped something that a host sent, not what the node's own kernel says and hears besides."""
    listed = json.loads(matrix.lab.inside("g", "nft", "--json", "list", "ruleset"))["nftables"]
    rules = [each["rule"] for each in listed if "rule" in each]
    return {rule["chain"] for rule in rules for part in rule["expr"] if "counter" in part and part["counter"]["packets"]} - {"zt_deny_node"}


def tried(matrix: Matrix, source: str, to: str, protocol: int, port: int) -> bool:
    host = client(matrix, source, "g")
    (found,) = matrix.lab.ask(host.name, "probe", [[protocol, host.addresses[0], to, port]], HURRIED)
    return bool(found)


def asked(matrix: Matrix, source: str, port: int) -> str:
    """The chain of the condition behind a port of `web`."""
    spec = matrix.lab.specs[0]
    found = [each for each in spec.permits if (each.source.name, each.ports) == (source, ((6, 6, port, port),)) and each.condition]
    return chain_of(found[0].condition or "")


def test_what_is_refused_is_counted_where_it_says_why(fresh: Matrix) -> None:
    web, desk = replica(fresh, "web", "g").addresses[0], client(fresh, "desks", "g").addresses[0]
    (denied,) = {bar_of(each) for each in fresh.lab.specs[0].barred if each.ports != ((58, 58, 128, 128),)}
    assert tried(fresh, "desks", web, 6, 22) and not refusals(fresh), "what passes is refused nowhere"
    seen: set[str] = set()
    for source, to, protocol, port, chain in (
        ("desks", web, 6, 23, denied),
        ("desks", web, 58, 128, denied),
        ("desks", web, 6, 2000, asked(fresh, "desks", 2000)),
        ("lab", web, 6, 443, asked(fresh, "lab", 443)),
        ("lab", desk, 6, 22, "zt_deny_grant"),
    ):
        assert not tried(fresh, source, to, protocol, port)
        assert refusals(fresh) - seen == ({chain} - seen) and chain in refusals(fresh), (source, port)
        seen.add(chain)


def test_a_forged_source_is_told_apart(fresh: Matrix) -> None:
    client_, other = client(fresh, "desks", "g"), client(fresh, "lab", "g")
    forge(fresh, "g", client_.name, other.addresses[0], "forged")
    assert refusals(fresh) == {"zt_deny_source"}
