"""Findings as a reader meets them: which line, what stands beside it, and what is left alone."""

from __future__ import annotations

import pytest

from tests.support import AT, FRAME, compiled
from ztosc.compiler import compile_project
from ztosc.diagnostics import Diagnostic
from ztosc.source import MemoryLoader
from ztosc.verify.findings import find

FIRST = len(FRAME.splitlines()) + 1


ROLE = "role r { from desks; requires user.mfa }\n"


def findings(text: str, *codes: str) -> list[Diagnostic]:
    """The findings of the frame and some lines, those with the given codes."""
    found = compile_project(MemoryLoader({"network.ztos": (FRAME + text).encode()}), AT)
    assert found.network is not None, found.diagnostics
    return [item for item in find(found.network) if item.code in codes]


def lines(text: str, *codes: str) -> list[tuple[str, int]]:
    """Code and line of each, counted from the first line after the frame."""
    return [(item.code, item.span.line - FIRST + 1) for item in findings(text, *codes) if item.span]


def test_of_two_that_make_each_other_redundant_the_later_is_reported_and_the_earlier_shown() -> None:
    (item,) = findings("allow lab to web\nallow lab to web on tcp/443\n", "ZT441")
    assert item.span and item.span.line == FIRST + 1
    assert [label.span.line for label in item.related] == [FIRST]


def test_a_rule_is_covered_by_several_together() -> None:
    text = (
        "allow lab to vault on tcp/1-10\nallow lab to vault on tcp/5-20\nallow lab to vault on tcp/8-15\nallow lab to vault on tcp/3-12\n"
    )
    found = findings(text, "ZT441")
    assert [item.span.line - FIRST for item in found if item.span] == [2, 3]
    assert all([label.span.line - FIRST for label in item.related] == [0, 1] for item in found)
    assert "with it could go 1 more" in found[0].help


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("allow lab to web between 06:00 and 20:00\nallow lab to web between 05:00 and 21:00\n", [("ZT441", 1)]),
        ("allow lab to web between 06:00 and 20:00\nallow lab to web between 08:00 and 21:00\n", []),
        ("allow lab to web until 2027-06-30\nallow lab to web\n", [("ZT441", 1)]),
        (
            "allow lab to web until 2027-06-30\nallow lab to web from 2027-07-01\nallow lab to web on tcp/443\n",
            [("ZT441", 3)],
        ),
        (
            "role r { from desks; requires user.mfa }\nallow r to web when user.risk < 10\nallow r to web when user.risk < 20\n",
            [("ZT441", 2)],
        ),
        (f"{ROLE}allow r to web when user.risk < 10\nallow r to web when user.risk >= 10\n", []),
        ("allow lab to web\ndeny lab to phi\n", [("ZT450", 1)]),
        ("allow lab to web\ndeny lab to phi on tcp/80\n", [("ZT446", 2)]),
        ("allow lab to web\ndeny lab to phi when device.managed\n", []),
        ("allow lab to web\ndeny lab to phi when device.managed\ndeny lab to web when device.managed and user.mfa\n", [("ZT441", 3)]),
        ('allow lab to web\nquarantine lab from 2027-02-01 because "INC-1"\nquarantine desks from 2027-02-01 because "INC-1"\n', []),
        ("allow patient-monitor to web\n", [("ZT440", 1)]),
        ("label spare\nallow lab to spare on tcp/443\n", [("ZT440", 2)]),
        ("group nobody =\nallow lab to web\n", []),
    ],
)
def test_which_rules_could_go(text: str, expected: list[tuple[str, int]]) -> None:
    assert lines(text, "ZT440", "ZT441", "ZT446", "ZT450") == expected


SOON_OVER = "session.valid-until > now and session.valid-until < 2027-01-01"


@pytest.mark.parametrize(
    "text",
    [
        f"{ROLE}allow r to web when {SOON_OVER}\nallow r to vault on tcp/443 when {SOON_OVER} from ",
        f"role r {{ from desks; requires {SOON_OVER} }}\nallow r to web\nallow r to vault on tcp/443 from ",
        f"{ROLE}allow r to vault on tcp/22 when {SOON_OVER}\nallow r to web when {SOON_OVER} from ",
        f"role r {{ from desks; requires {SOON_OVER} }}\nallow r to vault on tcp/22\nallow r to web from ",
    ],
    ids=["of the rule", "of the role", "of the rule, looked at first", "of the role, looked at first"],
)
def test_a_guard_with_now_counts_while_its_rule_is_in_force(text: str) -> None:
    """The same guard is fulfilled by somebody under the first rule, and by nobody any more under the second."""
    assert lines(f"{text}2026-12-01\n", "ZT440") == []
    assert lines(f"{text}2027-02-01\n", "ZT440") == [("ZT440", 3)]


