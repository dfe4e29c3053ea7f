"""Declarations to the entities of the Intent.

Guarantees: sorted by name; a declaration that lacks what it must have is left out (the checker said so), never filled with a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ztosc.diagnostics import Label as Note
from ztosc.diagnostics import Report
from ztosc.ir.intent import (
    Attachment,
    Attribute,
    DeviceClass,
    External,
    Label,
    Link,
    Management,
    NetworkSettings,
    Node,
    Partner,
    Region,
    Role,
    Segment,
    Separation,
    Service,
    Site,
    System,
)
from ztosc.ir.values import Jurisdiction
from ztosc.lower.rules import refs
from ztosc.semantics.program import Bound, Program, Reference


def _base(bound: Bound) -> dict[str, Any]:
    return {"name": bound.name, "doc": bound.doc, "origin": bound.spans["name"], "governance": bound.governance}


def _some(bound: Bound, *keys: str) -> dict[str, Any]:
    """The fields that are given, so that the model's defaults fill the others."""
    return {key: bound.fields[key] for key in keys if key in bound.fields}


def _names(references: Iterable[Reference | str]) -> tuple[str, ...]:
    return tuple(reference.name for reference in references if isinstance(reference, Reference))


def _unique(bounds: list[Bound]) -> Iterator[Bound]:
    """The first declaration of each name: the checker reported the others."""
    seen: set[str] = set()
    for bound in bounds:
        if bound.name not in seen:
            seen.add(bound.name)
            yield bound


def _within(bound: Bound) -> dict[str, Any]:
    return {"within": Jurisdiction.of(bound.fields["within"])} if "within" in bound.fields else {}


def network(program: Program) -> NetworkSettings | None:
    """The one network, where it says enough."""
    found = next((bound for bound in program.of("network") if "domain" in bound.fields), None)
    if found is None:
        return None
    given = found.fields.get("manage", ())
    sinks = found.fields.get("log_all", ())
    return NetworkSettings(
        **_base(found),
        **_some(found, "domain", "prefix", "asn", "timezone"),
        manage=tuple(Management(subjects=refs(who), ports=ports, origin=found.spans["manage"]) for who, ports in given),
        log_all=sinks[0].name if sinks else None,
    )


def regions(program: Program) -> tuple[Region, ...]:
    """Regions by name."""
    return tuple(Region(**_base(bound), **_some(bound, "country", "evidence")) for bound in _unique(program.of("region")))


def sites(program: Program) -> tuple[Site, ...]:
    """Sites by name."""
    return tuple(
        Site(**_base(bound), region=bound.fields["head"][0]) for bound in _unique(program.of("site")) if bound.fields["head_complete"]
    )


def nodes(program: Program) -> tuple[Node, ...]:
    """Nodes of all sites by name."""
    found = [
        _node(child, site.name)
        for site in program.of("site")
        for child in site.children
        if child.kind == "node" and {"underlay", "serves"} <= child.fields.keys()
    ]
    return tuple(sorted({node.name: node for node in reversed(found)}.values(), key=lambda node: node.name))


def _node(bound: Bound, site: str) -> Node:
    attachments = tuple(
        Attachment(port=each["port"], vlan=each["vlan"], segment=each["segment"], kind=each["kind"], origin=each["span"])
        for each in bound.fields["attachments"]
    )
    ordered = tuple(sorted(attachments, key=lambda each: (each.port, each.vlan or 0, each.segment)))
    return Node(
        **_base(bound), site=site, underlay=bound.fields["underlay"], serves=tuple(sorted(bound.fields["serves"])), attachments=ordered
    )


def links(program: Program, report: Report) -> tuple[Link, ...]:
    """Links by name; one between a node and itself, or a second between the same two, is an error."""
    found: dict[str, Link] = {}
    nested = [child for bound in program.declarations for child in bound.children if child.kind == "link"]
    ordered = sorted([*nested, *(bound for bound in program.declarations if bound.kind == "link")], key=lambda bound: bound.span)
    for bound in ordered:
        if not bound.fields["head_complete"]:
            continue
        a, b = sorted(bound.fields["head"])
        name = f"{a}--{b}"
        if a == b:
            report.error("ZT308", f"`{a}` is linked to itself", bound.span, help="a link joins two nodes")
        elif name in found:
            note = Note(found[name].origin, "the first link")
            report.error(
                "ZT308",
                f"`{a}` and `{b}` are linked twice",
                bound.span,
                help="keep one link; its tunnel carries everything",
                related=[note],
            )
        else:
            found[name] = Link(
                name=name, a=a, b=b, origin=bound.span, governance=bound.governance, **_some(bound, "macsec", "cost", "bandwidth")
            )
    return tuple(found[name] for name in sorted(found))


def labels(program: Program) -> tuple[Label, ...]:
    """Labels by name."""
    return tuple(
        Label(
            **_base(bound),
            **_some(bound, "encryption", "rekey", "psk", "retention"),
            **_within(bound),
            above=tuple(sorted(_names(bound.fields.get("above", ())))),
        )
        for bound in _unique(program.of("label"))
    )


def devices(program: Program) -> tuple[DeviceClass, ...]:
    """Device classes by name."""
    return tuple(
        DeviceClass(
            **_base(bound),
            **({"recognised_by": bound.fields["recognised"]} if "recognised" in bound.fields else {}),
            **_some(bound, "speaks"),
        )
        for bound in _unique(program.of("device"))
    )


