"""From names to flows: `why SUBJECT TARGET` and the lines of `why --batch`.

Guarantees: a name that the network does not have is refused with the nearest one that would do; a question that fits several flows (a
role that comes from several segments, a target without ports) keeps them all, in order, and says how they answer it: with ports
given every one must be allowed, without ports one is enough, on what a service listens on or any port at all.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ztosc.diagnostics.near import suggestion
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import Decision, DevicePrincipal, Flow, Host, Person, Place, Principal, ServiceEndpoint
from ztosc.ir.network import Network
from ztosc.ir.values import Ref, Value
from ztosc.logic import ports
from ztosc.verify.addresses import AddressBook
from ztosc.verify.cells import cells
from ztosc.verify.literals import Unanswerable, instant, port_set, value
from ztosc.verify.scope import segments_of

Facts = tuple[tuple[str, Value], ...]
ASKERS = ("segment", "service", "device", "external", "roles")


@dataclass(frozen=True)
class Question:
    """The flows that one question stands for, grouped by where they start; see the module for how they answer it."""

    starts: tuple[tuple[Flow, ...], ...]
    every: bool

    def answer(self, policy: Policy) -> tuple[Flow, Decision]:
        """The flow that settles the question, and its decision: of the first start that is allowed, otherwise of the first."""
        answers = [self._settle(policy, flows) for flows in self.starts]
        return next((answer for answer in answers if answer[1].allowed), answers[0])

    def _settle(self, policy: Policy, flows: tuple[Flow, ...]) -> tuple[Flow, Decision]:
        last = None
        for flow in flows:
            decision = policy.decide(flow)
            last = last or (flow, decision)
            if decision.allowed != self.every:
                return flow, decision
        if last is None:
            raise Unanswerable("no port is asked for")
        return last


@dataclass(frozen=True)
class Answer:
    """The answer to one line of a batch: `record` is the line with `decision` and `rule`, or `error` says why there is none."""

    line: int
    record: dict[str, Any] | None
    error: Unanswerable | None


class Asker:
    """One network's names, looked up rather than searched; build once to ask many questions."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.policy = Policy(network.intent)
        self.book = AddressBook(network)
        self.zone = network.intent.network.timezone
        self.devices = {each.name for each in network.intent.devices}
        self.externals = {each.name for each in network.intent.externals}

    def ask(self, subject: str, target: str, on: str | None = None, given: Iterable[str] = (), at: str | None = None) -> Question:
        """The question of the command line; `given` are texts like `user.mfa=true`. Raises `Unanswerable`."""
        pairs = (text.partition("=") for text in given)
        facts = self.facts({name.strip(): text.strip() for name, _, text in pairs})
        return self._question(self._subject(subject, facts), target, on, at)

    def ask_record(self, record: Mapping[str, Any]) -> Question:
        """The question of one line of a batch, as parsed from JSON. Raises `Unanswerable`."""
        asker, target, on = record.get("from"), record.get("to"), record.get("on")
        if not isinstance(asker, dict) or not isinstance(target, str) or not isinstance(on, str | None):
            raise Unanswerable("a question has `from` (an object), `to` (a name or address) and perhaps `on` (a port) and `at`")
        return self._question(self._from(asker), target, on, record.get("at"))

    def batch(self, lines: Iterable[str]) -> Iterator[Answer]:
        """An answer for every line that is not empty, in order; lines count from 1."""
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield self._answer(number, line)

    def _answer(self, number: int, line: str) -> Answer:
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise Unanswerable("a line holds one JSON object")
            _, decision = self.ask_record(record).answer(self.policy)
        except ValueError as error:
            return Answer(number, None, Unanswerable(f"the line is not JSON: {error}"))
        except Unanswerable as error:
            return Answer(number, None, error)
        origin = decision.rule.origin if decision.rule else None
        rule = {"file": origin.file, "line": origin.line} if origin else None
        return Answer(number, {**record, "decision": decision.effect, "rule": rule}, None)

    def facts(self, given: Mapping[str, object]) -> Facts:
        """Attributes by name; `null` is absent. Raises `Unanswerable`."""
        for name in given:
            self._known(name, self.policy.types, "attribute")
        present = {name: each for name, each in given.items() if each is not None}
        return tuple((name, value(name, self.policy.types[name], present[name], self.zone)) for name in sorted(present))

    # Who asks

    def _subject(self, name: str, facts: Facts) -> list[tuple[Place, Principal]]:
        if name in self.policy.roles:
            return self._people((name,), None, facts)
        if name in self.policy.segments:
            return [(Place(kind="segment", name=name), Host(attributes=facts))]
        if name in self.policy.services:
            return self._service(name, facts)
        if name in self.devices:
            return self._device(name, None, facts)
        if name in self.externals:
            return [(Place(kind="external", name=name), Host(attributes=facts))]
        known = (*self.policy.roles, *self.policy.segments, *self.policy.services, *self.devices, *self.externals)
        raise Unanswerable(f"no role, segment, service, device class or external is called `{name}`", suggestion(name, known))

    def _from(self, asker: Mapping[str, Any]) -> list[tuple[Place, Principal]]:
        for key in asker:
            self._known(key, (*ASKERS, "attributes"), "part of `from`")
        attributes, roles, segment = asker.get("attributes", {}), asker.get("roles"), asker.get("segment")
        names = [asker.get(key) for key in ASKERS[:4] if key in asker]
        if not isinstance(attributes, dict) or not all(isinstance(name, str) for name in names):
            raise Unanswerable("in `from`, names are texts and `attributes` is an object")
        facts = self.facts(attributes)
        if segment is not None:
            self._known(segment, self.policy.segments, "segment")
        match [key for key in ASKERS if key in asker and key != "segment"]:
            case ["roles"] if isinstance(roles, list) and all(isinstance(role, str) for role in roles):
                return self._people(tuple(roles), segment, facts)
            case ["device"]:
                return self._device(asker["device"], segment, facts)
            case ["service"] if segment in (None, self._home(asker["service"])):
                return self._service(asker["service"], facts)
            case ["external"] if segment is None:
                self._known(asker["external"], self.externals, "external")
                return [(Place(kind="external", name=asker["external"]), Host(attributes=facts))]
            case [] if segment is not None:
                return [(Place(kind="segment", name=segment), Host(attributes=facts))]
        raise Unanswerable("`from` has one of `segment`, `service`, `device` or `external`, or `roles` with the segment they come from")

    def _people(self, roles: tuple[str, ...], segment: str | None, facts: Facts) -> list[tuple[Place, Principal]]:
        for role in roles:
            self._known(role, self.policy.roles, "role")
        common = [each for each in self.policy.segments if all(each in self.policy.roles[role].sources for role in roles)]
        found = [segment] if segment is not None else common
        if not found or not (roles or segment):
            raise Unanswerable("no segment is one that all of these roles come from", "say which `segment` they are in")
        return [(Place(kind="segment", name=each), Person(roles=roles, attributes=facts)) for each in found]

    def _device(self, name: str, segment: str | None, facts: Facts) -> list[tuple[Place, Principal]]:
        self._known(name, self.devices, "device class")
        found = (segment,) if segment is not None else segments_of(self.policy, Ref(kind="device", name=name))
        if not found:
            raise Unanswerable(f"no segment admits `{name}`, so it is nowhere")
        return [(Place(kind="segment", name=each), DevicePrincipal(device=name, attributes=facts)) for each in found]

    def _service(self, name: str, facts: Facts) -> list[tuple[Place, Principal]]:
        return [(Place(kind="segment", name=self._home(name)), ServiceEndpoint(service=name, attributes=facts))]

    def _home(self, service: str) -> str:
        self._known(service, self.policy.services, "service")
        return self.policy.services[service].segment

    # What is asked for

    def _question(self, who: list[tuple[Place, Principal]], target: str, on: str | None, at: object) -> Question:
        end = self.target(target)
        moment = self.network.at if at is None else instant(at, self.zone)
        found = list(cells(self.policy, end, port_set(on) if on is not None else self._listens(end)))
        groups = ([self._flow(source, principal, end, cell, moment) for cell in found] for source, principal in who)
        return Question(tuple(tuple(group) for group in groups), every=on is not None)

    def _flow(self, source: Place, principal: Principal, end: Place, cell: tuple[int, int], moment: int) -> Flow:
        return Flow(source=source, principal=principal, destination=end, protocol=cell[0], port=cell[1], instant=moment)

    def _listens(self, end: Place) -> ports.Boxes | None:
        if end.service:
            return self.policy.services[end.service].listen
        return self.policy.systems[end.name].listen if end.kind == "system" else None

    def target(self, name: str) -> Place:
        """A service, segment, external, system or address as the end of a flow. Raises `Unanswerable`."""
        if name in self.policy.services:
            return Place(kind="segment", name=self.policy.services[name].segment, service=name)
        if name in self.policy.segments:
            return Place(kind="segment", name=name)
        if name in self.externals:
            return Place(kind="external", name=name)
        if name in self.policy.systems:
            return Place(kind="system", name=name)
        try:
            return self.book.place(ipaddress.ip_address(name))
        except ValueError:
            known = (*self.policy.services, *self.policy.segments, *self.externals, *self.policy.systems)
            raise Unanswerable(
                f"no service, segment or external is called `{name}`, and it is no address", suggestion(name, known)
            ) from None

    def _known(self, name: str, known: Iterable[str], what: str) -> None:
        if name not in known:
            raise Unanswerable(f"no {what} is called `{name}`", suggestion(name, known))
