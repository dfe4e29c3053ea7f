"""A flow as a `test` block of the language, to paste behind the claim that it refutes.

Guarantees: the block says nothing that the language cannot say: where a witness holds such a value (a country that nobody has, an instant
before 1971) another one is looked for that is decided the same, and where there is none, or a step is no flow, the reason is given instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import product

from ztosc.diagnostics.text import safe
from ztosc.ir.clock import instant_text
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import DevicePrincipal, Flow, Person, Principal, ServiceEndpoint
from ztosc.ir.values import AttributeType, CountryType, DurationType, InstantType, Value
from ztosc.logic import ports
from ztosc.source import Source, Span

EARLIEST = int(datetime(1971, 1, 1, tzinfo=UTC).timestamp())
LATEST = int(datetime(9998, 12, 30, tzinfo=UTC).timestamp())
LONGEST = 36_500 * 86_400
"""The longest duration that the language writes, in seconds."""
COUNTRIES = ("NZ", "IS", "JP", "BR", "ZA", "PE", "FJ", "NO", "KE", "MN")
"""Countries to stand for one that no guard mentions."""
LINE = 1_000
"""Characters of a remark."""
IMPORT = re.compile(r"^\s*import\s+(std\.[a-z.-]+)", re.MULTILINE)
ALWAYS_THERE = ("std.prelude", "std.countries")


class Untestable(Exception):
    """A situation that no test can say; the text says why, as a clause."""


class Blocks:
    """Test blocks in the words of one network."""

    def __init__(self, policy: Policy, sources: Mapping[str, Source]) -> None:
        self.policy, self.sources = policy, sources
        self._imported: dict[str, frozenset[str]] = {}
        intent = policy.intent
        declared = (intent.segments, intent.devices, intent.roles, intent.services, intent.externals, intent.systems, intent.attributes)
        self._origins: dict[str, Span] = {each.name: each.origin for kind in declared for each in kind}

    def expecting_deny(self, name: str, flow: Flow, claim: Span, others: Iterable[str] = ()) -> str:
        """A test that fails while a flow is allowed; `others` are remarks in front of it. Raises `Untestable`."""
        said = self._sayable(flow)
        on = f" on {_ports(said.protocol, said.port)}"
        return self._block(name, said, f"deny to {self._target(said, claim)}{on}", claim, others)

    def expecting_allow(self, name: str, flow: Flow, claim: Span) -> str:
        """A test that fails while nothing is allowed to the end of a flow. Raises `Untestable`."""
        if not _sayable_values(self.policy.types, flow) or not EARLIEST <= flow.instant < LATEST:
            raise Untestable("the language has no words for the attributes that it takes")
        return self._block(name, flow, f"allow to {self._target(flow, claim)}", claim, ())

    def _block(self, name: str, flow: Flow, expected: str, claim: Span, others: Iterable[str]) -> str:
        facts = ", ".join(f"{self._name(key, claim)} = {_value(self.policy.types[key], each)}" for key, each in flow.principal.attributes)
        given = self._given(flow, claim) + (f" with {facts}" if facts else "")
        lines = [f"# {_remark(each)}" for each in others]
        lines += [f'test "{_quoted(name)}" {{', f"  given {given} at {instant_text(flow.instant)}", f"  expect {expected}", "}"]
        return "\n".join(lines) + "\n"

    def _given(self, flow: Flow, claim: Span) -> str:
        place = self._name(flow.source.name, claim)
        match flow.principal:
            case Person(roles=roles) if roles:
                return ", ".join(self._name(role, claim) for role in roles) + f" from {place}"
            case DevicePrincipal(device=name):
                return f"{self._name(name, claim)} from {place}"
            case ServiceEndpoint(service=name):
                return self._name(name, claim)
            case _:
                return place

    def _target(self, flow: Flow, claim: Span) -> str:
        return self._name(flow.destination.service or flow.destination.name, claim)

    def _name(self, name: str, claim: Span) -> str:
        """A name as the file of the claim may write it: qualified, where the file does not import the module of the standard library."""
        origin = self._origins.get(name)
        module = origin.file.removesuffix(".ztos").replace("/", ".") if origin else ""
        if not module.startswith("std.") or module in ALWAYS_THERE or claim.file not in self.sources or module in self._imports(claim.file):
            return name
        return f"{module}.{name}"

    def _imports(self, file: str) -> frozenset[str]:
        """The modules of the standard library that a file imports."""
        if file not in self._imported:
            self._imported[file] = frozenset(IMPORT.findall(self.sources[file].text))
        return self._imported[file]

    def _sayable(self, flow: Flow) -> Flow:
        """The flow, or one like it with words for all its values that is allowed as well. Raises `Untestable`."""
        types = self.policy.types
        choices = [[(key, each) for each in _nearby(types[key], given)] for key, given in flow.principal.attributes]
        for attributes in product(*choices):
            if all(_is_sayable(types[key], each) for key, each in attributes) and EARLIEST <= flow.instant < LATEST:
                principal: Principal = flow.principal.model_copy(update={"attributes": tuple(attributes)})
                said = flow.model_copy(update={"principal": principal})
                if self.policy.decide(said).allowed:
                    return said
        raise Untestable("the language has no words for the attributes or the instant that it takes")


def _nearby(kind: AttributeType, given: Value) -> Iterator[Value]:
    """A value, and others that may do as well."""
    yield given
    match kind:
        case CountryType():
            yield from COUNTRIES
            yield from (f"{country}-{str(given).partition('-')[2]}" for country in COUNTRIES if "-" in str(given))
        case InstantType():
            yield from (EARLIEST, LATEST - 1)
        case DurationType():
            yield from (1, LONGEST)


def _is_sayable(kind: AttributeType, given: Value) -> bool:
    match kind:
        case CountryType():
            return not str(given).startswith("X") and not str(given).startswith("Q")
        case InstantType():
            return EARLIEST <= int(given) < LATEST
        case DurationType():
            return 0 < int(given) <= LONGEST
        case _:
            return True


def _sayable_values(types: Mapping[str, AttributeType], flow: Flow) -> bool:
    return all(_is_sayable(types[key], each) for key, each in flow.principal.attributes)


def _value(kind: AttributeType, given: Value) -> str:
    match kind:
        case InstantType():
            return instant_text(int(given))
        case DurationType():
            return f"{given}s"
        case _:
            return str(given).lower() if isinstance(given, bool) else str(given)


def _ports(protocol: int, port: int) -> str:
    """A port as the language writes it; of a protocol whose ports it has no words for, all of it."""
    named = (protocol, port) == ports.ECHO or (protocol in ports.NAMES and protocol in ports.WITH_PORTS)
    return ports.text(((protocol, protocol, port, port),)) if named else f"proto/{protocol}"


def _quoted(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')


def _remark(text: str) -> str:
    """A comment on one line that the language takes, whatever a file is called."""
    return " ".join(safe(text).split())[:LINE]
