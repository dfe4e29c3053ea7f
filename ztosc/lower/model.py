"""Checks of the model as a whole: addresses, prefixes, places (ZT3xx).

Guarantees: each contradiction is one diagnostic that shows both places; none of them hides another.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import TypeVar

from ztosc.diagnostics import Label, Report
from ztosc.ir.intent import Intent, Node, Segment
from ztosc.ir.spaces import VTEPS, infrastructure, overlapping
from ztosc.semantics import Program
from ztosc.source import Span

Key = TypeVar("Key")
UNUSABLE4 = tuple(
    ipaddress.ip_network(each) for each in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "224.0.0.0/4", "240.0.0.0/4")
)
"""IPv4 that no host has as its own (RFC 6890)."""


def check_without_network(program: Program, report: Report) -> None:
    """What can be said of a project whose network is missing or broken."""
    for bound in program.of("service"):
        if not bound.fields["head"] and bound.fields["head_complete"]:
            report.error(
                "ZT306",
                f"service `{bound.name}` is on no segment",
                bound.spans["name"],
                help=f"write `service {bound.name} on SEGMENT {{ … }}`",
            )


def check(intent: Intent, report: Report) -> None:
    """Every check of this room."""
    _underlay_addresses(intent.nodes, report)
    _overlay_prefix(intent, report)
    _segment_prefixes(intent, report)
    _ipv4_prefixes(intent, report)
    _attachments(intent, report)
    _places(intent, report)
    _externals(intent, report)
    _dns_names(intent, report)


def _twice(named: Iterable[tuple[Key, Span]]) -> Iterator[tuple[Key, Span, Span]]:
    """Keys that come again: the key, the later place, the first place, in the order of the sources."""
    first: dict[Key, Span] = {}
    for key, span in sorted(named, key=lambda item: item[1]):
        if key in first:
            yield key, span, first[key]
        else:
            first[key] = span


def _underlay_addresses(nodes: tuple[Node, ...], report: Report) -> None:
    owner = {node.origin: node.name for node in nodes}
    for address, span, first in _twice((node.underlay, node.origin) for node in nodes):
        report.error(
            "ZT301",
            f"nodes `{owner[first]}` and `{owner[span]}` both have the underlay address `{address}`",
            span,
            help="give each node an address of its own",
            related=[Label(first, "the other node")],
        )
    for node in nodes:
        given = ipaddress.ip_address(node.underlay)
        if given.is_multicast or given.is_loopback or given.is_unspecified or given.is_link_local:
            report.error(
                "ZT301",
                f"node `{node.name}` cannot have the underlay address `{node.underlay}`",
                node.origin,
                help="give it a unicast address that the other nodes can reach",
            )


def _overlay_prefix(intent: Intent, report: Report) -> None:
    if intent.network.prefix is None:
        return
    prefix = ipaddress.ip_network(intent.network.prefix)
    span = intent.network.origin
    if prefix.version != 6 or prefix.prefixlen > 48 or prefix.prefixlen < 16:
        report.error(
            "ZT318",
            f"`{prefix}` cannot be the overlay prefix",
            span,
            label="it must be IPv6, from /16 to /48",
            help="a ULA /48 (RFC 4193) fits; leave `prefix` out to have one chosen and locked",
        )
        return
    for node in intent.nodes:
        address = ipaddress.ip_address(node.underlay)
        if address.version == 6 and address in prefix:
            report.error(
                "ZT303",
                f"the overlay prefix `{prefix}` holds the underlay address `{address}` of node `{node.name}`",
                node.origin,
                help="the underlay must lie outside the overlay, or tunnels would carry themselves",
                related=[Label(span, "the overlay prefix is declared here")],
            )


def _segment_prefixes(intent: Intent, report: Report) -> None:
    fixed = [segment for segment in intent.segments if segment.prefix]
    by_name = {segment.name: segment for segment in fixed}
    sane = []
    for segment in fixed:
        network = ipaddress.ip_network(segment.prefix or "")
        if network.version != 6 or not 16 <= network.prefixlen <= 64:
            report.error(
                "ZT318",
                f"`{segment.prefix}` cannot be the prefix of segment `{segment.name}`",
                segment.origin,
                help="it must be IPv6 and at most a /64; longer ones break SLAAC (RFC 4291 §2.5.1)",
            )
        elif len(segment.at) > 1 and network.prefixlen > 64 - (len(segment.at) - 1).bit_length():
            report.error(
                "ZT318",
                f"`{segment.prefix}` has no /64 for each of the {len(segment.at)} sites of `{segment.name}`",
                segment.origin,
                help="give it a shorter prefix, or leave `prefix` out",
            )
        else:
            sane.append(segment)
            _reserved(intent, segment, report)
    for first, second in overlapping((segment.prefix or "", segment.name) for segment in sane):
        report.error(
            "ZT302",
            f"the prefixes of `{first}` and `{second}` overlap",
            by_name[second].origin,
            help="make them disjoint, or leave `prefix` out of one",
            related=[Label(by_name[first].origin, f"`{first}` has `{by_name[first].prefix}`")],
        )


def _ipv4_prefixes(intent: Intent, report: Report) -> None:
    by_name = {segment.name: segment for segment in intent.segments}
    sane = []
    for segment in intent.segments:
        trouble = _ipv4_trouble(intent, segment.ipv4) if segment.ipv4 else ""
        if trouble:
            text = f"segment `{segment.name}` cannot have `ipv4 {segment.ipv4}`: {trouble}"
            report.error("ZT321", text, segment.origin, help="give it an IPv4 prefix of its own, like `10.7.0.0/24`")
        elif segment.ipv4:
            sane.append((segment.ipv4, segment.name))
    for first, second in overlapping(sane):
        report.error(
            "ZT321",
            f"the IPv4 prefixes of `{first}` and `{second}` overlap",
            by_name[second].origin,
            help="make them disjoint: an address stands for one segment",
            related=[Label(by_name[first].origin, f"`{first}` has `{by_name[first].ipv4}`")],
        )


def _ipv4_trouble(intent: Intent, text: str) -> str:
    """What is wrong with a segment's own IPv4 prefix; nothing where it can be used."""
    own = ipaddress.ip_network(text)
    if own.version != 4:
        return "it is IPv6, which every segment has anyway"
    if not 8 <= own.prefixlen <= 30:
        return "it must lie between a /8 and a /30"
    if any(own.overlaps(each) for each in UNUSABLE4):
        return "those addresses are for something else (RFC 6890)"
    if own.overlaps(VTEPS):
        return f"the nodes use `{VTEPS}` themselves"
    inside = next((node for node in intent.nodes if ipaddress.ip_address(node.underlay) in own), None)
    return f"it holds the underlay address of node `{inside.name}`" if inside else ""