def test_a_subject_that_is_nowhere_is_named() -> None:
    (item,) = findings("import std.building\nallow bacnet-controller to web\n", "ZT440")
    assert item.message == "nobody can use this grant: `bacnet-controller` is nowhere in the network"


EMPTY = "group nobody = desks except desks\n"


def test_rules_for_an_empty_group_are_told() -> None:
    text = f"{EMPTY}allow nobody to web\ndeny nobody to phi\ndeny desks to nobody\ndeny desks to phi\n"
    told = [(item.code, item.message.rpartition(": ")[2], item.span.line - FIRST + 1) for item in compiled(text).diagnostics if item.span]
    assert told == [
        ("ZT440", "its subject is an empty group", 2),
        ("ZT446", "its subject is an empty group", 3),
        ("ZT446", "its target is an empty group", 4),
    ]


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("desks never reaches cardholder", "holds whatever the rules are: `cardholder` is nowhere in the network"),
        ("bacnet-controller isolated from vault", "holds whatever the rules are: `bacnet-controller` is nowhere in the network"),
        ("only staff reach cardholder", "holds whatever the rules are: `cardholder` is nowhere in the network"),
        ("desks never reaches nobody", "holds whatever the rules are: an empty group is nowhere in the network"),
        ("nobody isolated from vault", "holds whatever the rules are: an empty group is nowhere in the network"),
        ("cardholder stays within DE", "holds whatever the rules are: `cardholder` is nowhere in the network"),
        ("cardholder never flows down", "holds whatever the rules are: `cardholder` is nowhere in the network"),
        ("desks, bacnet-controller never reaches phi", "says nothing of it: `bacnet-controller` is nowhere in the network"),
        (
            "bacnet-controller, desks, cardholder isolated from phi",
            "says nothing of them: `bacnet-controller` and `cardholder` are nowhere",
        ),
        ("personal never flows down", "holds whatever the rules are: `personal` is nowhere in the network"),
    ],
)
def test_a_claim_about_what_is_nowhere_is_told(claim: str, said: str) -> None:
    frame = "import std.building\nimport std.pci-dss\nimport std.gdpr\n"
    (item,) = findings(f"{frame}{EMPTY}assert {claim}\n", "ZT451")
    assert item.message.startswith(f"this claim {said}") and item.span and item.span.line == FIRST + 4


@pytest.mark.parametrize(
    "claim",
    [
        "desks never reaches phi",
        "only nobody reach vault",
        "personal stays within DE",
        "internet never reaches lab",
    ],
)
def test_a_claim_about_what_is_there_is_not(claim: str) -> None:
    assert findings(f"import std.gdpr\n{EMPTY}assert {claim}\n", "ZT451") == []


def test_what_only_some_segments_tell_apart_is_needed_where_they_do_not_cover_it() -> None:
    wide = (
        "role r { from desks, ward, bench }\nsegment ward { at s; admits people }\nsegment bench { at s; admits people }\nallow r to web\n"
    )
    some = "allow desks to web\nallow ward to web\nallow bench to web when device.managed\n"
    assert lines(wide + some, "ZT441") == []
    assert lines(wide + some + "allow bench to web\n", "ZT441") == [("ZT441", 4), ("ZT441", 7)]


def test_roles_that_separate_keeps_apart_cover_nothing_together() -> None:
    text = "role a { from desks }\nrole b { from desks }\nallow a to web\ndeny b to phi\n"
    assert lines(text, "ZT446") == [], "who holds both is denied"
    assert lines(text + "separate a, b\n", "ZT446") == [("ZT446", 4)], "nobody holds both"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("allow lab to vault on any\n", ["ZT443"]),
        ("allow lab to vault on any except udp/67-68\n", ["ZT443"]),
        ("allow lab to vault on tcp/0-65535, udp/0-65535\n", []),
        ("allow lab to web on tcp/443, tcp/80\n", ["ZT442"]),
        ("allow lab to web on tcp/443\n", []),
        ("allow lab to phi on tcp/443\n", ["ZT444"]),
        ("group both = lab, desks\nallow both to web\n", ["ZT444"]),
        ("allow lab to vault on any until 2020-01-01\n", []),
    ],
)
def test_which_grants_are_too_broad(text: str, expected: list[str]) -> None:
    assert [item.code for item in findings(text, "ZT442", "ZT443", "ZT444")] == expected


