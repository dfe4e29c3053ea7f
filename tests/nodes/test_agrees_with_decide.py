"""What the specs let pass is what `decide` allows: over random small networks, over each kind of rule, and over the hospital."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.nodes import networks as n
from tests.nodes.passage import homes
from tests.nodes.small import ATTRIBUTE_SETS, INSTANTS, SEGMENTS, WHAT, base, disagreements, principals
from ztosc.ir.flow import DevicePrincipal, Host, Person, ServiceEndpoint
from ztosc.ir.values import TRUE, AllOf, AnyOf, Guard, Negation, Validity
from ztosc.logic import ports
from ztosc.nodes import project

BOTH = (n.MFA, n.HEALTHY)
GUARDS: tuple[Guard, ...] = (TRUE, *BOTH, Negation(part=n.MFA), AllOf(parts=BOTH), AnyOf(parts=BOTH), AnyOf())
VALIDITIES = (
    Validity(),
    Validity(not_after=n.AT - 1),
    Validity(not_after=n.NOON),
    Validity(not_before=n.AT - 5),
    Validity(not_before=n.NOON),
    Validity(windows=(n.DAYTIME,)),
)
PORTS = (n.tcp(443), n.tcp(400, 500), n.udp(53), ports.ANY, ((6, 17, 0, 65535),), ((58, 58, 128, 128),))
ENDS = ("segment:any", "segment:fwd", "service:ip", "label:red", "external:net")
SUBJECTS = (*ENDS, "role:set", "role:map", "device:pump", "segments:*")
TARGETS = (*ENDS, "segment:drop", "service:log", "external:lab", "system:dns")


@st.composite
def rules(draw: st.DrawFn) -> tuple[object, ...]:
    """Up to five rules over the names of `base`."""
    found = []
    for line in range(draw(st.integers(1, 5))):
        effect = draw(st.sampled_from(("allow", "allow", "deny")))
        subject = " ".join(sorted(draw(st.sets(st.sampled_from(SUBJECTS), min_size=1, max_size=2))))
        target = " ".join(sorted(draw(st.sets(st.sampled_from(TARGETS), min_size=1, max_size=2))))
        more = {"guard": draw(st.sampled_from(GUARDS)), "validity": draw(st.sampled_from(VALIDITIES))}
        found.append(n.rule(line, effect, subject, target, draw(st.sampled_from((None, *PORTS))), **more))
    return tuple(found)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rules(), st.data())
def test_specs_agree_with_decide(found: tuple[object, ...], data: st.DataObject) -> None:
    network = n.number(base(found))
    segment = data.draw(st.sampled_from(SEGMENTS))
    principal = data.draw(st.sampled_from(principals(segment)))
    instant = data.draw(st.sampled_from(INSTANTS))
    assert disagreements(network, principal, (instant,), WHAT) == []


ALLOW_ALL = n.rule(1, "allow", "segments:*", "segment:any service:log external:net", ports.ANY)
EVERY = ports.ANY
WEB, LOGIN, DNS = n.tcp(443), n.tcp(22), n.udp(53)
CASES = {
    "a deny fires on unknown": (ALLOW_ALL, n.rule(2, "deny", "role:set", "label:red", guard=n.HEALTHY)),
    "a negated guard": (ALLOW_ALL, n.rule(2, "deny", "segment:fwd", "service:ip", guard=Negation(part=n.MFA))),
    "requires narrows allows only": (n.rule(1, "allow", "role:map", "segment:any", EVERY), n.rule(2, "deny", "role:map", "service:ip")),
    "an included role": (n.rule(1, "allow", "role:map", "external:net", WEB), n.rule(2, "deny", "role:set", "external:net", WEB)),
    "a deny of devices spares people": (ALLOW_ALL, n.rule(2, "deny", "device:pump", "segment:any external:net")),
    "an endpoint that is denied": (ALLOW_ALL, n.rule(2, "deny", "service:ip", "segment:any", WEB)),
    "a window": (n.rule(1, "allow", "segment:any", "segment:fwd", LOGIN, validity=Validity(windows=(n.DAYTIME,))),),
    "an end and a beginning": (
        n.rule(1, "allow", "segment:any", "segment:fwd", n.tcp(22, 443), validity=Validity(not_after=n.NOON)),
        n.rule(2, "deny", "segment:any", "service:log", validity=Validity(not_before=n.NOON)),
    ),
    "any but some": (ALLOW_ALL, n.rule(2, "deny", "segments:*", "segment:any external:net", DNS)),
    "a finer external": (n.rule(1, "allow", "segments:*", "external:net", EVERY), n.rule(2, "allow", "segment:drop", "external:lab", WEB)),
}


@pytest.mark.parametrize("case", CASES)
def test_specs_agree_for_everybody(case: str) -> None:
    network = n.number(base(CASES[case]))
    everybody = dict.fromkeys(principal for segment in SEGMENTS for principal in principals(segment))
    assert [line for principal in everybody for line in disagreements(network, principal, INSTANTS, WHAT)] == []


def test_the_hospital_agrees_for_everybody() -> None:
    network = n.hospital()
    roles = ((), ("clinician",), ("biomed",), ("clinician", "contractor"), ("biomed", "contractor"))
    managed = ((), (("device.managed", True),))
    facts = [(*found, *more) for found in ATTRIBUTE_SETS for more in managed]
    people = [Person.model_validate({"roles": each, "attributes": found}) for each in roles for found in facts]
    services = [ServiceEndpoint(service=name) for name in ("ehr-web", "pump-hub")]
    what = ((6, 443), (6, 8883), (6, 22), (17, 53), (17, 443), (58, 128))
    everybody = [*people, *services, DevicePrincipal(device="infusion-pump"), Host()]
    assert [line for each in everybody for line in disagreements(network, each, (n.LATE, n.NOON), what)] == []


def test_every_host_has_one_home() -> None:
    network = n.number(base(()))
    specs = project(network)
    assert all(len(homes(specs, each.address)) == 1 for each in network.endpoints)
