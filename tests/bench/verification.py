"""Verification beside the naive ways: `python -m tests.bench.verification [SEGMENTS/RULES …]`, four sizes where nothing is said.

Prints CPU seconds, each size in a process of its own:

- ours: from a network in memory to the verdicts on 400 claims (200 direct, 200 transitive), loading the solver included;
- edits: the same network held in memory (`verify.Session`), a port, a subject and a rule changed, the dearest of them;
- findings: what is granted beyond need, beside it;
- closure: reachability over the graph of what may ever be, ours and `networkx.transitive_closure` (up to 2,000 segments);
- pair: one question to the solver for a pair of ends, as the reference asks it, the mean of some pairs that are joined by a grant; and
  what all pairs that the claims are about would take that way, had each to be asked once;
- reference: all claims by the reference, on the smallest size alone.

By hand only: the dated figures stand in docs/performance.md.
"""

from __future__ import annotations

import itertools
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

SIZES = ("50/500", "500/5000", "2000/20000", "2000/100000")
CLAIMS = 400
PAIRS = 20
REFERENCE = 60
"""Segments up to which the reference is asked."""
NETWORKX = 2_000


def seconds(do: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of this process and its children, and the result."""
    start = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    found = do()
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) - start, found


def measure(segments: int, rules: int) -> None:
    """Prints the figures of one size."""
    from tests.bench.generate import Plan

    network = Plan(segments, rules, CLAIMS).network()
    assert not {"z3", "networkx"} & sys.modules.keys()
    from ztosc.verify import Session

    print(f"{len(network.intent.segments)} segments, {len(network.intent.rules)} rules, {CLAIMS} claims")
    show("network", 0.0, "what was there before, made without a text")
    ours, session = seconds(lambda: Session(network))
    wrong = sum(verdict.verdict != "proved" for verdict in session.verdicts)
    show("ours", ours, f"{wrong} claims refuted, {len(session.finder.slices.diagrams)} nodes of diagrams")
    show("edit", max(edits(session)), "the dearest of four")
    show("findings", findings(session))
    closures(session)
    if segments <= REFERENCE:
        from ztosc.verify import reference

        slow, verdicts = seconds(lambda: reference.verify(network))
        assert [each.model_dump() for each in verdicts] == [each.model_dump() for each in session.verdicts]
        show("reference", slow, f"{slow / ours:.0f} times ours, the same verdicts")
    pairs(session, ours)


def show(name: str, taken: float, more: str = "") -> None:
    """One line."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"  {name:<10} {taken:9.4f} s  {memory:5} MiB  {more}", flush=True)


def edits(session: Any) -> list[float]:
    """What it takes to judge again after a port, a subject, a rule gone and a rule put in; and the network as it was."""
    network = session.finder.network
    rules = network.intent.rules
    middle = next(number for number, rule in enumerate(rules) if number > len(rules) // 2 and rule.effect == "allow" and rule.ports)
    rule = rules[middle]
    changed = [
        (*rules[:middle], rule.model_copy(update={"ports": ((6, 6, 999, 999),)}), *rules[middle + 1 :]),
        (*rules[:middle], rule.model_copy(update={"subjects": rules[0].subjects}), *rules[middle + 1 :]),
        (*rules[:middle], *rules[middle + 1 :]),
        (*rules[:3], rule.model_copy(update={"id": "another"}), *rules[3:]),
    ]
    intents = [network.intent.model_copy(update={"rules": each}) for each in changed]
    edited = [network.model_copy(update={"intent": intent}) for intent in intents]
    found = [seconds(lambda new=each: session.update(new))[0] for each in edited]  # type: ignore[misc]
    session.update(network)
    return found


def findings(session: Any) -> float:
    """What is granted beyond need, over the slices that are made already."""
    from ztosc.verify.findings import find

    taken, _ = seconds(lambda: find(session.finder.network, session.finder.slices))
    return taken


def closures(session: Any) -> None:
    """Transitive closure of the graph of places, both ways."""
    from ztosc.logic.closure import bits, closure

    rows = session.finder.structure.outward
    edges = sum(row.bit_count() for row in rows)
    ours, found = seconds(lambda: closure(rows))
    show("closure", ours, f"{edges} edges, {sum(row.bit_count() for row in found)} pairs")
    if len(rows) <= NETWORKX + 10:
        import networkx as nx

        graph: Any = nx.DiGraph([(here, there) for here, row in enumerate(rows) for there in bits(row)])
        slow, closed = seconds(lambda: nx.transitive_closure(graph, reflexive=None))
        assert closed.number_of_edges() == sum(row.bit_count() for row in found)
        show("networkx", slow, f"{slow / ours:.0f} times ours")


def pairs(session: Any, ours: float) -> None:
    """One question a pair, as the reference asks it."""
    from ztosc.verify.explorer import Explorer
    from ztosc.verify.scope import Start

    structure, slices = session.finder.structure, session.finder.slices
    joined = ((end, slices.places[bit]) for end in slices.ends() for bit in range(len(slices.places)) if structure.into(end) >> bit & 1)
    picked = list(itertools.islice(joined, 0, PAIRS * 7, 7))
    explorer = Explorer(session.finder.network)
    slow, _ = seconds(lambda: [explorer.passage(Start(source), end, session.finder.network.at) for end, source in picked])
    each = slow / len(picked)
    total = sum(structure.into(end).bit_count() for end in slices.ends())
    show("pair", each, f"{total} pairs are joined by some grant: {each * total:,.0f} s, {each * total / ours:,.0f} times ours")


def main(arguments: list[str]) -> None:
    """Each size in a process of its own."""
    if arguments[:1] == ["--one"]:
        measure(*map(int, arguments[1].split("/")))
        return
    for size in arguments or SIZES:
        started = time.monotonic()
        subprocess.run([sys.executable, "-m", "tests.bench.verification", "--one", size], check=True)
        print(f"  ({time.monotonic() - started:.0f} s by the clock)")


if __name__ == "__main__":
    main(sys.argv[1:])
