"""What a revision enforces or claims as a whole, and what it excepts from that: separations, regimes, waivers, links, ports, rules.

Guarantees: an exception that the old revision had, at least as wide and as long, is no loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from ztosc.compare.model import Guarantee
from ztosc.compare.things import KINDS, inside, released
from ztosc.ir.acceptance import Topic, rule_name, waiver_clause
from ztosc.ir.base import canonical
from ztosc.ir.clock import instant_text
from ztosc.ir.compliance import Control, Waiver
from ztosc.ir.intent import Attachment, Governance, Intent, Rule
from ztosc.logic import ports
from ztosc.source import Span

SEVERITIES = ("info", "warning", "error")


def separations_lost(old: Intent, new: Intent) -> Iterator[Guarantee]:
    """Pairs of roles, both still there, that one session may act in now."""
    roles = {each.name for each in new.roles}
    apart = {frozenset(pair) for each in new.separations for pair in combinations(each.roles, 2)}
    told: set[frozenset[str]] = set()
    for separation in old.separations:
        for a, b in combinations(sorted(separation.roles), 2):
            pair = frozenset((a, b))
            if {a, b} <= roles and pair not in apart and pair not in told:
                told.add(pair)
                text = f"roles `{a}` and `{b}` are not separated any more"
                yield Guarantee(topic=Topic(kind="separate", name=f"{a}, {b}"), loss="removed", text=text, old=separation.origin)


# Regimes


def regimes_lost(old: Intent, new: Intent) -> Iterator[Guarantee]:
    """Profiles that are not complied with any more, and controls of them that ask for less."""
    before, after = ({each.name: each for each in intent.profiles} for intent in (old, new))
    complied = {each.profile for each in new.compliance}
    for each in old.compliance:
        if each.profile not in complied:
            text = f"the network does not claim to comply with `{each.profile}` any more"
            yield Guarantee(topic=Topic(kind="comply", name=each.profile), loss="removed", text=text, old=each.origin)
        elif each.profile in before and each.profile in after:
            narrower = [label for label in before[each.profile].labels if label not in after[each.profile].labels]
            controls = {control.name: control for control in after[each.profile].controls}
            for control in before[each.profile].controls:
                yield from _control(each.profile, control, controls.get(control.name), narrower)


def _control(profile: str, old: Control, new: Control | None, narrower: list[str]) -> Iterator[Guarantee]:
    topic = Topic(kind="control", name=profile, clause=waiver_clause(old.name, ()))
    named = f"control `{old.name}` of `{profile}`"
    if new is None:
        yield Guarantee(topic=topic, loss="removed", text=f"{named} is gone", old=old.origin)
    elif SEVERITIES.index(new.severity) < SEVERITIES.index(old.severity):
        text = f"{named} is of severity {new.severity}, and was {old.severity}"
        yield Guarantee(topic=topic, loss="weakened", text=text, before=old.severity, after=new.severity, old=old.origin, new=new.origin)
    elif _asked(old) != _asked(new) or narrower:
        text = (
            f"{named} asks for something else"
            if not narrower
            else f"{named} is not about {', '.join(f'`{each}`' for each in narrower)} now"
        )
        yield Guarantee(topic=topic, loss="changed", text=text, old=old.origin, new=new.origin)


def _asked(control: Control) -> tuple[object, ...]:
    required = control.require.model_dump_json() if control.require is not None else None
    return tuple(each.model_dump_json() for each in control.each), required, control.manual


def waivers_added(old: Intent, new: Intent) -> Iterator[Guarantee]:
    """Waivers that are new, wider or longer."""
    for waiver in new.waivers:
        if any(_excuses(other, waiver) for other in old.waivers):
            continue
        former = next((each for each in old.waivers if (each.profile, each.control) == (waiver.profile, waiver.control)), None)
        clause = waiver_clause(waiver.control, [ref.name for ref in waiver.scope])
        text = f"control {clause} of `{waiver.profile}` is waived until {instant_text(waiver.until)}"
        origin = former.origin if former else None
        yield Guarantee(
            topic=Topic(kind="waive", name=waiver.profile, clause=clause), loss="added", text=text, old=origin, new=waiver.origin
        )


def _excuses(old: Waiver, new: Waiver) -> bool:
    scope = {(ref.kind, ref.name) for ref in old.scope}
    inside = not scope or (bool(new.scope) and {(ref.kind, ref.name) for ref in new.scope} <= scope)
    return (old.profile, old.control) == (new.profile, new.control) and inside and old.until >= new.until


# Nodes and links


def management_widened(old: Intent, new: Intent) -> Iterator[Guarantee]:
    """Who may reach the nodes themselves, on ports on which they could not."""
    before: dict[tuple[str, str], ports.Boxes] = {}
    for each in old.network.manage:
        for ref in each.subjects:
            before[ref.kind, ref.name] = ports.union(before.get((ref.kind, ref.name), ()), each.ports)
    for each in new.network.manage:
        for ref in each.subjects:
            more = ports.subtract(each.ports, before.get((ref.kind, ref.name), ()))
            if more:
                text = f"`{ref.name}` may manage the nodes on {ports.text(more)}"
                yield Guarantee(topic=Topic(kind="manage", name=ref.name), loss="added", text=text, after=ports.text(more), new=each.origin)


def links_weakened(old: Intent, new: Intent) -> Iterator[Guarantee]:
    """Links that were encrypted below their tunnel."""
    after = {each.name: each for each in new.links}
    for link in old.links:
        other = after.get(link.name)
        if other is not None and link.macsec and not other.macsec:
            text = f"`macsec` of link `{link.a} -- {link.b}` is gone"
            yield Guarantee(
                topic=Topic(kind="link", name=link.name, clause="macsec"), loss="removed", text=text, old=link.origin, new=other.origin
            )


def attachments_weakened(old: Intent, new: Intent) -> Iterator[Guarantee]:
    """Ports behind which less is known of who is there than at any port of that segment before."""
    before = {(node.name, each.port, each.vlan): each for node in old.nodes for each in node.attachments}
    weakest: dict[str, int] = {}
    for each in before.values():
        weakest[each.segment] = min(weakest.get(each.segment, len(KINDS)), KINDS.index(each.kind))
    segments = {each.name for each in old.segments}
    for node in new.nodes:
        for each in node.attachments:
            former = before.get((node.name, each.port, each.vlan))
            same = former is not None and former.segment == each.segment
            bound = KINDS.index(former.kind) if former is not None and same else weakest.get(each.segment, len(KINDS))
            if each.segment in segments and KINDS.index(each.kind) < bound:
                yield _attachment(node.name, each, former if same else None)


def _attachment(node: str, new: Attachment, old: Attachment | None) -> Guarantee:
    vlan = f" vlan {new.vlan}" if new.vlan is not None else ""
    was = f"was {old.kind}" if old else "is a port more"
    return Guarantee(
        topic=Topic(kind="node", name=node, clause=f"attach {new.port}{vlan}"),
        loss="weakened" if old else "added",
        text=f"port `{new.port}{vlan}` of `{node}` to `{new.segment}` is {new.kind} and {was}",
        before=old.kind if old else "",
        after=new.kind,
        old=old.origin if old else None,
        new=new.origin,
    )


# Rules


def rules_weakened(old: Intent, new: Intent) -> Iterator[Guarantee]:
    """Data that grants release, and bounds in time that they are without, beside the grants of the same ends that were there before."""
    before: dict[tuple[str, str], list[Rule]] = {}
    same: dict[bytes, list[Rule]] = {}
    known = {rule.id for rule in old.rules}
    fresh = [rule for rule in new.rules if rule.id not in known and rule.effect == "allow"]
    ends = {rule_name(rule.subjects, rule.targets) for rule in fresh}
    for rule in old.rules:
        name = rule_name(rule.subjects, rule.targets) if rule.effect == "allow" else ""
        if name in ends:
            before.setdefault((rule.effect, name), []).append(rule)
            same.setdefault(_content(rule), []).append(rule)
    for rule in fresh:
        name = rule_name(rule.subjects, rule.targets)
        yield from _released(name, rule, same.get(_content(rule), []))
        yield from _bounds(name, rule, before.get(("allow", name), []))


def _content(rule: Rule) -> bytes:
    """What of a rule decides flows, as bytes."""
    update = {"id": "", "because": None, "governance": Governance(), "doc": "", "stale": None}
    return canonical(rule.model_copy(update=update))


def _released(name: str, new: Rule, old: list[Rule]) -> Iterator[Guarantee]:
    known = frozenset(label for each in old for label in released(each.governance))
    for label in sorted(released(new.governance) - known):
        text = f"`{name}` releases `{label}` now"
        yield _rule(name, f"releases {label}", text, new, old, "added")


def _bounds(name: str, new: Rule, old: list[Rule]) -> Iterator[Guarantee]:
    """A bound is lost where every former grant of these ends had one."""
    for word, bounds, bound in (
        ("stale", [each.stale for each in old], new.stale),
        ("idle", [each.governance.idle for each in old], new.governance.idle),
    ):
        said = [each for each in bounds if each is not None]
        if said and len(said) == len(bounds) and (bound is None or bound > max(said)):
            yield _rule(
                name, word, f"`{word}` of `{name}` is {f'{bound}s' if bound else 'gone'}", new, old, "weakened" if bound else "removed"
            )
    sinks = {each.governance.log_to for each in old}
    if old and None not in sinks and new.governance.log_to not in sinks:
        yield _rule(name, "log", f"`{name}` is not logged where it was", new, old, "changed" if new.governance.log_to else "removed")


def _rule(name: str, clause: str, text: str, new: Rule, old: list[Rule], loss: str) -> Guarantee:
    origin: Span | None = old[0].origin if old else None
    made = {"topic": Topic(kind="rule", name=name, clause=clause), "loss": loss, "text": text, "old": origin, "new": new.origin}
    return Guarantee.model_validate(made)


# Externals


def externals_grown(old: Intent, new: Intent) -> Iterator[Guarantee]:
    """Externals that are what is left over of a prefix, of which another claimed a part before."""
    before, after = ({each.name: each for each in intent.externals} for intent in (old, new))
    for each in old.externals:
        reach = after[each.name].reach if each.name in after else ()
        lost = [prefix for prefix in each.reach if not inside(prefix, reach)]
        for name, other in after.items():
            left = [prefix for prefix in lost if name != each.name and inside(prefix, other.reach)]
            if left and name in before:
                text = f"external `{name}` is {', '.join(f'`{prefix}`' for prefix in left)} too, which `{each.name}` was"
                topic = Topic(kind="external", name=name, clause="reach")
                yield Guarantee(topic=topic, loss="changed", text=text, old=each.origin, new=other.origin)
