"""Every refutation tells a test block that compiles where it is pasted, fails now, and passes once the rules are mended.

Over random sources: whole texts are drawn, for a block is of use only where its names mean something.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import AT, HOSPITAL, compiled
from ztosc.compiler import Compiled, compile_project
from ztosc.ir.network import Network
from ztosc.ir.verdict import Verdict
from ztosc.source import MemoryLoader
from ztosc.verify import explained, run_tests, verify

FRAME = """
import std.identity
import std.hipaa
import std.medical
network n { domain "n.example"
  prefix fd00:77::/48
  timezone Europe/Berlin
}
region home { country DE }
region alps { country AT }
site s in home { node g { underlay 2001:db8::1; serves gateway, resolver, nat64; attach eth1 to desks dot1x } }
site t in alps { node h { underlay 2001:db8::2; serves gateway } }
link g -- h
attribute session.began : instant
attribute user.limit : 0..9
attribute device.country : country
segment desks { at s; admits people }
segment lab { at s; admits people, infusion-pump; carries internal }
segment vault { at s, t; carries phi }
service web on vault { listen tcp/443 }
service hub on lab { listen tcp/8883, udp/9000 }
external internet { reach ::/0, 0.0.0.0/0 }
role staff { from desks; requires user.mfa }
role chief { from desks, lab; requires user.risk < 30 and session.auth-age < 8h }
role deputy { includes staff }
"""
SUBJECTS = ("staff", "chief", "deputy", "desks", "lab", "vault", "infusion-pump", "web", "hub", "internet", "phi")
TARGETS = ("web", "hub", "desks", "lab", "vault", "internet", "phi")
PORTS = ("tcp/443", "tcp/22-30", "any", "udp/53", "icmp", "proto/47", "proto/33", "any except tcp/80")
GUARDS = (
    "user.mfa",
    "not user.mfa",
    "session.country == DE",
    "session.country != DE",
    "session.country != device.country",
    "session.auth-age < 2s",
    "session.auth-age != 1s or user.mfa",
    "session.began < now",
    "session.began > now and user.limit > 3",
    "user.clearance >= secret implies device.managed",
    "user.risk > 3",
)
TIMES = ("between 06:00 and 20:00", "until 2027-02-01", "from 2027-05-01", "on sat, sun between 22:00 and 02:00")


@st.composite
def rules(draw: st.DrawFn) -> str:
    """A rule that the language takes."""
    effect = draw(st.sampled_from(("allow", "allow", "allow", "deny")))
    target = draw(st.sampled_from(TARGETS))
    line = f"{effect} {draw(st.sampled_from(SUBJECTS))} to {target}"
    if target not in ("web", "hub") or draw(st.booleans()):
        line += f" on {draw(st.sampled_from(PORTS))}"
    line += f" when {draw(st.sampled_from(GUARDS))}" if draw(st.booleans()) else ""
    return line + (f" {draw(st.sampled_from(TIMES))}" if draw(st.integers(0, 3)) == 0 else "")


@st.composite
def claims(draw: st.DrawFn) -> str:
    """An assertion."""
    subject, target = draw(st.sampled_from(SUBJECTS)), draw(st.sampled_from(TARGETS))
    forms = (
        "{a} never reaches {b}",
        "{a} isolated from {b}",
        "only {a} reach {b}",
        "{a} reaches {b}",
        "phi stays within DE",
        "phi never flows down",
    )
    return "assert " + draw(st.sampled_from(forms)).format(a=subject, b=target)


def refuted(found: Network, result: Compiled) -> list[Verdict]:
    return [
        verdict for verdict in explained(found, verify(found), result.sources) if verdict.verdict == "refuted" and verdict.kind == "assert"
    ]


def failing(text: str, name: str) -> bool:
    """Whether the pasted test of that name fails; it compiles, or this does."""
    result = compiled(text, frame=FRAME)
    assert result.network is not None, [item.message for item in result.diagnostics]
    return not [each for each in run_tests(result.network) if each.name == name][-1].passed


def check(text: str) -> int:
    """Paste every block; how many there were."""
    result = compiled(text, frame=FRAME)
    found = result.verifiable
    if found is None:
        return 0
    told = 0
    for verdict in refuted(found, result):
        explanation = verdict.explanation
        assert explanation is not None and explanation.sentence
        assert bool(explanation.test) != bool(explanation.untestable)
        if explanation.test:
            told += 1
            assert failing(f"{text}\n{explanation.test}", verdict.statement), explanation.test
            assert not failing(f"{mended(explanation.test)}\n{explanation.test}", verdict.statement), explanation.test
    return told


def mended(test: str) -> str:
    """Rules after which the claim holds, as far as the test is concerned: none at all, or all that it asks for.

    Replicas of one service may talk without any rule, so there a deny is what mends it.
    """
    among = re.search(r"given (\S+) (?:with .*)?at \S+\n  expect deny to \1 ", test)
    if among:
        return f"deny {among[1]} to {among[1]}"
    wanted = re.search(r"expect allow to (\S+)", test)
    given_ = re.search(r"given (\S+?),? ", test)
    if not wanted or not given_:
        return ""
    on = "" if wanted[1] in ("web", "hub") else " on any"
    return f"allow {given_[1]} to {wanted[1]}{on}"


def test_the_pasted_test_fails_now_and_passes_once_mended() -> None:
    pasted = []

    @settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(rules(), min_size=1, max_size=5), st.lists(claims(), min_size=1, max_size=3))
    def each(lines: list[str], said: list[str]) -> None:
        pasted.append(check("\n".join([*dict.fromkeys(lines), *dict.fromkeys(said)]) + "\n"))

    each()
    assert sum(pasted) >= 10, "hardly any claim was refuted"


@pytest.mark.parametrize("rule", [f"allow lab to web on {port} when {guard}" for port, guard in zip(PORTS * 2, GUARDS, strict=False)])
def test_each_kind_of_port_and_value_has_words(rule: str) -> None:
    assert check(f"{rule}\nassert lab never reaches web\n") == 1


def test_a_duration_of_nothing_has_no_words() -> None:
    found = compiled("allow lab to web when session.auth-age < 1s\nassert lab never reaches web\n", frame=FRAME)
    assert found.network is not None
    (verdict,) = refuted(found.network, found)
    assert verdict.explanation is not None and not verdict.explanation.test
    assert "no words" in verdict.explanation.untestable


def test_a_name_that_the_file_does_not_import_is_qualified() -> None:
    files = {"network.ztos": FRAME.encode()}
    files["claims.ztos"] = b"import std.medical\nassert infusion-pump never reaches web\n"
    files["rules.ztos"] = b"import std.identity\nallow lab to web when user.mfa\n"
    result = compile_project(MemoryLoader(files), AT)
    assert result.network is not None, [item.message for item in result.diagnostics]
    (verdict,) = refuted(result.network, result)
    assert verdict.explanation is not None
    assert "given infusion-pump from lab with std.identity.user.mfa = true" in verdict.explanation.test
    files["claims.ztos"] += verdict.explanation.test.encode()
    again = compile_project(MemoryLoader(files), AT)
    assert again.network is not None and not again.failed
    assert not run_tests(again.network)[0].passed


@pytest.mark.parametrize(
    "lines",
    [
        "allow guest to staff on tcp/445 when session.country == DE between 06:00 and 20:00",
        "allow guest to ehr on icmp",
        "allow contractor to internet on tcp/443",
        "deny infusion to pump-hub when not device.managed",
    ],
)
def test_the_hospital_made_wrong(lines: str) -> None:
    source = (HOSPITAL / "network.ztos").read_text() + lines + "\nassert clinician reaches infusion\nassert infusion never reaches ehr\n"

    def tried(text: str) -> Compiled:
        return compile_project(MemoryLoader({"network.ztos": text.encode()}), AT)

    result = tried(source)
    assert result.network is not None
    found = refuted(result.network, result)
    assert found
    for verdict in found:
        assert verdict.explanation is not None
        pasted = tried(source + verdict.explanation.test)
        assert pasted.network is not None and not pasted.failed
        (mine,) = [each for each in run_tests(pasted.network) if each.name == verdict.statement]
        assert not mine.passed
