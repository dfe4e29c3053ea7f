"""Grants that rest on less than they open: data that a label protects, for whoever plugs into a port that authenticates nobody.

Guarantees: a grant is judged by the weakest port that a segment of its subject has, for that is the one to plug into.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.diagnostics import Diagnostic, Label, Severity
from ztosc.ir.clock import is_over
from ztosc.ir.intent import Attachment, Rule
from ztosc.logic.closure import bits
from ztosc.verify import words
from ztosc.verify.slices import Entry, Slices


def find(slices: Slices) -> Iterator[Diagnostic]:
    """One finding a grant, with every port that it rests on."""
    guarded = _guarded(slices)
    weak = _weak_ports(slices)
    for position, rule in enumerate(slices.policy.intent.rules):
        opened = _opens(slices, rule, guarded) if rule.effect == "allow" and not is_over(rule.validity, slices.network.at) else ()
        ports = {port.origin: port for entry in slices.entries(position) for port in _rests_on(slices, entry, weak)} if opened else {}
        if ports:
            yield _finding(rule, opened, [ports[origin] for origin in sorted(ports)])


def _guarded(slices: Slices) -> frozenset[str]:
    """The labels that ask for any protection: encryption, a key, a place, an order."""
    labels = slices.policy.intent.labels
    return frozenset(each.name for each in labels if each.encryption != "none" or each.psk or each.rekey or each.within)


def _weak_ports(slices: Slices) -> dict[str, list[Attachment]]:
    """By segment, the ports behind which nobody is authenticated."""
    found: dict[str, list[Attachment]] = {}
    for node in slices.policy.intent.nodes:
        for each in node.attachments:
            if each.kind != "dot1x" and not slices.policy.segments[each.segment].access_tunnel:
                found.setdefault(each.segment, []).append(each)
    return found


def _opens(slices: Slices, rule: Rule, guarded: frozenset[str]) -> tuple[str, ...]:
    """The guarded labels of what a grant opens, sorted."""
    found: set[str] = set()
    for ref in rule.targets:
        match ref.kind:
            case "label":
                found.add(ref.name)
            case "segment":
                found.update(slices.policy.segments[ref.name].carries)
            case "service":
                found.update(slices.policy.segments[slices.policy.services[ref.name].segment].carries)
    return tuple(sorted(found & guarded))


def _rests_on(slices: Slices, entry: Entry, weak: dict[str, list[Attachment]]) -> Iterator[Attachment]:
    """The weak ports through which somebody could be taken for the subject of an entry; a service is ours to place.

    A device that is recognised by its certificate is no exception: it shows that at a port that authenticates, or nowhere.
    """
    if entry.kind.kind == "service":
        return
    for bit in bits(entry.sources):
        place = slices.places[bit]
        yield from weak.get(place.name, ()) if place.kind == "segment" else ()


def _finding(rule: Rule, opened: tuple[str, ...], ports: list[Attachment]) -> Diagnostic:
    what = words.listing(f"`{name}`" for name in opened)
    message = f"this grant opens {what} to whoever plugs in where nobody is authenticated"
    related = tuple(Label(each.origin, f"`{each.segment}` on `{each.port}` is `{each.kind}`: {_known(each)}") for each in ports)
    help_ = "attach the port with `dot1x`, where a device can show its certificate, or let the hosts come by `access tunnel`"
    return Diagnostic("ZT448", message, rule.origin, help=help_, related=related, severity=Severity.WARNING)


def _known(port: Attachment) -> str:
    return "one endpoint, known by an address" if port.kind == "exclusive" else "hosts are known by their addresses alone"
