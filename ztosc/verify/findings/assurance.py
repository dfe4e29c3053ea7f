"""Grants that rest on less than they open: data that a label protects, for whoever plugs into a port that authenticates nobody.

Guarantees: judged by what `assurance` says of each port, device class and external that a grant rests on, and of its guard.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.diagnostics import Diagnostic, Label, Severity
from ztosc.ir.clock import is_over
from ztosc.ir.intent import Rule
from ztosc.ir.values import Ref
from ztosc.verify import words
from ztosc.verify.assurance import Assurances, Basis
from ztosc.verify.slices import Slices

HELP = (
    "attach the port with `dot1x`, where a device can show its certificate, or let the hosts come by `access tunnel`; "
    "or ask for it: `when session.assurance >= dot1x`"
)


def find(slices: Slices) -> Iterator[Diagnostic]:
    """One finding a grant, with everything weak that it rests on."""
    guarded = _guarded(slices)
    assurances = Assurances(slices.network, slices.policy)
    for rule in slices.policy.intent.rules:
        opened = _opens(slices, rule, guarded) if rule.effect == "allow" and not is_over(rule.validity, slices.network.at) else ()
        weak = assurances.weak(rule) if opened else ()
        if weak:
            yield _finding(rule, opened, weak)


def _guarded(slices: Slices) -> frozenset[str]:
    """The labels that ask for any protection: encryption, a key, a place, an order."""
    labels = slices.policy.intent.labels
    return frozenset(each.name for each in labels if each.encryption != "none" or each.psk or each.rekey or each.within)


def _opens(slices: Slices, rule: Rule, guarded: frozenset[str]) -> tuple[str, ...]:
    """The guarded labels of what a grant opens, sorted."""
    found: set[str] = set()
    for ref in rule.targets:
        match ref.kind:
            case "label":
                found.add(ref.name)
            case "segment":
                found.update(slices.policy.segments[ref.name].carries)
            case "service":
                found.update(slices.policy.segments[slices.policy.services[ref.name].segment].carries)
    return tuple(sorted(found & guarded))


def _finding(rule: Rule, opened: tuple[str, ...], weak: tuple[tuple[Ref, Basis], ...]) -> Diagnostic:
    """A warning where whoever plugs in is the subject; a remark where somebody has to take an address or stand where the policy says."""
    what = words.listing(f"`{name}`" for name in opened)
    plugged = any(ref.kind not in ("service", "external") and basis.level != "mac" for ref, basis in weak)
    whom = "plugs in where nobody is authenticated" if plugged else "is taken for its subject: nobody proves to be"
    related = tuple(Label(basis.origin, basis.because) for _, basis in weak if basis.origin)
    severity = Severity.WARNING if plugged else Severity.INFO
    return Diagnostic("ZT448", f"this grant opens {what} to whoever {whom}", rule.origin, help=HELP, related=related, severity=severity)
