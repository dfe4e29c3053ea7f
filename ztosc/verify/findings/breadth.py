"""Grants that reach further than they say: beyond what a service listens on, on any port, to whatever joins later.

Guarantees: judged from the rule alone, so an edit elsewhere changes nothing in here; a grant that is over is left to ZT405.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.diagnostics import Diagnostic, Label, Severity
from ztosc.ir.clock import is_over
from ztosc.ir.evaluate import Policy
from ztosc.ir.intent import Rule
from ztosc.ir.values import Ref
from ztosc.logic import ports
from ztosc.verify import words

ANY_PROTOCOLS = 128
"""So many protocols nobody lists by hand: a grant that has them was written with `any`."""


def find(policy: Policy, at: int) -> Iterator[Diagnostic]:
    """Every grant of the sources that is too broad in itself."""
    for rule in policy.intent.rules:
        if rule.effect == "allow" and not is_over(rule.validity, at) and not any(ref.kind == "system" for ref in rule.targets):
            if rule.ports is not None and on_any(rule.ports):
                yield _warning("ZT443", "this grant is on any port of any protocol", rule, "name the ports: `on tcp/443` or the like")
            else:
                yield from _beyond(policy, rule)
            yield from _widening(policy, rule)


def on_any(boxes: ports.Boxes) -> bool:
    """Whether a set of ports was written with `any`, with or without an exception."""
    return sum(high - low + 1 for low, high, first, last in boxes if (first, last) == ports.PORTS[0]) >= ANY_PROTOCOLS


def _beyond(policy: Policy, rule: Rule) -> Iterator[Diagnostic]:
    for ref in rule.targets if rule.ports is not None else ():
        excess = ports.subtract(rule.ports or (), policy.listens(ref)) if ref.kind == "service" else ()
        if excess:
            listens = ports.text(policy.listens(ref))
            message = f"this grant to `{ref.name}` has {ports.text(excess)}, where nothing listens"
            related = (Label(policy.services[ref.name].origin, f"`{ref.name}` listens on {listens}"),)
            narrower = f"leave `on` out: a grant to a service means what it listens on, {listens}"
            yield _warning("ZT442", message, rule, narrower, related)


def _widening(policy: Policy, rule: Rule) -> Iterator[Diagnostic]:
    """One finding a rule, for all the names in it that stand for whatever is put under them later."""
    open_ = [ref for ref in (*rule.subjects, *rule.targets) if ref.kind == "label" or ref.via]
    if not open_:
        return
    names = list(dict.fromkeys(_collection(ref) for ref in open_))
    labels = any(ref.kind == "label" for ref in open_)
    message = f"this grant widens by itself: it holds for whatever joins {words.listing(names)} later"
    severity = Severity.WARNING if labels else Severity.INFO
    yield _warning("ZT444", message, rule, "name what it is for, or have `ztosc diff` show what each change gives", severity=severity)


def _collection(ref: Ref) -> str:
    return f"the group `{ref.via}`" if ref.via else f"the label `{ref.name}`"


def _warning(
    code: str, message: str, rule: Rule, help: str, related: tuple[Label, ...] = (), severity: Severity = Severity.WARNING
) -> Diagnostic:
    return Diagnostic(code, message, rule.origin, help=help, related=related, severity=severity)
