"""MACsec files: what wpa_supplicant would let pass, our reader does not; a change at one end of a link is caught."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.nodes import networks as n
from ztosc.backends import Artifact, BackendFault, Bundle, ReadFault, render
from ztosc.backends.macsec import BACKEND
from ztosc.nodes import NodeSpec, project
from ztosc.prove import prove, real_tools


def spec_of(name: str = "edge-1") -> NodeSpec:
    return next(spec for spec in project(n.hospital()) if spec.node == name)


def file_of(name: str = "edge-1") -> Artifact:
    (artifact,) = BACKEND.render(BACKEND.lower(spec_of(name)))
    return artifact


def changed(artifact: Artifact, old: str, new: str) -> Artifact:
    text, count = re.subn(old, new, artifact.content.decode(), count=1)
    assert count == 1
    return replace(artifact, content=text.encode())


def test_only_links_that_ask_have_a_file() -> None:
    assert [spec.node for spec in project(n.hospital()) if BACKEND.applies(spec)] == ["edge-1", "edge-2"]


def test_both_ends_have_the_same_file_and_no_key() -> None:
    one, other = file_of("edge-1"), file_of("edge-2")
    assert one == other
    assert [(hole.id, hole.length, hole.encoding) for hole in one.secrets] == [
        ("macsec/edge-1--edge-2/cak", 32, "hex"),
        ("macsec/edge-1--edge-2/ckn", 32, "hex"),
    ]


LAX = {
    "no CAK": (r"\tmka_cak=[^\n]*\n", ""),
    "no name of the CAK": (r"\tmka_ckn=[^\n]*\n", ""),
    "a CAK in clear": (r"mka_cak=\S+", "mka_cak=" + "0" * 64),
    "the CAK of another link": (r"edge-1--edge-2/cak", "edge-1--branch-1/cak"),
    "one hole twice": (r"edge-1--edge-2/ckn", "edge-1--edge-2/cak"),
    "a short CAK": (r"cak:32:", "cak:15:"),
    "MACsec off": (r"macsec_policy=1", "macsec_policy=0"),
    "integrity alone": (r"macsec_integ_only=0", "macsec_integ_only=1"),
    "no replay protection": (r"macsec_replay_protect=1", "macsec_replay_protect=0"),
    "a replay window": (r"macsec_replay_window=0", "macsec_replay_window=64"),
    "another port": (r"macsec_port=\d+", "macsec_port=7"),
    "a second network": (r"\}\n", "}\nnetwork={\n\tkey_mgmt=NONE\n}\n"),
    "a control socket": (r"ap_scan=0\n", "ap_scan=0\nctrl_interface=/run/x\n"),
    "a driver plug-in": (r"ap_scan=0\n", "ap_scan=0\nopensc_engine_path=/tmp/x.so\n"),
}
"""What wpa_supplicant takes without a word, most of it."""


@pytest.mark.parametrize("change", LAX)
def test_what_weakens_a_link_is_refused_with_its_line(change: str) -> None:
    old, new = LAX[change]
    with pytest.raises(ReadFault) as refused:
        BACKEND.read([changed(file_of(), old, new)])
    assert refused.value.path.endswith(".conf") and refused.value.line >= 1


def test_a_hole_that_nobody_fills_is_refused() -> None:
    with pytest.raises(ReadFault):
        BACKEND.read([replace(file_of(), secrets=file_of().secrets[:1])])


def test_a_change_at_one_end_is_caught_at_both() -> None:
    network = n.hospital()
    specs = project(network)
    bundle = render(specs, [BACKEND])
    assert {verdict.verdict for verdict in prove(network, specs, bundle, targets=[BACKEND])} == {"proved"}
    files = [replace(each, artifact=replace(each.artifact, content=b"")) if each.node == "edge-2" else each for each in bundle.files]
    refuted = [each for each in prove(network, specs, Bundle(tuple(files)), targets=[BACKEND]) if each.verdict == "refuted"]
    assert {each.property for each in refuted} == {"read-back", "both-ends"}
    assert any("it has 1 ends: nodes/edge-1/macsec" in each.reason for each in refuted)


def test_two_ends_that_differ_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is what its spec says, but the two specs differ: only comparing them can tell."""
    network = n.hospital()
    sides = [_with_port(spec, 7 if spec.node == "edge-2" else 8) for spec in project(network)]
    found = prove(network, sides, render(sides, [BACKEND]), targets=[BACKEND])
    assert [(each.property, each.reason) for each in found if each.verdict == "refuted"] == [
        ("both-ends", "nodes/edge-1/macsec and nodes/edge-2/macsec differ")
    ]


def _with_port(spec: NodeSpec, port: int) -> NodeSpec:
    return spec.model_copy(update={"tunnels": tuple(side.model_copy(update={"port": port}) for side in spec.tunnels)})


@pytest.mark.parametrize("name", ["a\nb", 'a"', "a}", "a;b", "a,b", "a\0b", "x" * 300, "a b"])
def test_a_link_that_cannot_name_a_secret_is_refused(name: str) -> None:
    spec = spec_of()
    with pytest.raises(BackendFault):
        BACKEND.lower(spec.model_copy(update={"tunnels": tuple(side.model_copy(update={"link": name}) for side in spec.tunnels)}))


def test_wpa_supplicants_own_parser_judges() -> None:
    """It takes ours, refuses what it does not know, and would take a network without a CAK: hence our reader."""
    tools = real_tools()
    if missing := tools.why_missing("wpa_supplicant"):
        pytest.skip(f"NOT JUDGED: {missing}")
    outcomes = {
        what: [result.outcome for result in tools.judge(BACKEND.manifest, [changed(file_of(), old, new)])]
        for what, (old, new) in {
            "as it is": ("eapol_version=3", "eapol_version=3"),
            "an unknown field": ("mka_ckn", "mka_cknn"),
            "an unknown value": ("macsec_policy=1", "macsec_policy=9"),
            "a short CAK": (r"mka_cak=\S+", "mka_cak=00"),
            "not closed": (r"\}\n", ""),
            "no CAK": (r"\tmka_cak=[^\n]*\n", ""),
        }.items()
    }
    assert outcomes.pop("as it is") == ["accepted"] and outcomes.pop("no CAK") == ["accepted"]
    assert set(map(tuple, outcomes.values())) == {("rejected",)}
