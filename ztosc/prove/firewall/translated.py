"""What a node's spec demands of packets behind its NAT64, in IPv4, and of what comes back translated.

Guarantees: computed from what the spec lets be sent to the translator, not from what it says of the translator itself.
"""

from __future__ import annotations

from ztosc.logic import addresses
from ztosc.logic.interval_diagrams import FALSE
from ztosc.logic.intervals import Interval
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
from ztosc.prove.leaving import PING4, leaving

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
        """From a host by its translated name to where something may be sent, in one direction or the other."""
        assert self.spec.translator is not None
        boxes = [(_ipv4(part), *way) for part, *way in leaving(self.spec)]
        plain = [box for box in boxes if box[1:] != PING4]
        called = self.space.within(host, self._whole(self.spec.translator.pool))
        pinged = self.d.boxes((far, PROTO, TYPE), [(box[0], box[1], (echo, echo)) for box in boxes if box[1:] == PING4])
        return self.d.both(called, self.d.either(self.d.boxes((far, PROTO, port), plain), pinged))


def _ipv4(part: Interval) -> Interval:
    """As numbers of 32 bits."""
    return part[0] - addresses.MAPPED, part[1] - addresses.MAPPED
