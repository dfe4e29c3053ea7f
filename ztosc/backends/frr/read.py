"""`frr.conf` parsed back, knowing nothing of the template.

Guarantees: the file is read statement by statement in the one canonical order; a statement that is missing, unknown, repeated or in
another place is a `ReadFault` with its line; so is a route-map without its final deny, and any name that is used and not defined,
defined and not used, or not the hash of what it names.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from itertools import chain

from ztosc.backends.base import ReadFault
from ztosc.backends.frr.model import (
    LAST,
    Advertised,
    Clause,
    Instance,
    Match,
    Overlay,
    PrefixList,
    RouteMap,
    Routing,
    Set,
    Underlay,
    ValueList,
    Vrf,
    complaints,
    misnamed,
)

DAEMONS = "daemons"
RUNNING = {
    "zebra": "yes",
    "staticd": "yes",
    "bgpd": "yes",
    "bfdd": "yes",
    "vtysh_enable": "yes",
    "zebra_options": '"-P 0 -s 90000000"',
    "staticd_options": '"-P 0"',
    "bgpd_options": '"-P 0"',
    "bfdd_options": '"-P 0"',
}
MATCH_WORDS = {
    "type": "evpn route-type",
    "vni": "evpn vni",
    "extcommunity": "extcommunity",
    "next-hop": "ip next-hop address",
    "prefix4": "ip address prefix-list",
    "prefix6": "ipv6 address prefix-list",
    "next-hops6": "ipv6 next-hop prefix-list",
    "large-community": "large-community",
}
SET_WORDS = {
    "local-preference": "local-preference",
    "metric": "metric",
    "origin": "origin",
    "as-path": "as-path prepend",
    "large-community": "large-community",
}
VALUES = {
    "type": r"prefix", "vni": r"\d+", "next-hop": r"[0-9.]+", "next-hops6": r"ZT-P6-\w+",
    "extcommunity": r"ZT-RT-\w+", "prefix4": r"ZT-P4-\w+", "prefix6": r"ZT-P6-\w+", "large-community": r"ZT-TAG-\w+",
}  # fmt: skip
SETS = {
    "local-preference": r"\d+", "metric": r"\d+", "origin": r"incomplete", "as-path": r"\d+(?: \d+)*", "large-community": r"\d+:\d+:\d+",
}  # fmt: skip
V4, V6, PREFIX4, PREFIX6, NAME = r"[0-9.]+", r"[0-9a-f:]+", r"[0-9.]+/\d+", r"[0-9a-f:.]+/\d+", r"ZT-[A-Z0-9-]+-[0-9a-f]+"


def read_daemons(content: bytes) -> None:
    """Exactly our daemons run, with our options. Raises `ReadFault`."""
    found: dict[str, str] = {}
    for number, line in enumerate(_lines(DAEMONS, content), start=1):
        key, equals, value = line.partition("=")
        if line.startswith("#"):
            continue
        if not equals or key in found or RUNNING.get(key) != value:
            raise ReadFault(DAEMONS, number, f"`{line}` is not ours")
        found[key] = value
    if found != RUNNING:
        raise ReadFault(DAEMONS, 1, f"`{min(set(RUNNING) - set(found))}` is missing")


def read_conf(path: str, content: bytes) -> Routing:
    """The whole file. Raises `ReadFault`."""
    lines = _lines(path, content)
    found = _Conf(path, lines).routing()
    wrong = next(chain(misnamed(found), complaints(found)), None)
    if wrong is not None:
        name = wrong.split("`")[1]
        raise ReadFault(path, next(number for number, line in enumerate(lines, start=1) if name in line), wrong)
    return found


def _lines(path: str, content: bytes) -> list[str]:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ReadFault(path, 1, "the file is not UTF-8") from error
    if not text.endswith("\n"):
        raise ReadFault(path, text.count("\n") + 1, "the last line does not end")
    return text[:-1].split("\n")


class _Conf:
    """Statements, taken one after the other."""

    def __init__(self, path: str, lines: list[str]) -> None:
        self.path, self.lines, self.at = path, lines, 0

    # Lines

    def _fault(self, reason: str) -> ReadFault:
        return ReadFault(self.path, min(self.at, len(self.lines) - 1) + 1, reason)

    def _try(self, pattern: str) -> tuple[str, ...] | None:
        """The groups of the next line, if it is this."""
        found = re.fullmatch(pattern, self.lines[self.at]) if self.at < len(self.lines) else None
        self.at += found is not None
        return found.groups() if found is not None else None

    def _take(self, pattern: str) -> tuple[str, ...]:
        found = self._try(pattern)
        if found is None:
            raise self._fault(f"`{self._here()}` stands where `{pattern}` belongs")
        return found

    def _exactly(self, *lines: str) -> None:
        for line in lines:
            if self.lines[self.at : self.at + 1] != [line]:
                raise self._fault(f"`{self._here()}` stands where `{line}` belongs")
            self.at += 1

    def _rest(self, start: str) -> str | None:
        """What follows on the next line, if it starts so."""
        line = self._here() if self.at < len(self.lines) else ""
        if not line.startswith(start):
            return None
        self.at += 1
        return line[len(start) :]

    def _after(self, start: str, pattern: str) -> str:
        """The next line starts so, and its rest is this."""
        rest = self._rest(start)
        if rest is None:
            raise self._fault(f"`{self._here()}` stands where `{start}` belongs")
        if re.fullmatch(pattern, rest) is None:
            self.at -= 1
            raise self._fault(f"`{rest}` is not `{pattern}`")
        return rest

    def _here(self) -> str:
        return self.lines[self.at] if self.at < len(self.lines) else "the end of the file"

    def _while(self, pattern: str) -> Iterator[tuple[str, ...]]:
        while (found := self._try(pattern)) is not None:
            yield found

    # Sections

    def routing(self) -> Routing:
        self._exactly("frr version 8.4.4", "frr defaults traditional")
        (hostname,) = self._take(r"hostname (\S+)")
        self._exactly("log syslog informational", "service integrated-vtysh-config", "!")
        blackholes4 = tuple(prefix for (prefix,) in self._while(rf"ip route ({PREFIX4}) blackhole"))
        blackholes6 = tuple(prefix for (prefix,) in self._while(rf"ipv6 route ({PREFIX6}) blackhole"))
        self._exactly("!")
        vrfs = tuple(self._vrf(name) for (name,) in self._while(r"vrf (zv\d+)"))
        advertised = tuple(self._advertised(name) for (name,) in self._while(r"interface (z[\w-]+)"))
        asn, router_id, cluster_id = self._head()
        sessions = tuple(self._sessions(asn))
        self._exactly(" !")
        underlay = [each for each in sessions if "remote_as" in each]
        overlay = [each for each in sessions if "remote_as" not in each]
        networks4 = self._unicast("ipv4", PREFIX4, underlay)
        networks6 = self._unicast("ipv6", PREFIX6, underlay)
        if overlay:
            self._evpn(overlay)
        self._exactly("exit", "!")
        return Routing(
            hostname=hostname,
            asn=asn,
            router_id=router_id,
            cluster_id=cluster_id,
            blackholes4=blackholes4,
            blackholes6=blackholes6,
            vrfs=vrfs,
            advertised=advertised,
            networks4=networks4,
            networks6=networks6,
            underlay=tuple(Underlay.model_validate(each) for each in underlay),
            overlay=tuple(Overlay.model_validate(each) for each in overlay),
            instances=tuple(self._instance(vrf, router_id) for (vrf,) in self._while(rf"router bgp {asn} vrf (zv\d+)")),
            prefix_lists=tuple(self._prefix_lists()),
            value_lists=tuple(self._value_lists()),
            maps=tuple(self._maps()),
        )

    def _vrf(self, name: str) -> Vrf:
        vni = self._try(r" vni (\d+)")
        blackholes = tuple(prefix for (prefix,) in self._while(rf" ipv6 route ({PREFIX6}) blackhole"))
        self._exactly("exit-vrf", "!")
        return Vrf(name=name, vni=int(vni[0]) if vni else None, blackholes=blackholes)

    def _advertised(self, name: str) -> Advertised:
        search = self._try(r" ipv6 nd dnssl (\S+)")
        managed = self._try(r" ipv6 nd managed-config-flag") is not None
        (mtu,) = self._take(r" ipv6 nd mtu (\d+)")
        prefix, flag = self._take(rf" ipv6 nd prefix ({PREFIX6}) off-link( no-autoconfig)?")
        resolvers = tuple(address for (address,) in self._while(rf" ipv6 nd rdnss ({V6})"))
        if (flag is not None) is not managed:
            raise self._fault("addresses come from DHCP or from the prefix")
        self._exactly(" no ipv6 nd suppress-ra", "exit", "!")
        found = search[0] if search else ""
        return Advertised(interface=name, mtu=int(mtu), prefix=prefix, managed=managed, resolvers=resolvers, search=found)

    def _head(self) -> tuple[int, str, str | None]:
        (asn,) = self._take(r"router bgp (\d+)")
        (router_id,) = self._take(rf" bgp router-id ({V4})")
        self._exactly(" bgp log-neighbor-changes", " no bgp default ipv4-unicast")
        cluster = self._try(rf" bgp cluster-id ({V4})")
        return int(asn), router_id, cluster[0] if cluster else None

    def _sessions(self, asn: int) -> Iterator[dict[str, object]]:
        last = -1
        for address, remote in self._while(rf" neighbor ({V6}) remote-as (\d+)"):
            if int(ipaddress.IPv6Address(address)) <= last:
                raise self._fault("neighbours stand in the order of their addresses")
            last = int(ipaddress.IPv6Address(address))
            start = f" neighbor {address} "
            local = self._rest(f"{start}local-as ")
            description = self._after(f"{start}description ", r"\S.*")
            found: dict[str, object] = {"address": address, "description": description}
            if local is not None:
                number = re.fullmatch(r"(\d+) no-prepend replace-as", local)
                if number is None:
                    raise self._fault(f"`local-as {local}` is not `no-prepend replace-as`")
                self._exactly(*(start + setting for setting in ("bfd", "timers 3 9", "timers connect 5", "capability extended-nexthop")))
                yield {**found, "remote_as": int(remote), "local_as": int(number[1])}
                continue
            if int(remote) != asn:
                raise self._fault("a session between loopbacks is inside one AS")
            source = self._after(f"{start}update-source ", V6)
            self._exactly(*(start + setting for setting in ("timers 10 30", "timers connect 5", "graceful-restart")))
            yield {**found, "source": source}

    def _unicast(self, family: str, prefix: str, underlay: list[dict[str, object]]) -> tuple[str, ...]:
        self._exactly(f" address-family {family} unicast")
        networks = tuple(found for (found,) in self._while(rf"  network ({prefix})"))
        for each in underlay:
            accept, offer = self._filters(each)
            if each.setdefault("accept", accept) != accept or each.setdefault("offer", offer) != offer:
                raise self._fault("a neighbour has other filters in the other family")
        self._exactly(" exit-address-family", " !")
        return networks

    def _filters(self, session: dict[str, object], *, reflected: bool = False) -> tuple[str, str]:
        start = f"  neighbor {session['address']} "
        self._exactly(f"{start}activate")
        if reflected:
            session["client"] = self._rest(f"{start}route-reflector-client") == ""
        accept = self._after(f"{start}route-map ", rf"{NAME} in")
        offer = self._after(f"{start}route-map ", rf"{NAME} out")
        return accept.removesuffix(" in"), offer.removesuffix(" out")

    def _evpn(self, overlay: list[dict[str, object]]) -> None:
        self._exactly(" address-family l2vpn evpn")
        for each in overlay:
            each["accept"], each["offer"] = self._filters(each, reflected=True)
        self._exactly("  advertise-all-vni", " exit-address-family")

    def _instance(self, vrf: str, router_id: str) -> Instance:
        self._exactly(f" bgp router-id {router_id}", " bgp log-neighbor-changes", " no bgp default ipv4-unicast", " !")
        self._exactly(" address-family ipv6 unicast")
        held = self._try(rf"  redistribute kernel route-map ({NAME})")
        (own,) = self._take(rf"  redistribute connected route-map ({NAME})")
        (table,) = self._take(rf"  table-map ({NAME})")
        self._exactly(" exit-address-family", " !", " address-family l2vpn evpn", "  advertise ipv6 unicast")
        (rd,) = self._take(rf"  rd ({V4}:\d+)")
        (target,) = self._take(r"  route-target import (\d+:\d+)")
        self._exactly(f"  route-target export {target}", " exit-address-family", "exit", "!")
        return Instance(vrf=vrf, rd=rd, target=target, own=own, held=held[0] if held else None, table=table)

    # Filters

    def _grouped(self, pattern: str) -> Iterator[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
        """Numbered lines of one list after the other: what they have in common, and what each adds."""
        groups: list[tuple[tuple[str, ...], list[tuple[str, ...]]]] = []
        for kind, name, number, *rest in self._while(pattern):
            if not groups or groups[-1][0] != (kind, name):
                groups.append(((kind, name), []))
            groups[-1][1].append(tuple(rest))
            if int(number) != len(groups[-1][1]):
                raise self._fault("lines of a list are numbered from one")
        yield from groups

    def _prefix_lists(self) -> Iterator[PrefixList]:
        pattern = rf"(ip|ipv6) prefix-list ({NAME}) seq (\d+) permit ({PREFIX4}|{PREFIX6})(?: ge (\d+))?"
        for (kind, name), entries in self._grouped(pattern):
            ges = {int(ge) if ge else None for _, ge in entries}
            if len(ges) != 1:
                raise self._fault(f"`{name}` is not of one kind")
            yield PrefixList(name=name, family=4 if kind == "ip" else 6, prefixes=tuple(prefix for prefix, _ in entries), ge=ges.pop())
        self._exactly("!")

    def _value_lists(self) -> Iterator[ValueList]:
        pattern = rf"bgp (extcommunity-list expanded|large-community-list standard) ({NAME}) seq (\d+) permit (\S.*)"
        for (kind, name), entries in self._grouped(pattern):
            yield ValueList.model_validate({"name": name, "kind": kind.split("-list")[0], "values": tuple(value for (value,) in entries)})
        self._exactly("!")

    def _maps(self) -> Iterator[RouteMap]:
        while (found := self._try(rf"route-map ({NAME}) (permit|deny) (\d+)")) is not None:
            name = found[0]
            clauses: list[Clause] = []
            while found[1] == "permit":
                if int(found[2]) != len(clauses) + 1:
                    raise self._fault("clauses are numbered from one")
                clauses.append(self._clause())
                action, number = self._after(f"route-map {name} ", r"(?:permit|deny) \d+").split(" ")
                found = (name, action, number)
            if int(found[2]) != LAST:
                raise self._fault(f"`{name}` must end in deny {LAST}")
            self._exactly("exit", "!")
            yield RouteMap(name=name, clauses=tuple(clauses))
        self._exactly("end")
        if self.at != len(self.lines):
            raise self._fault("something stands behind the end")

    def _clause(self) -> Clause:
        matches = tuple(Match.model_validate(each) for each in self._statements("match", MATCH_WORDS, VALUES))
        sets = tuple(Set.model_validate(each) for each in self._statements("set", SET_WORDS, SETS))
        if not matches:
            raise self._fault("a permit that asks for nothing")
        call = self._try(rf" call ({NAME})")
        self._exactly("exit", "!")
        return Clause(matches=matches, sets=sets, call=call[0] if call else None)

    def _statements(self, verb: str, words: dict[str, str], values: dict[str, str]) -> Iterator[dict[str, str]]:
        while (statement := self._rest(f" {verb} ")) is not None:
            kind = next((kind for kind, word in words.items() if statement.startswith(f"{word} ")), None)
            exact = " exact-match" if verb == "match" and kind == "large-community" else ""
            value = statement.removeprefix(f"{words[kind]} ").removesuffix(exact) if kind else ""
            if kind is None or not statement.endswith(exact) or re.fullmatch(values[kind], value) is None:
                self.at -= 1
                raise self._fault(f"`{verb} {statement}` is not known")
            yield {"kind": kind, "value": value}
