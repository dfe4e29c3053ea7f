"""Who does what in the tests of the harness that are no table of flows."""

from __future__ import annotations

import time

from tests.harness.layout import Host
from tests.harness.matrix import HURRIED, Matrix
from tests.harness.sessions import Session
from ztosc.backends.nftables.sets import set_of


def client(matrix: Matrix, segment: str, node: str) -> Host:
    return next(each for each in matrix.lab.hosts if each.place.name == segment and not each.place.service and each.node == node)


def replica(matrix: Matrix, service: str, node: str) -> Host:
    return next(each for each in matrix.lab.hosts if each.place.service == service and each.node == node)


def set_for(matrix: Matrix, session: Session, target: str, port: int) -> str:
    """The dynamic set that stands behind a session's grant."""
    spec = next(each for each in matrix.lab.specs if each.node == session.node)
    permit = next(
        each for each in spec.permits if each.source.name == session.place.name and each.to.name == target and each.ports[0][2] == port
    )
    return set_of(next(each for each in spec.conditions if each.id == permit.condition))


def forge(matrix: Matrix, resolver: str, host: str, source: str, word: str) -> bool:
    """Whether a datagram from a source that is not the host's arrives at a node's name server, which answers every segment."""
    lab = matrix.lab
    lab.where.run("ip", "-n", lab.space(host), "addr", "replace", f"{source}/128", "dev", "eth0", "nodad")
    lab.ask(host, "send", source, lab.network.anycast[0].address, 53, word)
    time.sleep(HURRIED)
    lab.where.run("ip", "-n", lab.space(host), "addr", "delete", f"{source}/128", "dev", "eth0")
    return bool(lab.ask(resolver, "hears", word))