def test_a_group_is_a_remark_and_a_label_a_warning() -> None:
    (group,) = findings("group both = lab, desks\nallow both to web\n", "ZT444")
    (label,) = findings("allow lab to phi on tcp/443\n", "ZT444")
    assert (group.severity, label.severity) == ("info", "warning")
    assert "`both`" in group.message and "`phi`" in label.message


SITE = "site t in home {{ node h {{ underlay 2001:db8::2; serves gateway; attach eth1 to plugs{kind} }} }}\nlink g -- h\n"
PLUGS = "segment plugs {{ at t; carries internal; {more} }}\nallow plugs to web\n"


@pytest.mark.parametrize(
    ("kind", "more", "weak"),
    [("", "", True), (" exclusive", "", True), (" dot1x", "", False), ("", "access tunnel", False)],
)
def test_what_a_grant_rests_on(kind: str, more: str, weak: bool) -> None:
    found = findings(SITE.format(kind=kind) + PLUGS.format(more=more), "ZT448")
    assert bool(found) == weak
    assert all("`phi`" in item.message and "`eth1`" in item.related[0].message for item in found)


@pytest.mark.parametrize(
    ("serves", "ports", "told"),
    [
        ("directory", "attach eth2 to plugs; attach eth1 to plugs", "`eth1` and `eth2`"),
        ("directory", "", ""),
        ("replica", "attach eth1 to plugs", ""),
        ("gateway", "attach eth1 to plugs", ""),
    ],
)
def test_masters_of_the_directory_have_no_endpoints(serves: str, ports: str, told: str) -> None:
    site = f"site t in home {{ node h {{ underlay 2001:db8::2; serves {', '.join(dict.fromkeys(('gateway', serves)))}; {ports} }} }}\n"
    found = findings(f"{site}link g -- h\nsegment plugs {{ at t }}\n", "ZT449", "ZT447")
    about = [item.message for item in found if item.code == "ZT449"]
    assert about == ([f"node `h` holds a master of the directory and has endpoints on {told}"] if told else [])
    assert [item.message.split("`")[1] for item in found if item.code == "ZT447"] == ["plugs"]


GAUGES = "device gauge {{ recognised by {by} }}\nsegment plugs {{ at t; carries internal; admits gauge }}\nallow gauge to web\n"


@pytest.mark.parametrize("by", ["certificate", "mac", "inventory"])
def test_a_device_is_as_sure_as_the_port_where_it_would_prove_itself(by: str) -> None:
    assert findings(SITE.format(kind="") + GAUGES.format(by=by), "ZT448")
    assert findings(SITE.format(kind=" exclusive") + GAUGES.format(by=by), "ZT448")
    behind = findings(SITE.format(kind=" dot1x") + GAUGES.format(by=by), "ZT448")
    assert [item.related[0].message for item in behind] == ([] if by == "certificate" else [f"`gauge` is recognised by {by}"])
    assert all(item.severity == "info" for item in behind)


RACKED = "segment plugs {{ at t; carries internal }}\nservice feed on plugs {{ listen tcp/9 }}\nallow feed to web\n"


@pytest.mark.parametrize(("kind", "remarks"), [("", 1), (" exclusive", 0), (" dot1x", 0)])
def test_a_service_is_known_by_an_address_that_a_neighbour_may_take(kind: str, remarks: int) -> None:
    found = findings(SITE.format(kind=kind) + RACKED.format(), "ZT448")
    assert [item.severity for item in found] == ["info"] * remarks
    assert all("nobody proves to be" in item.message for item in found)


def test_a_guard_that_asks_for_it_is_enough() -> None:
    asks = "segment plugs {{ at t; carries internal; admits people }}\nallow plugs to web when session.assurance >= {level}\n"
    assert not findings(SITE.format(kind="") + asks.format(level="dot1x"), "ZT448")
    assert findings(SITE.format(kind="") + asks.format(level="address"), "ZT448")


def test_of_an_external_nothing_is_known() -> None:
    (found,) = findings("external lab-outside { reach 2001:db8:9::/48 }\nallow lab-outside to web\n", "ZT448")
    assert found.severity == "info" and "nothing is known of who is in `lab-outside`" in found.related[0].message


def test_the_frame_alone_gives_no_finding() -> None:
    found = compiled("")
    assert found.network is not None
    assert [item.code for item in find(found.network)] == []
