"""The chains: a fixed number of rules, whatever the policy; what differs stands in sets.

Guarantees: input, forward and output drop what no rule accepts; an answer passes only while the tuple that it mirrors would be let
in the other direction, so nothing outlives its grant; no packet is accepted because of its connection state alone, but ICMP errors
about a flow that was (RFC 4890 §4.3.1).

One direction of a flow is decided by `zt_original`, the other by `zt_reply`, each by where the initiator is: behind a port of ours
(source edge), behind another node (destination edge), or outside.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.backends.nftables.model import Chain, Collection, Hook
from ztosc.backends.nftables.sets import FLOWS, chain_of, log_of, set_of, watch_of
from ztosc.nodes.spec import Condition, NodeSpec

BEFORE_FILTER = -5
BEFORE_CONNTRACK = -310
"""After defragmentation (-400), before connection tracking (-200): a forged source leaves no trace in it."""

ERRORS = (
    "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } ct state related accept",
    "icmp type { destination-unreachable, time-exceeded, parameter-problem } ct state related accept",
)
LISTENING = "icmpv6 type { mld-listener-report, mld-listener-done, mld2-listener-report }"
NEIGHBOUR = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept"
DENY = "goto zt_deny"
PREFIX_BYTES = 127
LOGGED = "limit rate 5/second burst 20 packets log prefix"
WITHHELD = (f"ip6 saddr @zt_underlay {DENY}", f"ip6 daddr @zt_underlay {DENY}")
"""Before any grant is looked up: no external holds the underlay address of a node."""


def chains(spec: NodeSpec, found: tuple[Collection, ...]) -> tuple[Chain, ...]:
    """All of them, base chains first; `found` are the collections that they may look into."""
    flows = {collection.name: collection for collection in found if collection.name.startswith(FLOWS)}
    return (
        *_base(flows, found),
        *_original("goto zt_refused" if spec.observed else DENY),
        *_reply("goto zt_reply_refused" if spec.observed else DENY),
        *([Chain(name="zt_relay", rules=tuple(_relay_rules(flows)))] if _relays(flows) else ()),
        *(_ask(condition, () if spec.observed else (DENY,)) for condition in spec.conditions),
        *(_observing(spec) if spec.observed else ()),
        *_logging(spec),
        Chain(
            name="zt_deny",
            rules=(f'{LOGGED} "zt-deny "', "counter drop"),
        ),
    )


def _base(flows: dict[str, Collection], found: tuple[Collection, ...]) -> Iterator[Chain]:
    yield Chain(
        name="zt_guard",
        hook=Hook(hook="prerouting", priority=BEFORE_CONNTRACK, policy="accept"),
        rules=(
            'iifname "lo" return',
            "iifname . ip6 saddr @zt_hosts return",
            # Duplicate address detection has no source yet, neighbours speak from link-local addresses: both on the link alone.
            "iifname @zt_ports icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } "
            "ip6 hoplimit 255 ip6 saddr { ::, fe80::/10 } return",
            # Hosts tell which groups they listen to, all the time; no segment has a querier, and the log is for what matters.
            f"iifname @zt_ports {LISTENING} drop",
            f"iifname @zt_ports {DENY}",
            "iifname @zt_inside return",  # the VRF too: its ports were judged on the first of two passes
            f"ip6 saddr @zt_ours {DENY}",
        ),
    )
    yield Chain(
        name="zt_input",
        hook=Hook(hook="input", priority=BEFORE_FILTER, policy="drop"),
        rules=(
            'iifname "lo" accept',
            f"ct state invalid {DENY}",
            NEIGHBOUR,
            "iifname @zt_ports icmpv6 type nd-router-solicit ip6 hoplimit 255 accept",
            # The underlay's routers may announce themselves; hosts of a segment, or other nodes, never.
            "iifname != @zt_inside icmpv6 type nd-router-advert ip6 hoplimit 255 accept",
            # A switch that is asked nothing forgets who solicits neighbours; who asks is a router of the underlay (RFC 3810 §5.1.14).
            "iifname != @zt_inside icmpv6 type mld-listener-query ip6 hoplimit 1 ip6 saddr fe80::/10 accept",
            *ERRORS,
            *_management("in", found),
            "ip6 daddr @zt_systems ct direction original goto zt_original",
            *_node_rules("in", flows),
            DENY,
        ),
    )
    yield Chain(
        name="zt_forward",
        hook=Hook(hook="forward", priority=BEFORE_FILTER, policy="drop"),
        rules=(
            *(["iifname @zt_tunnels jump zt_relay"] if _relays(flows) else ()),
            *([f"meta sdifname . oifname @zt_strangers {DENY}"] if any(each.name == "zt_strangers" for each in found) else ()),
            f"ct state invalid {DENY}",
            ERRORS[0],
            "ct direction original goto zt_original",
            "ct state established ct direction reply goto zt_reply",
            DENY,
        ),
    )
    yield Chain(
        name="zt_output",
        hook=Hook(hook="output", priority=BEFORE_FILTER, policy="drop"),
        rules=(
            'oifname "lo" accept',
            # What the node says in a VRF passes this hook twice: it is judged when the real interface is shown.
            "oifname @zt_vrfs accept",
            f"ct state invalid {DENY}",
            NEIGHBOUR,
            "icmpv6 type nd-router-solicit ip6 hoplimit 255 accept",
            # The node is the router of its segments, and never one of the underlay.
            "oifname @zt_inside icmpv6 type nd-router-advert ip6 hoplimit 255 accept",
            f"{LISTENING} ip6 hoplimit 1 accept",
            *ERRORS,
            *_management("out", found),
            "ip6 saddr @zt_systems ct state established ct direction reply goto zt_reply",
            *_node_rules("out", flows),
            DENY,
        ),
    )


def _management(hook: str, found: tuple[Collection, ...]) -> Iterator[str]:
    """To the node's own address, from the port behind which a manager sits (behind a VRF: its slave); and the answers."""
    names = {each.name for each in found}
    for map_, echo in (("zt_manage", ""), ("zt_manage_echo", "icmpv6 type echo-{} ")):
        if map_ not in names:
            continue
        tail = "" if echo else " . meta l4proto . th {}"
        if hook == "in":
            asked = f"ct direction original {echo.format('request')}"
            yield from (f"{asked}{side} . ip6 daddr{tail.format('dport')} vmap @{map_}" for side in ("iifname", "meta sdifname"))
        else:
            asked = f"ct state established ct direction reply {echo.format('reply')}"
            yield f"{asked}oifname . ip6 saddr{tail.format('sport')} vmap @{map_}"


