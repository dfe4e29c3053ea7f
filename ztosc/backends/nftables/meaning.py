"""What the elements of a ruleset that was read let pass, as sets of integers.

Guarantees: computed from the text of the elements alone, with nothing of what wrote them; an element that does not parse is a
`ReadFault`, and overlapping elements, which nft refuses, are too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable
from typing import TypeVar

from ztosc.backends.base import Enforcement, ReadFault
from ztosc.backends.nftables.model import Collection, Element, Ruleset
from ztosc.logic import addresses, intervals, regions
from ztosc.logic.intervals import Interval
from ztosc.logic.ports import ECHO

PATH = "ruleset.nft"
VERBS = ("goto", "jump")
Key = TypeVar("Key", bound=Hashable)
ECHO_TAIL: regions.Box = ((ECHO[0], ECHO[0]), (ECHO[1], ECHO[1]))


def enforcement(ruleset: Ruleset) -> Enforcement:
    """The sets of our chains. Raises `ReadFault`."""
    by_name = {collection.name: collection for collection in ruleset.collections}
    logs = {f"{verb} {chain.name}": chain.rules[-1] for chain in ruleset.chains if chain.name.startswith("zt_l_") for verb in VERBS}
    granted, managed = (_by_port(by_name, name, logs) for name in ("zt_grants", "zt_manage"))
    outside = _by_key(by_name, "zt_ingress", lambda element: _condition(element.verdict, logs))
    _apart("zt_ingress", [box for boxes in outside.values() for box in boxes])
    inbound = _by_key(by_name, "zt_inbound", lambda element: None).get(None, [])
    _apart("zt_inbound", inbound)
    return Enforcement(
        segments={key: regions.normalize(boxes) for key, boxes in granted.items()},
        outside={key: regions.normalize(boxes) for key, boxes in outside.items()},
        inbound=regions.normalize(inbound),
        management={key: regions.normalize(boxes) for key, boxes in managed.items()},
        observed=_hosts(by_name["zt_observed"]) if "zt_observed" in by_name else {},
        hosts=_hosts(by_name["zt_hosts"]),
        heeds=_heeds(ruleset, by_name),
    )


def _heeds(ruleset: Ruleset, by_name: dict[str, Collection]) -> bool:
    """Whether whatever looks a grant up asks `zt_underlay` first, at both ends, and that set is closed until it is refilled."""
    first = {chain.name: set(chain.rules[:2]) for chain in ruleset.chains}
    asked = {f"ip6 {end} @zt_underlay goto zt_deny" for end in ("saddr", "daddr")}
    closed = [_part(element.key[0]) for element in by_name["zt_underlay"].elements] == [addresses.EVERY]
    return closed and all(first.get(name) == asked for name in ("zt_original", "zt_reply"))


def _by_port(by_name: dict[str, Collection], name: str, logs: dict[str, str]) -> dict[tuple[str, str | None], list[regions.Box]]:
    """Boxes by in-port and condition; those of one port are apart."""
    found = _by_key(by_name, name, lambda element: (_interface(element.key[0]), _condition(element.verdict, logs)))
    for port in sorted({port for port, _ in found}):
        _apart(name, [box for key, boxes in found.items() if key[0] == port for box in boxes])
    return found


def _by_key(by_name: dict[str, Collection], name: str, key: Callable[[Element], Key]) -> dict[Key, list[regions.Box]]:
    """Boxes of a collection, of its ranges where those stand apart, and of its echo sibling."""
    found: dict[Key, list[regions.Box]] = defaultdict(list)
    for part, tail in ((name, ()), (f"{name}_wide", ()), (f"{name}_echo", ECHO_TAIL)):
        for element in by_name[part].elements if part in by_name else ():
            found[key(element)].append((*_box(element), *tail))
    return found


def _apart(name: str, boxes: list[regions.Box]) -> None:
    if not regions.disjoint(boxes):
        raise ReadFault(PATH, 1, f"elements of `{name}` overlap")


def _hosts(collection: Collection) -> dict[str, intervals.Intervals]:
    found: dict[str, list[Interval]] = defaultdict(list)
    for element in collection.elements:
        found[_interface(element.key[0])].append(_part(element.key[1]))
    return {port: intervals.normalize(parts) for port, parts in found.items()}


def _interface(text: str) -> str:
    return text.removeprefix('"').removesuffix('"')


def _condition(verdict: str | None, logs: dict[str, str]) -> str | None:
    """What a verdict asks; of a chain that logs, what that does at its end."""
    verdict = logs.get(verdict or "", verdict)
    if verdict == "accept":
        return None
    verb, _, chain = (verdict or "").partition(" ")
    if verb not in VERBS or not chain.startswith("zt_c_"):
        raise ReadFault(PATH, 1, f"verdict `{verdict}` is not known")
    return "c-" + chain.removeprefix("zt_c_")


def _box(element: Element) -> regions.Box:
    return tuple(_part(field) for field in element.key if not field.startswith('"'))


def _part(text: str) -> Interval:
    """An address, a number, or a range of either."""
    low, _, high = text.partition("-")
    try:
        return (_number(low), _number(high or low))
    except ValueError as error:
        raise ReadFault(PATH, 1, f"`{text}` is no address, number or range") from error


def _number(text: str) -> int:
    return addresses.value(text) if ":" in text or "." in text else int(text)
