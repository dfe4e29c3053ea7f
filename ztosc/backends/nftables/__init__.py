"""nftables: one table that denies by default, and sets that say what is granted.

Guarantees: the number of rules does not depend on that of grants, only on the distinct conditions and on the rules that the log names;
loading the file twice gives the same ruleset; nothing on the node is touched but table `inet ztos` and, where hosts of a segment may hear
each other's groups, `bridge ztos`. Dynamic sets are empty after a load: closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from ztosc import resources
from ztosc.backends.base import Artifact, Enforcement, ReadFault
from ztosc.backends.manifest import Manifest, load
from ztosc.backends.nftables.chains import chains
from ztosc.backends.nftables.gathering import gathering
from ztosc.backends.nftables.meaning import enforcement
from ztosc.backends.nftables.model import Element, Ruleset
from ztosc.backends.nftables.read import Reader
from ztosc.backends.nftables.sessions import PATH as CONTRACT
from ztosc.backends.nftables.sessions import contract
from ztosc.backends.nftables.sessions import read as read_contract
from ztosc.backends.nftables.sessions import written as written_contract
from ztosc.backends.nftables.sets import collections
from ztosc.backends.nftables.windows import PATH as WINDOWS
from ztosc.backends.nftables.windows import read as read_windows
from ztosc.backends.nftables.windows import windows, written
from ztosc.backends.nftables.words import comment
from ztosc.backends.template import fill
from ztosc.diagnostics import Diagnostic, Severity
from ztosc.ir.intent import Segment
from ztosc.ir.network import Network
from ztosc.logic import addresses, intervals
from ztosc.nodes.management import strangers, unmanaged
from ztosc.nodes.reach import of_prefixes, only_ipv6
from ztosc.nodes.spec import NodeSpec, spans
from ztosc.source import Span

PATH = "ruleset.nft"


class Nftables:
    """The firewall of a node."""

    name = "nftables"

    @cached_property
    def folder(self) -> Path:
        return resources.target_file(self.name, "target.toml").parent

    @cached_property
    def manifest(self) -> Manifest:
        return load(self.folder / "target.toml")

    def applies(self, spec: NodeSpec) -> bool:
        """Every node denies by default."""
        return True

    def lower(self, spec: NodeSpec) -> Ruleset:
        """The ruleset of a node."""
        found = collections(spec)
        said = comment(f"node {spec.node}, written by ztosc")
        return Ruleset(
            comment=said,
            collections=found,
            chains=chains(spec, found),
            windows=windows(spec),
            contract=contract(spec),
            gathering=gathering(spec),
        )

    def render(self, model: Ruleset) -> tuple[Artifact, ...]:
        """The ruleset, when what the clock opens is open, and what sessions may open."""
        kinds = self.manifest.artifacts
        ruleset = fill(self.folder, "ruleset.nft.j2", {"ruleset": model}, {"quoted": _quoted, "lines": _lines})
        contents = (ruleset, written(model.windows), written_contract(model.contract))
        return tuple(Artifact(kind.path, content, kind.mode, kind.owner) for kind, content in zip(kinds, contents, strict=True))

    def read(self, artifacts: Iterable[Artifact]) -> Ruleset:
        """The ruleset that the files mean."""
        found = {artifact.path: artifact for artifact in artifacts}
        if set(found) != {PATH, WINDOWS, CONTRACT}:
            raise ReadFault(PATH, 1, f"exactly `{PATH}`, `{WINDOWS}` and `{CONTRACT}` are expected")
        try:
            ruleset = Reader(PATH, found[PATH].content.decode()).ruleset()
            more = {"windows": read_windows(found[WINDOWS].content), "contract": read_contract(found[CONTRACT].content)}
            return ruleset.model_copy(update=more)
        except UnicodeDecodeError as error:
            raise ReadFault(PATH, 1, "the file is not UTF-8") from error

    def enforcement(self, model: Ruleset) -> Enforcement:
        """What the sets of a ruleset let pass under our chains."""
        return enforcement(model)

    def origins(self, spec: NodeSpec, path: str) -> tuple[Span, ...]:
        """The node, its segments, links, and every rule that it enforces."""
        parts = [*(each.origin for each in spec.segments), *(each.origin for each in spec.tunnels)]
        sent = (span for permit in (*spec.permits, *spec.management) for span in permit.origins)
        return spans([spec.origin, *parts, *sent, *(span for each in spec.inbound for span in each.origins)])

    def unsupported(self, network: Network) -> tuple[Diagnostic, ...]:
        """What this version cannot enforce: at the segment or the rule that asks for it."""
        segments = (found for segment in network.intent.segments for found in _of_segment(segment))
        return (*segments, *_of_groups(network), *_of_management(network), *_of_rules(network), *_of_links(network))


def _quoted(text: str) -> str:
    if '"' in text or not text.isprintable():
        raise ValueError(f"{text!r} cannot stand in quotes")
    return f'"{text}"'


def _lines(elements: Iterable[Element]) -> Iterator[str]:
    """Each element as nft writes it."""
    for element in elements:
        said = f" comment {_quoted(element.comment)}" if element.comment else ""
        yield f"{' . '.join(element.key)}{said}{' : ' + element.verdict if element.verdict else ''}"


def _of_segment(segment: Segment) -> Iterator[Diagnostic]:
    asked = {
        "ipv4": segment.ipv4 is not None,
        "access tunnel": segment.access_tunnel,
    }
    for clause, given in asked.items():
        if given:
            message = f"segment `{segment.name}` asks for `{clause}`, which target `nftables` cannot enforce"
            yield Diagnostic("ZT603", message, segment.origin)


def _of_groups(network: Network) -> Iterator[Diagnostic]:
    """Groups pass from port to port of a node. Where others hold the segment too, theirs are not heard, and that is said."""
    plans = {each.segment: each for each in network.segments}
    attached = {(port.segment, node.name) for node in network.intent.nodes for port in node.attachments}
    for segment in (each for each in network.intent.segments if each.multicast or each.mdns):
        sizes = [sum((segment.name, node) in attached for node in place.nodes) for place in plans[segment.name].places]
        nodes = sum(sizes) if segment.multicast else max(sizes, default=0)
        if nodes > 1:
            message = f"groups of segment `{segment.name}` pass between ports of one node alone; it has ports on {nodes} nodes"
            yield Diagnostic("ZT603", message, segment.origin, severity=Severity.WARNING)


def _of_management(network: Network) -> Iterator[Diagnostic]:
    """A node is managed from segments that live on it; where none does it stays closed, and that is said."""
    for name, origin in strangers(network):
        yield Diagnostic("ZT603", f"`manage` names external `{name}`, from which target `nftables` lets nobody reach a node", origin)
    for name in unmanaged(network):
        message = f"`manage` reaches node `{name}` from no segment: none of those whom it names lives there, so nobody manages that node"
        yield Diagnostic("ZT603", message, network.intent.network.manage[0].origin, severity=Severity.WARNING)


def _of_rules(network: Network) -> Iterator[Diagnostic]:
    """IPv4 that comes in from outside would need a translation that no target makes; it stays closed, and that is said."""
    reach = {external.name: of_prefixes(external.reach) for external in network.intent.externals}
    for rule in network.intent.rules:
        for ref in rule.subjects if rule.effect == "allow" else ():
            if ref.kind == "external" and intervals.intersect(reach[ref.name], addresses.ALL4):
                weight = Severity.WARNING if only_ipv6(reach[ref.name]) else Severity.ERROR
                message = f"target `nftables` lets nothing in from the IPv4 part of external `{ref.name}`"
                yield Diagnostic("ZT603", message, rule.origin, severity=weight)


def _of_links(network: Network) -> Iterator[Diagnostic]:
    families = {node.name: addresses.value(node.underlay) >> 32 == addresses.MAPPED >> 32 for node in network.intent.nodes}
    for link in network.intent.links:
        if families[link.a] is not families[link.b]:
            yield Diagnostic("ZT603", f"nodes `{link.a}` and `{link.b}` have underlay addresses of different families", link.origin)


BACKEND = Nftables()
