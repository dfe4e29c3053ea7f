"""`why`: names to flows, one question and many, and the explanation of each."""

from __future__ import annotations

import ipaddress
import json
import time
from typing import Any

import pytest

from tests.verify.networks import (
    AT,
    DAY,
    HEALTH,
    HOUR,
    allow,
    attribute,
    between,
    deny,
    external,
    is_,
    network,
    node,
    role,
    segment,
    separate,
    service,
    system,
)
from ztosc.ir.flow import DevicePrincipal, Host, Person, Place, ServiceEndpoint
from ztosc.ir.values import BoolType, CountryType, DurationType, InstantType, RangeType, Validity, all_of
from ztosc.verify import Asker, Explanation, Unanswerable, why
from ztosc.verify.addresses import NOWHERE, AddressBook
from ztosc.verify.literals import instant, port_set, value

HEALTHY = is_("device.health", "healthy")
NURSE = allow("role:nurse", "service:web", when=HEALTHY, valid=between(6, 20))
NET = network(
    segment("staff", ipv4="10.1.0.0/24"),
    segment("ward", admits=("pump",)),
    segment("ehr"),
    role("nurse", "staff", "ward", requires=is_("user.mfa", True)),
    role("auditor", "staff"),
    separate("auditor", "nurse"),
    service("web", "ehr"),
    service("hub", "ehr", "tcp/8883, udp/9000"),
    external("internet"),
    external("vendor", "203.0.113.0/24", "10.9.0.0/16"),
    system(),
    attribute("user.mfa", BoolType()),
    attribute("device.health", HEALTH),
    attribute("session.ends", InstantType()),
    NURSE,
    allow("device:pump", "service:hub", on="tcp/8883"),
    allow("segment:staff", "external:vendor", on="tcp/443"),
    allow("segments:*", "system:dns"),
    deny("segment:ward", "service:web", when=is_("device.health", "unknown")),
    node("n1", "home", "resolver"),
    at=AT + 12 * HOUR,
)
ASKER = Asker(NET)
WELL = {"user.mfa": True, "device.health": "healthy"}


def ask(asker: Any, to: str, **more: Any) -> str:
    """The decision on one line."""
    (answer,) = ASKER.batch([json.dumps({"from": asker, "to": to, **more})])
    assert answer.record is not None, answer.error
    return str(answer.record["decision"])


def explain(*question: Any, **more: Any) -> Explanation:
    """The explanation of one question from the command line."""
    flow, _ = ASKER.ask(*question, **more).answer(ASKER.policy)
    return why(NET, flow)


def test_a_line_comes_back_with_its_decision_and_rule() -> None:
    line = {"from": {"segment": "staff", "roles": ["nurse"], "attributes": WELL}, "to": "web", "on": "tcp/443", "at": "2026-11-22T07:00Z"}
    (answer,) = ASKER.batch([json.dumps(line)])
    assert answer.record == {**line, "decision": "allow", "rule": {"file": "net.ztos", "line": NURSE.origin.line}}
    (late,) = ASKER.batch([json.dumps({**line, "at": "2026-11-22T21:00Z"})])
    assert late.record == {**line, "at": "2026-11-22T21:00Z", "decision": "deny", "rule": None}


@pytest.mark.parametrize(
    ("asker", "to", "on", "decision"),
    [
        ({"roles": ["nurse"], "attributes": WELL}, "web", "tcp/443", "allow"),
        ({"roles": ["nurse"], "attributes": {**WELL, "user.mfa": None}}, "web", "tcp/443", "deny"),
        ({"segment": "ehr", "roles": ["nurse"], "attributes": WELL}, "web", "tcp/443", "deny"),
        ({"segment": "staff", "roles": ["nurse", "auditor"], "attributes": WELL}, "web", "tcp/443", "deny"),
        ({"segment": "staff"}, "vendor", "tcp/443", "allow"),
        ({"segment": "staff"}, "vendor", "tcp/443-444", "deny"),
        ({"segment": "staff"}, "vendor", None, "allow"),
        ({"segment": "staff"}, "internet", None, "deny"),
        ({"device": "pump"}, "hub", "tcp/8883", "allow"),
        ({"device": "pump"}, "hub", None, "allow"),
        ({"device": "pump", "segment": "staff"}, "hub", "tcp/8883", "deny"),
        ({"service": "web"}, "web", "tcp/443", "allow"),
        ({"external": "internet"}, "web", "tcp/443", "deny"),
        ({"segment": "ward"}, "dns", "udp/53", "allow"),
        ({"segment": "staff"}, "203.0.113.7", "tcp/443", "allow"),
        ({"segment": "staff"}, "64:ff9b::cb00:7107", "tcp/443", "allow"),
        ({"segment": "staff"}, "10.9.0.1", "tcp/443", "allow"),
        ({"segment": "staff"}, "198.51.100.1", "tcp/443", "deny"),
    ],
)
def test_who_asks_for_what(asker: Any, to: str, on: str | None, decision: str) -> None:
    assert ask(asker, to, **({"on": on} if on else {})) == decision


