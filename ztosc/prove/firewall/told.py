"""What a node's spec demands to be written to the log: what begins under rules that say so, what is observed, and why a packet is refused.

Guarantees: every packet that a hook drops has exactly one reason, but for those that are dropped in silence; none that passes has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from ztosc.logic.interval_diagrams import FALSE, TRUE
from ztosc.nodes.spec import Permit
from ztosc.prove.firewall.packet import BACK, CT, DADDR, DPORT, ICMP6, IIF, INVALID, NEW, OIF, ORIGINAL, PROTO, SADDR, SPORT, TYPE
from ztosc.prove.firewall.wanted import ECHO_REPLY, ECHO_REQUEST, LISTENING, Wanted, plain

SILENT = ""
"""Hosts tell which groups they listen to, all the time."""
Reason = tuple[str, int]


class Told(Wanted):
    """One node and family."""

    def logged(self, hook: str) -> dict[str, int]:
        """What a hook must log, by the words in front."""
        said = {**self._begun(hook), **self._refused(hook)}
        return {words: found for words, found in said.items() if words != SILENT}

    # What begins

    def _begun(self, hook: str) -> dict[str, int]:
        """What begins a flow that a rule wants logged, or that none allows and that passes."""
        if hook not in ("forward", "input") or self.family == 4:
            return {}
        begun = self.d.both(self.space.universe(hook), self.space.points(CT, (NEW,)))
        within = self._systems(DADDR) if hook == "input" else self.d.without(TRUE, self.d.either(self._relayed(), self._strangers()))
        found = {f"zt-observe {name} ": self.d.without(watched, self._allowed) for name, watched in self._watched.items()}
        found |= {audited(rules): opened for rules, opened in self._audited.items()}
        return {prefix: self.d.all((each, begun, within)) for prefix, each in found.items()}

    @cached_property
    def _audited(self) -> dict[tuple[str, ...], int]:
        """By the rules that shall be logged: what they open."""
        outside, found = self.d.without(TRUE, self.space.ports(IIF, self.inside)), {}
        for rules in {each.logged for each in self.spec.permits if each.logged}:
            among = [each for each in self.spec.permits if each.logged == rules]
            found[rules] = self.d.any(
                self._through(self._at(port) if port else outside, among, port, (SADDR, DADDR, DPORT), ECHO_REQUEST)
                for port in [*self.ports, None]
            )
        return found

    # What is refused

    def _refused(self, hook: str) -> dict[str, int]:
        """The first reason that fits. Where some segment observes, a condition that does not hold is told, and refuses nothing yet."""
        left = self.d.without(self.space.universe(hook), self.alone(hook))
        found = {words: self.d.both(part, self.space.universe(hook)) for words, part in self._unmet(hook)} if self.spec.observed else {}
        for words, part in self._reasons(hook):
            found[words] = self.d.either(found.get(words, FALSE), self.d.both(left, part))
            left = self.d.without(left, part)
        return found

    def _reasons(self, hook: str) -> Iterator[Reason]:
        if hook == "prerouting":
            listening = self.d.both(self.space.points(PROTO, (ICMP6,)), self.space.points(TYPE, LISTENING)) if self.family == 6 else FALSE
            yield SILENT, self.d.both(listening, self.space.ports(IIF, self.ports))
            yield "zt-deny source ", TRUE
            return
        if hook == "forward":
            yield "zt-deny domain ", self._strangers()
            yield "zt-deny translated ", self._aside()
        yield "zt-deny state ", self.space.points(CT, (INVALID,))
        yield from () if self.spec.observed else self._unmet(hook)
        flows = self._flows(hook)
        yield from ((words, self.d.both(flows, part)) for words, part in self._of_flow())
        yield f"zt-deny {'flow' if hook == 'forward' else 'node'} ", TRUE

    def _flows(self, hook: str) -> int:
        """What is looked up among the grants."""
        original, back = self.space.points(CT, ORIGINAL), self.space.points(CT, (BACK,))
        if hook == "forward":
            return self.d.either(original, back)
        return self.d.both(self._systems(DADDR), original) if hook == "input" else self.d.both(self._systems(SADDR), back)

    def _of_flow(self) -> Iterator[Reason]:
        original = self.space.points(CT, ORIGINAL)
        yield "zt-deny underlay ", self._withheld() if self.family == 6 else FALSE
        for rules in sorted({each.rules for each in self.spec.barred}):
            yield audited(rules, "zt-deny rule"), self.d.both(original, self._closed(rules))
        yield "zt-deny arrival ", self.d.both(original, self.d.any(self._at(transit) for transit in self.transits))
        yield "zt-deny grant ", original
        yield "zt-deny answer ", TRUE

    def _aside(self) -> int:
        """IPv4 beside the edges, where a node translates."""
        if self.family == 6 or self.spec.translator is None:
            return FALSE
        sides = [*self.ports, *self.transits]
        begun = self.d.both(self.space.points(CT, ORIGINAL), self.d.any(self._at(name) for name in sides))
        answered = self.d.both(self.space.points(CT, (BACK,)), self.space.ports(OIF, sides))
        return self.d.without(TRUE, self.d.either(begun, answered))

    def _withheld(self) -> int:
        """To where no grant leads; who sits behind a port the guard has asked, and of what is nobody's side nothing is asked."""
        found = []
        for side, states, far in ((IIF, ORIGINAL, DADDR), (OIF, (BACK,), SADDR)):
            ports = self.d.any(self._beyond(side, name) for name in self.ports)
            others = self.d.any(self._beyond(side, name) for name in self.transits)
            others = self.d.either(others, self.d.without(TRUE, self.space.ports(side, self.inside)))
            asked = self.d.either(self.d.without(ports, self._known(far)), self.d.without(others, self.granted))
            found.append(self.d.both(self.space.points(CT, states), asked))
        return self.d.any(found)

    def _beyond(self, side: int, name: str) -> int:
        return self._at(name) if side == IIF else self.space.ports(OIF, (name,))

    def _closed(self, rules: tuple[str, ...]) -> int:
        """What denies close, by in-port."""
        found = []
        for each in self.spec.barred if self.family == 6 else ():
            if each.rules == rules:
                ways = (((0, 2**128 - 1), part, each.ports) for part in plain(each.destinations))
                found.append(self.d.both(self._at(each.interface), self._tuples(ways, (SADDR, DADDR, DPORT), ECHO_REQUEST)))
        return self.d.any(found)

    def _unmet(self, hook: str) -> Iterator[Reason]:
        """By condition: what asks it, at the node itself or on its way, while it does not hold."""
        if self.family == 4 or hook == "prerouting":
            return
        ways = [*self._ways(hook, self.spec.management, lambda end: TRUE)] if hook != "forward" else []
        within = self._flows(hook)
        if hook == "forward":
            within = self.d.without(within, self.d.either(self._relayed(), self._strangers()))
        ways += [(name, self.d.both(within, part)) for name, part in self._ways(hook, self.spec.permits, self._known)]
        for name, condition in self.conditions.items():
            words = audited((name, *sorted(self._origins[name])), "zt-unmet" if self.spec.observed else "zt-deny")
            yield words, self.d.any(part for other, part in ways if other == condition.id)

    def _ways(self, hook: str, among: Iterable[Permit], known: Callable[[int], int]) -> Iterator[Reason]:
        """By condition: in either direction that a hook looks up, to where the network withholds nothing."""
        for back in {"forward": (False, True), "input": (False,), "output": (True,)}[hook]:
            side, states, echo = (OIF, (BACK,), ECHO_REPLY) if back else (IIF, ORIGINAL, ECHO_REQUEST)
            ends = (DADDR, SADDR, SPORT) if back else (SADDR, DADDR, DPORT)
            for port in [*self.ports, None]:
                where = self.d.both(self.d.without(TRUE, self.space.ports(side, self.inside)), known(ends[0]))
                if port:
                    where = self._beyond(side, port)
                where = self.d.both(where, known(ends[1]))
                for name, part in self._asked(among, port, ends, echo):
                    if name:
                        unmet = self.d.without(part, self._holds(self.conditions[name], ends[0]))
                        yield name, self.d.all((where, self.space.points(CT, states), unmet))

    @cached_property
    def _origins(self) -> dict[str, set[str]]:
        """Rules by the condition that comes from them."""
        found: dict[str, set[str]] = {name: set() for name in self.conditions}
        for each in self.spec.permits:
            if each.condition:
                found[each.condition].update(each.rules)
        return found


def audited(rules: tuple[str, ...], head: str = "zt-rule") -> str:
    """What the log says of rules: all of them, or as many as 127 bytes hold and how many more."""
    left = list(rules[:127])
    while len(said := " ".join([head, *left, f"+{len(rules) - len(left)}"][: None if len(left) < len(rules) else -1]) + " ") > 127:
        left.pop()
    return said
