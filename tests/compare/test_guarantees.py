"""Every kind of guarantee that can be lost is told by its topic, an acceptance of that topic signs for it, and for nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import AT, FRAME
from ztosc.compare import Comparison
from ztosc.compiler import Compiled, compare_compiled, compile_project
from ztosc.source import MemoryLoader

SIGN = 'because "w" approved by "chief"'
MORE = """
label secret { encryption hop; within EU; rekey 30d; psk; above internal; retention 90d }
segment safe { at s; carries secret; within EU; access tunnel }
segment open { at s }
service box on safe { listen tcp/22 }
node-extra
role other { from desks; requires user.mfa; stale 5m }
break-glass role fire for 1h { from desks; requires user.mfa }
separate staff, other
attribute user.badge : bool { source "hr"; max-age 8h }
device robot { recognised by certificate }
profile house over phi {
  control "1" error "One" { each link l; require l.encryption >= hop }
  control "2" info "Two" { manual "show it" }
}
comply house
external far { reach 192.0.2.0/24 }
partner lab2 { domain "lab.example"; ca "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" }
allow staff to web { log to web; idle 15m }
allow other to box stale 5m
assert lab never reaches phi
assert only staff reach vault
test "nobody" { given desks
  expect deny to web }
""".replace("node-extra\n", "")
BASE = (
    FRAME.replace(
        "node g { underlay 2001:db8::1; serves gateway, resolver }",
        "node g { underlay 2001:db8::1; serves gateway, resolver; attach eth1 to desks dot1x; attach eth2 to lab exclusive }\n"
        "  node h { underlay 2001:db8::2; serves gateway }\n  link g -- h { macsec }",
    )
    + MORE
)


def compiled(text: str, inventory: str = "") -> Compiled:
    files = {"network.ztos": text.encode()} | ({"inventory/all.yaml": inventory.encode()} if inventory else {})
    found = compile_project(MemoryLoader(files), AT)
    assert not found.failed, [(item.code, item.message, item.span) for item in found.diagnostics]
    return found


def compared(old: str, new: str, *inventories: str) -> Comparison:
    before, after = inventories or ("", "")
    found = compare_compiled(compiled(old, before), compiled(new, after))
    assert found is not None
    return found


def edited(*changes: tuple[str, str]) -> str:
    text = BASE
    for was, becomes in changes:
        assert was in text, was
        text = text.replace(was, becomes)
    return text


LOST: dict[str, tuple[list[tuple[str, str]], str]] = {
    "assert": ([("assert lab never reaches phi\n", "")], 'assert "lab never reaches phi"'),
    "assert weaker": ([("assert only staff reach vault", "assert only staff, other reach vault")], 'assert "only staff reach vault"'),
    "test": ([('test "nobody" { given desks\n  expect deny to web }\n', "")], 'test "nobody"'),
    "test other": ([("expect deny to web }", "expect deny to box }")], 'test "nobody"'),
    "encryption": ([("encryption hop", "encryption none")], "encryption of label secret"),
    "rekey": ([("rekey 30d", "rekey 60d")], "rekey of label secret"),
    "psk": ([("psk; ", "")], "psk of label secret"),
    "within of a label": ([("encryption hop; within EU", "encryption hop; within EEA")], "within of label secret"),
    "within of a segment": ([("carries secret; within EU", "carries secret; within EU, US")], "within of segment safe"),
    "within gone": ([("carries secret; within EU", "carries secret")], "within of segment safe"),
    "retention": ([("retention 90d", "retention 30d")], "retention of label secret"),
    "above": ([("above internal; ", "")], "label secret above internal"),
    "carries": ([("carries phi }", "carries internal }")], "segment vault carries phi"),
    "admits": ([("segment open { at s }", "segment open { at s; admits unknown }")], "segment open admits unknown"),
    "observe": ([("segment open { at s }", "segment open { at s; observe }")], "observe of segment open"),
    "access": ([("; access tunnel }", " }")], "access of segment safe"),
    "mdns": ([("segment open { at s }", "segment open { at s; mdns }")], "mdns of segment open"),
    "multicast": ([("segment open { at s }", "segment open { at s; multicast ff05::1/128 }")], "multicast of segment open"),
    "separate": ([("separate staff, other\n", "")], "separate other, staff"),
    "comply": ([("comply house\n", "")], "comply house"),
    "control": ([('  control "2" info "Two" { manual "show it" }\n', "")], 'control house "2"'),
    "control weaker": ([('"1" error', '"1" warning')], 'control house "1"'),
    "control other": ([("l.encryption >= hop", "l.cost >= 0")], 'control house "1"'),
    "waive": ([("comply house", 'comply house\nwaive house "1" until 2027-02-01 because "w"')], 'waive house "1"'),
    "waive for": (
        [("comply house", 'comply house\nwaive house "1" for open until 2027-02-01 because "w"')],
        'waive house "1" for open',
    ),
    "releases of a rule": ([("{ log to web; idle", '{ releases phi because "w"; log to web; idle')], "staff to web releases phi"),
    "releases of a role": ([("stale 5m }\n", 'stale 5m; releases phi because "w" }\n')], "role other releases phi"),
    "releases of a service": ([("{ listen tcp/22 }", '{ listen tcp/22; releases phi because "w" }')], "service box releases phi"),
    "stale of a role": ([("user.mfa; stale 5m }", "user.mfa; stale 1h }")], "stale of role other"),
    "stale of a rule": ([("allow other to box stale 5m", "allow other to box")], "other to box stale"),
    "idle of a rule": ([("idle 15m }", "idle 1h }")], "staff to web idle"),
    "log of a rule": ([("log to web; ", "")], "staff to web log"),
    "break-glass": ([("fire for 1h", "fire for 8h")], "break-glass of role fire"),
    "max-age": ([("max-age 8h", "max-age 1d")], "max-age of attribute user.badge"),
    "source": ([('source "hr"', 'source "self"')], "source of attribute user.badge"),
    "recognised": ([("recognised by certificate", "recognised by mac")], "recognised of device robot"),
    "reach": ([("reach 192.0.2.0/24", "reach 192.0.0.0/16")], "reach of external far"),
    "ca": ([("9f86", "9f87")], "ca of partner lab2"),
    "country": ([("country DE", "country AT")], "country of region home"),
    "macsec": ([("{ macsec }", "{ cost 2 }")], "macsec of link g -- h"),
    "attach": ([("desks dot1x", "desks exclusive")], "node g attach eth1"),
    "attach more": ([("lab exclusive }", "lab exclusive; attach eth3 vlan 7 to lab }")], "node g attach eth3 vlan 7"),
    "manage": ([("timezone Europe/Berlin", "timezone Europe/Berlin\n  manage from desks on tcp/22")], "manage from desks"),
    "a smaller reach than left over": (
        [("external far { reach 192.0.2.0/24 }", "")],
        "reach of external internet",
    ),
}


@pytest.mark.parametrize("name", LOST)
def test_a_guarantee_that_is_lost_is_told_and_signed_for_by_its_topic(name: str) -> None:
    changes, said = LOST[name]
    found = compared(BASE, edited(*changes))
    (one,) = found.guarantees
    assert (one.topic.text(), one.accepted, one.accept) == (said, None, f"accept widening {said}")
    assert (one.text and one.old) or one.new
    signed = compared(BASE, edited(*changes) + f"{one.accept} {SIGN}\n")
    told = {each.topic.kind: each.accepted is not None for each in signed.guarantees}
    assert told == {one.topic.kind: True, "accept": True}
    assert not signed.idle
    wrong = next(other for key, (_, other) in LOST.items() if other != said and key == ("psk" if name != "psk" else "rekey"))
    other = compared(BASE, edited(*changes) + f"accept widening {wrong} {SIGN}\n")
    assert next(each for each in other.guarantees if each.topic == one.topic).accepted is None
    assert [each.why for each in other.idle] == ["unused"]


@pytest.mark.parametrize("name", LOST)
def test_the_other_way_round_nothing_of_it_is_lost(name: str) -> None:
    changes, said = LOST[name]
    both = {"test other", "retention", "control other", "source", "ca", "country", "log of a rule"}
    found = compared(edited(*changes), BASE)
    if name not in both:
        assert said not in [each.topic.text() for each in found.guarantees]


def test_the_same_sources_in_another_order_are_no_change() -> None:
    lines = BASE.splitlines(keepends=True)
    moved = "".join([*lines[:1], "# more\n\n", *lines[1:]])
    found = compared(BASE, moved)
    assert not found.changed and not found.idle and not found.base


def test_a_requirement_that_is_weaker_is_told_beside_the_access() -> None:
    found = compared(
        BASE, edited(("role staff { from desks; requires user.mfa }", "role staff { from desks; requires user.mfa or user.employed }"))
    )
    assert [each.topic.text() for each in found.guarantees] == ["requires of role staff"]
    assert [each.text for each in found.gained] == [
        "`staff` from `desks` may now open tcp/443 to `web`, when `user.employed` = true and (`user.mfa` = false or absent)"
    ]


def test_a_requirement_that_is_said_otherwise_is_not() -> None:
    found = compared(BASE, edited(("requires user.mfa }\n\nlabel", "requires not (not user.mfa) }\n\nlabel")))
    assert not found.changed


KEPT = [
    ("assert lab never reaches phi", "assert lab, desks never reaches phi"),
    ("assert lab never reaches phi", "assert lab isolated from phi"),
    ("assert lab, desks never reaches phi, vault", "assert lab never reaches phi, vault\nassert desks never reaches vault, phi"),
    ("assert only staff, other reach vault", "assert only staff reach vault, safe"),
    ("assert staff reaches web", "assert staff reaches web despite 1 failure"),
    ("assert staff reaches web despite 1 link failure", "assert staff reaches web despite 2 failures"),
    ("assert phi stays within EU", "assert phi stays within DE"),
    ("assert phi never flows down except by web, box", "assert phi never flows down except by box"),
    ("assert lab isolated from phi except through open", "assert lab isolated from phi"),
]


@pytest.mark.parametrize(("weak", "strong"), KEPT)
def test_an_assertion_that_says_as_much_keeps_another(weak: str, strong: str) -> None:
    bare = BASE.replace("assert lab never reaches phi\n", "").replace("assert only staff reach vault\n", "")
    assert not compared(f"{bare}{weak}\n", f"{bare}{strong}\n").guarantees
    assert compared(f"{bare}{strong}\n", f"{bare}{weak}\n").guarantees or "assert lab, desks" in weak


def test_an_acceptance_counts_once() -> None:
    grown = edited(("allow other to box stale 5m", "allow other to box on tcp/22, tcp/23 stale 5m"))
    signed = grown + f"accept widening other to box on tcp/23 {SIGN}\n"
    first = compared(BASE, signed)
    assert [each.accepted is not None for each in first.gained] == [True]
    more = signed.replace("tcp/22, tcp/23 stale", "tcp/22, tcp/23, tcp/24 stale")
    later = compared(signed, more)
    assert [(each.on, each.accepted) for each in later.gained] == [("tcp/24", None)]
    assert [each.why for each in later.idle] == ["spent"]
    again = compared(grown.replace(", tcp/23", ""), signed.replace(", tcp/23 stale", " stale"))
    assert [each.why for each in again.idle] == ["unused"]


def test_an_acceptance_that_was_there_before_its_widening_does_not_count() -> None:
    signed = BASE + f"accept widening other to box on tcp/23 {SIGN}\n"
    found = compared(signed, signed.replace("allow other to box stale 5m", "allow other to box on tcp/22, tcp/23 stale 5m"))
    assert [each.accepted for each in found.gained] == [None]


def test_an_acceptance_of_less_leaves_the_rest() -> None:
    grown = edited(("allow other to box stale 5m", "allow other, staff to box on tcp/22-23 stale 5m"))
    found = compared(BASE, grown + f"accept widening staff to box on tcp/22 when user.employed {SIGN}\n")
    told = {(each.on, each.accept.split()[2].rstrip(","), each.accepted is not None) for each in found.gained}
    assert told == {("tcp/22", "staff", True), ("tcp/22", "staff", False), ("tcp/23", "other", False)}


def test_a_misspelt_acceptance_is_named_with_what_it_may_mean() -> None:
    (idle,) = compared(
        BASE, edited(("assert lab never reaches phi\n", "")) + f'accept widening assert "lab never reaches phy" {SIGN}\n'
    ).idle
    assert (idle.why, idle.near) == ("unknown", "lab never reaches phi")


PEOPLE = """
people:
  - id: anna
    roles: [staff]
    attributes: { user.employed: true }
  - id: bert
    roles: [staff]