def test_addresses_stand_for_what_is_there() -> None:
    book = AddressBook(NET)
    endpoint = next(each for each in NET.endpoints if each.service == "web")
    places = {
        endpoint.address: Place(kind="segment", name="ehr", service="web"),
        NET.segments[0].places[0].gateway: Place(kind="segment", name="staff"),
        "10.1.0.9": Place(kind="segment", name="staff"),
        "fd00:0:0:41::1": Place(kind="system", name="dns"),
        "2606:4700::1": Place(kind="external", name="internet"),
        "203.0.113.7": Place(kind="external", name="vendor"),
        **dict.fromkeys(
            ("fd00:0:0:ffff::1", "2001:db8::1", "10.8.0.1", "fe80::1", "ff02::1", "127.0.0.1", "::ffff:1.2.3.4", "64:ff9b:1::1"), NOWHERE
        ),
        **dict.fromkeys(("0.1.2.3", "224.0.0.1", "169.254.1.1", "100.64.0.1", "fd99::1", "64:ff9b::7f00:1"), NOWHERE),
    }
    assert {address: book.place(ipaddress.ip_address(address)) for address in places} == places


@pytest.mark.parametrize(
    ("reach", "address", "found"),
    [
        ("192.168.0.0/15", "192.168.1.1", False),
        ("192.168.0.0/16", "192.168.1.1", True),
        ("192.168.0.0/17", "192.168.1.1", True),
        ("fc00::/6", "fd99::1", False),
        ("fc00::/7", "fd99::1", True),
    ],
)
def test_private_addresses_are_of_an_external_that_writes_no_more_than_them(reach: str, address: str, found: bool) -> None:
    book = AddressBook(network(segment("staff"), external("vendor", reach), node("n1", "home", "resolver"), at=AT))
    assert book.place(ipaddress.ip_address(address)) == (Place(kind="external", name="vendor") if found else NOWHERE)


@pytest.mark.parametrize(
    ("record", "message", "help"),
    [
        ({"from": {"segment": "stav"}, "to": "web"}, "no segment is called `stav`", "did you mean `staff`?"),
        (
            {"from": {"segment": "staff"}, "to": "wep"},
            "no service, segment or external is called `wep`, and it is no address",
            "did you mean `web`?",
        ),
        ({"from": {"roles": ["nurs"]}, "to": "web"}, "no role is called `nurs`", "did you mean `nurse`?"),
        ({"from": {"device": "pumpe"}, "to": "web"}, "no device class is called `pumpe`", "did you mean `pump`?"),
        ({"from": {"service": "wbe"}, "to": "web"}, "no service is called `wbe`", "did you mean `web`?"),
        ({"from": {"external": "internets"}, "to": "web"}, "no external is called `internets`", "did you mean `internet`?"),
        (
            {"from": {"segment": "staff", "attributes": {"user.mfaa": True}}, "to": "web"},
            "no attribute is called `user.mfaa`",
            "did you mean `user.mfa`?",
        ),
        (
            {"from": {"segment": "staff", "attributes": {"user.mfa": "maybe"}}, "to": "web"},
            "`user.mfa` cannot be `maybe`",
            "it is `true` or `false`",
        ),
        ({"from": {"segmnt": "staff"}, "to": "web"}, "no part of `from` is called `segmnt`", "did you mean `segment`?"),
        ({"from": {"segment": "staff"}, "to": "web", "on": "tpc/443"}, "`tpc/443` is no port", None),
        ({"from": {"segment": "staff"}, "to": "web", "at": "tomorrow"}, "`tomorrow` is no instant", None),
        (
            {"from": {}, "to": "web"},
            "`from` has one of `segment`, `service`, `device` or `external`, or `roles` with the segment they come from",
            "",
        ),
        ({"from": {"service": "web", "device": "pump"}, "to": "web"}, None, None),
        ({"from": {"roles": []}, "to": "web"}, "no segment is one that all of these roles come from", "say which `segment` they are in"),
        ({"from": "staff", "to": "web"}, None, None),
        (["staff"], "a line holds one JSON object", ""),
    ],
)
def test_what_cannot_be_asked_says_why(record: Any, message: str | None, help: str | None) -> None:
    (answer,) = ASKER.batch(["", json.dumps(record)][1:])
    assert answer.record is None
    assert answer.error is not None
    assert message in (None, answer.error.message)
    assert help in (None, answer.error.help)


