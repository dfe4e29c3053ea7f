"""Networks in a few words: `network(segment("a"), role("r", "a"), allow("role:r", "segment:a", on="tcp/22"))`.

Names are written `kind:name`. Everything is numbered plainly; a segment lives on every node of its sites.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from ztosc.ir.assertions import Isolated, NeverFlowsDown, NeverReaches, OnlyReach, Reaches, StaysWithin
from ztosc.ir.evaluate import Policy
from ztosc.ir.intent import (
    Attribute,
    DeviceClass,
    External,
    Governance,
    Intent,
    Label,
    Link,
    NetworkSettings,
    Node,
    Region,
    Release,
    Role,
    Rule,
    Segment,
    Separation,
    Service,
    Site,
    System,
)
from ztosc.ir.network import AnycastService, Endpoint, IsolationDomain, Network, SegmentPlan, SitePrefix, Tunnel
from ztosc.ir.values import (
    TRUE,
    AttributeType,
    Compare,
    Constant,
    EnumType,
    Guard,
    Jurisdiction,
    Operand,
    Ref,
    Validity,
    Value,
    Window,
)
from ztosc.ir.verdict import Verdict
from ztosc.logic.ports import Boxes
from ztosc.source import Span
from ztosc.verify import reference, verify
from ztosc.verify.literals import port_set

AT = 1_795_305_600
"""2026-11-22T00:00:00Z, a Sunday."""
HOUR, DAY, WEEK = 3600, 86_400, 7 * 86_400
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
US = Jurisdiction(text="US", countries=("US",))
ALWAYS = Validity()
HEALTH = EnumType(values=("healthy", "degraded", "unknown"), ordered=False)


def here(line: int) -> Span:
    """A line of the imagined source."""
    return Span("net.ztos", line, 1, line, 2)


def ref(text: str) -> Ref:
    """`role:nurse` as a reference."""
    kind, _, name = text.partition(":")
    return Ref.model_validate({"kind": kind, "name": name})


def refs(texts: str | Iterable[str]) -> tuple[Ref, ...]:
    """One or several references."""
    return tuple(ref(text) for text in ([texts] if isinstance(texts, str) else texts))


def segment(name: str, *at: str, **more: Any) -> Segment:
    """A segment, at the site `home` unless others are named."""
    return Segment(name=name, origin=here(1), at=at or ("home",), **more)


def role(name: str, *sources: str, requires: Guard = TRUE, includes: tuple[str, ...] = ()) -> Role:
    """A role that comes from some segments."""
    return Role(name=name, origin=here(2), sources=sources, requires=requires, includes=includes)


def service(name: str, on: str, listen: str = "tcp/443", replicas: int = 1) -> Service:
    """A service on a segment."""
    return Service(name=name, origin=here(3), segment=on, listen=port_set(listen), replicas=replicas, dns_name=name)


def external(name: str, *reach: str) -> External:
    """An external; the whole world where nothing else is said."""
    return External(name=name, origin=here(4), reach=reach or ("::/0", "0.0.0.0/0"))


def attribute(name: str, kind: AttributeType) -> Attribute:
    """A typed attribute."""
    return Attribute(name=name, origin=here(5), type=kind)


def separate(*roles: str) -> Separation:
    """Roles that no session combines."""
    return Separation(roles=roles, origin=here(6))


def region(name: str, country: str | None) -> Region:
    """A jurisdiction."""
    return Region(name=name, origin=here(7), country=country)


def site(name: str, region: str = "us") -> Site:
    """A site, in the region `us` unless another is named."""
    return Site(name=name, origin=here(8), region=region)


def node(name: str, site: str = "home", *serves: str) -> Node:
    """A node that serves `gateway` and what else is named."""
    return Node.model_validate({"name": name, "origin": here(9), "site": site, "underlay": "2001:db8::1", "serves": ("gateway", *serves)})


def link(a: str, b: str) -> Link:
    """A link between two nodes."""
    a, b = sorted((a, b))
    return Link(name=f"{a}--{b}", a=a, b=b, origin=here(10))


def system(name: str = "dns", listen: str = "udp/53") -> System:
    """A service that resolvers offer."""
    return System(name=name, origin=here(11), served_by="resolver", listen=port_set(listen))


_lines = itertools.count(100)


def rule(
    effect: str, subjects: Any, targets: Any, on: str | None, when: Guard, valid: Validity, releases: tuple[str, ...], **more: Any
) -> Rule:
    """A rule on a line of its own."""
    line = next(_lines)
    ports: Boxes | None = port_set(on) if on else None
    fields = {"subjects": refs(subjects), "targets": refs(targets), "ports": ports, "guard": when, "validity": valid}
    signed = tuple(Release(label=label, because="signed") for label in releases)
    governance = Governance(releases=signed, **more)
    return Rule.model_validate({"id": f"r{line}", "effect": effect, **fields, "governance": governance, "origin": here(line)})


def allow(
    subjects: Any, targets: Any, on: str | None = None, when: Guard = TRUE, valid: Validity = ALWAYS, releases: Any = (), **more: Any
) -> Rule:
    """A grant."""
    return rule("allow", subjects, targets, on, when, valid, releases, **more)


def deny(subjects: Any, targets: Any, on: str | None = None, when: Guard = TRUE, valid: Validity = ALWAYS) -> Rule:
    """A denial."""
    return rule("deny", subjects, targets, on, when, valid, ())


def between(start: int, end: int, zone: str = "UTC", days: tuple[int, ...] = EVERY_DAY, until: int | None = None) -> Validity:
    """A daily window, in hours."""
    return Validity(not_after=until, windows=(Window(start=start * HOUR, end=end * HOUR, days=days, zone=zone),))


def is_(name: str, value: Value, operator: str = "==") -> Guard:
    """`name == value`."""
    return compare(name, operator, Constant(values=(value,)))


def compare(name: str, operator: str, operand: Operand) -> Guard:
    """Any atom."""
    return Compare.model_validate({"attribute": name, "operator": operator, "operand": operand})


def never(subjects: Any, targets: Any) -> NeverReaches:
    """`A never reaches B`."""
    return NeverReaches(
        statement=f"{subjects} never reaches {targets}", origin=here(next(_lines)), subjects=refs(subjects), targets=refs(targets)
    )


def isolated(subjects: Any, targets: Any, through: Any = ()) -> Isolated:
    """`A isolated from B except through S`."""
    text = f"{subjects} isolated from {targets}"
    return Isolated(statement=text, origin=here(next(_lines)), subjects=refs(subjects), targets=refs(targets), through=refs(through))


def only(subjects: Any, targets: Any) -> OnlyReach:
    """`only A reach B`."""
    return OnlyReach(
        statement=f"only {subjects} reach {targets}", origin=here(next(_lines)), subjects=refs(subjects), targets=refs(targets)
    )


def reaches(subjects: Any, targets: Any, failures: int = 0, failing: str = "any") -> Reaches:
    """`A reaches B despite k failures`."""
    fields = {"subjects": refs(subjects), "targets": refs(targets), "failures": failures, "failing": failing}
    return Reaches.model_validate({"statement": f"{subjects} reaches {targets}", "origin": here(next(_lines)), **fields})


def stays(label: str, jurisdiction: Jurisdiction = US) -> StaysWithin:
    """`L stays within J`."""
    return StaysWithin(statement=f"{label} stays within", origin=here(next(_lines)), label=label, jurisdiction=jurisdiction)


def down(label: str, through: Any = ()) -> NeverFlowsDown:
    """`L never flows down except by S`."""
    return NeverFlowsDown(statement=f"{label} never flows down", origin=here(next(_lines)), label=label, through=refs(through))


FIELDS: dict[type, str] = {
    Region: "regions", Site: "sites", Node: "nodes", Link: "links", Label: "labels", DeviceClass: "devices",
    Attribute: "attributes", Segment: "segments", Role: "roles", Separation: "separations", Service: "services",
    External: "externals", System: "systems", Rule: "rules", NeverReaches: "assertions", Isolated: "assertions",
    OnlyReach: "assertions", Reaches: "assertions", StaysWithin: "assertions", NeverFlowsDown: "assertions",
}  # fmt: skip


def network(
    *parts: Any, at: int = AT, domains: tuple[IsolationDomain, ...] = (), admits: dict[str, tuple[str, ...]] | None = None
) -> Network:
    """A network of these declarations; with region `us`, site `home` and node `n1` where they have none.

    `admits` says which domains may cross a tunnel, by link; otherwise all may.
    """
    fields: dict[str, list[Any]] = {}
    for part in parts:
        fields.setdefault(FIELDS.get(type(part), "tests"), []).append(part)
    fields.setdefault("regions", [region("us", "US")])
    fields.setdefault("sites", [site("home")])
    fields.setdefault("nodes", [node("n1")])
    fields["devices"] = [
        DeviceClass(name=name, origin=here(1)) for name in sorted({name for each in fields.get("segments", ()) for name in each.admits})
    ]
    settings = NetworkSettings(name="net", origin=here(1), domain="net.example")
    intent = Intent.model_validate({"network": settings, **{name: tuple(each) for name, each in fields.items()}})
    return numbered(intent, at, domains, admits or {})


def numbered(intent: Intent, at: int, domains: tuple[IsolationDomain, ...], admits: dict[str, tuple[str, ...]]) -> Network:
    """The intent with places and addresses; one isolation domain, `all`, unless others are given by the names of segments."""
    names = tuple(each.name for each in intent.nodes)
    domains = domains or (IsolationDomain(name="all", index=0, l3vni=1, interface="v1", nodes=names),)
    every = tuple(domain.name for domain in domains)
    tunnels = (
        Tunnel(link=each.name, interface=each.name, a_address="", b_address="", port=1, domains=admits.get(each.name, every))
        for each in intent.links
    )
    plans = tuple(_plan(intent, each, number, every) for number, each in enumerate(intent.segments, 256))
    homes = {plan.segment: plan for plan in plans}
    endpoints = (end for number, each in enumerate(intent.services) for end in _endpoints(each, homes[each.segment], 16 * number + 1))
    resolvers = tuple(each.name for each in intent.nodes if "resolver" in each.serves)
    return Network(
        intent=intent,
        at=at,
        prefix="fd00::/48",
        asn=4_200_000_000,
        nat64_prefix="64:ff9b::/96",
        generation=1,
        domains=domains,
        nodes=(),
        tunnels=tuple(tunnels),
        segments=plans,
        endpoints=tuple(endpoints),
        anycast=tuple(AnycastService(system=each.name, address="fd00:0:0:41::1", nodes=resolvers) for each in intent.systems),
        zones=(),
    )


def _plan(intent: Intent, each: Segment, number: int, domains: tuple[str, ...]) -> SegmentPlan:
    """A segment belongs to the domain of its name, if there is one, otherwise to the first."""
    places = tuple(
        SitePrefix(
            site=name,
            prefix=f"fd00:0:0:{number + 4096 * index:x}::/64",
            gateway=f"fd00:0:0:{number + 4096 * index:x}::1",
            nodes=tuple(node.name for node in intent.nodes if node.site == name),
        )
        for index, name in enumerate(each.at)
    )
    domain = each.name if each.name in domains else domains[0]
    return SegmentPlan(segment=each.name, vni=number, interface=each.name, domain=domain, addressing="slaac", places=places)


def _endpoints(each: Service, plan: SegmentPlan, number: int) -> Iterable[Endpoint]:
    spots = [(place, name) for place in plan.places for name in place.nodes]
    for replica in range(each.replicas):
        place, name = spots[replica % len(spots)]
        address = place.prefix.replace("::/64", f"::f:{number + replica:x}")
        yield Endpoint(service=each.name, replica=replica, site=place.site, node=name, address=address)


def verified(given: Network) -> tuple[Verdict, ...]:
    """The verdicts of the engine, which are to the last byte those of the reference."""
    found = verify(given)
    told = [each.model_dump_json() for each in found if each.kind == "assert"]
    assert told == [each.model_dump_json() for each in reference.verify(given)]
    return found


def replays(given: Network, verdict: Verdict) -> bool:
    """Whether a refutation has hops, in the order of time, and every flow in it is allowed."""
    flows = [hop.flow for hop in verdict.witness.hops if hop.flow]
    in_time = all(a.instant <= b.instant for a, b in itertools.pairwise(flows))
    return bool(verdict.witness.hops) and in_time and all(Policy(given.intent).decide(flow).allowed for flow in flows)
