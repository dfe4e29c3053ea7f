"""`reaches … despite` and `stays within`: places, paths, failures, jurisdictions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.verify.networks import (
    AT,
    DAY,
    allow,
    between,
    deny,
    external,
    link,
    network,
    node,
    reaches,
    region,
    replays,
    role,
    segment,
    service,
    site,
    stays,
    system,
    verified,
)
from ztosc.ir.certificate import Certificate, Paths
from ztosc.ir.network import IsolationDomain
from ztosc.ir.values import Jurisdiction, Validity
from ztosc.ir.verdict import Verdict
from ztosc.recheck import Checker
from ztosc.verify import cuts, explained, reference, topology, verify
from ztosc.verify.certificates import NETWORK, certificates

REGIONS = (region("us", "US"), region("ie", "IE"), region("sea", None), region("ca", "US-CA"))


def judge(*parts: Any, **more: Any) -> Verdict:
    """The one verdict; what is allowed in a refutation must replay."""
    given = network(*REGIONS, *parts, **more)
    (verdict,) = verified(given)
    flows = [hop for hop in verdict.witness.hops if hop.flow]
    assert verdict.verdict != "refuted" or (verdict.witness.hops and (not flows or replays(given, verdict)))
    return verdict


def ring(*names: str) -> list[Any]:
    """Nodes of one name with their site, linked in a circle."""
    return [link(a, b) for a, b in zip(names, (*names[1:], names[0]), strict=True)]


def domain(name: str, *nodes: str, within: tuple[str, ...] | None = None) -> IsolationDomain:
    """A domain on some nodes."""
    bound = Jurisdiction(text=" and ".join(within), countries=within) if within else None
    return IsolationDomain(name=name, index=0, l3vni=1, interface="v", nodes=nodes, within=bound)


SITES = tuple(site(name) for name in ("one", "two", "three"))
NODES = (node("n1", "one"), node("n2", "two"), node("n3", "three"))
PAIR = (*SITES, *NODES, segment("a", "one"), segment("b", "two", "three"), service("s", "b", replicas=2), allow("segment:a", "service:s"))


def test_a_grant_and_a_path_are_a_way() -> None:
    assert judge(*PAIR, link("n1", "n2"), reaches("segment:a", "service:s")).verdict == "proved"


def test_without_a_grant_or_without_a_path_there_is_none() -> None:
    cut = judge(*PAIR, reaches("segment:a", "service:s"))
    assert cut.verdict == "refuted"
    assert cut.reason == "no instance of `s` (on `n2` and `n3`) answers `a` on node `n1`"
    shut = judge(*PAIR, link("n1", "n2"), deny("segment:a", "service:s"), reaches("segment:a", "service:s"))
    assert shut.verdict == "refuted"
    assert "nobody of `a` may reach `s` at 2026-11-22T00:00:00Z" in shut.reason


@pytest.mark.parametrize(
    ("links", "failures", "failing", "outcome"),
    [
        ([link("n1", "n2")], 1, "links", "refuted"),
        ([link("n1", "n2"), link("n1", "n3")], 1, "any", "proved"),
        ([link("n1", "n2"), link("n1", "n3")], 2, "any", "refuted"),
        ([link("n1", "n2"), link("n2", "n3")], 1, "nodes", "refuted"),
        (ring("n1", "n2", "n3"), 1, "any", "proved"),
        (ring("n1", "n2", "n3"), 2, "links", "refuted"),
        (ring("n1", "n2", "n3"), 1, "nodes", "proved"),
        (ring("n1", "n2", "n3"), 2, "nodes", "refuted"),
    ],
)
def test_any_k_failures(links: list[Any], failures: int, failing: str, outcome: str) -> None:
    assert judge(*PAIR, *links, reaches("segment:a", "service:s", failures, failing)).verdict == outcome


def test_the_failures_shown_are_the_fewest() -> None:
    verdict = judge(*PAIR, link("n1", "n2"), link("n2", "n3"), reaches("segment:a", "service:s", 2))
    assert verdict.reason.startswith("after the failure of link `n1--n2`, ")
    assert verdict.witness.hops[0].flow is not None


def test_a_target_on_one_node_survives_no_node_failure() -> None:
    parts = (*SITES, *NODES, *ring("n1", "n2", "n3"), segment("a", "one"), segment("b", "two"), service("s", "b", replicas=2))
    parts = (*parts, allow("segment:a", "service:s"))
    assert judge(*parts, reaches("segment:a", "service:s", 1, "links")).verdict == "proved"
    verdict = judge(*parts, reaches("segment:a", "service:s", 1, "nodes"))
    assert verdict.reason.startswith("after the failure of node `n2`, ")


def test_nor_does_one_that_shares_the_node_of_who_asks() -> None:
    parts = (segment("a"), service("s", "a", replicas=2), allow("segment:a", "service:s"))
    assert judge(*parts, reaches("segment:a", "service:s", 1, "links")).verdict == "proved"
    assert judge(*parts, reaches("segment:a", "service:s", 1, "nodes")).reason.startswith("after the failure of node `n1`, ")


def test_every_place_of_a_counts() -> None:
    parts = (*SITES, *NODES, link("n1", "n2"), segment("a", "one", "three"), segment("b", "two"), service("s", "b"))
    verdict = judge(*parts, allow("segment:a", "service:s"), reaches("segment:a", "service:s"))
    assert verdict.reason.endswith("answers `a` on node `n3`")


@pytest.mark.parametrize(
    ("bounds", "needed"),
    [((None, ("US",)), {"b"}), ((("US",), ("US", "IE")), {"a"}), ((("US", "IE"), ("US", "CA")), {"a", "b"})],
    ids=["the stricter is the target's", "the stricter is the source's", "neither is inside the other"],
)
def test_only_links_whose_tunnel_admits_the_stricter_domain_carry_a_flow_and_its_answers(bounds: Any, needed: set[str]) -> None:
    parts = (*PAIR, *ring("n1", "n2", "n3"), reaches("segment:a", "service:s", 1, "links"))
    domains = tuple(domain(name, "n1", "n2", "n3", within=within) for name, within in zip("ab", bounds, strict=True))
    assert judge(*parts, domains=domains).verdict == "proved"
    for kept in ("a", "b"):
        admits = {"n1--n3": (kept,), "n1--n2": ("a", "b"), "n2--n3": ("a", "b")}
        assert judge(*parts, domains=domains, admits=admits).verdict == ("proved" if needed == {kept} else "refuted")
    nodes = {name: ("n1", "n2") if name in needed else ("n1", "n2", "n3") for name in "ab"}
    strict = tuple(domain(name, *nodes[name], within=within) for name, within in zip("ab", bounds, strict=True))
    assert judge(*parts, domains=strict).verdict == "refuted"


def test_a_way_must_stand_at_every_instant() -> None:
    window = judge(*PAIR, link("n1", "n2"), deny("segment:a", "service:s", valid=between(2, 3)), reaches("segment:a", "service:s"))
    assert "nobody of `a` may reach `s` at 2026-11-22T02:00:00Z" in window.reason
    ends = (*SITES, *NODES, link("n1", "n2"), segment("a", "one"), segment("b", "two"), reaches("segment:a", "segment:b"))
    assert judge(*ends, allow("segment:a", "segment:b", on="tcp/1", valid=Validity(not_after=AT + DAY))).verdict == "refuted"


def test_every_segment_of_a_role_must_get_there() -> None:
    parts = (
        *SITES,
        *NODES,
        link("n1", "n2"),
        segment("a", "one"),
        segment("b", "two"),
        role("r", "a", "b"),
        allow("role:r", "segment:b", on="tcp/1"),
    )
    assert judge(*parts, reaches("role:r", "segment:b")).verdict == "proved"
    assert judge(*parts, deny("segment:a", "segment:b"), reaches("role:r", "segment:b")).verdict == "refuted"


def test_what_the_model_does_not_say_is_unsupported() -> None:
    parts = (*PAIR, link("n1", "n2"), external("net"), role("r", "a"), allow("segment:a", "external:net", on="tcp/1"))
    assert judge(*parts, reaches("segment:a", "role:r")).verdict == "unsupported"
    assert judge(*parts, reaches("segment:a", "external:net")).verdict == "unsupported", "no node serves nat64"
    inbound = (*parts, allow("external:net", "service:s"))
    assert judge(*inbound, reaches("external:net", "service:s", 1)).verdict == "unsupported"
    assert judge(*inbound, reaches("external:net", "service:s")).verdict == "proved"


def test_an_external_is_reached_through_nat64() -> None:
    parts = (
        *SITES,
        *NODES[:2],
        node("n3", "three", "nat64"),
        segment("a", "one"),
        external("net"),
        allow("segment:a", "external:net", on="tcp/1"),
    )
    assert judge(*parts, link("n1", "n3"), reaches("segment:a", "external:net")).verdict == "proved"
    assert judge(*parts, link("n1", "n2"), reaches("segment:a", "external:net")).verdict == "refuted"


def test_a_resolver_is_reached_where_it_is_served() -> None:
    parts = (*SITES, *NODES[:2], node("n3", "three", "resolver"), segment("a", "one"), system())
    parts = (*parts, allow("segment:a", "system:dns"))
    assert judge(*parts, link("n1", "n3"), reaches("segment:a", "system:dns")).verdict == "proved"
    cut = judge(*parts, link("n1", "n2"), reaches("segment:a", "system:dns"))
    assert cut.reason == "no instance of `dns` (on `n3`) answers `a` on node `n1`"


def test_too_many_combinations_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference counts every combination there is, the engine those that hit a way."""
    given = network(*PAIR, *ring("n1", "n2", "n3"), reaches("segment:a", "service:s", 2))
    monkeypatch.setattr(topology, "BUDGET", 3)
    monkeypatch.setattr(cuts, "BUDGET", 3)
    for (verdict,) in (verify(given), reference.verify(given)):
        assert verdict.verdict == "unknown"
        assert "combinations of failures" in verdict.reason


