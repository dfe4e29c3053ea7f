"""The ruleset as values: one table, its sets and maps, its chains; a second one where hosts gather on a bridge.

Guarantees: two rulesets are equal exactly when they print the same statements; elements and rules are in canonical text (single
blanks, addresses as RFC 5952, protocols as numbers), so that a reader of the file arrives at the same values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ztosc.ir.base import Model
from ztosc.nodes.contract_spec import Ranges, Times

TABLE = "ztos"
FAMILY = "inet"


@dataclass(frozen=True, slots=True)
class Element:
    """An element: its key by fields, for a map its verdict. A bundle has a hundred thousand: cheaper than a model."""

    key: tuple[str, ...]
    verdict: str | None = None
    comment: str = ""


class Collection(Model):
    """A named set, or a verdict map where `verdicts`."""

    name: str
    types: tuple[str, ...]
    verdicts: bool = False
    flags: tuple[str, ...] = ()
    comment: str = ""
    elements: tuple[Element, ...] = ()


class Hook(Model):
    """Where a base chain stands; `priority` as a number (filter is 0, raw is -300)."""

    hook: Literal["prerouting", "input", "forward", "output"]
    priority: int
    policy: Literal["accept", "drop"]


class Chain(Model):
    """A chain and its rules, one statement list each."""

    name: str
    hook: Hook | None = None
    rules: tuple[str, ...] = ()


class Timed(Model):
    """A key of a dynamic set, and when it stands there."""

    set: str
    key: str
    open: Times


class Windows(Model):
    """What the clock alone opens. Behind `until` nothing is written, and nothing is open."""

    since: int = 0
    until: int = 0
    windows: tuple[Timed, ...] = ()


class Admitted(Model):
    """Who may stand in a set of sessions, and for how many seconds after the facts were confirmed; absent: for as long as they say."""

    set: str
    stale: int | None
    within: Ranges


class Contract(Model):
    """Every set that sessions fill."""

    sets: tuple[Admitted, ...] = ()


class Table(Model):
    """A table of family `bridge`: what passes between ports of one segment."""

    family: str = "bridge"
    table: str = TABLE
    comment: str
    collections: tuple[Collection, ...]
    chains: tuple[Chain, ...]


class Ruleset(Model):
    """Everything of ours on a node: the table, what stands in its sets by the clock, who may by a session, what passes on bridges."""

    family: str = FAMILY
    table: str = TABLE
    comment: str
    collections: tuple[Collection, ...]
    chains: tuple[Chain, ...]
    windows: Windows = Windows()
    contract: Contract = Contract()
    gathering: Table | None = None
    """Absent: no frame passes from port to port."""
