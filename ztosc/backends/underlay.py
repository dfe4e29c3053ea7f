"""underlay: one file for all nodes that says at which addresses they reach each other, so that no grant to an external leads there.

Guarantees: the file refills one set of the firewall's table in one transaction and touches nothing else; loaded twice it gives the same;
a node that is added or moved changes this file, and no other node's firewall. Until it is loaded, that set holds every address: closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from ztosc import resources
from ztosc.backends.base import Artifact, NetworkSpec, ReadFault
from ztosc.backends.manifest import Manifest, load
from ztosc.backends.nftables.model import FAMILY, TABLE
from ztosc.backends.template import fill
from ztosc.diagnostics import Diagnostic
from ztosc.ir.base import Model
from ztosc.ir.network import Network
from ztosc.logic import addresses, intervals
from ztosc.logic.intervals import Intervals
from ztosc.nodes.reach import as_ipv6, underlay
from ztosc.nodes.spec import spans
from ztosc.source import Span

PATH = "underlay.nft"
HEAD = (
    r"table inet ztos \{",
    r"\tset zt_underlay \{",
    r"\t\ttype ipv6_addr",
    r"\t\tflags interval",
    r"\t\}",
    r"\}",
    r"flush set inet ztos zt_underlay",
    r"add element inet ztos zt_underlay \{",
)
"""What the file says before its addresses, line by line, comments left out."""
ADDRESS = re.compile(r"\t([0-9a-f:.]+),")


class Refill(Model):
    """The set that is refilled, and with what: single IPv6 addresses in order, IPv4 as the NAT64 embeds it."""

    family: str = FAMILY
    table: str = TABLE
    name: str = "zt_underlay"
    addresses: tuple[str, ...]


class Underlay:
    """The underlay addresses of a network."""

    name = "underlay"
    bundle_folder = "underlay"

    @cached_property
    def folder(self) -> Path:
        return resources.target_file(self.name, "target.toml").parent

    @cached_property
    def manifest(self) -> Manifest:
        return load(self.folder / "target.toml")

    def applies(self, spec: NetworkSpec) -> bool:
        """Without a node there is nobody to load it."""
        return bool(spec.network.intent.nodes)

    def lower(self, spec: NetworkSpec) -> Refill:
        """Every node's address as a host in a segment would write it."""
        found = as_ipv6(underlay(spec.network), spec.network.nat64_prefix)
        return Refill(addresses=tuple(addresses.address_text(each) for low, high in found for each in range(low, high + 1)))

    def render(self, model: Refill) -> tuple[Artifact, ...]:
        """One file."""
        kind = self.manifest.artifacts[0]
        return (Artifact(PATH, fill(self.folder, "underlay.nft.j2", {"refill": model}, {}), kind.mode, kind.owner),)

    def read(self, artifacts: Iterable[Artifact]) -> Refill:
        """What the file refills; every line must be known."""
        found = {artifact.path: artifact for artifact in artifacts}
        if set(found) != {PATH}:
            raise ReadFault(PATH, 1, f"exactly `{PATH}` is expected")
        try:
            text = found[PATH].content.decode()
        except UnicodeDecodeError as error:
            raise ReadFault(PATH, 1, "the file is not UTF-8") from error
        return Refill(addresses=_addresses(text))

    def withheld(self, model: Refill) -> Intervals:
        """The addresses that no grant leads to."""
        return intervals.normalize((addresses.value(each),) * 2 for each in model.addresses)

    def origins(self, spec: NetworkSpec, path: str) -> tuple[Span, ...]:
        """Every node."""
        return spans(node.origin for node in spec.network.intent.nodes)

    def unsupported(self, network: Network) -> tuple[Diagnostic, ...]:
        """Every address can be said."""
        return ()


def _addresses(text: str) -> tuple[str, ...]:
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if not line.startswith("#")]
    for (number, line), pattern in zip(lines, HEAD, strict=False):
        if not re.fullmatch(pattern, line):
            raise ReadFault(PATH, number, "the file must refill one set of our table")
    if len(lines) < len(HEAD) + 3 or [line for _, line in lines[-2:]] != ["}", ""]:
        raise ReadFault(PATH, lines[-1][0], "the file ends too early, or something stands behind the set")
    return tuple(_address(number, line) for number, line in lines[len(HEAD) : -2])


def _address(number: int, line: str) -> str:
    found = ADDRESS.fullmatch(line)
    try:
        if found is None or addresses.address_text(addresses.value(found[1])) != found[1] or ":" not in found[1]:
            raise ValueError(line)
    except ValueError as error:
        raise ReadFault(PATH, number, "an element is one IPv6 address in canonical text") from error
    return found[1]


BACKEND = Underlay()
