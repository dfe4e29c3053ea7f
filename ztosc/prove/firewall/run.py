"""A program run for every packet at once: what each hook lets pass, with every base chain of the way.

Guarantees: an accept in one base chain is final for that chain alone; `goto` does not come back, `jump` does; a match on a header that a
packet does not have fails, negated or not; dynamic sets may hold anything. What is not known is `Unsupported`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property

from ztosc.logic import intervals
from ztosc.logic.interval_diagrams import FALSE, TRUE
from ztosc.logic.intervals import Interval
from ztosc.prove.firewall import packet
from ztosc.prove.firewall.packet import BY_STATE, CT, DIMENSIONS, ICMP4, ICMP6, IIF, NONE, ORIGINAL, PROTO, REPLY, SDIF, Space
from ztosc.prove.firewall.program import Chain, Field, Key, Limit, Log, Lookup, Match, Program, Rule, Statement, Unsupported, Value, Verdict

CONNTRACK = -200
"""The priority at which connection tracking stands in prerouting and output."""
DEPTH = 16
SHOWN: set[Field] = {"state", "direction", "saddr6", "daddr6", "nfproto"}
"""What every hook shows of a packet."""
TYPES: dict[Field, str] = {
    "iif": "ifname", "oif": "ifname", "sdif": "ifname", "nfproto": "nf_proto", "saddr6": "ipv6_addr", "daddr6": "ipv6_addr",
    "saddr4": "ipv4_addr", "daddr4": "ipv4_addr", "proto": "inet_proto", "sport": "inet_service", "dport": "inet_service",
    "icmp6": "icmpv6_type", "icmp4": "icmp_type",
}  # fmt: skip


class Run:
    """One program and family."""

    def __init__(self, program: Program, space: Space) -> None:
        self.program, self.space, self.d = program, space, space.diagrams
        self.hook = ""
        self._alone: dict[str, int] = {}
        self._whole: dict[tuple[str, str], tuple[int, int, dict[tuple[str, str], int]]] = {}
        self._plain: dict[str, bool] = {}
        self._logged: dict[tuple[str, str], int] = defaultdict(lambda: FALSE)
        self._looked: dict[tuple[str, tuple[Field, ...]], tuple[tuple[Verdict | None, int], ...]] = {}

    def passing(self, hook: str) -> int:
        """What passes a hook, and before that prerouting, once by each interface that it is shown."""
        whole = self.alone(hook)
        return self.d.both(whole, self._before) if hook in ("input", "forward") else whole

    def alone(self, hook: str) -> int:
        """What every base chain of one hook accepts."""
        if hook not in self._alone:
            self._alone[hook] = self._accepted(hook)
        return self._alone[hook]

    def logged(self, hook: str) -> dict[str, int]:
        """What one hook writes to the log, by the words in front."""
        self.alone(hook)
        return {prefix: found for (where, prefix), found in self._logged.items() if where == hook}

    def _accepted(self, hook: str) -> int:
        found = self.space.universe(hook)
        for chain in sorted(self.bases(hook), key=lambda chain: chain.priority):
            self.hook = hook
            if chain.priority <= CONNTRACK and self._asks_state(chain, set()):
                raise Unsupported(f"chain `{chain.name}` asks for connections before they are tracked")
            accepted, rest = self._chain(chain, found, 0)
            found = self.d.either(accepted, rest) if chain.accepts else accepted
        return found

    def bases(self, hook: str) -> list[Chain]:
        """The base chains of a hook."""
        return [chain for chain in self.program.chains.values() if chain.hook == hook]

    @cached_property
    def _before(self) -> int:
        """Prerouting is passed by the port that a packet came in by and, where that is a VRF's slave, again by the VRF."""
        d, space = self.d, self.space
        guard = self.alone("prerouting")
        masters = space.points(IIF, space.vrfs)
        slaves = [d.both(space.points(SDIF, (port,)), d.at(guard, IIF, port)) for port in range(1, len(space.names) + 2)]
        return d.either(d.without(guard, masters), d.all((guard, masters, d.any((space.points(SDIF, (NONE,)), *slaves)))))

    # Chains

    def _chain(self, chain: Chain, reach: int, depth: int) -> tuple[int, int]:
        """Of what reaches a chain: what is accepted, and what comes out at its end."""
        if depth > DEPTH:
            raise Unsupported("chains that lead in a circle")
        accepted, rest = FALSE, FALSE
        for rule in chain.rules:
            if reach == FALSE:
                break
            taken, back = FALSE, FALSE
            for verdict, part in self._ways(rule, reach):
                yes, out, again = self._verdict(verdict, part, depth)
                accepted, rest, back = self.d.either(accepted, yes), self.d.either(rest, out), self.d.either(back, again)
                taken = self.d.either(taken, part)
            reach = self.d.either(self.d.without(reach, taken), back)
        return accepted, self.d.either(rest, reach)

    def _verdict(self, verdict: Verdict, part: int, depth: int) -> tuple[int, int, int]:
        """Accepted, out of the chain, on to the next rule."""
        match verdict.kind:
            case "accept":
                return part, FALSE, FALSE
            case "drop":
                return FALSE, FALSE, FALSE
            case "return":
                return FALSE, part, FALSE
        if part == FALSE:
            return FALSE, FALSE, FALSE
        accepted, rest = self._led(self._named(verdict.target), part, depth + 1)
        return (accepted, rest, FALSE) if verdict.kind == "goto" else (accepted, FALSE, rest)

    def _led(self, chain: Chain, part: int, depth: int) -> tuple[int, int]:
        """What a chain does with a part. A condition is asked of many tuples: what it does with every packet is found out once."""
        if not self._alike(chain.name):
            return self._chain(chain, part, depth)
        key = (self.hook, chain.name)
        if key not in self._whole:
            before, self._logged = self._logged, defaultdict(lambda: FALSE)
            accepted, rest = self._chain(chain, TRUE, depth)
            self._whole[key] = (accepted, rest, dict(self._logged))
            self._logged = before
        accepted, rest, logged = self._whole[key]
        for words, found in logged.items():
            self._logged[words] = self.d.either(self._logged[words], self.d.both(part, found))
        return self.d.both(part, accepted), self.d.both(part, rest)

    def _alike(self, name: str) -> bool:
        """Whether a chain, and all it leads to, looks at nothing that some hook does not have."""
        if name not in self._plain:
            self._plain[name] = False  # a circle is no plain chain
            rules = [statement for rule in self._named(name).rules for statement in rule]
            shown = all(_fields(each) <= SHOWN and not isinstance(each, Lookup) for each in rules)
            led = all(self._alike(each.target) for each in rules if isinstance(each, Verdict) and each.kind in ("goto", "jump"))
            self._plain[name] = shown and led
        return self._plain[name]

    def _named(self, name: str) -> Chain:
        if name not in self.program.chains:
            raise Unsupported(f"chain `{name}`, which there is not")
        return self.program.chains[name]

    def _ways(self, rule: Rule, reach: int) -> list[tuple[Verdict, int]]:
        """Where a rule leads, and which packets: disjoint."""
        found: list[tuple[Verdict, int]] = []
        limited = False
        for statement in rule:
            if found or (limited and isinstance(statement, Verdict | Lookup)):
                raise Unsupported("a rule that goes on behind a verdict, or leads somewhere now and then")
            match statement:
                case Match():
                    reach = self.d.both(reach, self._match(statement)) if reach != FALSE else FALSE
                case Lookup():
                    parts = self._found(statement.map, statement.fields) if reach != FALSE else ()
                    found = [(verdict, self.d.both(reach, part)) for verdict, part in parts if verdict is not None]
                case Verdict():
                    found = [(statement, reach)]
                case Limit():
                    limited = True
                case Log():
                    self._logged[(self.hook, statement.prefix)] = self.d.either(self._logged[(self.hook, statement.prefix)], reach)
        return found

    # Matches

    def _match(self, match: Match) -> int:
        if isinstance(match.among, str):
            within = self.d.any(part for _, part in self._found(match.among, match.fields))
        else:
            within = self._keys(match.fields, match.among)
        here = self.d.all(self._present(field) for field in match.fields)
        return self.d.without(here, within) if match.negated else self.d.both(here, within)

    def _found(self, name: str, fields: tuple[Field, ...]) -> tuple[tuple[Verdict | None, int], ...]:
        """What a collection says of packets, by verdict; a dynamic set says what nobody knows."""
        for field in fields:
            packet.seen(field, self.hook)
        if (name, fields) not in self._looked:
            self._looked[(name, fields)] = tuple(self._asked(name, fields))
        return self._looked[(name, fields)]

    def _asked(self, name: str, fields: tuple[Field, ...]) -> Sequence[tuple[Verdict | None, int]]:
        found = self.program.collections.get(name)
        if found is None or found.types != tuple(TYPES.get(field, "") for field in fields):
            raise Unsupported(f"`{name}` asked for {', '.join(fields)}")
        here = self.d.all(self._present(field) for field in fields)
        if found.dynamic:
            if any(verdict for _, verdict in found.elements):
                raise Unsupported(f"dynamic map `{name}`")
            return [(None, self.d.both(here, self.space.asked(name, fields)))] if here != FALSE else []
        by_verdict: dict[Verdict | None, list[Key]] = defaultdict(list)
        for key, verdict in found.elements:
            by_verdict[verdict].append(key)
        parts = [(verdict, self.d.both(here, self._keys(fields, keys))) for verdict, keys in by_verdict.items()] if here != FALSE else []
        if len(parts) > 1:
            self._apart(name, [part for _, part in parts])
        return parts

    def _apart(self, name: str, parts: list[int]) -> None:
        seen = FALSE
        for part in parts:
            if self.d.both(seen, part) != FALSE:
                raise Unsupported(f"elements of `{name}` that overlap")
            seen = self.d.either(seen, part)

    def _present(self, field: Field) -> int:
        """Packets that have a field at all."""
        packet.seen(field, self.hook)
        if field.endswith("addr6") or field == "hoplimit":
            return TRUE if self.space.family == 6 else FALSE
        if field.endswith("addr4"):
            return TRUE if self.space.family == 4 else FALSE
        if field in ("icmp6", "icmp4"):  # in an inet table nft asks for the family too, and lists neither that nor the protocol
            family, protocol = (6, ICMP6) if field == "icmp6" else (4, ICMP4)
            return self.space.points(PROTO, (protocol,)) if self.space.family == family else FALSE
        if field == "fragment":
            return TRUE if self.space.family == 6 else FALSE
        if field in ("proto", "sport", "dport"):
            return TRUE if self.space.family else FALSE
        if field == "direction":
            return self.space.points(CT, (*ORIGINAL, *REPLY))
        if field == "sdif":
            return self.space.within(SDIF, ((1, len(self.space.names) + 1),))
        return TRUE

    def _keys(self, fields: tuple[Field, ...], keys: Sequence[Key]) -> int:
        if fields == ("nfproto",):
            return TRUE if any(isinstance(key[0], tuple) and key[0][0] == self.space.family for key in keys) else FALSE
        if fields in (("state",), ("direction",)):
            groups = BY_STATE if fields == ("state",) else (ORIGINAL, REPLY)
            return self.space.points(CT, (value for key in keys for value in groups[key[0][0]]))  # type: ignore[index]
        dimensions = [DIMENSIONS[field] for field in fields]
        if len(fields) == 1 and fields[0] not in ("iif", "oif", "sdif"):
            return self.space.within(dimensions[0], intervals.normalize(self._part(key[0]) for key in keys))
        return self.d.boxes(dimensions, ([self._part(value) for value in key] for key in keys))

    def _part(self, value: Value) -> Interval:
        return (self.space.numbers[value],) * 2 if isinstance(value, str) else value

    def _asks_state(self, chain: Chain, seen: set[str]) -> bool:
        """By itself, or by a chain it leads to."""
        seen.add(chain.name)
        statements = [statement for rule in chain.rules for statement in rule]
        asked = any(_fields(statement) & {"state", "direction"} for statement in statements)
        ways = {verdict.target for statement in statements for verdict in self._leads(statement) if verdict.target} - seen
        return asked or any(self._asks_state(self._named(name), seen) for name in sorted(ways))

    def _leads(self, statement: Statement) -> Iterable[Verdict]:
        if isinstance(statement, Verdict):
            return (statement,)
        held = self.program.collections.get(statement.map) if isinstance(statement, Lookup) else None
        return {verdict for _, verdict in held.elements if verdict} if held else ()


def _fields(statement: Statement) -> set[Field]:
    return set(statement.fields) if isinstance(statement, Match | Lookup) else set()


def interfaces(program: Program) -> set[str]:
    """Every interface that a program names."""
    keys = [key for each in program.collections.values() for key, _ in each.elements]
    for chain in program.chains.values():
        for rule in chain.rules:
            keys += [key for each in rule if isinstance(each, Match) and not isinstance(each.among, str) for key in each.among]
    return {value for key in keys for value in key if isinstance(value, str)}
