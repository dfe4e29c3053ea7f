"""What the harness's tests share: whether namespaces can be opened here, and the networks that are put into them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.backends.cases import keywords
from tests.harness.here import LabFault, run
from tests.nodes import networks as n
from ztosc.backends import Bundle, backends, render, render_network
from ztosc.backends.underlay import BACKEND as UNDERLAY
from ztosc.compiler import compile_project
from ztosc.ir.network import Network
from ztosc.nodes import project
from ztosc.source import DiskLoader

ROOT = Path(__file__).parents[2]


def why_not() -> str | None:
    """Why no namespaces can be opened here, if so."""
    missing = [tool for tool in ("ip", "nft") if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    if os.geteuid() != 0:
        return "only root may open network namespaces"
    name = f"zth{os.getpid()}try"
    try:
        run("ip", "netns", "add", name)
        run("ip", "netns", "delete", name)
    except LabFault as fault:
        return str(fault)
    return None


WHY_NOT = why_not()
REASON = f"NO PACKET WAS SENT: {WHY_NOT}"


def hospital() -> Network:
    """The hospital as its sources say."""
    compiled = compile_project(DiskLoader(ROOT / "examples/hospital"), n.AT)
    assert compiled.network is not None and not compiled.failed
    return compiled.network


CASES = {"hospital": hospital, "keywords": keywords}


def files(network: Network) -> Bundle:
    """What nodes load: their own files, and the one for all of them."""
    return render_network(network, render(project(network), backends()), [UNDERLAY])


def small_network() -> Network:
    """The hospital by hand, and a grant over UDP that asks for a session."""
    intent = n.hospital_intent()
    more = n.rule(20, "allow", "role:clinician", "segment:infusion", n.udp(5000))
    return n.number(intent.model_copy(update={"rules": (*intent.rules, more)}))
