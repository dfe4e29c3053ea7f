"""The spine: the whole data flow on one screen.

    text ─parse→ AST ─check→ Program ─lower→ Intent ─allocate→ Network ─┬─verify→ Verdicts
                                                  (+ Lock)              └─project→ NodeSpecs ─render→ Bundle ─prove→ Verdicts

Guarantees: pure but for the `Loader` and the real tools that judge a bundle; a clock comes in as `at`. Each phase runs as far as its
input allows, so one run reports the mistakes of all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ztosc.allocate import LOCK_FILE, Lock, allocate, parse_lock, render_lock
from ztosc.collector import uncollected
from ztosc.diagnostics import Diagnostic, Report, Severity
from ztosc.ir.intent import Intent
from ztosc.ir.network import Network, network_digest
from ztosc.lower import lower
from ztosc.semantics import Program, check
from ztosc.source import Loader, Source, SourceMissing
from ztosc.syntax import Cache

if TYPE_CHECKING:
    from ztosc.backends.base import Bundle
    from ztosc.compare import Comparison
    from ztosc.ir.verdict import Verdict
    from ztosc.nodes.spec import NodeSpec
    from ztosc.prove.tools import Tools
    from ztosc.verify import Progress, Session

VERIFIABLE_IN_SPITE_OF = frozenset({"ZT316"})
"""Errors of policy with which all other verdicts are still computed."""


OVER = frozenset({"ZT503"})
"""Errors that a revision without mistakes comes to have."""


@dataclass(frozen=True)
class Compiled:
    """What compiling gave: diagnostics always, the rest as far as it went."""

    diagnostics: tuple[Diagnostic, ...]
    sources: dict[str, Source]
    intent: Intent | None
    network: Network | None
    lock: Lock | None
    locked: bool
    """Whether the lock on disk already says everything."""
    known: str = ""
    """The network's digest, where it was found before."""

    @cached_property
    def digest(self) -> str:
        """The digest that names the network; empty where there is none."""
        return self.known or (network_digest(self.network) if self.network else "")

    @property
    def failed(self) -> bool:
        """Whether any diagnostic is an error."""
        return any(item.severity is Severity.ERROR for item in self.diagnostics)

    @property
    def verifiable(self) -> Network | None:
        """The network, where what is wrong does not make verdicts meaningless."""
        codes = {item.code for item in self.diagnostics if item.severity is Severity.ERROR}
        return self.network if codes <= VERIFIABLE_IN_SPITE_OF else None


@dataclass(frozen=True, slots=True)
class Built:
    """A bundle, the specs it was rendered from, and the proofs that its files mean the network."""

    specs: tuple[NodeSpec, ...]
    bundle: Bundle
    proofs: tuple[Verdict, ...]


def compile_project(loader: Loader, at: int, cache: Cache | None = None, *, base: bool = False) -> Compiled:
    """Text to Network, at an instant (seconds since 1970). A cache changes nothing but the time it takes.

    `base`: the sources are an earlier revision, of which what only time made wrong is of no interest.
    """
    with uncollected():  # what is made here stays, and none of it in a circle
        return _compiled(loader, at, cache, base)


def _compiled(loader: Loader, at: int, cache: Cache | None, base: bool) -> Compiled:
    report = Report()
    program: Program = check(loader, report, cache)
    intent = lower(program, at, report)
    usable, lock = read_lock(loader, report)
    failed = {item.code for item in report.items if item.severity is Severity.ERROR} - (OVER if base else frozenset())
    allocated = allocate(intent, lock, at, report) if intent is not None and usable and not failed else None
    return Compiled(
        diagnostics=report.sorted(),
        sources=program.sources,
        intent=intent,
        network=allocated.network if allocated else None,
        lock=allocated.lock if allocated else None,
        locked=allocated is not None and lock is not None and render_lock(lock) == render_lock(allocated.lock),
    )


def read_lock(loader: Loader, report: Report) -> tuple[bool, Lock | None]:
    """Whether allocation may go on, and the lock it goes on from: none for a new project."""
    try:
        lock = parse_lock(loader.read(LOCK_FILE), report)
    except SourceMissing:
        return True, None
    return lock is not None, lock


def verify_network(network: Network, progress: Progress | None = None) -> tuple[Verdict, ...]:
    """Network to the verdicts on its assertions."""
    return verify_session(network, progress).verdicts


def verify_session(network: Network, progress: Progress | None = None) -> Session:
    """The same, with what was found on the way, for whoever goes on from there."""
    from ztosc.verify import Session  # the solver is loaded only where it is asked

    return Session(network, progress)


def compare_compiled(old: Compiled, new: Compiled) -> Comparison | None:
    """Two revisions compared; nothing where one of them has no network to speak of."""
    from ztosc.compare import compare

    before, after = old.network, new.verifiable
    return compare(before, after) if before is not None and after is not None else None


def build(network: Network, tools: Tools | None = None) -> Built:
    """Network to a proven bundle. `tools` absent: our own readers alone judge the files."""
    from ztosc.backends import backends, network_backends, render, render_network
    from ztosc.nodes import project
    from ztosc.prove import prove

    with uncollected():
        specs = project(network)
        bundle = render_network(network, render(specs, backends()), network_backends())
        return Built(specs, bundle, prove(network, specs, bundle, tools))
