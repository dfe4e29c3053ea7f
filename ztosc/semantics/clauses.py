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

TABLE: dict[str, dict[str, Key]] = {
    "network": {
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
    },
    "label": {
        "encryption": Key("word", choices=("none", "hop")),
        "within": Key("places"),
        "above": Key("names", kinds=("label",)),
        "rekey": Key("duration"),
        "psk": Key("flag"),
    },
    "device": {"recognised": Key("word", choices=("certificate", "inventory", "mac"))},
    "attribute": {"source": Key("text")},
    "role": {
        "from": Key("names", kinds=("segment",)),
        "requires": Key("guard", many=True),
        "includes": Key("names", kinds=("role",)),
    },
    "service": {"listen": Key("ports", required=True), "replicas": Key("integer", low=1, high=1024), "dns_name": Key("ldh")},
    "external": {"reach": Key("prefixes", required=True)},
    "system": {"served": Key("word", required=True, choices=NODE_ROLES), "listen": Key("ports", required=True)},
    "bloc": {"members": Key("places", required=True)},
    "rule": {
        "on": Key("ports"),
        "on_days": Key("words"),
        "when": Key("guard", many=True),
        "until": Key("moment"),
        "from": Key("moment"),
        "because": Key("text"),
        "owner": Key("text"),
        "purpose": Key("text"),
        "review": Key("moment"),
        "ticket": Key("text", many=True),
        "approved": Key("text", many=True),
        "agreement": Key("text"),
        "environment": Key("word", choices=("production", "test", "development")),
    },
}

WRITTEN = {
    "dns_name": "name",
    "recognised": "recognised by",
    "served": "served by",
    "review": "review by",
    "approved": "approved by",
    "on_days": "on",
}
"""Keys that the source writes differently."""


def written(key: str) -> str:
    """A key as the source writes it."""
    return WRITTEN.get(key, key)
