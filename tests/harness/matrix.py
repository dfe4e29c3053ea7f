"""Every session against every destination: what went through the rulesets, beside what `decide` says.

Guarantees: a flow that should pass but was not answered is asked again with patience before it counts as refused, so a busy machine makes
no false alarm; one that should not pass is never excused.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from tests.harness.lab import Lab
from tests.harness.sessions import Session, elements, sessions
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import Flow, Place

HURRIED, PATIENT = 0.6, 6.0
"""Seconds."""

BESIDE = ((6, 22), (6, 443), (58, 128))
"""What is tried on every host besides what the policy speaks of for it."""


@dataclass(frozen=True, slots=True)
class Try:
    """A flow to try and what the policy says."""

    session: Session
    destination: str
    host: str
    place: Place
    protocol: int
    port: int
    wanted: bool
    rule: str

    @property
    def flow(self) -> list[object]:
        """As the agent takes it."""
        return [self.protocol, self.session.address, self.destination, self.port]

    def text(self, node: str) -> str:
        """The packet, the principal, the rule and the node."""
        who = self.session.principal.model_dump(exclude={"kind"}, exclude_defaults=True) or self.session.principal.kind
        verdict = "refused" if self.wanted else "let through"
        packet = f"{self.session.address} -> {self.destination} {self.protocol}/{self.port}"
        return (
            f"{packet} was {verdict} at {node}: {who} in {self.session.place.name} to {self.place.service or self.place.name}; {self.rule}"
        )


def targets(lab: Lab) -> list[tuple[str, str, Place]]:
    """Host, address and place of everything that can be reached."""
    found = [(host.name, host.addresses[0], host.place) for host in lab.hosts]
    found += [("out", address, place) for address, place in lab.outside]
    nodes = {each.system: each.nodes for each in lab.network.anycast}
    found += [(nodes[each.system][0], each.address, Place(kind="system", name=each.system)) for each in lab.network.anycast if each.nodes]
    return found


def interesting(lab: Lab, place: Place) -> list[tuple[int, int]]:
    """Ports that the policy speaks of for a place, the ones beside them, and those of ping and login."""
    policy = Policy(lab.network.intent)
    flow = Flow(source=place, principal={"kind": "host"}, destination=place, protocol=6, port=1, instant=0)  # type: ignore[arg-type]
    found = set(BESIDE)
    for rule in lab.network.intent.rules:
        for ref in rule.targets:
            if policy.is_target(ref, flow):
                found |= {(low, port) for low, high, first, last in policy.rule_ports(rule, ref) if low == high for port in (first, last)}
    if place.service is not None:
        listen = policy.services[place.service].listen
        found |= {(low, port) for low, _, first, last in listen for port in (first, last, first - 1)}
        found |= {(23 - low, first) for low, _, first, _ in listen}  # tcp for udp, udp for tcp
    return sorted(each for each in found if each[0] in (6, 17) or each == (58, 128))


class Matrix:
    """All tries of a lab."""

    def __init__(self, lab: Lab, hurried: float = HURRIED, chosen: list[Session] | None = None) -> None:
        self.lab, self.hurried = lab, hurried
        self.policy = Policy(lab.network.intent)
        self.sessions = sessions(lab.network, lab.hosts, lab.outside) if chosen is None else chosen
        self.targets = targets(lab)
        self.listen()

    def listen(self) -> None:
        ends: dict[str, list[list[object]]] = defaultdict(list)
        servers = {
            address: [spec.node for spec in self.lab.specs if any(each.address == address for each in spec.systems)]
            for _, address, _ in self.targets
        }
        for host, address, place in self.targets:
            for name in servers[address] or [host]:
                ends[name] += [[protocol, address, port] for protocol, port in interesting(self.lab, place) if protocol != 58]
        for name, each in ends.items():
            self.lab.tell(name, "listen", each)
        for name in ends:
            self.lab.answer(name)

    def fill(self, instant: int) -> None:
        """Open every session at an instant."""
        for spec in self.lab.specs:
            self.lab.nft(spec.node, elements(spec, self.sessions, instant))

    def tries(self, instant: int) -> list[Try]:
        """Every flow to try, with what `decide` says."""
        return [
            self._try(session, target, what, instant)
            for session in self.sessions
            for target in self.targets
            for what in self._what(session, target)
        ]

    def _what(self, session: Session, target: tuple[str, str, Place]) -> list[tuple[int, int]]:
        host, _, place = target
        both_outside = session.place.kind == place.kind == "external"
        return [] if host == session.host or both_outside else interesting(self.lab, place)

    def _try(self, session: Session, target: tuple[str, str, Place], what: tuple[int, int], instant: int) -> Try:
        host, address, place = target
        flow = Flow(source=session.place, principal=session.principal, destination=place, protocol=what[0], port=what[1], instant=instant)
        found = self.policy.decide(flow)
        rule = f"{found.rule.origin.file}:{found.rule.origin.line}" if found.rule else found.reason
        return Try(session, address, host, place, *what, found.allowed, rule)

    def run(self, instant: int, patience: float = PATIENT) -> tuple[list[Try], list[str]]:
        """All tries, and those on which packets and policy disagree."""
        self.fill(instant)
        tries = self.tries(instant)
        passed = self._probe(tries, self.hurried)
        doubtful = [each for each, answered in zip(tries, passed, strict=True) if each.wanted and not answered]
        again = dict(zip(map(id, doubtful), self._probe(doubtful, patience), strict=True))
        wrong = [each for each, answered in zip(tries, passed, strict=True) if (answered or again.get(id(each), False)) != each.wanted]
        return tries, [self._told(each) for each in wrong]

    def _told(self, wrong: Try) -> str:
        why = f" ({self.lab.ask(wrong.session.host, 'reason', wrong.flow)})" if wrong.wanted else ""
        return wrong.text(wrong.session.node or "the outside") + why

    def _probe(self, tries: list[Try], timeout: float) -> list[bool]:
        by_host: dict[str, list[int]] = defaultdict(list)
        for index, each in enumerate(tries):
            by_host[each.session.host].append(index)
        for name, indices in by_host.items():
            self.lab.tell(name, "probe", [tries[index].flow for index in indices], timeout)
        answers: dict[int, bool] = {}
        for name, indices in by_host.items():
            answers |= dict(zip(indices, self.lab.answer(name), strict=True))
        return [answers[index] for index in range(len(tries))]