devices:
  - id: r-1
    class: robot
    certificate: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
"""
MEMBERS: list[tuple[str, str, list[tuple[str, bool]]]] = [
    (
        "roles: [staff]\n    attributes",
        "roles: [other]\n    attributes",
        [('person "anna" as other', True), ('person "anna" without staff', True)],
    ),
    ("user.employed: true", "user.employed: false", [('person "anna" with user.employed', True)]),
    ("  - id: bert\n    roles: [staff]\n", "", [('person "bert" ', False)]),
    ("devices:", "  - id: cleo\n    roles: [fire]\ndevices:", [('person "cleo" as fire', True)]),
    ("9f86", "9f87", [('device "r-1" with certificate', True)]),
]


@pytest.mark.parametrize(("was", "becomes", "told"), MEMBERS)
def test_memberships_are_told_by_person_and_device(was: str, becomes: str, told: list[tuple[str, bool]]) -> None:
    after = PEOPLE.replace(was, becomes, 1)
    found = compared(BASE, BASE, PEOPLE, after)
    assert [(each.topic.text(), each.widens) for each in found.memberships] == told
    signs = "".join(f"{each.accept} {SIGN}\n" for each in found.memberships if each.widens)
    signed = compared(BASE, BASE + signs, PEOPLE, after)
    assert all(each.accepted is not None for each in signed.memberships if each.widens)


def test_a_role_that_keeps_nobody_out_is_lost_without_a_signature() -> None:
    bare = edited(("separate staff, other\n", ""))
    after = PEOPLE.replace("roles: [staff]\n    attributes", "roles: []\n    attributes")
    (one,) = compared(bare, bare, PEOPLE, after).memberships
    assert (one.change, one.widens) == ("lost", False)


def test_numbers_that_follow_from_another_are_not_told() -> None:
    found = compared(BASE, edited(("prefix fd00:77::/48", "prefix fd00:78::/48")))
    assert [each.topic.text() for each in found.numbers] == ['lock "prefix overlay"']
    signed = compared(BASE, edited(("prefix fd00:77::/48", "prefix fd00:78::/48")) + f'accept widening lock "prefix overlay" {SIGN}\n')
    assert [each.accepted is not None for each in signed.numbers] == [True]


def test_the_assertions_of_the_base_are_judged_where_their_names_still_stand() -> None:
    broken = edited(("assert lab never reaches phi\n", "allow lab to web\n"))
    found = compared(BASE, broken)
    assert [(each.statement, each.verdict) for each in found.base] == [("lab never reaches phi", "refuted")]
    kept = compared(BASE, edited(("assert lab never reaches phi\n", "")))
    assert [(each.statement, each.verdict) for each in kept.base] == [("lab never reaches phi", "proved")]
    gone: Any = compared(BASE + "segment extra { at s }\nassert extra never reaches phi\n", BASE)
    assert not gone.base and [each.topic.kind for each in gone.guarantees] == ["assert"]


def test_a_new_segment_has_what_the_nodes_offer_and_needs_no_signature_for_it() -> None:
    found = compared(BASE, BASE + "segment extra { at s }\n")
    assert found.gained and all(each.inherent for each in found.gained)
    more = compared(BASE, BASE + "segment extra { at s }\nallow extra to web\n")
    assert [each.text for each in more.gained if not each.inherent] == ["anyone in `extra` may now open tcp/443 to `web`"]
