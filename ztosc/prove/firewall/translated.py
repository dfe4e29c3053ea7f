"""What a node's spec demands of packets behind its NAT64, in IPv4, and of what comes back translated.

Guarantees: computed from the spec alone.
"""

from __future__ import annotations

from ztosc.logic import addresses, intervals
from ztosc.logic.interval_diagrams import FALSE
from ztosc.logic.intervals import Interval, Intervals
from ztosc.nodes.spec import intervals_of
from ztosc.prove.firewall.own import Own
from ztosc.prove.firewall.packet import (
    BACK,
    CT,
    DADDR,
    DPORT,
    ICMP4,
    IIF,
    OIF,
    ORIGINAL,
    PROTO,
    RELATED_BACK,
    RELATED_ON,
    SADDR,
    SPORT,
    TYPE,
)

ERRORS4, PING, PONG = (3, 11, 12), 8, 0


class Translating(Own):
    """One node and family."""

    def _translations(self) -> int:
        """From whom the translator's packets may be: IPv4 embedded in its prefix, and hosts by what it calls them."""
        way = self.spec.translator
        if way is None:
            return FALSE
        return self.space.within(SADDR, self._whole(way.prefix) if self.family == 6 else self._whole(way.pool))

    def _translated(self) -> int:
        """Between the translator and the underlay: what is granted, its answers, and errors about either."""
        way = self.spec.translator
        if way is None or self.family == 6:
            return FALSE
        d, space = self.d, self.space
        out, back = (
            d.without(space.ports(side, self.translators), space.ports(other, self.inside)) for side, other in ((IIF, OIF), (OIF, IIF))
        )
        begun = d.all((out, space.points(CT, ORIGINAL), self._leaving(SADDR, DADDR, DPORT, PING)))
        answered = d.all((back, space.points(CT, (BACK,)), self._leaving(DADDR, SADDR, SPORT, PONG)))
        told = (space.points(PROTO, (ICMP4,)), space.points(TYPE, ERRORS4), space.points(CT, (RELATED_ON, RELATED_BACK)))
        return d.any((begun, answered, d.all((d.either(out, back), *told))))

    def _leaving(self, host: int, far: int, port: int, echo: int) -> int:
        """From a host by its translated name to where the spec says, in one direction or the other."""
        assert self.spec.translator is not None
        plain: list[tuple[Interval, Interval, Interval]] = []
        echoes: list[tuple[Interval, Interval, Interval]] = []
        for each in self.spec.translator.leaving:
            for part in _ipv4(intervals_of(each.destinations)):
                for low, high, first, last in each.ports:
                    box = (part, (low, high), (first, last))
                    (echoes if (low, high, first, last) == (ICMP4, ICMP4, PING, PING) else plain).append(box)
        called = self.space.within(host, self._whole(self.spec.translator.pool))
        pinged = self.d.boxes((far, PROTO, TYPE), [(part, protocol, (echo, echo)) for part, protocol, _ in echoes])
        return self.d.both(called, self.d.either(self.d.boxes((far, PROTO, port), plain), pinged))


def _ipv4(parts: Intervals) -> Intervals:
    """As numbers of 32 bits."""
    return tuple((low - addresses.MAPPED, high - addresses.MAPPED) for low, high in intervals.intersect(parts, addresses.ALL4))
