"""The applier on a kernel that has every kind: VRF, VLAN and MACsec too."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests import support
from tests.runner import uml
from tests.runner.namespace import archive
from ztosc.backends.interfaces import BACKEND
from ztosc.nodes import NodeSpec, project

MISSING = uml.why_missing()
pytestmark = [pytest.mark.slow, pytest.mark.netns, pytest.mark.skipif(MISSING is not None, reason=f"NOT JUDGED: {MISSING}")]


def with_vlan(spec: NodeSpec) -> NodeSpec:
    """The same with the first port of its first segment used by a VLAN alone."""
    first, *rest = spec.segments
    ports = tuple(each.model_copy(update={"vlan": 30}) for each in first.attachments)
    return spec.model_copy(update={"segments": (first.model_copy(update={"attachments": ports}), *rest)})


SCRIPT = """
apply() {{ {python} -I -S {archive} interfaces --apply $1; }}
check() {{ {python} -I -S {archive} interfaces --check $1 >/dev/null; }}
for port in eth2 eth3 eth4; do ip link add $port type veth peer name h$port; ip link set h$port up; done
ip link add up0 type veth peer name up1; ip address add 2001:db8:a::1/64 dev up0 nodad; ip link set up0 up; ip link set up1 up
apply {wanted} >{folder}/first
sleep 2
ip -N -j -d link show >{folder}/before; ip -j address show >>{folder}/before
ip -d monitor link address route >{folder}/heard & monitor=$!
sleep 1
apply {wanted} >{folder}/second
sleep 1
kill $monitor
ip -N -j -d link show >{folder}/after; ip -j address show >>{folder}/after
{drifts}
# A node with a leg in each of two segments of one VRF: what is not known ends in the VRF, never in the main table.
ip -6 route add 2600::/16 dev up0
ip -6 route get 2600::1 >{folder}/outside
! ip -6 route get vrf {vrf} 2600::1 || exit 9
# Through MACsec or not at all.
ip -6 route get {peer} | grep -q "dev {macsec}"
ip link set {macsec} down
! ip -6 route get {peer} || exit 9
apply {wanted} >/dev/null
apply {nothing}
test -z "$(ip link show type vrf)$(ip link show type macsec)"
"""

DRIFT = (
    # What can be set right where it is,
    "ip link set {segment} nomaster; ip address delete {anycast} dev {vrf}; ip link set {vlan} type bridge_slave isolated off; "
    "ip -6 route delete unreachable default table {table} metric 4278198272; ip link set {macsec} down",
    # what must be made anew,
    "ip link delete {vrf}; ip link add {vrf} group 31348 type vrf table 77; "
    "ip link delete {vlan}; ip link add link eth3 name {vlan} group 31348 type vlan id 30; "
    "ip link delete {macsec}; ip link add link up0 name {macsec} group 31348 type macsec port 7 encrypt on",
    # and what is gone.
    "ip link delete {vrf}; ip link delete {vlan}; ip link delete {macsec}",
)


def test_every_kind_twice_and_after_drift(tmp_path: Path) -> None:
    network = support.hospital().network
    assert network is not None
    spec = with_vlan(next(spec for spec in project(network) if spec.node == "edge-1"))
    content = BACKEND.render(BACKEND.lower(spec))[0].content
    table = json.loads(content)
    by_kind = {each["kind"]: each for each in table["interfaces"]}
    assert set(by_kind) == {"bridge", "macsec", "vlan", "vrf", "vxlan", "wireguard"}
    wanted, nothing = tmp_path / "wanted.json", tmp_path / "nothing.json"
    wanted.write_bytes(content)
    nothing.write_text(json.dumps({**table, "interfaces": [], "ports": [], "routes": [], "rules": [], "loopback": []}))
    words = {
        "segment": next(each["master"] for each in table["ports"] if "master" in each),
        "vrf": by_kind["vrf"]["name"],
        "table": by_kind["vrf"]["table"],
        "anycast": by_kind["vrf"]["addresses"][0],
        "vlan": by_kind["vlan"]["name"],
        "macsec": by_kind["macsec"]["name"],
    }
    repair = "! check {0} || exit 9; apply {0} >{1}/repair; check {0}"
    drifts = "\n".join(f"{each.format(**words)}\n{repair.format(wanted, tmp_path)}" for each in DRIFT)
    peer = next(each["prefix"] for each in table["routes"] if each["type"] == "unicast").removesuffix("/128")
    places = {"python": sys.executable, "archive": archive(tmp_path), "wanted": wanted, "nothing": nothing, "folder": tmp_path}
    uml.run(tmp_path, SCRIPT.format(**places, **words, drifts=drifts, peer=peer))
    first, second = (json.loads((tmp_path / name).read_text()) for name in ("first", "second"))
    assert first["code"] == 0 and first["changes"]
    assert second == {"code": 0, "changes": [], "problems": []}
    assert (tmp_path / "heard").read_text() == ""
    assert _still(tmp_path / "before") == _still(tmp_path / "after")
    assert "dev up0" in (tmp_path / "outside").read_text()


def _still(path: Path) -> str:
    """Without the timers of bridges."""
    return "".join(part for part in path.read_text().split(",") if "_timer" not in part)
