"""A certificate and the network it is about, to a finding: it holds, it does not, it cannot be checked, or it is none.

Guarantees: believes nothing in the certificate but what it finds in the network; ends in one of four outcomes whatever the bytes are. What
the network says is taken as it stands: whether it is the one meant is for the reader of its digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from ztosc.ir.assertions import Assertion, Isolated, NeverFlowsDown, NeverReaches, OnlyReach, Reaches, StaysWithin
from ztosc.ir.certificate import Certificate, Closed, Cut, Evidence, Flows, Nothing, Paths, Shut, Slices
from ztosc.ir.network import Network, network_digest
from ztosc.recheck import chains, direct, reach
from ztosc.recheck.clock import Clock, TooMuch
from ztosc.recheck.direct import Refused
from ztosc.recheck.names import Names
from ztosc.recheck.questions import Questions
from ztosc.recheck.solver import NoAnswer, Solver

LARGEST = 256 * 1024 * 1024
"""Bytes of a file."""

State = Literal["holds", "fails", "unchecked", "invalid"]


@dataclass(frozen=True)
class Finding:
    """What came of one certificate: `statement` and `digest` are what it says it is about, where it could be read."""

    state: State
    reason: str
    statement: str = ""
    outcome: str = ""
    digest: str = ""


class Checker:
    """One network, read once for all certificates about it."""

    def __init__(self, network: bytes, solver: Solver | None = None) -> None:
        self.problem = ""
        self.solver = solver or Solver()
        try:
            self.network = _network(network)
            self.digest = network_digest(self.network)
            self.questions = Questions(Names(self.network), Clock(self.network), self.solver)
        except TooMuch as error:
            self.problem = f"the network has {error}"
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError, ArithmeticError, LookupError) as error:
            self.problem = f"the network cannot be read: {_short(error)}"

    def check(self, certificate: bytes) -> Finding:
        """Check one certificate."""
        try:
            if len(certificate) > LARGEST:
                return Finding("invalid", "it is too large")
            read = Certificate.model_validate_json(certificate)
        except (ValueError, RecursionError) as error:
            return Finding("invalid", f"it is no certificate: {_short(error)}")
        state, reason = self._judged(read)
        return Finding(state, reason, read.claim.statement, read.outcome, read.network)

    def _judged(self, read: Certificate) -> tuple[State, str]:
        if self.problem:
            return "invalid", self.problem
        if read.network != self.digest:
            return "fails", "it is about another network"
        if read.at != self.network.at:
            return "fails", "it is about another clock"
        if read.claim not in self.network.intent.assertions:
            return "fails", "the network does not claim this"
        try:
            return "holds", _evident(self.questions, read.claim, read.outcome, read.evidence)
        except Refused as error:
            return "fails", str(error)
        except (NoAnswer, TooMuch) as error:
            return "unchecked", str(error)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError, ArithmeticError, LookupError) as error:
            return "invalid", f"it names something that is not there: {_short(error)}"


def _network(data: bytes) -> Network:
    if len(data) > LARGEST:
        raise ValueError("it is too large")
    return Network.model_validate_json(data)


def _short(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:120]
        return f"{first['msg'][:120]}" + (f" at {place}" if place else "")
    return f"{type(error).__name__} {str(error)[:120]}".strip()


def _evident(questions: Questions, claim: Assertion, outcome: str, evidence: Evidence) -> str:
    """Why the evidence shows that the claim has this outcome. Raises `Refused`, `NoAnswer`, `TooMuch`."""
    if outcome not in ("proved", "refuted"):
        raise NoAnswer(f"the verdict is `{outcome}`, which is none that could be checked")
    _sayable(claim)
    match outcome, claim, evidence:
        case "refuted", Reaches(subjects=()) | Reaches(targets=()), _:
            return "the claim itself names nobody who could reach anything"
        case _, _, Nothing(reason=reason):
            raise NoAnswer(f"it has no evidence: {reason}")
        case "proved", NeverReaches() | OnlyReach(), Slices():
            return direct.proved(questions, claim, evidence)
        case "refuted", NeverReaches() | OnlyReach(), Flows():
            return direct.refuted(questions, claim, evidence)
        case "proved", Isolated(), Closed():
            return chains.isolated(questions, claim, evidence)
        case "refuted", Isolated(), Flows():
            return chains.chained(questions, claim, evidence)
        case "proved", StaysWithin() | NeverFlowsDown(), Closed():
            return chains.spread(questions, claim, evidence)
        case "refuted", StaysWithin() | NeverFlowsDown(), Flows():
            return chains.leaked(questions, claim, evidence)
        case "proved", Reaches(), Paths():
            return reach.proved(questions, claim, evidence)
        case "refuted", Reaches(), Shut():
            return reach.shut(questions, claim, evidence)
        case "refuted", Reaches(), Cut():
            return reach.cut(questions, claim, evidence)
    raise Refused("its evidence is not of the kind that shows such a verdict")


def _sayable(claim: Assertion) -> None:
    """Refuses claims that mean nothing, which would hold of any set. Raises `NoAnswer`."""
    subjects = () if isinstance(claim, StaysWithin | NeverFlowsDown | OnlyReach) else claim.subjects
    places = claim.targets if isinstance(claim, Isolated) else ()
    if wrong := [ref.name for ref in (*subjects, *places) if ref.kind == "system"]:
        raise NoAnswer(f"`{wrong[0]}` is offered by the nodes themselves: such a claim is unsupported")
    if isinstance(claim, Isolated) and any(ref.kind in ("role", "device") for ref in claim.through):
        raise NoAnswer("people and devices are no place that a chain passes: such a claim is unsupported")
    if isinstance(claim, Reaches) and any(ref.kind in ("role", "device") for ref in claim.targets):
        raise NoAnswer("people and devices do not answer: such a claim is unsupported")
