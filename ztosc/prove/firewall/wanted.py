"""What a node's spec demands of each hook, as a union of what may pass: no order, no chains, no names of sets but those of the contract.

Guarantees: computed from the spec and the network alone, by other code than what made the files. What an address may initiate under a
condition is asked of the dynamic set of that condition (`targets/nftables/README.md`), whose content is the runner's.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from ztosc.logic import addresses, intervals
from ztosc.logic.interval_diagrams import FALSE, TRUE
from ztosc.logic.intervals import Interval, Intervals
from ztosc.logic.ports import Boxes
from ztosc.nodes.contract_spec import Ranges
from ztosc.nodes.spec import Condition, NodeSpec, Observed, Permit, intervals_of
from ztosc.prove.firewall.packet import (
    BACK,
    CT,
    DADDR,
    DPORT,
    HOPLIMIT,
    ICMP4,
    ICMP6,
    IIF,
    INVALID,
    OIF,
    ORIGINAL,
    PROTO,
    RELATED_BACK,
    RELATED_ON,
    SADDR,
    SDIF,
    SPORT,
    TYPE,
    Space,
)  # fmt: skip
from ztosc.prove.firewall.program import Field
from ztosc.prove.firewall.translated import ERRORS4, Translating

PRIORITIES = {"prerouting": -310, "input": -5, "forward": -5, "output": -5}
"""Behind defragmentation (-400) and before connection tracking (-200); behind it, and before the host's own filters (0)."""
LINK_LOCAL = ipaddress.IPv6Network("fe80::/10")
ECHO_REQUEST, ECHO_REPLY = 128, 129
ROUTER_SOLICIT, ROUTER_ADVERT, NEIGHBOUR_SOLICIT, NEIGHBOUR_ADVERT = 133, 134, 135, 136
LISTENER_QUERY, LISTENING = 130, (131, 132, 143)
ERRORS = {6: (1, 2, 3, 4), 4: ERRORS4}

At = Callable[[str], int]
"""Packets that come from, or go to, where an interface leads."""


