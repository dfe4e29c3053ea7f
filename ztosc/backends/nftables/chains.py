"""The chains: a fixed number of rules, whatever the policy; what differs stands in sets.

Guarantees: input, forward and output drop what no rule accepts; an answer passes only while the tuple that it mirrors would be let
in the other direction, so nothing outlives its grant; no packet is accepted because of its connection state alone, but ICMP errors
about a flow that was (RFC 4890 §4.3.1).

One direction of a flow is decided by where it comes in (`zt_begins`), the other by where it leaves (`zt_answers`), each by where the
initiator is: behind a port of ours (source edge), behind another node (destination edge), or outside. What a flow between ports passes
comes first and is short (docs/decisions/0035): the way of every packet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ztosc.backends.nftables.model import Chain, Collection, Hook
from ztosc.backends.nftables.reasons import DENY, LOGGED, denying, prefix, refusal, refusals
from ztosc.backends.nftables.sets import FLOWS, HOSTS, bar_of, chain_of, log_of, set_of, watch_of
from ztosc.backends.nftables.ways import FROM_TRANSLATOR
from ztosc.backends.nftables.words import interface
from ztosc.nodes.spec import Condition, NodeSpec, Translator

BEFORE_FILTER = -5
BEFORE_CONNTRACK = -310
"""After defragmentation (-400), before connection tracking (-200): a forged source leaves no trace in it."""

ERRORS = (
    "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } ct state related accept",
    "icmp type { destination-unreachable, time-exceeded, parameter-problem } ct state related accept",
)
WAYS = ("iifname", "oifname")
LISTENING = "icmpv6 type { mld-listener-report, mld-listener-done, mld2-listener-report }"
NEIGHBOUR = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept"
SOURCE_WITHHELD, TARGET_WITHHELD = f"ip6 saddr @zt_underlay {DENY}", f"ip6 daddr @zt_underlay {DENY}"
"""Before a grant from or to an external is looked up: none holds the underlay address of a node. No address of ours is one (ZT303)."""


def chains(spec: NodeSpec, found: tuple[Collection, ...]) -> tuple[Chain, ...]:
    """All of them, base chains first; `found` are the collections that they may look into."""
    flows = {collection.name: collection for collection in found if collection.name.startswith(FLOWS)}
    ways = (
        *_guard(spec, found),
        _input(flows, found),
        _forward(spec, flows, found),
        _output(flows, found),
        *_original(found, ("jump zt_refused",) if spec.observed else ()),
        *_reply(found, ("jump zt_reply_refused",) if spec.observed else ()),
        *([Chain(name="zt_relay", rules=tuple(_relay_rules(flows)))] if _relays(flows) else ()),
        *([_translated(spec.translator, found)] if spec.translator else ()),
    )
    behind: dict[str, set[str]] = defaultdict(set)
    for permit in spec.permits:
        behind[permit.condition or ""].update(permit.rules)
    told = tuple(chain.model_copy(update={"rules": tuple(refusal(chain.name, rule) for rule in chain.rules)}) for chain in ways)
    return (
        *told,
        *(_ask(condition, tuple(sorted(behind[condition.id])), ends=not spec.observed) for condition in spec.conditions),
        *(_observing(spec) if spec.observed else ()),
        *_logging(spec),
        *(denying(name, f"zt-{name.removeprefix('zt_').replace('_', ' ')}") for name in refusals(told)),
        *(
            denying(bar_of(each), "zt-deny rule", each.rules)
            for each in sorted({bar_of(each): each for each in spec.barred}.values(), key=bar_of)
        ),
    )


def _guard(spec: NodeSpec, found: tuple[Collection, ...]) -> Iterator[Chain]:
    """A source must belong behind the port that it comes from, before anything remembers the packet."""
    yield Chain(
        name="zt_guard",
        hook=Hook(hook="prerouting", priority=BEFORE_CONNTRACK, policy="accept"),
        rules=(
            "iifname vmap @zt_enters",
            f"ip6 saddr @zt_ours {DENY}",
        ),
    )
    if spec.translator:
        own = (f"ip6 saddr {spec.translator.prefix} return", f"ip saddr {spec.translator.pool} return", DENY)
        yield Chain(name=FROM_TRANSLATOR, rules=own)
    for name in sorted(each.name for each in found if each.name.startswith(HOSTS)):
        yield Chain(name=f"zt_from_{name.removeprefix(HOSTS)}", rules=(f"ip6 saddr @{name} return", "goto zt_neighbours"))
    yield Chain(
        name="zt_neighbours",
        rules=(
            # Duplicate address detection has no source yet, neighbours speak from link-local addresses: both on the link alone.
            "icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } "
            "ip6 hoplimit 255 ip6 saddr { ::, fe80::/10 } return",
            # Hosts tell which groups they listen to, all the time; no segment has a querier, and the log is for what matters.
            f"{LISTENING} drop",
            DENY,
        ),
    )


def _input(flows: dict[str, Collection], found: tuple[Collection, ...]) -> Chain:
    """To the node itself."""
    return Chain(
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


def _forward(spec: NodeSpec, flows: dict[str, Collection], found: tuple[Collection, ...]) -> Chain:
    """Through the node: the way of every packet first."""
    return Chain(
        name="zt_forward",
        hook=Hook(hook="forward", priority=BEFORE_FILTER, policy="drop"),
        rules=(
            *([f"meta sdifname . oifname @zt_strangers {DENY}"] if any(each.name == "zt_strangers" for each in found) else ()),
            # A packet that connection tracking finds invalid has no direction.
            "ct direction original iifname vmap @zt_begins",
            "ct state established ct direction reply oifname vmap @zt_answers",
            *(["iifname @zt_tunnels jump zt_relay"] if _relays(flows) else ()),
            *(["meta nfproto ipv4 goto zt_translated"] if spec.translator else ()),
            ERRORS[0],
            "ct direction original goto zt_original",
            "ct state established ct direction reply goto zt_reply",
            f"ct state invalid {DENY}",
            DENY,
        ),
    )


def _output(flows: dict[str, Collection], found: tuple[Collection, ...]) -> Chain:
    """From the node itself."""
    return Chain(
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


def _translated(way: Translator, found: tuple[Collection, ...]) -> Chain:
    """IPv4, which is forwarded between the translator and the underlay alone; who initiated it IPv6 has been asked."""
    held = {each.name for each in found}
    out, back = (f"{way_in} {interface(way.interface)} {other} != @zt_inside" for way_in, other in (WAYS, WAYS[::-1]))
    begun, answered = f"{out} ct direction original", f"{back} ct state established ct direction reply"
    rules = [f"{end} {ERRORS[1]}" for end in (out, back)]
    if "zt_leaving" in held:
        rules.append(f"{begun} ip saddr {way.pool} ip daddr . meta l4proto . th dport @zt_leaving accept")
        rules.append(f"{answered} ip daddr {way.pool} ip saddr . meta l4proto . th sport @zt_leaving accept")
    if "zt_leaving_echo" in held:
        rules.append(f"{begun} icmp type echo-request ip saddr {way.pool} ip daddr @zt_leaving_echo accept")
        rules.append(f"{answered} icmp type echo-reply ip daddr {way.pool} ip saddr @zt_leaving_echo accept")
    return Chain(name="zt_translated", rules=(*rules, DENY))


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


def _original(found: tuple[Collection, ...], refuse: tuple[str, ...]) -> Iterator[Chain]:
    yield Chain(name="zt_original", rules=("iifname vmap @zt_begins", f"iifname @zt_inside {DENY}", "goto zt_outside"))
    # Behind a VRF these hooks are shown the VRF, and the port it came in by as its slave.
    yield Chain(name="zt_begins_vrf", rules=("meta sdifname vmap @zt_begins_slave",))
    for name, way in (("zt_source", "iifname"), ("zt_source_vrf", "meta sdifname")):
        looked = _from_port(found, "echo-request", f"{way} . ip6 daddr", "dport", (ERRORS[0], TARGET_WITHHELD))
        yield Chain(name=name, rules=(*looked, *refuse, *_barring(found, f"{way} . ip6 daddr"), DENY))
    arriving = _between("echo-request", "ip6 saddr . ip6 daddr", "dport", "@zt_inbound", refuse)
    yield Chain(name="zt_destination", rules=(ERRORS[0], *arriving))
    yield Chain(name="zt_outside", rules=_between("echo-request", "ip6 saddr . ip6 daddr", "dport", "vmap @zt_ingress", ()))


def _barring(found: tuple[Collection, ...], ends: str) -> Iterator[str]:
    """What denies close, for what to say."""
    held = {each.name for each in found}
    if "zt_barred_echo" in held:
        yield f"icmpv6 type echo-request {ends} vmap @zt_barred_echo"
    if "zt_barred" in held:
        yield f"{ends} . meta l4proto . th dport vmap @zt_barred"


def _reply(found: tuple[Collection, ...], refuse: tuple[str, ...]) -> Iterator[Chain]:
    yield Chain(name="zt_reply", rules=("oifname vmap @zt_answers", f"oifname @zt_inside {DENY}", "goto zt_reply_outside"))
    answered = _from_port(found, "echo-reply", "oifname . ip6 saddr", "sport", (SOURCE_WITHHELD,))
    yield Chain(name="zt_reply_source", rules=(*answered, *refuse, DENY))
    yield Chain(name="zt_reply_destination", rules=_between("echo-reply", "ip6 daddr . ip6 saddr", "sport", "@zt_inbound", refuse))
    yield Chain(name="zt_reply_outside", rules=_between("echo-reply", "ip6 daddr . ip6 saddr", "sport", "vmap @zt_ingress", ()))


def _from_port(found: tuple[Collection, ...], echo: str, ends: str, port: str, between: tuple[str, ...]) -> tuple[str, ...]:
    """Of who sits behind a port: single tuples within the overlay first, and what leads to an external only behind what is withheld.

    A tuple of protocol and port never is ICMPv6, whose types stand where ports do: elements name their protocols.
    """
    held = {each.name for each in found}
    beyond = [f"{ends} . meta l4proto . th {port} vmap @{name}" for name in ("zt_grants_far", "zt_grants_wide") if name in held]
    pinged = [f"icmpv6 type {echo} {ends} vmap @zt_grants_echo"] if "zt_grants_echo" in held else []
    return (f"{ends} . meta l4proto . th {port} vmap @zt_grants", *between, *pinged, *beyond)


def _between(echo: str, ends: str, port: str, found: str, refuse: tuple[str, ...]) -> tuple[str, ...]:
    """By both ends, neither of which this node's ports vouch for: echo, everything else that is not ICMPv6 by protocol and port."""
    accept = "" if found.startswith("vmap") else " accept"
    looked = (f"icmpv6 type {echo} {ends} {found}_echo{accept}", f"{ends} . meta l4proto . th {port} {found}{accept}")
    return (SOURCE_WITHHELD, TARGET_WITHHELD, *looked, *refuse, DENY)


