"""Sentences about names, initiators and flows, in the reader's words: every name from the sources stands between backticks."""

from __future__ import annotations

from collections.abc import Iterable

from ztosc.ir.clock import instant_text
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import DevicePrincipal, Flow, Host, Person, Place, Principal, ServiceEndpoint
from ztosc.ir.guards import value_text
from ztosc.ir.values import AttributeType, InstantType, Ref, Value
from ztosc.ir.verdict import Hop
from ztosc.logic import ports
from ztosc.source import Span
from ztosc.verify.questions import Questions


def names(refs: Iterable[Ref]) -> str:
    """`a`, `b` and `c`; what names nothing is a group without members."""
    return listing(f"`{ref.name}`" for ref in refs) or "an empty group"


def listing(parts: Iterable[str]) -> str:
    """Parts joined by commas and a last *and*."""
    parts = list(parts)
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def place(where: Place) -> str:
    """An end of a flow: its service and segment, or its own name."""
    if not where.name:
        return "an address that is nobody's"
    return f"`{where.service}` in `{where.name}`" if where.service else f"`{where.name}`"


def port(protocol: int, number: int) -> str:
    """`tcp/443`, as the language writes it."""
    if protocol not in ports.WITH_PORTS and (protocol, number) != ports.ECHO:
        return f"proto/{protocol}"
    return ports.text(((protocol, protocol, number, number),))


def at(span: Span | None) -> str:
    """` (file:line)`, or nothing."""
    return f" ({span.file}:{span.line})" if span else ""


def principal(policy: Policy, who: Principal) -> str:
    """An initiator with everything the witness needs of it."""
    match who:
        case Person(roles=roles):
            text = "someone who holds " + listing(f"`{role}`" for role in roles) if roles else "someone"
        case DevicePrincipal(device=device):
            text = f"a device of class `{device}`"
        case ServiceEndpoint(service=service):
            text = f"an endpoint of `{service}`"
        case Host():
            text = "whoever or whatever is"
    facts = listing(f"`{name}` = {value(policy.types[name], each)}" for name, each in who.attributes)
    return f"{text} with {facts}" if facts else text


def value(kind: AttributeType, given: Value) -> str:
    """A value as the language writes it; instants as such."""
    if isinstance(kind, InstantType) and 0 <= int(given) < 253_402_300_800:
        return instant_text(int(given))
    return value_text(given)


def flow(policy: Policy, given: Flow) -> str:
    """Who may open what to where, and when."""
    who = f"{principal(policy, given.principal)} in {place(given.source)}"
    return f"{who} may open {port(given.protocol, given.port)} to {place(given.destination)} at {instant_text(given.instant)}"


def hop(explorer: Questions, given: Flow, released: str | None = None) -> Hop:
    """A flow as a step of a witness, with the rule that allows it (and does not release the label, if one is named)."""
    rule = explorer.carried(given, released)
    why = at(rule.origin) if rule else " (replicas of one service may talk)"
    return Hop(text=flow(explorer.policy, given) + why, flow=given, rule=rule.origin if rule else None)