def _relays(flows: dict[str, Collection]) -> bool:
    return any(name.startswith("zt_relay") for name in flows)


def _relay_rules(flows: dict[str, Collection]) -> Iterator[str]:
    """Between other nodes, whose own filters decide. Without connection state: the two directions may take different relays."""
    for family, ports in ((6, ("dport", "sport")), (4, ("dport",))):
        if f"zt_relay_{family}" in flows:
            address = "ip6" if family == 6 else "ip"
            for port in ports:
                key = f"{address} saddr . {address} daddr . meta l4proto . th {port} @zt_relay_{family}"
                yield f"iifname . {key} oifname . {key} accept"


def _node_rules(hook: str, flows: dict[str, Collection]) -> Iterator[str]:
    """The node's own flows as one hook sees them: initiated this way, and answers to those initiated the other way."""
    other = "out" if hook == "in" else "in"
    for kind in ("link", "node"):
        for family in (6, 4):
            if f"zt_{kind}_{hook}{family}" in flows:
                yield f"{_outside(kind, hook)}ct direction original {_key(kind, hook, family, 'dport')} @zt_{kind}_{hook}{family} accept"
            if f"zt_{kind}_{other}{family}" in flows:
                reply = f"ct state established ct direction reply {_key(kind, hook, family, 'sport')}"
                yield f"{_outside(kind, hook)}{reply} @zt_{kind}_{other}{family} accept"


def _outside(kind: str, hook: str) -> str:
    """What names no interface faces the underlay."""
    return f"{'iifname' if hook == 'in' else 'oifname'} != @zt_inside " if kind == "node" else ""


def _key(kind: str, hook: str, family: int, port: str) -> str:
    remote, local = ("saddr", "daddr") if hook == "in" else ("daddr", "saddr")
    address = "ip6" if family == 6 else "ip"
    bound = f"{'iifname' if hook == 'in' else 'oifname'} . " if kind == "link" else ""
    return f"{bound}{address} {remote} . {address} {local} . meta l4proto . th {port}"


def _original(refuse: str) -> Iterator[Chain]:
    yield Chain(
        name="zt_original",
        rules=(
            *WITHHELD,
            "iifname @zt_ports goto zt_source",
            "iifname @zt_transits goto zt_destination",
            # Behind a VRF these hooks are shown the VRF, and the port it came in by as its slave.
            "meta sdifname @zt_ports goto zt_source_vrf",
            "meta sdifname @zt_transits goto zt_destination",
            f"iifname @zt_inside {DENY}",
            "goto zt_outside",
        ),
    )
    yield _lookups("zt_source", "echo-request", "iifname . ip6 daddr", "dport", "vmap @zt_grants", refuse, ranges=True)
    yield _lookups("zt_source_vrf", "echo-request", "meta sdifname . ip6 daddr", "dport", "vmap @zt_grants", refuse, ranges=True)
    yield _lookups("zt_destination", "echo-request", "ip6 saddr . ip6 daddr", "dport", "@zt_inbound", refuse)
    yield _lookups("zt_outside", "echo-request", "ip6 saddr . ip6 daddr", "dport", "vmap @zt_ingress", DENY)