class Wanted(Translating):
    """One node and family. `gone`: addresses that the network withholds, to and from which nothing is granted."""

    def __init__(self, spec: NodeSpec, space: Space, gone: Intervals) -> None:
        super().__init__(spec, space)
        self.conditions = {each.id: each for each in spec.conditions}
        self.gone = intervals.subtract(gone, addresses.ALL4)
        self.granted = self.d.both(self._known(SADDR), self._known(DADDR))
        self._alone: dict[str, int] = {}
        self._known_asked: dict[tuple[str | None, tuple[int, int, int]], tuple[tuple[str | None, int], ...]] = {}
        self.tracked = self.d.without(TRUE, space.points(CT, (INVALID,)))

    def passing(self, hook: str) -> int:
        """What passes a hook, and before that prerouting by each interface."""
        whole = self.alone(hook)
        return self.d.both(whole, self._came_in) if hook in ("input", "forward") else whole

    def alone(self, hook: str) -> int:
        """What one hook accepts."""
        if hook not in self._alone:
            self._alone[hook] = self._accepted(hook)
        return self._alone[hook]

    def _accepted(self, hook: str) -> int:
        found = {"prerouting": self._prerouting, "input": self._input, "forward": self._forward, "output": self._output}[hook]()
        return self.d.both(found, self.space.universe(hook))

    # Hooks

    def _prerouting(self) -> int:
        return self.d.any(self._from(IIF, name, None) for name in [*self.space.names, None])

    @cached_property
    def _came_in(self) -> int:
        """By the interface, and by the slave behind a VRF."""
        d, names = self.d, [*self.space.names, None]
        first = d.any(self._from(IIF, name, None) for name in names)
        second = d.any((self.space.points(SDIF, (0,)), *(self._from(SDIF, name, name) for name in names)))
        return d.both(first, second)

    def _from(self, side: int, name: str | None, port: str | None) -> int:
        """What may come in by an interface; by one that nobody names, what is not from one of our own addresses."""
        here = self.space.points(side, (self.space.numbers[name] if name else 1,))
        if name in self.translators:
            return self.d.both(here, self._translations())
        if name == "lo" or (name in self.inside and name not in self.ports):
            return here
        if name in self.ports:
            return self.d.both(here, self._behind(name or ""))
        return self.d.without(here, self.space.within(SADDR, plain(self.spec.ours))) if self.family == 6 else here

    def _behind(self, port: str) -> int:
        """Its hosts, and neighbours that speak on the link alone."""
        if self.family == 4:
            return FALSE
        hosts = next(each.hosts for each in self.spec.segments if each.interface == port)
        first = int(LINK_LOCAL.network_address)
        near = self.space.within(SADDR, ((0, 0), (first, int(LINK_LOCAL.broadcast_address))))
        spoken = self._icmp((ROUTER_SOLICIT, NEIGHBOUR_SOLICIT, NEIGHBOUR_ADVERT), 255)
        known = intervals.subtract(plain(hosts), self.gone)  # so that who sits behind a port is asked once, here
        return self.d.either(self.space.within(SADDR, known), self.d.both(near, spoken))

    def _input(self) -> int:
        d = self.d
        advert = d.without(self._icmp((ROUTER_ADVERT,), 255), self.space.ports(IIF, self.inside))
        solicit = d.both(self._icmp((ROUTER_SOLICIT,), 255), self.space.ports(IIF, self.ports))
        systems = d.both(self._systems(DADDR), self._initiated)
        near = self.space.within(SADDR, ((int(LINK_LOCAL.network_address), int(LINK_LOCAL.broadcast_address)),))
        query = d.without(d.both(self._icmp((LISTENER_QUERY,), 1), near), self.space.ports(IIF, self.inside))
        parts = (self._neighbours(), solicit, advert, query, self._errors(), systems, *self._managed("in"), *self._own("in"))
        return d.either(self._lo(IIF), d.both(self.tracked, d.any(parts)))

    def _forward(self) -> int:
        d = self.d
        flows = d.any((self._initiated, self._answered))
        errors = self._errors() if self.family == 6 else self._translated()
        walled = d.without(d.both(self.tracked, d.either(flows, errors)), self._strangers())
        return d.either(self._relayed(), walled)

    def _output(self) -> int:
        d = self.d
        advert = d.both(self._icmp((ROUTER_ADVERT,), 255), self.space.ports(OIF, self.inside))
        spoken = (self._icmp((ROUTER_SOLICIT,), 255), advert, self._icmp(LISTENING, 1))
        systems = d.both(self._systems(SADDR), self._answered)
        parts = (self._neighbours(), *spoken, self._errors(), systems, *self._managed("out"), *self._own("out"))
        return d.any((self._lo(OIF), self.space.ports(OIF, self.vrfs), d.both(self.tracked, d.any(parts))))

    # What belongs to no flow

    def _lo(self, side: int) -> int:
        return self.space.ports(side, ("lo",))

    def _icmp(self, types: Iterable[int], hops: int) -> int:
        if self.family == 4:
            return FALSE
        return self.d.all((self.space.points(PROTO, (ICMP6,)), self.space.points(TYPE, types), self.space.points(HOPLIMIT, (hops,))))

    def _neighbours(self) -> int:
        return self._icmp((NEIGHBOUR_SOLICIT, NEIGHBOUR_ADVERT), 255)

    def _errors(self) -> int:
        """About a flow that was (RFC 4890 §4.3.1)."""
        protocol = self.space.points(PROTO, (ICMP6 if self.family == 6 else ICMP4,))
        return self.d.all((protocol, self.space.points(TYPE, ERRORS[self.family]), self.space.points(CT, (RELATED_ON, RELATED_BACK))))

    def _systems(self, side: int) -> int:
        own = intervals.normalize((addresses.value(each.address),) * 2 for each in self.spec.systems)
        return self.space.within(side, own) if self.family == 6 else FALSE

    # Flows

    def _known(self, end: int) -> int:
        """What the network does not withhold at one end."""
        return self.d.without(TRUE, self.space.within(end, self.gone))

    def _at(self, name: str) -> int:
        """Packets that came in by a port: by itself, or by its VRF."""
        behind = self.d.both(self.space.ports(IIF, self.vrfs), self.space.ports(SDIF, (name,)))
        return self.d.either(self.space.ports(IIF, (name,)), behind)

    @cached_property
    def _initiated(self) -> int:
        """From whom it is granted: behind a port, behind another node, from outside."""
        if self.family == 4:
            return FALSE
        return self.d.either(self._allowed, self.d.any(self._watched.values()))

    @cached_property
    def _allowed(self) -> int:
        outside = self.d.without(TRUE, self.space.ports(IIF, self.inside))
        return self._granted(self._at, outside, (SADDR, DADDR, DPORT), ORIGINAL, ECHO_REQUEST)

    @cached_property
    def _watched(self) -> dict[str, int]:
        """By segment that only observes: all that goes there, whatever it is."""
        return {each.segment: self._observed(each, self._at, (SADDR, DADDR), ORIGINAL, ECHO_REQUEST) for each in self.spec.observed}

    @cached_property
    def _answered(self) -> int:
        """The same the other way round, to where the initiator is."""
        if self.family == 4:
            return FALSE
        outside = self.d.without(TRUE, self.space.ports(OIF, self.inside))

        def to(name: str) -> int:
            return self.space.ports(OIF, (name,))

        found = self._granted(to, outside, (DADDR, SADDR, SPORT), (BACK,), ECHO_REPLY)
        return self.d.any((found, *(self._observed(each, to, (DADDR, SADDR), (BACK,), ECHO_REPLY) for each in self.spec.observed)))

    def _observed(self, segment: Observed, at: At, ends: tuple[int, int], states: tuple[int, ...], echo: int) -> int:
        """From a segment of ours into one that only observes; of ICMPv6, echo alone."""
        d, space = self.d, self.space
        sides = [(port, segment.destinations) for port in self.ports] + [(transit, segment.here) for transit in self.transits]
        found = d.any(d.both(at(side), space.within(ends[1], plain(parts))) for side, parts in sides if parts)
        flow = d.either(d.without(TRUE, space.points(PROTO, (ICMP6,))), d.both(space.points(PROTO, (ICMP6,)), space.points(TYPE, (echo,))))
        return d.all((found, space.within(ends[0], plain(self.spec.ours)), flow, self.granted, space.points(CT, states)))

    def _granted(self, at: At, outside: int, ends: tuple[int, int, int], states: tuple[int, ...], echo: int) -> int:
        d, spec = self.d, self.spec
        found = [self._through(at(port) if port else outside, spec.permits, port, ends, echo) for port in [*self.ports, None]]
        arriving = self._tuples(
            ((source, part, each.ports) for each in spec.inbound for source in plain(each.sources) for part in plain(each.destinations)),
            ends,
            echo,
        )
        found += [d.all((at(transit), arriving, self.granted)) for transit in self.transits]
        return d.both(d.any(found), self.space.points(CT, states))

    def _through(self, where: int, among: Iterable[Permit], port: str | None, ends: tuple[int, int, int], echo: int) -> int:
        """What is permitted from a port, whose hosts the guard knows, or from outside; to and from no address that is withheld."""
        known = self._known(ends[1]) if port else self.granted
        return self.d.all((where, self.d.any(self._permitted(among, port, ends, echo)), known))

    def _managed(self, hook: str) -> Iterator[int]:
        """To the node itself: from the in-port of a segment whose hosts may manage it, and the answers."""
        for port in self.ports if self.family == 6 and self.spec.management else ():
            where = self._at(port) if hook == "in" else self.space.ports(OIF, (port,))
            ends, echo = ((SADDR, DADDR, DPORT), ECHO_REQUEST) if hook == "in" else ((DADDR, SADDR, SPORT), ECHO_REPLY)
            opened = self.d.any(self._permitted(self.spec.management, port, ends, echo))
            yield self.d.all((where, self.space.points(CT, ORIGINAL if hook == "in" else (BACK,)), opened))

    def _permitted(self, among: Iterable[Permit], port: str | None, ends: tuple[int, int, int], echo: int) -> Iterator[int]:
        """By condition: all that one in-port, or the outside, may initiate under it."""
        for condition, found in self._asked(among, port, ends, echo):
            yield self.d.both(found, self._holds(self.conditions[condition], ends[0])) if condition else found

    def _asked(
        self, among: Iterable[Permit], port: str | None, ends: tuple[int, int, int], echo: int
    ) -> tuple[tuple[str | None, int], ...]:
        """By condition: all that asks it, whether it holds or not. Of all permits it is found out once: hooks and the log ask the same."""
        if among is not self.spec.permits:
            return tuple(self._asked_anew(among, port, ends, echo))
        if (port, ends) not in self._known_asked:
            self._known_asked[port, ends] = tuple(self._asked_anew(among, port, ends, echo))
        return self._known_asked[port, ends]

    def _asked_anew(
        self, among: Iterable[Permit], port: str | None, ends: tuple[int, int, int], echo: int
    ) -> Iterator[tuple[str | None, int]]:
        by_condition: dict[str | None, list[Permit]] = defaultdict(list)
        for permit in among:
            if permit.interface == port:
                by_condition[permit.condition].append(permit)
        for condition, permits in by_condition.items():
            ways = (
                (source, part, each.ports)
                for each in permits
                for source in (plain(each.sources) if port is None else ((0, 2**128 - 1),))
                for part in plain(each.destinations)
            )
            yield condition, self._tuples(ways, ends, echo)

    def _holds(self, condition: Condition, initiator: int) -> int:
        name = ("zt_o_" if condition.of_time_alone else "zt_s_") + condition.id.removeprefix("c-")
        field: Field = "nfproto" if condition.of_time_alone else "saddr6" if initiator == SADDR else "daddr6"
        return self.space.asked(name, (field,))

    def _tuples(self, ways: Iterable[tuple[Interval, Interval, Boxes]], ends: tuple[int, int, int], echo: int) -> int:
        """Source, destination, protocol and port; ICMPv6 by its echo alone."""
        plain, echoes = [], []
        for source, part, boxes in ways:
            for low, high, first, last in boxes:
                plain += [(source, part, run, (first, last)) for run in _around(low, high)]
                if low <= ICMP6 <= high and first <= ECHO_REQUEST <= last:
                    echoes.append((source, part, (ICMP6, ICMP6), (echo, echo)))
        initiator, responder, port = ends
        tuples = self.d.boxes((initiator, responder, PROTO, port), plain)
        return self.d.either(tuples, self.d.boxes((initiator, responder, PROTO, TYPE), echoes))


def plain(parts: Ranges) -> Intervals:
    """IPv6 alone."""
    return intervals.subtract(intervals_of(parts), addresses.ALL4)


def _around(low: int, high: int) -> Intervals:
    """Protocols but ICMPv6."""
    return intervals.subtract(((low, high),), ((ICMP6, ICMP6),))