def test_a_bad_line_does_not_stop_the_others() -> None:
    good = json.dumps({"from": {"segment": "staff"}, "to": "vendor"})
    answers = list(ASKER.batch([good, "", "{", good]))
    assert [(answer.line, answer.error is None) for answer in answers] == [(1, True), (3, False), (4, True)]


def test_ten_thousand_questions_take_seconds() -> None:
    """A thousand services with two rules each; the bound is some tens of times what an idle machine needs."""
    names = [f"s{number}" for number in range(1000)]
    services = [service(name, "b") for name in names]
    grants = [each for name in names for each in (allow("role:r", f"service:{name}"), deny("segment:a", f"service:{name}", on="udp/1"))]
    asker = Asker(network(segment("a"), segment("b"), role("r", "a"), *services, *grants))
    lines = [
        json.dumps({"from": {"segment": "a", "roles": ["r"]}, "to": names[number % 1000], "on": "tcp/443"}) for number in range(10_000)
    ]
    began = time.process_time()
    answers = list(asker.batch(lines))
    assert time.process_time() - began < 30
    assert len(answers) == 10_000
    assert all(answer.record and answer.record["decision"] == "allow" for answer in answers)


def test_names_on_the_command_line_are_found_wherever_they_stand() -> None:
    subjects = {
        "nurse": Person(roles=("nurse",)),
        "staff": Host(),
        "web": ServiceEndpoint(service="web"),
        "pump": DevicePrincipal(device="pump"),
        "internet": Host(),
    }
    assert {name: ASKER.ask(name, "web").starts[0][0].principal for name in subjects} == subjects
    with pytest.raises(Unanswerable, match="no role, segment, service, device class or external is called `nrse`"):
        ASKER.ask("nrse", "web")


def test_a_role_is_asked_for_from_each_of_its_segments() -> None:
    question = ASKER.ask("nurse", "web", "tcp/443", ["user.mfa=true", "device.health=healthy"])
    assert [group[0].source.name for group in question.starts] == ["staff", "ward"]
    assert question.answer(ASKER.policy)[1].allowed


def test_an_allowed_flow_names_its_rule_and_guard() -> None:
    found = explain("nurse", "web", given=["user.mfa=true", "device.health=healthy"])
    assert found.decision.rule == NURSE
    assert found.guard == "device.health == healthy and user.mfa == true"
    assert found.sentence.endswith(f"an allow in force matches (net.ztos:{NURSE.origin.line})")
    assert found.nearest == ()


def test_a_denied_flow_lists_all_that_would_have_to_change() -> None:
    found = explain("auditor", "web", "tcp/80", ["device.health=degraded"], "2026-11-22T21:00Z")
    assert not found.decision.allowed
    assert [each.origin for each in found.nearest] == [NURSE.origin]
    assert found.nearest[0].changes == (
        "it is granted to `nurse` from `staff` and `ward`",
        "it is granted on tcp/443",
        "it holds between 06:00 and 20:00 (UTC)",
        "`device.health == healthy and user.mfa == true` must hold; `device.health` is degraded and `user.mfa` is absent",
    )


