"""Entries about who may what: roles, separations, grants; and about what follows: keys, profiles, DNS records.

Guarantees: a grant's guard stands there as the canonical JSON of the IR, for machines, and as the language writes it; rules that are over
leave no entry; a key is named and never shown; where in the sources something stands leaves no trace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from ztosc.backends.base import Bundle
from ztosc.backends.ldap.entities import port_names
from ztosc.backends.ldap.names import rdn
from ztosc.backends.ldap.tree import Given, Tree, time
from ztosc.ir import guards
from ztosc.ir.base import canonical
from ztosc.ir.clock import is_over
from ztosc.ir.intent import Declared, Governance, Link, Rule
from ztosc.ir.network import Network
from ztosc.ir.values import Guard, Ref
from ztosc.keyplan import key_plan
from ztosc.nodes import records

CONTAINER_OF = {
    "role": "roles",
    "segment": "segments",
    "device": "devices",
    "service": "services",
    "external": "externals",
    "label": "labels",
    "system": "systems",
}


def policy(tree: Tree, network: Network, nodes: Bundle) -> None:
    """Add all of them; profiles are those of the nodes' files."""
    _roles(tree, network)
    for rule in network.intent.rules:
        if not is_over(rule.validity, network.at):
            tree.put(tree.path("grants", rule.id), ("ztosGrant",), _grant(tree, rule))
    _declared(tree, network)
    _keys(tree, network)
    _profiles(tree, network, nodes)
    _dns(tree, network)


def _declared(tree: Tree, network: Network) -> None:
    """What oversight asks of declarations, beside what they are."""
    intent = network.intent
    containers: dict[str, Sequence[Declared | Link]] = {
        "regions": intent.regions,
        "sites": intent.sites,
        "nodes": intent.nodes,
        "links": intent.links,
        "labels": intent.labels,
        "devices": intent.devices,
        "attributes": intent.attributes,
        "segments": intent.segments,
        "roles": intent.roles,
        "services": intent.services,
        "externals": intent.externals,
        "partners": intent.partners,
        "systems": intent.systems,
    }
    found = [(tree.path(name, each.name), each.governance) for name, entries in containers.items() for each in entries]
    for path, governance in [(tree.root, intent.network.governance), *found]:
        if governance != Governance():
            tree.also(path, "ztosGoverned", governed(tree, governance))


def _guard(guard: Guard) -> dict[str, Given]:
    return {"Guard": canonical(guard).decode(), "GuardText": guards.text(guard)}


def _roles(tree: Tree, network: Network) -> None:
    for role in network.intent.roles:
        given: dict[str, Given] = {"SourceRef": tree.refs("segments", role.sources), "IncludesRef": tree.refs("roles", role.includes)}
        given |= {"BreakGlass": role.break_glass, "Stale": role.stale, "description": role.doc}
        tree.put(tree.path("roles", role.name), ("ztosRole",), {**given, **_guard(role.requires)})
    for roles in sorted({tuple(sorted(separation.roles)) for separation in network.intent.separations}):
        name = hashlib.sha256(" ".join(roles).encode()).hexdigest()[:16]  # the list itself may be too long for a name
        tree.put(tree.path("separations", name), ("ztosSeparation",), {"RoleRef": tree.refs("roles", roles)})


def _grant(tree: Tree, rule: Rule) -> dict[str, Given]:
    governance = rule.governance
    return {
        "Effect": rule.effect,
        "SubjectRef": [_end(tree, ref) for ref in rule.subjects],
        "TargetRef": [_end(tree, ref) for ref in rule.targets],
        "Port": port_names(rule.ports or ()),
        **_guard(rule.guard),
        "NotBefore": time(rule.validity.not_before),
        "NotAfter": time(rule.validity.not_after),
        "Window": [canonical(window).decode() for window in rule.validity.windows],
        "Because": rule.because,
        "Stale": rule.stale,
        **governed(tree, governance),
        "Quarantine": rule.quarantine or None,
        "description": rule.doc,
    }


def governed(tree: Tree, governance: Governance) -> dict[str, Given]:
    """What oversight asks of a rule or declaration."""
    return {
        "Owner": governance.owner,
        "Purpose": governance.purpose,
        "ReviewBy": time(governance.review_by),
        "Ticket": governance.tickets,
        "ApprovedBy": governance.approved_by,
        "Agreement": governance.agreement,
        "Environment": governance.environment,
        "LogToRef": tree.ref("services", governance.log_to) if governance.log_to else None,
        "Idle": governance.idle,
        "Release": [f"{each.label}: {each.because}" for each in governance.releases],
        "ReleasesRef": tree.refs("labels", sorted({each.label for each in governance.releases})),
    }


def _end(tree: Tree, ref: Ref) -> str:
    """What a rule names; the container of segments stands for every one."""
    return tree.ref("segments") if ref.kind == "segments" else tree.ref(CONTAINER_OF[ref.kind], ref.name)


def _keys(tree: Tree, network: Network) -> None:
    for key in key_plan(network).keys:
        given: dict[str, Given] = {
            "KeyPurpose": key.purpose,
            "HolderRef": tree.refs("nodes", key.holders),
            "Epoch": key.epoch,
            "Rekey": key.rekey,
            "NotBefore": time(key.period_start),
            "NotAfter": time(key.period_end),
        }
        tree.put(tree.path("keys", key.id), ("ztosKey",), given)


def _profiles(tree: Tree, network: Network, nodes: Bundle) -> None:
    lines: dict[str, list[str]] = {node.name: [] for node in network.intent.nodes}
    for file in nodes.files:
        if file.node in lines:
            lines[file.node].append(f"{hashlib.sha256(file.artifact.content).hexdigest()}  {file.target}/{file.artifact.path}\n")
    for node, found in lines.items():
        ordered = sorted(found, key=lambda line: line.split("  ", 1)[1])
        digest = hashlib.sha256("".join(ordered).encode()).hexdigest()
        given: dict[str, Given] = {"NodeRef": tree.ref("nodes", node), "ProfileDigest": f"sha256:{digest}"}
        tree.put(tree.path("profiles", node), ("ztosProfile",), given)


RECORDS = {"SOA": "sOARecord", "NS": "nSRecord", "AAAA": "AaaaRecord", "SRV": "SrvRecord", "PTR": "PtrRecord"}


def _dns(tree: Tree, network: Network) -> None:
    """A zone by its name, and below it each of its names by what stands before the zone's. Without a resolver there is no zone."""
    for zone in records.zones(network) if any("resolver" in node.serves for node in network.intent.nodes) else ():
        found: dict[str, dict[str, list[str]]] = {}
        for record in zone.records:
            found.setdefault(record.name, {}).setdefault(RECORDS[record.type], []).append(record.value)
        above = tree.path("dns", zone.name.rstrip("."))
        for name, values in found.items():
            given: dict[str, Given] = {"associatedDomain": name.rstrip("."), "dc": name.split(".")[0], "Ttl": zone.ttl, **values}
            path = above if name == zone.name else (*above, rdn("cn", name.removesuffix(f".{zone.name}")))
            tree.put(path, ("dNSDomain", "domainRelatedObject", "ztosDnsName"), given)