def _reserved(intent: Intent, segment: Segment, report: Report) -> None:
    own = ipaddress.ip_network(segment.prefix or "")
    for node in intent.nodes:
        address = ipaddress.ip_address(node.underlay)
        if address.version == 6 and address in own:
            report.error(
                "ZT303",
                f"the prefix `{own}` of segment `{segment.name}` holds the underlay address `{address}` of node `{node.name}`",
                segment.origin,
                help="the underlay must lie outside the overlay",
                related=[Label(node.origin, "the node")],
            )
    if intent.network.prefix is None or not own.subnet_of(overlay := ipaddress.ip_network(intent.network.prefix)):  # type: ignore[arg-type]
        report.error(
            "ZT318",
            f"the prefix `{own}` of segment `{segment.name}` lies outside the overlay prefix",
            segment.origin,
            help="fix `prefix` in `network` too, and choose a part of it",
        )
    elif own.overlaps(infrastructure(str(overlay))):
        report.error(
            "ZT302",
            f"the prefix `{own}` of segment `{segment.name}` overlaps `{infrastructure(str(overlay))}`, which the nodes use themselves",
            segment.origin,
            help="choose another part of the overlay prefix",
        )


def _attachments(intent: Intent, report: Report) -> None:
    segments = {segment.name: segment for segment in intent.segments}
    for node in intent.nodes:
        for attachment in node.attachments:
            segment = segments.get(attachment.segment)
            if segment is not None and node.site not in segment.at:
                places = ", ".join(f"`{site}`" for site in segment.at)
                report.error(
                    "ZT304",
                    f"segment `{segment.name}` is attached at site `{node.site}`, where it does not live",
                    attachment.origin,
                    help=f"it lives at {places}; add `{node.site}` to its `at`, or move the port",
                    related=[Label(segment.origin, "the segment")],
                )
        ports = (((each.port, each.vlan), each.origin) for each in node.attachments)
        for (port, vlan), span, first in _twice(ports):
            what = f"port `{port}`" + (f" vlan {vlan}" if vlan else "")
            report.error(
                "ZT317",
                f"{what} of `{node.name}` carries two segments",
                span,
                help="tell them apart with `vlan N`",
                related=[Label(first, "the first")],
            )
        if node.attachments and "gateway" not in node.serves:
            report.error(
                "ZT304",
                f"node `{node.name}` has ports but is no gateway",
                node.attachments[0].origin,
                help="add `gateway` to what it serves",
            )


def _places(intent: Intent, report: Report) -> None:
    gateways = {node.site for node in intent.nodes if "gateway" in node.serves}
    regions = {region.name: region for region in intent.regions}
    sites = {site.name: site for site in intent.sites}
    labels = {label.name: label for label in intent.labels}
    for segment in intent.segments:
        for name in segment.at:
            site = sites.get(name)
            if site is None:
                continue
            if name not in gateways:
                report.error(
                    "ZT305",
                    f"segment `{segment.name}` has no gateway at site `{name}`",
                    segment.origin,
                    help="add a node there that serves `gateway`",
                    related=[Label(site.origin, "the site")],
                )
            country = regions[site.region].country if site.region in regions else None
            bounds = [(segment.within, "")] + [
                (labels[label].within, f", as `{label}` demands") for label in segment.carries if label in labels
            ]
            for within, why in bounds:
                if within is not None and not within.holds(country):
                    where = f"`{country}`" if country else "a region without a country"
                    report.error(
                        "ZT315",
                        f"segment `{segment.name}` must stay within {within.text}{why}, but its site `{name}` is in {where}",
                        segment.origin,
                        help="take the site out of `at`, or widen `within`",
                        related=[Label(site.origin, "the site")],
                    )


def _externals(intent: Intent, report: Report) -> None:
    claims = ((prefix, external) for external in intent.externals for prefix in external.reach)
    first: dict[str, str] = {}
    by_name = {external.name: external for external in intent.externals}
    for prefix, external in claims:
        owner = first.setdefault(prefix, external.name)
        if owner != external.name:
            report.error(
                "ZT302",
                f"externals `{owner}` and `{external.name}` both claim `{prefix}`",
                external.origin,
                help="a prefix belongs to one external",
                related=[Label(by_name[owner].origin, "the other")],
            )


def _dns_names(intent: Intent, report: Report) -> None:
    owner = {service.origin: service.name for service in intent.services}
    for name, span, first in _twice((service.dns_name, service.origin) for service in intent.services):
        report.error(
            "ZT202",
            f"services `{owner[first]}` and `{owner[span]}` both answer to `{name}.{intent.network.domain}`",
            span,
            help="give one of them another `name`",
            related=[Label(first, "the other service")],
        )
