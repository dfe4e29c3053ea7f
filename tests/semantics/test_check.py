"""Names and types: what is right binds, what is wrong has a code, a place and a way out."""

from __future__ import annotations

import pytest

from tests.support import compiled

WRONG = [
    # line, code, part of the message, help
    ("allow stff to web", "ZT201", "unknown name `stff`", "did you mean `staff`?"),
    ("allow staff to cardholder-data on tcp/1", "ZT201", "`cardholder-data`", ""),
    ("segment staff { at s }", "ZT202", "`staff` is declared twice", "rename one of them"),
    ("segment phi { at s }", "ZT202", "`phi`", "std.hipaa"),
    ("role r { from s }", "ZT203", "`s` is a site, not segment or group", ""),
    ("allow infusion-pump to web when user.risk", "ZT209", "`user.risk` is a number 0..100", "compare it"),
    ("allow staff to web when user.mfa < true", "ZT209", "which has no order", "=="),
    ("allow staff to web when device.health == helthy", "ZT209", "`helthy` is no value", "did you mean `healthy`?"),
    ("allow staff to web when user.country == XX", "ZT211", "unknown country `XX`", ""),
    ("allow staff to web when user.clearance == user.risk", "ZT209", "", "one type"),
    ("allow staff to web when now < user.mfa", "ZT209", "`now`", "session.valid-until"),
    ("segment z { carries phi }", "ZT208", "segment `z` has no `at`", "at …"),
    ("segment z { at s; size 1; size 2 }", "ZT207", "`size` is given twice", "keep one"),
    ("segment z { at s; addressing slac }", "ZT210", "knows no `slac`", "did you mean `slaac`?"),
    ("segment z { at s; size 0 }", "ZT213", "`0` cannot be used", ""),
    ("external e { reach 10.0.0.1/8 }", "ZT213", "the prefix is `10.0.0.0/8`", ""),
    ("allow staff to web on tcp/70000", "ZT213", "`tcp/70000`", ""),
    ("allow staff to web until 2027-02-30", "ZT213", "no such day", ""),
    ("allow staff to web between 25:00 and 26:00", "ZT213", "between 00:00 and 24:00", ""),
    ("allow staff to web between 06:00 and 06:00", "ZT403", "this window is empty", ""),
    ("allow staff to web on mon-fry", "ZT213", "`mon-fry` is no day", ""),
    ("allow staff to staff", "ZT404", "`staff` is a role, which cannot be a target", "people are not a target"),
    ("allow s to web", "ZT404", "`s` is a site", ""),
    ("group a = b\ngroup b = a\nallow a to web", "ZT214", "groups contain each other", ""),
    ("role a { from desks; includes b }\nrole b { from desks; includes a }", "ZT214", "includes itself", ""),
    ('test "x" { given staff from desks }', "ZT208", "an `expect` line", ""),
    ('test "x" { given staff\n expect deny to web }', "ZT404", "does not say who acts from where", ""),
    ('network other { domain "o.example" }', "ZT221", "`other` is a second network", ""),
    ("attribute a.b : 9..3", "ZT213", "the lower end comes first", ""),
]


@pytest.mark.parametrize(("line", "code", "message", "help_"), WRONG, ids=[each[0][:40] for each in WRONG])
def test_a_mistake_has_its_code_and_a_way_out(line: str, code: str, message: str, help_: str) -> None:
    found = [item for item in compiled(line).diagnostics if item.code == code]
    assert found, [f"{item.code} {item.message}" for item in compiled(line).diagnostics]
    assert any(message in item.message for item in found)
    assert any(help_ in item.help for item in found)
    assert all(item.span is not None and item.span.file == "network.ztos" for item in found)


@pytest.mark.parametrize(
    "line",
    [
        "allow staff to web when user.mfa and not (user.risk > 50 or device.health in degraded, unknown)",
        "allow staff to web when user.country in EU, US-CA and session.country == user.country",
        "allow staff to web when user.clearance >= secret implies user.mfa-kind == fido",
        "allow staff to web when session.valid-until > now and session.auth-age < 15m",
        "allow staff to web when std.identity.user.mfa",
        "allow staff to web between 22:00 and 06:00 on mon-fri from 2027-01-01 until 2027-06-30T12:00Z",
        "allow desks, lab to vault on tcp/1-20, udp/53, icmp, proto/47",
        "allow lab to vault on any except udp/67-68",
        "group clinical = staff, lab except lab\nallow clinical to web",
        'allow staff to web { ticket "CHG-1"; review by 2027-01-01; approved by "x"; environment test; releases phi because "y" }',
    ],
)
def test_what_is_right_binds(line: str) -> None:
    assert [(item.code, item.message) for item in compiled(line).diagnostics] == []


def test_an_unknown_name_is_told_where_it_would_come_from() -> None:
    found = compiled("", frame='network n { domain "n.example" }\nsegment x { at s; carries phi }')
    assert "`import std.hipaa` brings it into scope" in [item.help for item in found.diagnostics]


def test_a_mistake_in_a_rule_never_widens_it() -> None:
    found = compiled("allow lab to web when user.mfaa\nallow lab to web untill 2027-01-01\nallow lab, nobody to web")
    assert found.intent is not None
    assert [rule.effect for rule in found.intent.rules if not rule.id.startswith("system")] == []


def test_every_mistake_of_every_file_is_told_in_one_run() -> None:
    found = compiled("allow stff to web", other="segment z { at nowhere }", third="import std.nothing\nfoo")
    assert sorted((item.span.file, item.code) for item in found.diagnostics if item.span) == [
        ("network.ztos", "ZT201"),
        ("other.ztos", "ZT201"),
        ("third.ztos", "ZT106"),
        ("third.ztos", "ZT204"),
    ]


def test_imports_see_one_namespace_and_circles_are_named() -> None:
    found = compiled("import b\n", a="import c\n", b="import a\n", c="import b\n")
    assert [(item.code, item.message) for item in found.diagnostics] == [("ZT205", "imports go in a circle: `a` → `c` → `b` → `a`")]