def test_failures_that_hit_no_way_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ring of sixty nodes has 119 parts that may fail: 7,140 combinations of two, of which some 120 matter."""
    monkeypatch.setattr(cuts, "BUDGET", 200)
    names = [f"n{number}" for number in range(1, 61)]
    at = {"n1": "one", "n3": "two"}
    parts = [*SITES, *(node(name, at.get(name, "three")) for name in names), *ring(*names), segment("a", "one"), segment("b", "two")]
    parts.append(allow("segment:a", "segment:b", "tcp/1"))
    assert judge_alone(*parts, reaches("segment:a", "segment:b", 1, "links")).verdict == "proved"
    cut = judge_alone(*parts, reaches("segment:a", "segment:b", 2, "links"))
    assert cut.reason.startswith("after the failure of link `n1--n2` and link `n1--n60`, ")


def judge_alone(*parts: Any) -> Verdict:
    """What the engine says, where the reference would take too long."""
    (verdict,) = verify(network(*parts))
    return verdict


PHI = segment("b", "two", carries=("phi",))
ABROAD = site("abroad", "ie")
STAYS = stays("phi")


def data(*parts: Any, **more: Any) -> Verdict:
    """A verdict where phi lives on n2, in the United States."""
    return judge(*SITES, *NODES[:2], PHI, STAYS, *parts, **more)


def test_data_rests_where_its_segments_are() -> None:
    assert data().verdict == "proved"
    assert judge(site("abroad", "ie"), node("n1", "abroad"), segment("b", "abroad", carries=("phi",)), STAYS).verdict == "refuted"
    unknown = judge(site("abroad", "sea"), node("n1", "abroad"), segment("b", "abroad", carries=("phi",)), STAYS)
    assert "in a region without a country, which is not inside US" in unknown.reason
    california = Jurisdiction(text="US-CA", countries=("US-CA",))
    west = (site("west", "ca"), node("n1", "west"), segment("b", "west", carries=("phi",)))
    assert judge(*west, stays("phi")).verdict == "proved"
    assert judge(*west, stays("phi", california)).verdict == "proved"
    assert judge(site("east"), node("n1", "east"), segment("b", "east", carries=("phi",)), stays("phi", california)).verdict == "refuted"


@pytest.mark.parametrize("direction", [("segment:b", "segment:e"), ("segment:e", "segment:b")])
def test_data_goes_with_a_flow_and_comes_back_as_an_answer(direction: tuple[str, str]) -> None:
    verdict = data(ABROAD, node("n9", "abroad"), segment("e", "abroad"), link("n2", "n9"), allow(*direction, on="tcp/1"))
    assert verdict.verdict == "refuted"
    assert "rests in `e` on node `n9`, in IE, which is not inside US" in verdict.reason
    assert ("flows back" in verdict.reason) == (direction[0] == "segment:e")


def test_data_goes_over_hops_unless_someone_releases_it() -> None:
    parts = (segment("a", "one"), external("net"), allow("segment:a", "segment:b", on="tcp/443"), link("n1", "n2"))
    verdict = data(*parts, allow("segment:a", "external:net", on="tcp/443"))
    assert "reaches the external `net`" in verdict.reason
    assert len(verdict.witness.hops) == 3
    assert data(*parts, allow("segment:a", "external:net", on="tcp/443", releases=("phi",))).verdict == "proved"
    assert data(*parts, allow("segment:a", "external:net", on="tcp/443", releases=("other",))).verdict == "refuted"
    both = (allow("segment:a", "external:net", on="tcp/443", releases=("phi",)), allow("segment:a", "external:net", on="tcp/1-1000"))
    refuted = data(*parts, *both)
    assert refuted.witness.hops[1].rule == both[1].origin, "the grant that releases nothing carries it"


def test_what_is_signed_for_goes_no_further_and_still_rests_where_it_is() -> None:
    signed = allow("segment:a", "segment:b", releases=("phi",)).governance
    net, leaves = external("net"), allow("segment:b", "external:net", on="tcp/443")
    assert "reaches the external `net`" in data(net, leaves).reason
    assert data(net.model_copy(update={"governance": signed}), leaves).verdict == "proved"
    parts = (ABROAD, node("n9", "abroad"), link("n2", "n9"), allow("segment:b", "segment:e", on="tcp/1"))
    assert "rests in `e` on node `n9`" in data(*parts, segment("e", "abroad", governance=signed)).reason
    onward = (net, link("n1", "n2"), allow("segment:b", "segment:a", on="tcp/1"), allow("segment:a", "external:net", on="tcp/1"))
    assert data(*onward, segment("a", "one")).verdict == "refuted"
    assert data(*onward, segment("a", "one", governance=signed)).verdict == "proved"


def test_data_keeps_to_the_order_of_time() -> None:
    parts = (segment("a", "one"), external("net"), link("n1", "n2"))
    leaves = allow("segment:a", "external:net", on="tcp/443", valid=Validity(not_after=AT + DAY))
    assert data(*parts, leaves, allow("segment:a", "segment:b", on="tcp/443", valid=Validity(not_before=AT + DAY))).verdict == "proved"
    assert data(*parts, leaves, allow("segment:a", "segment:b", on="tcp/443", valid=Validity(not_before=AT + DAY - 1))).verdict == "refuted"


def test_a_foreign_node_on_a_cycle_relays_and_one_on_a_leaf_does_not() -> None:
    parts = (
        ABROAD,
        node("n9", "abroad"),
        segment("a", "one"),
        allow("segment:a", "segment:b", on="tcp/443"),
        link("n1", "n2"),
        link("n2", "n9"),
    )
    assert data(*parts).verdict == "proved"
    verdict = data(*parts, link("n1", "n9"))
    assert "`phi` may travel over node `n9`, in IE, which is not inside US, between `n2` (`b`) and `n1` (`a`)" in verdict.reason
    assert replays_first_hop(verdict)
    domains = (domain("all", "n1", "n2"),)
    assert data(*parts, link("n1", "n9"), domains=domains).verdict == "proved", "enforced: the node may not hold that domain"
    admits = {"n1--n9": ()}
    assert data(*parts, link("n1", "n9"), admits=admits).verdict == "proved", "enforced: the tunnel does not admit it"


def replays_first_hop(verdict: Verdict) -> bool:
    """Whether the flow that would be relayed is shown."""
    return verdict.witness.hops[0].flow is not None


def test_the_only_way_counts_too() -> None:
    parts = (ABROAD, node("n9", "abroad"), segment("a", "one"), allow("segment:a", "segment:b", on="tcp/443"))
    assert "may travel over node `n9`" in data(*parts, link("n1", "n9"), link("n2", "n9")).reason


def test_a_segment_in_two_places_travels_between_them() -> None:
    spread = (*SITES, *NODES[:2], ABROAD, node("n9", "abroad"), segment("b", "one", "two", carries=("phi",)), STAYS)
    assert judge(*spread, link("n1", "n2")).verdict == "proved"
    assert judge(*spread, link("n1", "n2"), link("n1", "n9"), link("n2", "n9")).verdict == "refuted"


def test_log_sinks_count() -> None:
    parts = (ABROAD, node("n9", "abroad"), segment("logs", "abroad"), service("siem", "logs"), segment("a", "one"))
    verdict = data(*parts, allow("segment:a", "segment:b", on="tcp/443", log_to="siem"))
    assert verdict.verdict == "refuted"
    assert "logged to `siem`" in verdict.reason


@pytest.mark.parametrize(
    ("subject", "target", "about"),
    [
        ("segment:b", "segment:a", True),
        ("role:r", "segment:a", True),
        ("device:pump", "segment:a", True),
        ("segments:*", "segment:a", True),
        ("segment:a", "service:s", True),
        ("segment:a", "label:phi", True),
        ("segment:b", "system:dns", True),
        ("segment:a", "system:dns", False),
        ("role:q", "external:net", False),
        ("segment:a", "segment:logs", False),
    ],
)
def test_logs_are_of_whatever_a_rule_names(subject: str, target: str, about: bool) -> None:
    """The grant itself releases the label, so that only its records carry it."""
    parts = (
        *SITES, *NODES[:2], ABROAD, node("n9", "abroad"), segment("b", "two", carries=("phi",), admits=("pump",)), STAYS,
        segment("logs", "abroad"), service("siem", "logs"), segment("a", "one"), service("s", "b"), role("r", "b"), role("q", "a"),
        external("net"), system(), allow(subject, target, on="tcp/443", releases=("phi",), log_to="siem"),
    )  # fmt: skip
    verdict = judge(*parts)
    assert verdict.verdict == ("refuted" if about else "proved")
    assert ("flows of `b` are logged to `siem`" in verdict.reason) == about


def test_the_directory_carries_personal_data() -> None:
    parts = (*SITES, ABROAD, node("n2", "two", "directory"), segment("b", "two", carries=("personal",)), stays("personal"))
    assert judge(*parts).verdict == "proved"
    verdict = judge(*parts, node("n9", "abroad", "replica"))
    assert verdict.reason == "the directory on node `n9` holds `personal`, in IE, which is not inside US"


@pytest.mark.parametrize(
    ("subjects", "targets", "reason"),
    [
        ((), "segment:b", "an empty group comes from nowhere"),
        ("segment:a", (), "an empty group is nowhere"),
        ("label:phi", "segment:b", "`phi` comes from nowhere"),
    ],
)
def test_nobody_reaches_nothing(subjects: Any, targets: Any, reason: str) -> None:
    net = network(segment("a"), segment("b"), allow("segment:a", "segment:b", on="tcp/1"), reaches(subjects, targets))
    (verdict,) = verified(net)
    assert (verdict.verdict, verdict.reason) == ("refuted", reason)
    (told,) = explained(net, (verdict,), {})
    assert told.explanation is not None and told.explanation.untestable == "no test speaks of what is nowhere: give it a place"
    made = certificates(net, (verdict,))
    (text,) = (text for name, text in made.items() if name != NETWORK)
    checker = Checker(made[NETWORK])
    assert checker.check(text).state == "holds"
    forged = text.replace(b'"outcome":"refuted"', b'"outcome":"proved"')
    kind = Certificate.model_validate_json(forged).model_copy(update={"evidence": Paths(ways=())})
    assert checker.check(kind.model_dump_json().encode()).state == "fails"