def attributes(program: Program) -> tuple[Attribute, ...]:
    """Attributes by name."""
    return tuple(
        Attribute(**_base(bound), type=bound.fields["type"], **_some(bound, "source", "max_age"))
        for bound in _unique(program.of("attribute"))
        if bound.fields.get("type") is not None
    )


def segments(program: Program) -> tuple[Segment, ...]:
    """Segments by name."""
    return tuple(_segment(bound) for bound in _unique(program.of("segment")) if bound.fields.get("at"))


def _segment(bound: Bound) -> Segment:
    admits = bound.fields.get("admits", ())
    return Segment(
        **_base(bound),
        at=_names(bound.fields["at"]),
        carries=tuple(sorted(_names(bound.fields.get("carries", ())))),
        admits_people="people" in admits,
        admits_unknown="unknown" in admits,
        admits=tuple(sorted(_names(admits))),
        multicast=_groups(bound),
        **_within(bound),
        **_some(bound, *SEGMENT_FIELDS),
    )


SEGMENT_FIELDS = ("addressing", "prefix", "lease", "size", "ipv4", "stretched", "mdns", "access_tunnel", "observe")
ANY_GROUP = "ff00::/8"
"""Every group (RFC 4291 §2.7): `multicast` without a prefix."""


def _groups(bound: Bound) -> tuple[str, ...]:
    """The prefixes of multicast groups; none where the segment says no `multicast`."""
    return tuple(sorted(set(bound.fields["multicast"] or (ANY_GROUP,)))) if "multicast" in bound.fields else ()


def roles(program: Program, report: Report) -> tuple[Role, ...]:
    """Roles by name, with everything they include and where they come from."""
    bounds = {bound.name: bound for bound in _unique(program.of("role"))}
    included = {name: _included(bound, bounds) for name, bound in bounds.items()}
    _report_circles(bounds, included, report)
    return tuple(_role(bound, bounds, included[name] - {name}) for name, bound in bounds.items())


def _role(bound: Bound, bounds: dict[str, Bound], included: set[str]) -> Role:
    sources = set(_names(bound.fields.get("from", ())))
    if "from" not in bound.fields:
        sources = {name for role in included for name in _names(bounds[role].fields.get("from", ()))}
    return Role(
        **_base(bound),
        sources=tuple(sorted(sources)),
        requires=bound.fields["requires"],
        includes=tuple(sorted(included)),
        **_some(bound, "break_glass", "stale"),
    )


def _included(bound: Bound, bounds: dict[str, Bound]) -> set[str]:
    """Every role that a role includes, over any number of steps; itself too where it stands in a circle."""
    found: set[str] = set()
    pending = [name for name in _names(bound.fields.get("includes", ())) if name in bounds]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(each for each in _names(bounds[name].fields.get("includes", ())) if each in bounds)
    return found


def _report_circles(bounds: dict[str, Bound], included: dict[str, set[str]], report: Report) -> None:
    """One error a circle, at the role of it that stands first, with the others beside it."""
    told: set[str] = set()
    for bound in sorted(bounds.values(), key=lambda each: each.span):
        if bound.name in told or bound.name not in included[bound.name]:
            continue
        others = sorted(name for name in included[bound.name] - {bound.name} if bound.name in included[name])
        told.update(others)
        way = f", by way of {', '.join(f'`{name}`' for name in others)}" if others else ""
        related = [Note(bounds[name].spans["includes"], f"`{name}` is in the circle") for name in others]
        text = f"role `{bound.name}` includes itself{way}"
        report.error("ZT214", text, bound.spans["includes"], help="take one `includes` out of the circle", related=related)


def separations(program: Program) -> tuple[Separation, ...]:
    """What `separate` says, in a fixed order."""
    found = {tuple(sorted(reference.name for reference in roles)): span for roles, span in program.separations if len(roles) > 1}
    return tuple(Separation(roles=roles, origin=found[roles]) for roles in sorted(found))


def services(program: Program, report: Report) -> tuple[Service, ...]:
    """Services by name; one that says no segment is an error."""
    found = []
    for bound in _unique(program.of("service")):
        if not bound.fields["head"]:
            if bound.fields["head_complete"]:
                report.error(
                    "ZT306",
                    f"service `{bound.name}` is on no segment",
                    bound.spans["name"],
                    help=f"write `service {bound.name} on SEGMENT {{ … }}`",
                )
            continue
        if "listen" in bound.fields:
            name = bound.fields.get("dns_name", bound.name)
            found.append(Service(**_base(bound), segment=bound.fields["head"][0], dns_name=name, **_some(bound, "listen", "replicas")))
    return tuple(found)


def externals(program: Program) -> tuple[External, ...]:
    """Externals by name."""
    return tuple(
        External(**_base(bound), reach=tuple(sorted(set(bound.fields["reach"]))))
        for bound in _unique(program.of("external"))
        if "reach" in bound.fields
    )


def partners(program: Program) -> tuple[Partner, ...]:
    """Partners by name."""
    complete = (bound for bound in _unique(program.of("partner")) if {"domain", "ca"} <= bound.fields.keys())
    return tuple(Partner(**_base(bound), **_some(bound, "domain", "ca")) for bound in complete)


def systems(program: Program) -> tuple[System, ...]:
    """What the nodes themselves offer, by name."""
    return tuple(
        System(**_base(bound), served_by=bound.fields["served"], listen=bound.fields["listen"])
        for bound in _unique(program.of("system"))
        if {"served", "listen"} <= bound.fields.keys()
    )
