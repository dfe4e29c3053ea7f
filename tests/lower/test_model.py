"""The model as a whole: contradictions are found, with both places."""

from __future__ import annotations

import pytest

from tests.support import AT, codes, compiled, network

WRONG = [
    ("site t in home { node h { underlay 2001:db8::1; serves gateway } }", "ZT301"),
    ("site t in home { node h { underlay fe80::1; serves gateway } }", "ZT301"),
    ("site t in home { node h { underlay fd00:77::9; serves gateway } }", "ZT303"),
    ("segment a { at s; prefix fd00:77:0:1000::/60 }\nsegment b { at s; prefix fd00:77:0:1001::/64 }", "ZT302"),
    ("segment a { at s; prefix fd00:77::/64 }", "ZT302"),
    ("segment a { at s; prefix fd00:78::/64 }", "ZT318"),
    ("segment a { at s; prefix fd00:77:0:1000::/80 }", "ZT318"),
    ("external other { reach ::/0 }", "ZT302"),
    ("service lost { listen tcp/1 }", "ZT306"),
    ("site t in home { node h { underlay 2001:db8::2; serves gateway; attach eth1 to desks } }", "ZT304"),
    ("site t in home { node h { underlay 2001:db8::2; serves resolver } }\nsegment a { at t }", "ZT305"),
    (
        "site t in home { node h { underlay 2001:db8::2; serves gateway; attach e1 to a; attach e1 to b } }\n"
        "segment a { at t }\nsegment b { at t }",
        "ZT317",
    ),
    ("role r { from vault }", "ZT307"),
    ("link g -- g", "ZT308"),
    ("segment a { at s; within US }", "ZT315"),
    ("allow staff to vault", "ZT401"),
    ("allow staff to internet", "ZT401"),
    ("deny staff to web\nallow desks to web", "ZT402"),
    ("deny staff to phi\nallow desks to vault on tcp/1", "ZT402"),
    ("allow staff to web from 2027-02-01 until 2027-01-01", "ZT403"),
    ("role a { from desks; includes staff, b }\nrole b { from desks }\nseparate staff, b", "ZT406"),
    ('service other on vault { listen tcp/1; name "web" }', "ZT202"),
]


@pytest.mark.parametrize(("lines", "code"), WRONG, ids=[f"{code} {lines[:30]}" for lines, code in WRONG])
def test_a_contradiction_has_its_code_and_only_that(lines: str, code: str) -> None:
    assert codes(lines) == [code]


@pytest.mark.parametrize(
    "lines",
    [
        'quarantine nobody from 2026-01-01 because "drill"',
        'test "t" { given lab\n expect deny to nobody }',
        'test "t" { given lab\n expect deny to web\n expect deny to nobody }',
        'test "t" { given nobody from desks\n expect deny to web }',
        'test "t" { given nobody\n expect deny to web }',
        'test "t" { given nobody\n expect deny to nobody }\nquarantine nobody from 2026-01-01 because "drill"',
    ],
)
def test_whoever_is_shut_off_or_asked_about_is_somebody(lines: str) -> None:
    found = compiled(f"group nobody = desks except desks\n{lines}").diagnostics
    assert [item.code for item in found] == ["ZT404"] * lines.count("nobody")
    assert codes(f"group nobody = desk\n{lines}") == ["ZT201"], "what is wrong is said once"


def test_a_deny_on_other_ports_is_passed_by_nobody() -> None:
    assert codes("deny staff to vault on tcp/22\nallow desks to vault on tcp/443") == []
    assert codes("deny staff to vault on tcp/22\nallow desks to vault on tcp/20-30") == ["ZT402"]


def test_a_grant_that_is_over_is_reported_and_changes_nothing() -> None:
    found = compiled("allow staff to web until 2026-01-01")
    assert [(item.code, str(item.severity)) for item in found.diagnostics] == [("ZT405", "warning")]
    assert not found.failed


def test_a_grant_without_a_path_names_both_ends_and_verification_goes_on() -> None:
    found = compiled(
        "site t in home { node h { underlay 2001:db8::2; serves gateway } }\nsegment far { at t; admits people }\nallow far to web"
    )
    assert [item.code for item in found.diagnostics] == ["ZT316"]
    assert "`far` at site `t` (node `h`) to `vault`" in found.diagnostics[0].message
    assert found.verifiable is not None


def test_until_a_day_runs_to_its_end_in_the_networks_zone() -> None:
    rules = network("allow staff to web from 2027-01-02 until 2027-06-30").intent.rules
    (rule,) = [rule for rule in rules if rule.effect == "allow" and not rule.id.startswith("system")]
    assert rule.validity.not_before == 1_798_844_400  # 2027-01-02T00:00 in Berlin, UTC+1
    assert rule.validity.not_after == 1_814_392_800  # 2027-07-01T00:00 in Berlin, UTC+2


def test_a_group_leaves_no_trace_but_says_through_what() -> None:
    rules = network("group both = staff, lab\nallow both to web").intent.rules
    (rule,) = [rule for rule in rules if not rule.id.startswith("system")]
    assert [(ref.kind, ref.name, ref.via) for ref in rule.subjects] == [("role", "staff", "both"), ("segment", "lab", "both")]


def test_a_role_without_from_comes_from_where_what_it_includes_comes() -> None:
    roles = {role.name: role for role in network("role chief { includes staff }").intent.roles}
    assert roles["chief"].sources == ("desks",)


def test_the_order_of_files_leaves_no_trace() -> None:
    one = compiled("", at=AT, a="segment p { at s }", b="segment q { at s }")
    other = compiled("", at=AT, b="segment p { at s }", a="segment q { at s }")
    assert one.intent is not None and other.intent is not None
    assert [segment.name for segment in one.intent.segments] == [segment.name for segment in other.intent.segments]


def test_a_rules_id_depends_on_what_it_says_alone() -> None:
    first = {rule.id for rule in network("allow staff to web").intent.rules}
    moved = {rule.id for rule in network("# a comment\n\nallow lab to web\nallow staff to web").intent.rules}
    assert first < moved
