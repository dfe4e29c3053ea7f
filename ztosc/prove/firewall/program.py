"""A ruleset as a small program: what a rule looks at, what it compares that with, and where it leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ztosc.logic.intervals import Interval


class Unsupported(Exception):
    """A statement whose meaning is not known here: nothing may be concluded from the ruleset."""


Field = Literal[
    "iif", "oif", "sdif", "nfproto", "saddr6", "daddr6", "saddr4", "daddr4", "proto", "sport", "dport",
    "icmp6", "icmp4", "hoplimit", "state", "direction", "ether", "fragment",
]  # fmt: skip
"""`icmp6` and `icmp4` are the types of ICMP messages; `state` and `direction` are connection tracking's;
`ether` is the type that a frame on a bridge names (IEEE 802.3 §3.2.6), `fragment` whether IPv6 has a fragment header (RFC 8200 §4.5)."""

Value = str | Interval
"""Of an interface its name, of all else an interval of numbers."""

Key = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a rule ends. `drop` stands for `reject` too."""

    kind: Literal["accept", "drop", "return", "goto", "jump"]
    target: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """Fields that must, or must not, be among keys: those of a named set, or those that stand here."""

    fields: tuple[Field, ...]
    among: str | tuple[Key, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """A verdict map that is asked; where it knows nothing, the rule has no effect."""

    fields: tuple[Field, ...]
    map: str


@dataclass(frozen=True, slots=True)
class Limit:
    """From here on, who knows: what follows may be skipped."""


@dataclass(frozen=True, slots=True)
class Log:
    """What comes this far is written to the log, as often as a limit before it allows."""

    prefix: str


Statement = Match | Lookup | Verdict | Limit | Log
Rule = tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain; a base chain has a hook, a priority and a policy."""

    name: str
    rules: tuple[Rule, ...]
    hook: str | None = None
    priority: int = 0
    accepts: bool = False


@dataclass(frozen=True, slots=True)
class Collection:
    """A named set or verdict map. What a `dynamic` one holds is not known; its keys are those that stand in it from the start."""

    name: str
    types: tuple[str, ...]
    flags: frozenset[str]
    elements: tuple[tuple[Key, Verdict | None], ...]

    @property
    def dynamic(self) -> bool:
        """Whether something else than the file fills it."""
        return bool(self.flags & {"timeout", "dynamic"})


@dataclass(frozen=True, slots=True)
class Program:
    """Everything that was loaded."""

    collections: dict[str, Collection]
    chains: dict[str, Chain]
