"""What the elements of a ruleset that was read let pass, as sets of integers.

Guarantees: computed from the text of the elements alone, with nothing of what wrote them; an element that does not parse is a
`ReadFault`, and overlapping elements, which nft refuses, are too.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable
from typing import TypeVar

from ztosc.backends.base import Enforcement, ReadFault
from ztosc.backends.nftables.model import Collection, Element, Ruleset
from ztosc.backends.nftables.ways import FROM_TRANSLATOR
from ztosc.logic import addresses, intervals, regions
from ztosc.logic.intervals import Interval
from ztosc.logic.ports import ECHO
from ztosc.nodes.contract_spec import Times
from ztosc.nodes.spec import intervals_of

PATH = "ruleset.nft"
VERBS = ("goto", "jump")
Key = TypeVar("Key", bound=Hashable)
_FROM = re.compile(r"ip6 saddr @(\w+) return ; goto zt_neighbours")
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
        hosts=_behind(ruleset, by_name),
        leaving=_leaving(by_name),
        times={("c-" + each.set[5:], each.key): _instants(each.open) for each in ruleset.windows.windows},
        sessions={"c-" + each.set[5:]: (each.stale, intervals_of(each.within)) for each in ruleset.contract.sets},
        heeds=_heeds(ruleset, by_name),
    )


def _instants(times: Times) -> intervals.Intervals:
    return intervals.normalize((first, last - 1) for first, last in times)


def _heeds(ruleset: Ruleset, by_name: dict[str, Collection]) -> bool:
    """Whether whatever looks a grant up asks `zt_underlay` first where an end may be anybody's, and that set is closed until a refill.

    Behind a port sit its hosts alone, and in `zt_grants` stand addresses of the overlay alone: neither is ever withheld.
    """
    ends = {name: {"saddr", "daddr"} for name in ("zt_destination", "zt_outside", "zt_reply_destination", "zt_reply_outside")}
    ends |= {"zt_source": {"daddr"}, "zt_source_vrf": {"daddr"}, "zt_reply_source": {"saddr"}}
    rules = {chain.name: chain.rules for chain in ruleset.chains}
    closed = [_part(element.key[0]) for element in by_name["zt_underlay"].elements] == [addresses.EVERY]
    ours = intervals.normalize(_part(element.key[0]) for element in by_name["zt_ours"].elements)
    near = intervals.normalize(_part(element.key[1]) for element in by_name["zt_grants"].elements)
    return closed and not intervals.subtract(near, ours) and all(asked <= _asked(rules.get(name, ())) for name, asked in ends.items())


def _asked(rules: tuple[str, ...]) -> set[str]:
    """The ends of which it is asked whether they are withheld, before a collection is looked into that may hold addresses of others."""
    found = set()
    for rule in rules:
        if match := re.fullmatch(r"ip6 ([sd]addr) @zt_underlay goto zt_deny_underlay", rule):
            found.add(match[1])
        elif "@" in rule and not rule.endswith("vmap @zt_grants"):
            break
    return found


def _by_port(by_name: dict[str, Collection], name: str, logs: dict[str, str]) -> dict[tuple[str, str | None], list[regions.Box]]:
    """Boxes by in-port and condition; those of one port are apart."""
    found = _by_key(by_name, name, lambda element: (_interface(element.key[0]), _condition(element.verdict, logs)))
    for port in sorted({port for port, _ in found}):
        _apart(name, [box for key, boxes in found.items() if key[0] == port for box in boxes])
    return found


def _by_key(by_name: dict[str, Collection], name: str, key: Callable[[Element], Key]) -> dict[Key, list[regions.Box]]:
    """Boxes of a collection, of its ranges where those stand apart, and of its echo sibling."""
    found: dict[Key, list[regions.Box]] = defaultdict(list)
    for part, tail in ((name, ()), (f"{name}_far", ()), (f"{name}_wide", ()), (f"{name}_echo", ECHO_TAIL)):
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


def _leaving(by_name: dict[str, Collection]) -> regions.Boxes:
    found = [_box(element) for element in _elements(by_name, "zt_leaving")]
    found += [(*_box(element), (1, 1), (8, 8)) for element in _elements(by_name, "zt_leaving_echo")]
    if not regions.disjoint(found):
        raise ReadFault(PATH, 1, "elements of `zt_leaving` overlap")
    return regions.normalize(found)


def _elements(by_name: dict[str, Collection], name: str) -> tuple[Element, ...]:
    return by_name[name].elements if name in by_name else ()


def _behind(ruleset: Ruleset, by_name: dict[str, Collection]) -> dict[str, intervals.Intervals]:
    """By in-port, through the chain to which it leads: the set of those who may send from there."""
    sets = {f"goto {chain.name}": match[1] for chain in ruleset.chains for match in [_FROM.fullmatch(" ; ".join(chain.rules))] if match}
    found = {}
    for element in by_name["zt_enters"].elements:
        if element.verdict in sets:
            held = by_name[sets[element.verdict]].elements
            found[_interface(element.key[0])] = intervals.normalize(_part(each.key[0]) for each in held)
        elif element.verdict not in ("return", f"goto {FROM_TRANSLATOR}"):
            raise ReadFault(PATH, 1, f"verdict `{element.verdict}` is not known")
    return found


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
