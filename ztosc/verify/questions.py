"""Which flow is there from a start to an end, at an instant or as early as can be? What every property asks, whoever answers.

Two answer: `explorer.Explorer`, the reference, which asks the solver about each pair, and `finder.Finder`, the engine, which looks at
diagrams of a destination's rules. A property is written once, against this, so that both mean the same by it.

Guarantees: every flow that is handed out was replayed through `Policy.decide` and is allowed; one that does not replay is our bug and
raises `WitnessDoesNotReplay`. No flow means that none exists, for any principal, role, attribute and port; what could not be
decided raises `Undecided`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import Flow, Place, Principal, ServiceEndpoint
from ztosc.ir.intent import Rule
from ztosc.ir.network import Network
from ztosc.ir.values import Ref
from ztosc.verify.cuts import Instances
from ztosc.verify.scope import Start, everywhere
from ztosc.verify.topology import Failing, Part, Topology


class WitnessDoesNotReplay(Exception):
    """The engine found a flow that `decide` denies: an internal error, never a verdict."""


@dataclass(frozen=True)
class Limits:
    """Whom a question leaves out: initiators that are one of `outside`; where it follows a label, whatever `releases` that label
    (rules, roles, services), and the services in `signed`."""

    outside: tuple[Ref, ...] = ()
    releases: str | None = None
    signed: tuple[str, ...] = ()


NO_LIMITS = Limits()


@dataclass(frozen=True, eq=False)
class Passage:
    """That a flow exists, and when first; which one, is only worked out when it is asked for."""

    instant: int
    work_out: Callable[[], Flow]

    @cached_property
    def flow(self) -> Flow:
        """The flow, replayed."""
        return self.work_out()


class Bound(ABC):
    """What a search for a chain need not look at."""

    @abstractmethod
    def places(self, start: Place, step: int) -> Iterable[Place]:
        """Where a hop from a place may lead that matters as the n-th of a chain, in the order of the network."""


class Questions(ABC):
    """One network's questions."""

    def __init__(self, network: Network, policy: Policy, rlimit: int) -> None:
        self.network, self.policy, self.rlimit = network, policy, rlimit
        self._carriers: dict[tuple[int, str], Rule | None] = {}

    # What is answered

    @abstractmethod
    def at(self, start: Start, end: Place, instant: int, limits: Limits = NO_LIMITS) -> Flow | None:
        """The least flow at an instant, or `None`."""

    @abstractmethod
    def passage(self, start: Start, end: Place, after: int, limits: Limits = NO_LIMITS) -> Passage | None:
        """The first flow from `after` (seconds since 1970) on, or `None` where there never is one."""

    @abstractmethod
    def first(self, starts: Iterable[Start], ends: Iterable[Place], limits: Limits = NO_LIMITS) -> Flow | None:
        """The first flow of the first start, and of its ends the first, that has one from the compiler's `at` on."""

    @abstractmethod
    def moments(self, start: Start, ends: Iterable[Place]) -> tuple[int, ...]:
        """The first instant, from `at` on, of each way in which the rules between them can be in force together, ascending."""

    @abstractmethod
    def bounds(self, begin: Iterable[Place], goals: Iterable[Place], without: tuple[Place, ...]) -> Iterator[Bound]:
        """Ever wider bounds for a chain that is sought: where a search finds nothing in the last of them, there is none."""

    @abstractmethod
    def around(self, place: Place) -> Iterable[Place]:
        """At least the places between which and this one some flow can ever be, either way, in the order of the network."""

    @abstractmethod
    def granted_external(self, place: Place) -> bool:
        """Whether somebody in a segment is granted some external, by a rule that is not over at the compiler's `at`."""

    @abstractmethod
    def logged(self, place: Place) -> Iterable[Rule]:
        """At least the rules about a place that log, in their order."""

    @abstractmethod
    def cut(self, here: str, instances: Instances, count: int, failing: Failing) -> tuple[Part, ...] | None:
        """The first of the fewest failures, at most `count`, after which no instance answers a node. Raises `Undecided`."""

    @abstractmethod
    def may_carry(self, label: str) -> tuple[Place, ...] | None:
        """At least the places that the data of a label ever comes to; `None`: it may be anywhere."""

    # What both know

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Every segment and external."""
        return everywhere(self.policy)

    @cached_property
    def anywhere(self) -> tuple[Start, ...]:
        """Whoever or whatever is at any of them."""
        return tuple(map(Start, self.places))

    @cached_property
    def topology(self) -> Topology:
        """The nodes and links."""
        return Topology(self.network)

    def carried(self, flow: Flow, label: str | None) -> Rule | None:
        """The first grant that allows a flow and, where a label is named, carries it on."""
        allows = (rule for each in self.policy.about(flow.destination) if each.effect == "allow" and (rule := self.carrying(each, label)))
        return next((rule for rule in allows if self.policy.miss(rule, flow) is None), None)

    def carrying(self, rule: Rule, label: str | None) -> Rule | None:
        """What of a grant carries a label further: nothing where it releases the label, and no role that does."""
        if label is None:
            return rule
        if (key := (id(rule), label)) not in self._carriers:
            left = tuple(
                ref for ref in rule.subjects if not (ref.kind == "role" and self.policy.roles[ref.name].governance.released(label))
            )
            ended = rule.governance.released(label) or not left
            self._carriers[key] = None if ended else rule if left == rule.subjects else rule.model_copy(update={"subjects": left})
        return self._carriers[key]

    def ends_at(self, service: str | None, limits: Limits) -> bool:
        """Whether somebody signs that the label which is followed ends at this service."""
        if service is None or limits.releases is None:
            return False
        return service in limits.signed or self.policy.services[service].governance.released(limits.releases)

    def replica(self, probe: Flow, principal: Principal) -> bool:
        """Whether both ends are replicas of one service."""
        return (
            isinstance(principal, ServiceEndpoint)
            and probe.destination.service == principal.service
            and probe.source.name == probe.destination.name
        )

    def replayed(self, flow: Flow, limits: Limits) -> Flow:
        """A flow that was found, if `decide` allows it and the limits let it be. Raises `WitnessDoesNotReplay`."""
        decision = self.policy.decide(flow)
        if not decision.allowed or any(self.policy.is_subject(ref, flow) for ref in limits.outside):
            raise WitnessDoesNotReplay(f"{decision.reason}: {flow.model_dump_json()}")
        if limits.releases and not self.replica(flow, flow.principal) and self.carried(flow, limits.releases) is None:
            raise WitnessDoesNotReplay(f"only a grant that releases {limits.releases} allows {flow.model_dump_json()}")
        return flow
