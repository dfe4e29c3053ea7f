"""The one file that says where nodes reach each other: both families, its reader, the real nft, and what a new node changes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests import support
from tests.nodes import networks as n
from ztosc.backends import Artifact, NetworkSpec, ReadFault, backends, network_backends, render, render_network
from ztosc.backends.base import Bundle
from ztosc.backends.nftables import BACKEND as NFTABLES
from ztosc.backends.underlay import BACKEND
from ztosc.ir.network import Network
from ztosc.logic import addresses, intervals
from ztosc.nodes import project
from ztosc.prove import prove, real_tools

GRANTED = """external partner {{ reach 2001:db8::/32 }}
allow desks to internet, partner on tcp/443
allow partner to desks on tcp/80
{more}"""
MORE = "site t in home { node h { underlay 192.0.2.9; serves gateway } }"


def network(more: str = "") -> Network:
    return support.network(GRANTED.format(more=more))


def text(of: Network) -> str:
    return BACKEND.render(BACKEND.lower(NetworkSpec(of, Bundle(()))))[0].content.decode()


def test_an_ipv4_address_is_withheld_as_the_nat64_embeds_it() -> None:
    lines = text(network(MORE)).splitlines()
    assert [line.strip(",\t") for line in lines[lines.index("add element inet ztos zt_underlay {") + 1 : -1]] == [
        "64:ff9b::c000:209",
        "2001:db8::1",
    ]


def test_a_node_more_changes_this_file_and_no_other_firewall() -> None:
    before, after = network(), network(MORE)
    old, new = (render(project(each), [NFTABLES]).of("g", "nftables") for each in (before, after))
    assert [each.content for each in old] == [each.content for each in new] and text(before) != text(after)


def test_both_directions_are_proved_with_both_files() -> None:
    for each in (network(), network(MORE)):
        specs = project(each)
        bundle = render_network(each, render(specs, backends()), network_backends())
        assert {verdict.verdict for verdict in prove(each, specs, bundle)} == {"proved"}
        permits = [permit for permit in specs[0].permits if "external" in (permit.source.kind, permit.to.kind)]
        assert {permit.source.kind for permit in permits} == {"segment", "external"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2001:db8::1", "2001:DB8::1"),
        ("2001:db8::1", "192.0.2.1"),
        ("2001:db8::1", "::ffff:192.0.2.1"),
        ("2001:db8::1", "nobody"),
        ("\t2001:db8::1,", "\t2001:db8::1, ::2,"),
        ("flags interval", "flags timeout"),
        ("table inet ztos {", "table inet other {"),
        ("flush set", "delete set"),
        ("add element", "# add element"),
        ("}\n", "}\nflush ruleset\n"),
    ],
)
def test_what_is_not_known_is_refused(old: str, new: str) -> None:
    wanted = text(network())
    assert old in wanted
    with pytest.raises(ReadFault):
        BACKEND.read([Artifact("underlay.nft", wanted.replace(old, new).encode(), 0o640, "root:root")])


def test_what_is_withheld_is_every_node() -> None:
    found = BACKEND.withheld(BACKEND.lower(NetworkSpec(n.hospital(), Bundle(()))))
    assert found == intervals.normalize((addresses.value(node.underlay),) * 2 for node in n.hospital().intent.nodes)


CLOSED_OPEN_AGAIN = """
set -e
nft -f "$1"; nft list set inet ztos zt_underlay; nft -s list chain inet ztos zt_forward >"$3/one"
nft -f "$2"; nft -f "$2"; nft list set inet ztos zt_underlay; nft -s list chain inet ztos zt_forward >"$3/two"
nft -f "$1"; nft list set inet ztos zt_underlay
"""


@pytest.mark.skipif(real_tools().why_missing("nft") is not None, reason=f"NOT JUDGED: {real_tools().why_missing('nft')}")
def test_nft_refills_the_set_and_a_load_of_the_firewall_closes_it(tmp_path: Path) -> None:
    each = network(MORE)
    ruleset, refill = tmp_path / "ruleset.nft", tmp_path / "underlay.nft"
    found = {artifact.path: artifact.content for artifact in render(project(each), [NFTABLES]).of("g", "nftables")}
    ruleset.write_bytes(found["ruleset.nft"])
    refill.write_text(text(each))
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "--net",
        "sh",
        "-c",
        CLOSED_OPEN_AGAIN,
        "sh",
        str(ruleset),
        str(refill),
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    first, second, third = (" ".join(part.split()) for part in done.stdout.split("table inet ztos {")[1:])
    assert "elements = { ::/0 }" in first and first == third
    assert "elements = { 64:ff9b::c000:209, 2001:db8::1 }" in second
    assert (tmp_path / "one").read_text() == (tmp_path / "two").read_text()