def _reply(refuse: str) -> Iterator[Chain]:
    yield Chain(
        name="zt_reply",
        rules=(
            *WITHHELD,
            "oifname @zt_ports goto zt_reply_source",
            "oifname @zt_transits goto zt_reply_destination",
            f"oifname @zt_inside {DENY}",
            "goto zt_reply_outside",
        ),
    )
    yield _lookups("zt_reply_source", "echo-reply", "oifname . ip6 saddr", "sport", "vmap @zt_grants", refuse, ranges=True)
    yield _lookups("zt_reply_destination", "echo-reply", "ip6 daddr . ip6 saddr", "sport", "@zt_inbound", refuse)
    yield _lookups("zt_reply_outside", "echo-reply", "ip6 daddr . ip6 saddr", "sport", "vmap @zt_ingress", DENY)


def _lookups(name: str, echo: str, ends: str, port: str, found: str, refuse: str, *, ranges: bool = False) -> Chain:
    """Echo by its ends, everything else that is not ICMPv6 by its ends, protocol and port: single tuples first, then `ranges`."""
    accept = "" if found.startswith("vmap") else " accept"
    collections = (found, f"{found}_wide") if ranges else (found,)
    return Chain(
        name=name,
        rules=(
            f"icmpv6 type {echo} {ends} {found}_echo{accept}",
            *(f"meta l4proto != ipv6-icmp {ends} . meta l4proto . th {port} {each}{accept}" for each in collections),
            refuse,
        ),
    )


def _ask(condition: Condition, otherwise: tuple[str, ...]) -> Chain:
    """The initiator's session is in the condition's set, in whichever direction the packet goes."""
    named = set_of(condition)
    if condition.of_time_alone:
        return Chain(name=chain_of(condition.id), rules=(f"meta nfproto @{named} accept", *otherwise))
    return Chain(
        name=chain_of(condition.id),
        rules=(f"ct direction original ip6 saddr @{named} accept", f"ct direction reply ip6 daddr @{named} accept", *otherwise),
    )


def _logging(spec: NodeSpec) -> Iterator[Chain]:
    """What begins under rules that shall be logged, once its condition holds; and then whatever the condition says."""
    conditions = {each.id: each for each in spec.conditions}
    for name, permit in sorted({log_of(each): each for each in spec.permits if each.logged}.items()):
        log = f'{LOGGED} "{prefix(permit.logged)}"'
        if permit.condition is None:
            yield Chain(name=name, rules=(f"ct state new {log}", "accept"))
            continue
        condition = conditions[permit.condition]
        held = f"meta nfproto @{set_of(condition)}" if condition.of_time_alone else f"ip6 saddr @{set_of(condition)}"
        yield Chain(name=name, rules=(f"ct state new {held} {log}", f"goto {chain_of(condition.id)}"))


def prefix(rules: tuple[str, ...]) -> str:
    """What stands in front of a line in the log: as many rules as fit, and how many more there are."""
    for count in range(len(rules), 0, -1):
        words = [*rules[:count], *([f"+{len(rules) - count}"] if count < len(rules) else [])]
        if len(said := f"zt-rule {' '.join(words)} ") <= PREFIX_BYTES:
            return said
    raise ValueError(f"{rules[0]!r} is too long for a log")


def _observing(spec: NodeSpec) -> Iterator[Chain]:
    """What is denied on its way into a segment that only observes: it passes, and what begins a flow is logged."""
    yield Chain(
        name="zt_refused",
        rules=(
            f"icmpv6 type != echo-request {DENY}",
            "ip6 saddr @zt_ours iifname . ip6 daddr vmap @zt_observed",
            "ip6 saddr @zt_ours meta sdifname . ip6 daddr vmap @zt_observed",
            DENY,
        ),
    )
    answers = (f"icmpv6 type != echo-reply {DENY}", "ip6 daddr @zt_ours oifname . ip6 saddr vmap @zt_observed", DENY)
    yield Chain(name="zt_reply_refused", rules=answers)
    for each in spec.observed:
        yield Chain(name=watch_of(each), rules=(f'ct state new {LOGGED} "zt-observe {each.segment} "', "accept"))