def test_a_deny_that_fires_on_what_is_absent_says_so() -> None:
    question = ASKER.ask_record({"from": {"segment": "ward", "roles": ["nurse"]}, "to": "web", "on": "tcp/443"})
    found = why(NET, question.starts[0][0])
    assert found.decision.rule is not None
    assert found.decision.rule.effect == "deny"
    assert "`device.health` is absent" in found.nearest[0].changes[0]


def test_a_separated_session_is_told_so() -> None:
    question = ASKER.ask_record(
        {"from": {"segment": "staff", "roles": ["auditor", "nurse"], "attributes": WELL}, "to": "web", "on": "tcp/443"}
    )
    found = why(NET, question.starts[0][0])
    assert "no session acts as both `auditor` and `nurse`" in found.nearest[0].changes


@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        ("tcp/443", ((6, 6, 443, 443),)),
        ("udp/5-9, tcp/1", ((6, 6, 1, 1), (17, 17, 5, 9))),
        ("icmp", ((58, 58, 128, 128),)),
        ("proto/47", ((47, 47, 0, 65535),)),
        ("any", ((0, 255, 0, 65535),)),
    ],
)
def test_ports_are_read_as_the_language_reads_them(text: str, boxes: Any) -> None:
    assert port_set(text) == boxes


@pytest.mark.parametrize("text", ["", "443", "tcp", "tcp/65536", "tcp/9-1", "tcp/1-65536", "proto/256", "icmp/1", "tcp/1,"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(Unanswerable):
        port_set(text)


def test_instants_without_an_offset_are_in_the_zone_of_the_network() -> None:
    assert instant("2026-11-22T00:00Z", "America/New_York") == AT
    assert instant("2026-11-22", "America/New_York") == AT + 5 * HOUR
    assert instant("2026-11-22T01:00+01:00", "UTC") == AT
    assert instant(AT, "UTC") == AT
    for wrong in ("2026-13-01", "20261122", "now", True, None, 1.5):
        with pytest.raises(Unanswerable):
            instant(wrong, "UTC")


@pytest.mark.parametrize(
    ("kind", "given", "found"),
    [
        (BoolType(), "true", True),
        (BoolType(), False, False),
        (HEALTH, "degraded", "degraded"),
        (RangeType(low=0, high=100), "42", 42),
        (CountryType(), "US-CA", "US-CA"),
        (DurationType(), "15m", 900),
        (DurationType(), 30, 30),
        (InstantType(), "2026-11-23", AT + DAY),
    ],
)
def test_values_are_read_by_their_type(kind: Any, given: Any, found: Any) -> None:
    read = value("x.y", kind, given, "UTC")
    assert (type(read), read) == (type(found), found)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (BoolType(), "yes"),
        (HEALTH, "ill"),
        (RangeType(low=0, high=100), 101),
        (RangeType(low=0, high=100), True),
        (RangeType(low=0, high=100), "x"),
        (CountryType(), "usa"),
        (DurationType(), "soon"),
    ],
)
def test_values_that_the_type_does_not_have_are_refused(kind: Any, given: Any) -> None:
    with pytest.raises(Unanswerable, match=r"`x\.y` cannot be"):
        value("x.y", kind, given, "UTC")


def test_a_grant_that_is_yet_to_come_says_when() -> None:
    given = network(segment("a"), segment("b"), allow("segment:a", "segment:b", on="tcp/1", valid=Validity(not_before=AT + DAY)))
    asker = Asker(given)
    flow, _ = asker.ask("a", "b", "tcp/1").answer(asker.policy)
    assert why(given, flow).nearest[0].changes == ("it holds from 2026-11-23T00:00:00Z",)


def test_an_unsatisfiable_guard_needs_no_attribute_to_be_named() -> None:
    given = network(segment("a"), segment("b"), allow("segment:a", "segment:b", on="tcp/1", when=all_of()))
    asker = Asker(given)
    flow, decision = asker.ask("a", "b", "tcp/1").answer(asker.policy)
    assert decision.allowed
    assert why(given, flow).guard == "always"
