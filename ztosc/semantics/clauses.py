"""Which clauses each declaration has, and what each one's words must be: the table that checking runs on.

Guarantees: a clause that is not here cannot be written; adding one is a line here, a line in the grammar and a field of the IR.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ValueType = Literal[
    "text",
    "domain",
    "ldh",
    "integer",
    "duration",
    "rate",
    "address",
    "prefix",
    "prefixes",
    "zone",
    "country",
    "places",
    "names",
    "word",
    "words",
    "ports",
    "guard",
    "flag",
    "moment",
    "groups",
    "access",
    "release",
    "fingerprint",
]


@dataclass(frozen=True, slots=True)
class Key:
    """One clause: the type of its value, whether it must stand or may repeat, which kinds of names or which words it takes."""

    type: ValueType
    required: bool = False
    many: bool = False
    kinds: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    low: int = 0
    high: int = 2**32 - 1


NODE_ROLES = ("gateway", "reflector", "resolver", "directory", "replica", "nat64", "balancer")

GOVERNANCE: dict[str, Key] = {
    "owner": Key("text"),
    "purpose": Key("text"),
    "review": Key("moment"),
    "ticket": Key("text", many=True),
    "approved": Key("text", many=True),
    "agreement": Key("text"),
    "environment": Key("word", choices=("production", "test", "development")),
    "log_to": Key("names", kinds=("service",)),
    "idle": Key("duration"),
}
"""What any declaration or rule may carry."""

RELEASES = {"releases": Key("release", many=True)}
"""Of those that data may end at: rules, services, roles, segments, externals."""

TABLE: dict[str, dict[str, Key]] = {
    "network": {
        "manage": Key("access", many=True),
        "log_all": Key("names", kinds=("service",)),
        "domain": Key("domain", required=True),
        "prefix": Key("prefix"),
        "asn": Key("integer", low=64512, high=4294967294),
        "timezone": Key("zone"),
    },
    "region": {"country": Key("country"), "evidence": Key("text")},
    "site": {},
    "node": {"underlay": Key("address", required=True), "serves": Key("words", required=True, choices=NODE_ROLES)},
    "link": {"macsec": Key("flag"), "cost": Key("integer", low=1, high=65535), "bandwidth": Key("rate")},
    "segment": {
        "at": Key("names", required=True, kinds=("site",)),
        "carries": Key("names", kinds=("label",)),
        "admits": Key("names", kinds=("device",), choices=("people", "unknown")),
        "within": Key("places"),
        "addressing": Key("word", choices=("dhcp", "slaac", "prefix-per-host")),
        "prefix": Key("prefix"),
        "lease": Key("duration"),
        "size": Key("integer", low=1, high=65536),
        "ipv4": Key("prefix"),
        "stretched": Key("flag"),
        "multicast": Key("groups"),
        "mdns": Key("flag"),
        "access_tunnel": Key("flag"),
        "observe": Key("flag"),
        **RELEASES,
    },
    "label": {
        "encryption": Key("word", choices=("none", "hop", "end-to-end")),
        "within": Key("places"),
        "above": Key("names", kinds=("label",)),
        "rekey": Key("duration"),
        "psk": Key("flag"),
        "retention": Key("duration"),
    },
    "device": {"recognised": Key("word", choices=("certificate", "inventory", "mac")), "speaks": Key("ports")},
    "attribute": {"source": Key("text"), "max_age": Key("duration")},
    "role": {
        "from": Key("names", kinds=("segment",)),
        "requires": Key("guard", many=True),
        "includes": Key("names", kinds=("role",)),
        "break_glass": Key("duration"),
        "stale": Key("duration"),
        **RELEASES,
    },
    "service": {"listen": Key("ports", required=True), "replicas": Key("integer", low=1, high=1024), "dns_name": Key("ldh"), **RELEASES},
    "external": {"reach": Key("prefixes", required=True), **RELEASES},
    "partner": {"domain": Key("domain", required=True), "ca": Key("fingerprint", required=True)},
    "system": {"served": Key("word", required=True, choices=NODE_ROLES), "listen": Key("ports", required=True)},
    "bloc": {"members": Key("places", required=True)},
    "rule": {
        "on": Key("ports"),
        "on_days": Key("words"),
        "when": Key("guard", many=True),
        "until": Key("moment"),
        "from": Key("moment"),
        "because": Key("text"),
        "stale": Key("duration"),
        **RELEASES,
    },
    "quarantine": {"from": Key("moment", required=True), "because": Key("text", required=True)},
    "waive": {
        "scope": Key("names", kinds=("segment", "service", "role", "label", "external", "device")),
        "until": Key("moment", required=True),
        "because": Key("text", required=True),
    },
    "accept": {"because": Key("text", required=True)},
    "comply": {},
    "profile": {},
}
for _kind in TABLE.keys() - {"bloc"}:
    TABLE[_kind] = {**TABLE[_kind], **GOVERNANCE}

WRITTEN = {
    "dns_name": "name",
    "recognised": "recognised by",
    "served": "served by",
    "review": "review by",
    "approved": "approved by",
    "on_days": "on",
    "max_age": "max-age",
    "access_tunnel": "access tunnel",
    "break_glass": "for",
    "log_to": "log to",
    "log_all": "log all to",
    "manage": "manage from",
    "scope": "for",
}
"""Keys that the source writes differently."""


def written(key: str) -> str:
    """A key as the source writes it."""
    return WRITTEN.get(key, key)
