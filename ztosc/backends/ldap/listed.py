"""Entries about who and what the inventory lists, and about other organisations.

Guarantees: a person is an `account` (RFC 4524) with the facts known about them and the roles they hold; a fact that is absent is an
absent attribute.
"""

from __future__ import annotations

from ztosc.backends.ldap.names import rdn
from ztosc.backends.ldap.schema import fact_name
from ztosc.backends.ldap.tree import Given, Tree, time
from ztosc.ir.inventory import Listed
from ztosc.ir.network import Network
from ztosc.ir.values import InstantType, Value


def listed(tree: Tree, network: Network) -> None:
    """Add all of them."""
    for person in network.intent.inventory.people:
        given: dict[str, Given] = {"FullName": person.full_name, "HoldsRef": tree.refs("roles", person.roles), **_facts(network, person)}
        tree.put((*tree.container("people"), rdn("uid", person.name)), ("account", "ztosPerson", *_with_facts(person)), given)
    for device in network.intent.inventory.devices:
        given = {
            "ClassRef": tree.ref("devices", device.device_class),
            "SegmentRef": tree.ref("segments", device.segment) if device.segment else None,
            "MacAddress": device.mac,
            "CertificateDigest": device.certificate,
            **_facts(network, device),
        }
        tree.put(tree.path("equipment", device.name), ("ztosDevice", *_with_facts(device)), given)
    for partner in network.intent.partners:
        given = {"PartnerDomain": partner.domain, "CertificateDigest": partner.ca, "description": partner.doc}
        tree.put(tree.path("partners", partner.name), ("ztosPartner",), given)


def _with_facts(entry: Listed) -> tuple[str, ...]:
    return ("ztosFacts",) if entry.attributes else ()


def _facts(network: Network, entry: Listed) -> dict[str, Given]:
    kinds = {attribute.name: attribute.type for attribute in network.intent.attributes}
    return {fact_name(name): time(int(value)) if isinstance(kinds[name], InstantType) else _fact(value) for name, value in entry.attributes}


def _fact(value: Value) -> Given:
    return value if isinstance(value, bool) else str(value)
