"""How strongly what a grant rests on is bound to the one behind it: `none < address < mac < dot1x < tunnel`.

Guarantees: the weakest port, source and subject of a grant decide, and never a hope: a fact that no port or proof of the sources gives is
not counted. A guard that asks for `session.assurance` itself raises the floor, because whoever is below does not pass.

What each thing gives:

- a port `shared` by any number of hosts gives `none`: a neighbour may take the address of another. `exclusive` gives `address`, for one
  endpoint sits behind it and source addresses are checked there. `dot1x` gives `dot1x`; a segment with `access tunnel` gives `tunnel`;
- a device class `recognised by mac` or `inventory` gives `mac`, whatever the port, for its class is known by that alone; one `recognised by
  certificate` gives what its port does, for the certificate is shown there or nowhere;
- a service is known by its address, so at most `address`, and that only behind ports that are not shared;
- an external gives `none`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ztosc.ir.base import Model
from ztosc.ir.clock import is_over
from ztosc.ir.compliance import ASSURANCE
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import DevicePrincipal, Flow, ServiceEndpoint
from ztosc.ir.intent import Attachment, Rule, Segment
from ztosc.ir.network import Network
from ztosc.ir.values import AllOf, Compare, Constant, Guard, Ref
from ztosc.source import Span
from ztosc.verify.scope import segments_of

Level = Literal["none", "address", "mac", "dot1x", "tunnel"]
ATTRIBUTE = "session.assurance"
PORTS: dict[str, Level] = {"shared": "none", "exclusive": "address", "dot1x": "dot1x"}
AUTHENTICATED: frozenset[Level] = frozenset({"dot1x", "tunnel"})
"""Levels at which whoever is there proved who they are before they came in."""


class Basis(Model):
    """How strongly one source of a grant is bound, and by what, in words; `origin` is the port or declaration that decides."""

    level: Level
    because: str
    origin: Span | None = None


class GrantAssurance(Model):
    """What one grant rests on: the weakest of its sources."""

    rule: str
    origin: Span
    subjects: tuple[str, ...]
    targets: tuple[str, ...]
    level: Level
    because: str


class Unenforced(Model):
    """A segment whose `admits` nothing enforces: at `ports` (`node port`) whoever plugs in is in it."""

    segment: str
    origin: Span
    admits: tuple[str, ...]
    ports: tuple[str, ...]


NOBODY = Basis(level="none", because="it names nobody")


def rank(level: str) -> int:
    """The place of a level in their order."""
    return ASSURANCE.index(level)


class Assurances:
    """The assurances of one network; build once."""

    def __init__(self, network: Network, policy: Policy | None = None) -> None:
        self.network = network
        self.policy = policy or Policy(network.intent)
        self.devices = {each.name: each for each in network.intent.devices}
        self.ports: dict[str, list[tuple[str, Attachment]]] = {each.name: [] for each in network.intent.segments}
        for node in network.intent.nodes:
            for port in node.attachments:
                self.ports.setdefault(port.segment, []).append((node.name, port))
        self._subjects: dict[tuple[str, str], tuple[Basis, ...]] = {}
        self._weakest: dict[tuple[str, str], tuple[Basis, ...]] = {}
        self.externals = {each.name: each.origin for each in network.intent.externals}
        self._grantees: dict[tuple[str, str, str, int], Basis] = {}
        self.hosting: dict[str, set[str]] = {}
        for endpoint in network.endpoints:
            self.hosting.setdefault(endpoint.service, set()).add(endpoint.node)

    def of_segment(self, name: str) -> Basis:
        """That of whoever is in a segment, known by being there alone."""
        return self._weakest_port(self.policy.segments[name], None)

    def of_subject(self, ref: Ref, segment: str | None) -> Basis:
        """That of a subject of a rule, acting from a segment; `None` for an external."""
        if ref.kind == "external" or segment is None:
            return Basis(level="none", because=f"nothing is known of who is in `{ref.name}`")
        if ref.kind == "service":
            return self._service(ref.name, segment)
        port = self.of_segment(segment)
        return self._device(ref.name, port) if ref.kind == "device" else port

    def of_flow(self, rule: Rule | None, flow: Flow) -> Basis:
        """That of the initiator of one flow, under the rule that allows it."""
        match flow.principal:
            case DevicePrincipal(device=name):
                ref = Ref(kind="device", name=name)
            case ServiceEndpoint(service=name):
                ref = Ref(kind="service", name=name)
            case _:
                ref = Ref(kind="external" if flow.source.kind == "external" else "segment", name=flow.source.name)
        found = self.of_subject(ref, flow.source.name if flow.source.kind == "segment" else None)
        guards = (self.policy.effective_guard(rule, each) for each in rule.subjects if self.policy.is_subject(each, flow)) if rule else ()
        return max((_raised(found, _floor(guard)) for guard in guards), key=lambda each: rank(each.level), default=found)

    def of_rule(self, rule: Rule) -> Basis:
        """The weakest of all that a grant rests on."""
        found = [self._of_grantee(rule, ref) for ref in rule.subjects]
        return min(found, key=lambda each: rank(each.level), default=NOBODY)

    def _of_grantee(self, rule: Rule, ref: Ref) -> Basis:
        """The weakest of one subject of a grant, wherever it acts from."""
        asked = ref.kind, ref.name, rule.effect, _floor(rule.guard)  # all that counts of a guard; what a role requires is one thing
        if asked not in self._grantees:
            floor = _floor(self.policy.effective_guard(rule, ref))
            found = [_raised(basis, floor) for basis in self._bases(ref)]
            self._grantees[asked] = min(found, key=lambda each: rank(each.level))
        return self._grantees[asked]

    def _bases(self, ref: Ref) -> tuple[Basis, ...]:
        """What is known of a subject in the segments that it acts from: of each level the first."""
        asked = ref.kind, ref.name
        if asked not in self._subjects:
            found: dict[Level, Basis] = {}
            for segment in segments_of(self.policy, ref) or (None,):
                basis = self.of_subject(ref, segment)
                found.setdefault(basis.level, basis)
            self._subjects[asked] = tuple(found.values())
        return self._subjects[asked]

    def weak(self, rule: Rule) -> tuple[tuple[Ref, Basis], ...]:
        """Where nobody proves who they are to be a subject of a grant, by place: every such port, device class and external.

        A service shows nothing but its address: that is weak only where another host can take it.
        """
        found: dict[Span, tuple[Ref, Basis]] = {}
        for ref in rule.subjects:
            floor = _floor(self.policy.effective_guard(rule, ref))
            enough = {"address", "mac"} if ref.kind == "service" else set()
            for basis in self._all_bases(ref):
                if basis.origin and _raised(basis, floor).level not in AUTHENTICATED | enough:
                    found.setdefault(basis.origin, (ref, basis))
        return tuple(found[origin] for origin in sorted(found))

    def _all_bases(self, ref: Ref) -> tuple[Basis, ...]:
        """What is known of a subject, port by port; nothing of a segment that no port carries, for nobody is there."""
        asked = ref.kind, ref.name
        if asked not in self._weakest:
            self._weakest[asked] = tuple(self._by_port(ref))
        return self._weakest[asked]

    def _by_port(self, ref: Ref) -> Iterator[Basis]:
        if ref.kind == "external":
            yield Basis(level="none", because=f"nothing is known of who is in `{ref.name}`", origin=self.externals[ref.name])
            return
        nodes = self.hosting.get(ref.name) if ref.kind == "service" else None
        for name in segments_of(self.policy, ref):
            segment = self.policy.segments[name]
            for node, port in self.ports[name] if not segment.access_tunnel else ():
                if nodes is None or node in nodes:
                    found = self._port_basis(node, port)
                    yield self._device(ref.name, found) if ref.kind == "device" else found

    def grants(self) -> Iterator[GrantAssurance]:
        """Every grant that is not over, in the order of the sources."""
        for rule in sorted(self._standing(), key=lambda each: each.origin):
            basis = self.of_rule(rule)
            subjects, targets = ([ref.name for ref in refs] for refs in (rule.subjects, rule.targets))
            yield GrantAssurance(
                rule=rule.id,
                origin=rule.origin,
                subjects=tuple(dict.fromkeys(subjects)),
                targets=tuple(dict.fromkeys(targets)),
                level=basis.level,
                because=basis.because,
            )

    def levels(self) -> Iterator[Level]:
        """That of every grant that is not over."""
        return (self.of_rule(rule).level for rule in self._standing())

    def _standing(self) -> Iterator[Rule]:
        at = self.network.at
        return (rule for rule in self.network.intent.rules if rule.effect == "allow" and not is_over(rule.validity, at))

    def unenforced(self) -> Iterator[Unenforced]:
        """Every segment that says whom it admits, at whose ports nobody has to prove to be one of those."""
        for segment in self.network.intent.segments:
            admits = (*(("people",) if segment.admits_people else ()), *segment.admits)
            ports = tuple(
                f"{node} {_port(port)}" for node, port in self.ports[segment.name] if self._port_level(segment, port) not in AUTHENTICATED
            )
            if admits and ports and not segment.admits_unknown:
                yield Unenforced(segment=segment.name, origin=segment.origin, admits=admits, ports=ports)

    def _port_level(self, segment: Segment, port: Attachment) -> Level:
        return "tunnel" if segment.access_tunnel else PORTS[port.kind]

    def _weakest_port(self, segment: Segment, nodes: set[str] | None) -> Basis:
        """The weakest port of a segment, on some nodes or on all."""
        if segment.access_tunnel:
            return Basis(level="tunnel", because=f"each host of `{segment.name}` has a tunnel of its own", origin=segment.origin)
        ports = [(node, port) for node, port in self.ports[segment.name] if nodes is None or node in nodes]
        if not ports:
            return Basis(level="none", because=f"no port is said to carry `{segment.name}`", origin=segment.origin)
        return self._port_basis(*min(ports, key=lambda each: (rank(PORTS[each[1].kind]), each[1].origin)))

    def _port_basis(self, node: str, port: Attachment) -> Basis:
        said = {
            "shared": "is shared: its hosts are one trust domain",
            "exclusive": "is exclusive: one endpoint, known by its address",
            "dot1x": "authenticates each host (802.1X)",
        }
        return Basis(level=PORTS[port.kind], because=f"port `{_port(port)}` of `{node}` {said[port.kind]}", origin=port.origin)

    def _device(self, name: str, port: Basis) -> Basis:
        device = self.devices[name]
        if device.recognised_by == "certificate":
            return port
        return Basis(level="mac", because=f"`{name}` is recognised by {device.recognised_by}", origin=device.origin)

    def _service(self, name: str, segment: str) -> Basis:
        found = self._weakest_port(self.policy.segments[segment], self.hosting.get(name))
        if rank(found.level) <= rank("address"):
            return found
        return Basis(level="address", because=f"`{name}` is known by the addresses of its endpoints", origin=found.origin)


def _port(port: Attachment) -> str:
    return port.port if port.vlan is None else f"{port.port} vlan {port.vlan}"


def _floor(guard: Guard) -> int:
    """The rank below which nobody passes a guard."""
    return max((rank(level) for level in _floors(guard)), default=0)


def _raised(basis: Basis, floor: int) -> Basis:
    """The basis, or what a guard asks for where that is more."""
    if floor <= rank(basis.level):
        return basis
    level: Level = ASSURANCE[floor]  # type: ignore[assignment]  # the same five words
    return basis.model_copy(update={"level": level, "because": f"the guard asks for `{ATTRIBUTE}` of at least `{level}`"})


def _floors(guard: Guard) -> Iterator[str]:
    """Levels below which nobody passes a guard: only what must hold in any case counts."""
    match guard:
        case AllOf(parts=parts):
            for part in parts:
                yield from _floors(part)
        case Compare(attribute=name, operator=operator, operand=Constant(values=values)) if name.endswith(ATTRIBUTE):
            levels = [str(value) for value in values if value in ASSURANCE]
            if operator in (">=", "==", "in") and len(levels) == len(values):
                yield min(levels, key=rank)
            elif operator == ">" and levels:
                yield ASSURANCE[min(rank(levels[0]) + 1, len(ASSURANCE) - 1)]
        case _:
            return