def _ask(condition: Condition, rules: tuple[str, ...], *, ends: bool) -> Chain:
    """The initiator's session is in the condition's set, in whichever direction the packet goes. Where it is not, that is said with the
    rules behind it; it is the end of it, unless some segment only observes."""
    named = set_of(condition)
    said = f'{LOGGED} "{prefix((condition.id, *rules), "zt-deny" if ends else "zt-unmet")}"'
    otherwise = (said, "counter drop") if ends else (said,)
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


def _observing(spec: NodeSpec) -> Iterator[Chain]:
    """What is denied on its way into a segment that only observes: it passes, and what begins a flow is logged."""
    yield Chain(
        name="zt_refused",
        rules=(
            "icmpv6 type != echo-request return",
            "ip6 saddr @zt_ours iifname . ip6 daddr vmap @zt_observed",
            "ip6 saddr @zt_ours meta sdifname . ip6 daddr vmap @zt_observed",
        ),
    )
    answers = ("icmpv6 type != echo-reply return", "ip6 daddr @zt_ours oifname . ip6 saddr vmap @zt_observed")
    yield Chain(name="zt_reply_refused", rules=answers)
    for each in spec.observed:
        yield Chain(name=watch_of(each), rules=(f'ct state new {LOGGED} "zt-observe {each.segment} "', "accept"))
