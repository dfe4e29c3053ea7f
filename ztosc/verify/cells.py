"""Ports, one for each way in which the rules about an end can treat them.

Guarantees: exhaustive; two ports of one cell are decided alike by every rule about the end, at every instant.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import Flow, Host, Place
from ztosc.ir.intent import Rule
from ztosc.logic import ports

READABLE: ports.Boxes = ((6, 6, 443, 443),)
"""Cut out of every set of ports, so that "any port" is shown to the reader as one they know."""


def spoken_ports(policy: Policy, rule: Rule, end: Place) -> ports.Boxes:
    """The ports on which a rule speaks of an end, over all its targets that stand for it."""
    probe = Flow(source=end, principal=Host(), destination=end, protocol=0, port=0, instant=0)
    return ports.union(*(policy.rule_ports(rule, ref) for ref in rule.targets if policy.is_target(ref, probe)))


def listens(policy: Policy, end: Place) -> ports.Boxes:
    """What the service at an end listens on; nothing at any other end."""
    return policy.services[end.service].listen if end.service else ()


def cells(policy: Policy, end: Place, wanted: ports.Boxes | None = None) -> Iterator[tuple[int, int]]:
    """One (protocol, port) of each cell, the most readable first; only those in `wanted`, if that is given."""
    if wanted is not None and len(wanted) == 1 and wanted[0][0] == wanted[0][1] and wanted[0][2] == wanted[0][3]:
        return iter([(wanted[0][0], wanted[0][2])])
    spoken = (spoken_ports(policy, rule, end) for rule in policy.about(end))
    found = sorted(ports.samples(READABLE, listens(policy, end), wanted or (), *spoken), key=preference)
    return (cell for cell in found if wanted is None or ports.contains(wanted, *cell))


def preference(cell: tuple[int, int]) -> tuple[bool, bool, int, bool, int]:
    """TCP, then UDP, then the rest by number; a real port before port 0."""
    protocol, port = cell
    return protocol != 6, protocol != 17, protocol, port == 0, port
