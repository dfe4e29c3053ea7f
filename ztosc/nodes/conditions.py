"""Conditions: reduced, interned by content, and decided for a session.

Guarantees: `holds` agrees with `ztosc.ir.evaluate` on every principal; a condition's id depends on its content alone, so a rule
that is added elsewhere changes no id; a reduction never changes what a condition means at or after the compiler's instant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

from ztosc.ir.base import canonical
from ztosc.ir.clock import in_force, is_over
from ztosc.ir.flow import DevicePrincipal, Person, Principal, ServiceEndpoint
from ztosc.ir.guards import Types, attributes_of, evaluate
from ztosc.ir.guards import text as guard_text
from ztosc.ir.values import TRUE, AnyOf, Guard, Validity
from ztosc.nodes.spec import ActsAs, Anyone, Condition, IsDevice, IsEndpoint, Term, Who

FALSE = AnyOf()
ALWAYS = Validity()
ID_DIGITS = 12
"""Hex digits of an id: 10,000 conditions collide with a probability below 2e-7, and a collision is refused by `intern`."""


class ConditionClash(Exception):
    """Two different conditions hash to one id: nothing may be built."""


def holds(condition: Condition, principal: Principal, instant: int, types: Types) -> bool:
    """Whether a session of this principal fulfils a condition at an instant (seconds since 1970).

    The contract of whoever fills a node's sets: an address stands in the set of a condition exactly while this is true of the
    session behind it, and only on an in-port of the segment that the session was opened in. A principal who holds two roles
    that `separate` keeps apart has no session at all.
    """
    return any(_fires(term, principal, instant, types, "allow") for term in condition.allows) and not any(
        _fires(term, principal, instant, types, "deny") for term in condition.denies
    )


def _fires(term: Term, principal: Principal, instant: int, types: Types, effect: Literal["allow", "deny"]) -> bool:
    if not is_who(term.who, principal) or not in_force(term.validity, instant):
        return False
    value = evaluate(term.guard, dict(principal.attributes), types, instant)
    return value is True if effect == "allow" else value is not False


def is_who(who: Who, principal: Principal) -> bool:
    """Whether a principal is one of those a term speaks of."""
    match who:
        case Anyone():
            return True
        case ActsAs():
            return isinstance(principal, Person) and not set(principal.roles).isdisjoint(who.held)
        case IsDevice():
            return isinstance(principal, DevicePrincipal) and principal.device == who.device
        case IsEndpoint():
            return isinstance(principal, ServiceEndpoint) and principal.service == who.service


def always_holds_for(condition: Condition, service: str, types: Types) -> bool:
    """Whether a condition holds for a service's endpoint at every instant, without any attribute."""
    endpoint = ServiceEndpoint(service=service)
    sure = any(
        is_who(term.who, endpoint) and term.validity == ALWAYS and evaluate(term.guard, {}, types, 0) is True for term in condition.allows
    )
    return sure and not any(is_who(term.who, endpoint) and evaluate(term.guard, {}, types, 0) is not False for term in condition.denies)


def from_now(validity: Validity, now: int) -> Validity | None:
    """A validity without what has passed; `None` where it is over. All instants from `now` on are judged the same."""
    if is_over(validity, now):
        return None
    begun = validity.not_before is not None and validity.not_before <= now
    return validity.model_copy(update={"not_before": None}) if begun else validity


def combine(allows: Iterable[Term], denies: Iterable[Term]) -> Condition | bool:
    """The condition of a cell, reduced: `True` where it asks nothing, `False` where nobody can fulfil it."""
    against = _maximal(term for term in denies if term.guard != FALSE)
    favour = _maximal(term for term in allows if term.guard != FALSE and not any(always_beats(deny, term) for deny in against))
    against = tuple(deny for deny in against if any(_may_meet(deny.who, allow.who) for allow in favour))
    if not favour:
        return False
    if not against and favour == (Term(who=Anyone()),):
        return True
    return _intern(favour, against)


def _maximal(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Terms that no other covers, each once, in the order of their canonical text."""
    unique = {canonical(term): term for term in terms}
    ordered = [unique[key] for key in sorted(unique)]
    return tuple(term for term in ordered if not any(other is not term and _covers(other, term) for other in ordered))


def _covers(wide: Term, narrow: Term) -> bool:
    """Whether `wide` fires whenever `narrow` does, for reasons that need no solver. Two distinct terms never cover each other."""
    return _who_covers(wide.who, narrow.who) and (wide.guard in (TRUE, narrow.guard)) and (wide.validity in (ALWAYS, narrow.validity))


def _who_covers(wide: Who, narrow: Who) -> bool:
    if isinstance(wide, ActsAs) and isinstance(narrow, ActsAs) and set(narrow.held) < set(wide.held):
        return True
    return isinstance(wide, Anyone) or wide == narrow


def always_beats(deny: Term, allow: Term) -> bool:
    """Whether a deny fires whenever this allow would."""
    return _who_covers(deny.who, allow.who) and deny.guard in (TRUE, allow.guard) and deny.validity in (ALWAYS, allow.validity)


def _may_meet(one: Who, other: Who) -> bool:
    """Whether one principal can be both: kinds of principals exclude each other, and a device or endpoint is of one class."""
    if isinstance(one, Anyone) or isinstance(other, Anyone):
        return True
    return (isinstance(one, ActsAs) and isinstance(other, ActsAs)) or one == other


def _intern(allows: tuple[Term, ...], denies: tuple[Term, ...]) -> Condition:
    nameless = Condition(id="", allows=allows, denies=denies)
    return nameless.model_copy(update={"id": "c-" + hashlib.sha256(canonical(nameless)).hexdigest()[:ID_DIGITS]})


def intern(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """Each condition once, by id. Raises `ConditionClash` where two share an id."""
    found: dict[str, Condition] = {}
    for condition in conditions:
        if found.setdefault(condition.id, condition) != condition:
            raise ConditionClash(condition.id)
    return tuple(found[key] for key in sorted(found))


def asked(condition: Condition) -> frozenset[str]:
    """Every attribute that a condition asks for."""
    return frozenset(name for term in (*condition.allows, *condition.denies) for name in attributes_of(term.guard))


def text(condition: Condition) -> str:
    """A condition in the words of the language, for people."""
    denied = " or ".join(_term_text(term) for term in condition.denies)
    allowed = " or ".join(_term_text(term) for term in condition.allows)
    return f"{allowed}, except {denied}" if denied else allowed


def _term_text(term: Term) -> str:
    who = _who_text(term.who)
    guard: Guard = term.guard
    when = "" if guard == TRUE else f" when {guard_text(guard)}"
    return f"{who}{when}{'' if term.validity == ALWAYS else ' at its time'}"


def _who_text(who: Who) -> str:
    match who:
        case Anyone():
            return "anyone"
        case ActsAs():
            return who.role
        case IsDevice():
            return who.device
        case IsEndpoint():
            return who.service
