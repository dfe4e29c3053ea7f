"""What the language can say and no target enforces yet: an error at its line, for a policy that is not enforced is worse than none.

Guarantees: every clause of the Intent that bounds or opens access is enforced by a target, refused by one, or refused here.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.diagnostics import Diagnostic
from ztosc.ir.intent import Governance, Intent
from ztosc.ir.network import Network
from ztosc.source import Span


def unenforced(network: Network) -> tuple[Diagnostic, ...]:
    """Each at the declaration or rule that asks for it."""
    intent = network.intent
    found = (*_network(intent), *_facts(intent), *_labels(intent), *_governed(intent))
    return tuple(Diagnostic("ZT603", f"{what}, which no target enforces yet", origin, help=HELP) for what, origin in found)


HELP = "take it out until a target can: `verify` and `test` judge the network with it"


def _network(intent: Intent) -> Iterator[tuple[str, Span]]:
    if intent.network.log_all:
        yield "`log all` asks that every flow be carried from the node's own log to a service", intent.network.origin
    for partner in intent.partners:
        yield f"partner `{partner.name}` is another overlay", partner.origin


def _facts(intent: Intent) -> Iterator[tuple[str, Span]]:
    for role in intent.roles:
        if role.break_glass is not None:
            yield f"role `{role.name}` is for emergencies alone", role.origin
    for attribute in intent.attributes:
        if attribute.max_age is not None:
            yield f"attribute `{attribute.name}` has a `max-age`", attribute.origin


def _labels(intent: Intent) -> Iterator[tuple[str, Span]]:
    for label in intent.labels:
        carried = next((segment for segment in intent.segments if label.name in segment.carries), None)
        if label.encryption == "end-to-end" and carried is not None:
            yield f"segment `{carried.name}` carries `{label.name}`, which demands encryption from end to end", carried.origin


def _governed(intent: Intent) -> Iterator[tuple[str, Span]]:
    for governance, origin in _all(intent):
        if governance.log_to not in (None, intent.network.log_all):  # `log all` is told once, at the network
            yield f"flows shall be carried from the node's own log to `{governance.log_to}`", origin
        if governance.idle is not None:
            yield "`idle` ends what nobody uses", origin


def _all(intent: Intent) -> Iterator[tuple[Governance, Span]]:
    yield intent.network.governance, intent.network.origin
    yield from ((rule.governance, rule.origin) for rule in intent.rules)
    declared = (intent.regions, intent.sites, intent.nodes, intent.links, intent.labels, intent.devices, intent.attributes, intent.segments)
    for kind in (*declared, intent.roles, intent.services, intent.externals, intent.partners, intent.systems):
        yield from ((each.governance, each.origin) for each in kind)
