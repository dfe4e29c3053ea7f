"""The verdict: hook by hook and family by family, what the loaded ruleset lets pass is what the node's spec demands.

Guarantees: no difference without a packet that shows it, the least in a fixed order; anything that is not known is told as such.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from ztosc.ir.spaces import vrf_name
from ztosc.ir.verdict import Outcome
from ztosc.logic import addresses
from ztosc.logic.diagrams import TooLarge
from ztosc.logic.interval_diagrams import FALSE
from ztosc.logic.intervals import Intervals
from ztosc.nodes.spec import NodeSpec
from ztosc.prove.firewall.gathered import gathered
from ztosc.prove.firewall.packet import CT, NEW, SEEN, Space
from ztosc.prove.firewall.program import Program, Unsupported
from ztosc.prove.firewall.read import program
from ztosc.prove.firewall.run import Run, interfaces
from ztosc.prove.firewall.told import Told
from ztosc.prove.firewall.wanted import PRIORITIES

AUDITED = "zt-"
"""How the words begin that are compared."""


def judge(listed: str, spec: NodeSpec, gone: Intervals) -> tuple[Outcome, str]:
    """Of what nft lists as loaded: proved, or why not. `gone`: addresses to and from which no grant leads."""
    try:
        found, below = program(listed), program(listed, "bridge")
        reason = next(chain(_differences(found, spec, gone), gathered(below, spec)), "")
    except Unsupported as unsupported:
        return "unsupported", f"{unsupported} is not known to the proof"
    except TooLarge as outgrown:
        return "unknown", str(outgrown)
    return ("refuted", reason) if reason else ("proved", "")


def _differences(found: Program, spec: NodeSpec, gone: Intervals) -> Iterator[str]:
    strange = sorted({each.hook for each in found.chains.values() if each.hook} - SEEN.keys())
    if strange:
        raise Unsupported(f"a chain in hook `{strange[0]}`")
    yield from _standing(found, spec)
    vrfs = {vrf_name(each.l3vni) for each in spec.transits}
    for family in (6, 4):
        space = Space(family, interfaces(found) | _named(spec) | vrfs, vrfs)
        run, wanted = Run(found, space), Told(spec, space, gone)
        for hook in SEEN:
            yield from _of_hook(space, hook, run.alone(hook), wanted.alone(hook))
            yield from _of_hook(space, hook, run.passing(hook), wanted.passing(hook))
            yield from _of_log(space, hook, run.logged(hook), wanted.logged(hook))
        yield from _misplaced(space, run)


def _named(spec: NodeSpec) -> set[str]:
    tunnels = {tunnel for each in spec.fabric.domains for tunnel in each.tunnels}
    flows = {flow.interface for flow in spec.flows if flow.interface}
    sides = {each.interface for each in spec.segments} | {each.interface for each in spec.transits}
    translating = {spec.translator.interface} if spec.translator else set()
    return {"lo", *translating, *tunnels, *flows, *sides, *(each.interface for each in spec.tunnels)}


def _of_hook(space: Space, hook: str, found: int, wanted: int) -> Iterator[str]:
    for one, other, what in ((found, wanted, "passes, and must not"), (wanted, found, "does not pass, and must")):
        unlike = space.diagrams.without(one, other)
        begins = space.diagrams.both(unlike, space.points(CT, (NEW,)))
        point = space.diagrams.least(begins or unlike)
        if point is not None:
            yield f"{space.told(hook, point)}: {what}"


def _of_log(space: Space, hook: str, found: dict[str, int], wanted: dict[str, int]) -> Iterator[str]:
    """What must be logged is, under its own words, and nothing else is under those."""
    for prefix in sorted({each for each in found if each.startswith(AUDITED)} | wanted.keys()):
        one, other = found.get(prefix, FALSE), wanted.get(prefix, FALSE)
        for unlike, what in ((space.diagrams.without(one, other), "must not be"), (space.diagrams.without(other, one), "must be")):
            point = space.diagrams.least(unlike)
            if point is not None:
                yield f"{space.told(hook, point)}: {what} logged as `{prefix.strip()}`"


def _misplaced(space: Space, run: Run) -> Iterator[str]:
    """A chain at another priority judges packets that others have judged, tracked or put together in between, or not yet."""
    for hook, priority in PRIORITIES.items():
        for base in (each for each in run.bases(hook) if each.priority != priority):
            point = space.diagrams.least(space.diagrams.without(space.universe(hook), run.alone(hook)))
            if point is not None:
                yield f"{space.told(hook, point)}: is dropped at priority {base.priority}, and must be at {priority}"


def _standing(found: Program, spec: NodeSpec) -> Iterator[str]:
    """The dynamic sets are those of the contract, and in them stand from the start endpoints that are what their condition asks."""
    kinds: dict[str, tuple[str, tuple[str, ...]]] = {"sessions": ("zt_s_", ("ipv6_addr",)), "time": ("zt_o_", ("nf_proto",))}
    wanted = {kinds[each.holds][0] + each.condition.removeprefix("c-"): (each, kinds[each.holds][1]) for each in spec.contract}
    for name, each in sorted(found.collections.items()):
        if each.dynamic and (name not in wanted or each.types != wanted[name][1] or each.flags != {"timeout"}):
            yield f"set `{name}` may be filled at run time, and no contract says so, or not of those keys, or without a timeout"
    for name in sorted(wanted):
        if name not in found.collections or not found.collections[name].dynamic:
            yield f"set `{name}` cannot be filled at run time, and the contract says so"
    for name, (held, _) in sorted(wanted.items()):
        elements = found.collections[name].elements if name in found.collections else ()
        members = {addresses.value(address) for address in held.standing}
        stands = {number for (part,), _ in elements if isinstance(part, tuple) for number in part}
        for number in sorted(members ^ stands):
            told = "is missing in" if number in members else "stands without a session in"
            yield f"a packet from {addresses.address_text(number)}: that address {told} `{name}`"
