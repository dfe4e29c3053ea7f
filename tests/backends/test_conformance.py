"""Every registered backend keeps what the seam promises; a backend that does not is refused."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.backends.cases import CASES, keywords
from tests.backends.conformance import Conformance
from tests.nodes import networks as n
from ztosc.backends import (
    Artifact,
    Backend,
    BackendFault,
    Bundle,
    NetworkBackend,
    NetworkSpec,
    ReadFault,
    registry,
    render,
    render_network,
    targets,
)
from ztosc.backends.nftables import Nftables
from ztosc.backends.nftables.reasons import prefix
from ztosc.backends.underlay import Underlay
from ztosc.diagnostics import Diagnostic, Severity
from ztosc.ir.intent import Management
from ztosc.nodes import project
from ztosc.prove import prove
from ztosc.prove.firewall.told import audited
from ztosc.source import Span


@pytest.fixture(params=targets(), ids=lambda target: target.name)
def backend(request: pytest.FixtureRequest) -> Backend | NetworkBackend:
    found: Backend | NetworkBackend = request.param
    return found


class TestRegistered(Conformance):
    """Ours, and those of third parties that are installed here."""


def test_ours_are_registered_by_name() -> None:
    assert set(registry.OURS) <= {target.name for target in targets()}
    assert [target.name for target in targets()] == sorted(target.name for target in targets())
    assert {*registry.backends(), *registry.network_backends()} == set(targets())


class Rogue(Nftables):
    """A third party's backend that writes where it likes."""

    name = "nftables"
    path, mode = "ruleset.nft", 0o640

    def render(self, model: object) -> tuple[Artifact, ...]:
        return (Artifact(self.path, b"", self.mode, "root:root"),)


@pytest.mark.parametrize("path", ["../other/ruleset.nft", "/etc/passwd", "./ruleset.nft", "sub/ruleset.nft", "ruleset.nft.bak"])
def test_a_path_that_is_not_declared_is_refused(path: str) -> None:
    rogue = Rogue()
    rogue.path = path
    with pytest.raises(BackendFault, match="manifest"):
        render(project(n.hospital()), [rogue])


def test_a_mode_that_is_not_declared_is_refused() -> None:
    rogue = Rogue()
    rogue.mode = 0o666
    with pytest.raises(BackendFault, match="mode"):
        render(project(n.hospital()), [rogue])


def test_a_third_party_cannot_take_our_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        def load(self) -> Backend:
            return Rogue()

    def points(group: str) -> Iterable[Point]:
        return [Point()] if group == "ztosc.targets" else []

    monkeypatch.setattr(registry, "entry_points", points)
    registry.targets.cache_clear()
    with pytest.raises(BackendFault, match="called nftables"):
        registry.targets()
    registry.targets.cache_clear()


class Census:
    """A third party's target of the network: how many files its nodes have."""

    name = "census"
    bundle_folder = "census"
    folder, manifest = Nftables().folder, Nftables().manifest

    def applies(self, spec: NetworkSpec) -> bool:
        return True

    def lower(self, spec: NetworkSpec) -> int:
        return len(spec.nodes.files)

    def render(self, model: object) -> tuple[Artifact, ...]:
        return (Artifact("ruleset.nft", f"{model}\n".encode(), 0o640, "root:root"),)

    def read(self, artifacts: Iterable[Artifact]) -> int:
        found = [int(artifact.content) for artifact in artifacts]
        if len(found) != 1:
            raise ReadFault("ruleset.nft", 1, "one file is expected")
        return found[0]

    def origins(self, spec: NetworkSpec, path: str) -> tuple[Span, ...]:
        return (spec.network.intent.network.origin,)

    def unsupported(self, network: n.Network) -> tuple[Diagnostic, ...]:
        return ()


def test_a_target_of_the_network_is_written_once_and_proved() -> None:
    network = n.hospital()
    specs, census, nodes, withheld = project(network), Census(), Nftables(), Underlay()
    bundle = render_network(network, render(specs, [nodes]), [census, withheld])
    found = [file for file in bundle.files if file.target == "census"]
    assert [(file.path, file.artifact.content) for file in found] == [("census/ruleset.nft", b"12\n")]
    assert list(bundle.files) == sorted(bundle.files, key=lambda file: file.path) and bundle.on_nodes() == render(specs, [nodes])
    assert {each.verdict for each in prove(network, specs, bundle, targets=[census, nodes, withheld])} == {"proved"}
    for broken in (
        [file for file in bundle.files if file.node is not None],
        [file for file in bundle.files if file.node != "edge-1"],
        [*bundle.files, replace(found[0], folder="elsewhere")],
    ):
        verdicts = prove(network, specs, Bundle(tuple(broken)), targets=[census, nodes, withheld])
        assert any(each.verdict == "refuted" for each in verdicts)


@pytest.mark.parametrize("folder", ["nodes", "..", "a/b", "", "/etc", "manifest.json"])
def test_a_folder_of_the_bundle_has_one_owner(folder: str) -> None:
    one, other = Census(), Census()
    one.bundle_folder = folder
    with pytest.raises(BackendFault, match="folder"):
        registry.check_folders([one])
    registry.check_folders([other])
    with pytest.raises(BackendFault, match="folder"):
        registry.check_folders([other, other])


BUILD = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from tests.backends.cases import hostile
from ztosc.compiler import build
files = build(hostile()).bundle.files
print(hashlib.sha256(repr([(file.path, file.artifact) for file in files]).encode()).hexdigest())
"""


def test_no_hash_seed_leaves_a_trace() -> None:
    root = str(Path(__file__).parents[2])
    found = set()
    for seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", BUILD, root], env=environment, capture_output=True, text=True, check=True, timeout=60)
        found.add(done.stdout.strip())
    assert len(found) == 1 and len(found.pop()) == hashlib.sha256().digest_size * 2


def test_the_number_of_rules_does_not_grow_with_the_policy() -> None:
    backend = Nftables()
    intent = n.hospital_intent()
    more = tuple(n.rule(100 + port, "allow", "segment:infusion", "service:ehr-web", n.tcp(port)) for port in range(1000, 1100, 2))
    large = n.number(intent.model_copy(update={"rules": (*intent.rules, *more)}))

    def rules(network: n.Network) -> list[int]:
        return [sum(len(chain.rules) for chain in backend.lower(spec).chains) for spec in project(network)]

    assert rules(large) == rules(n.hospital())


def test_what_cannot_be_enforced_is_said_where_it_is_asked() -> None:
    intent = n.hospital_intent()
    odd = intent.segments[0].model_copy(update={"ipv4": "10.9.0.0/24", "access_tunnel": True, "origin": n.here(77)})
    network = n.number(intent.model_copy(update={"segments": (odd, *intent.segments[1:])}))
    found = Nftables().unsupported(network)
    assert [(each.code, each.span and each.span.line) for each in found] == [("ZT603", 77), ("ZT603", 77)]
    assert "`ipv4`" in found[0].message and "`access tunnel`" in found[1].message
    assert [each.span for each in Nftables().unsupported(keywords())] == [n.here(5)]
    assert Nftables().unsupported(n.hospital()) == ()


def test_groups_of_a_segment_on_several_nodes_are_told_to_stay_on_one() -> None:
    """Multicast DNS is of a link anyway: a site without a second node loses nothing."""
    assert Nftables().unsupported(CASES["gathering"]()) == ()
    intent = n.hospital_intent()
    sites = {node.name: node.site for node in intent.nodes}
    held = {
        each.name: [sites[node.name] for node in intent.nodes if each.name in {port.segment for port in node.attachments}]
        for each in intent.segments
    }
    for change, many in (({"mdns": True}, _twice), ({"multicast": ("ff15::/16",)}, lambda found: len(found) > 1)):
        network = n.number(intent.model_copy(update={"segments": tuple(each.model_copy(update=change) for each in intent.segments)}))
        told = Nftables().unsupported(network)
        assert {each.message.split("`")[1] for each in told} == {name for name, found in held.items() if many(found)}
        assert all((each.code, each.severity) == ("ZT603", Severity.WARNING) for each in told)
    assert told and not _twice(["a", "b"])


def _twice(found: list[str]) -> bool:
    return len(set(found)) < len(found)


def test_a_node_that_nobody_can_manage_is_told_and_no_external_manages() -> None:
    """Nobody reaches them; a manager outside is an error, a node without one a warning."""
    intent = n.hospital_intent()
    settings = intent.network.model_copy(
        update={
            "manage": (Management(subjects=(n.ref("segment", "guest"), n.ref("external", "internet")), ports=n.tcp(22), origin=n.here(5)),)
        }
    )
    network = n.number(intent.model_copy(update={"network": settings}))
    found = Nftables().unsupported(network)
    assert [(each.code, each.severity, each.span) for each in found] == [
        ("ZT603", Severity.ERROR, n.here(5)),
        *[("ZT603", Severity.WARNING, n.here(5))] * 3,
    ]
    assert "external `internet`" in found[0].message and ["dr-1" in each.message for each in found] == [False, True, False, False]
    opened = {spec.node: [(each.source.name, each.destinations) for each in spec.management] for spec in project(network)}
    gate = next(each.gateway for plan in network.segments if plan.segment == "guest" for each in plan.places)
    assert opened == {"branch-1": [("guest", ((gate, gate),))], "dr-1": [], "edge-1": [], "edge-2": []}


def test_a_link_needs_one_family_at_both_ends() -> None:
    intent = n.hospital_intent()
    nodes = (intent.nodes[0].model_copy(update={"underlay": "192.0.2.1"}), *intent.nodes[1:])
    found = Nftables().unsupported(n.number(intent.model_copy(update={"nodes": nodes})))
    assert {each.code for each in found} == {"ZT603"} and len(found) == 2


def test_the_words_before_a_line_of_the_log_fit_into_what_nft_holds() -> None:
    few, many = ("allow-1234567890", "allow-234567890a"), tuple(f"allow-{index:010x}" for index in range(40))
    assert prefix(few) == audited(few) == "zt-rule allow-1234567890 allow-234567890a "
    assert prefix(many) == audited(many) and len(prefix(many)) <= 127 and prefix(many).endswith(" +34 ")
