"""Real packets through the rulesets of each industry's example agree with `decide`, for people who satisfy a rule and people who do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.lab import Lab
from tests.harness.rig import REASON, ROOT, WHY_NOT, files
from tests.harness.thrifty import Thrifty
from ztosc.compiler import compile_project
from ztosc.nodes import project
from ztosc.source import DiskLoader

pytestmark = [pytest.mark.netns, pytest.mark.slow, pytest.mark.skipif(WHY_NOT is not None, reason=REASON)]
EXAMPLES = ("hospital-group", "bank", "tower", "defence", "agencies/residents", "agencies/vehicles")
TUESDAY = 1_800_964_800
"""2027-01-26T12:00Z: office hours in Europe, and early morning in Chicago."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_packets_agree_with_decide(name: str, tmp_path: Path) -> None:
    network = compile_project(DiskLoader(ROOT / "examples" / name), TUESDAY).network
    assert network is not None
    with Lab(network, project(network), files(network), tmp_path) as lab:
        matrix = Thrifty(lab, TUESDAY)
        tries, wrong = matrix.run(TUESDAY)
    allowed = sum(each.wanted for each in tries)
    counted = f"{allowed} allowed, {matrix.left_out} left out"
    print(f"{name}: {len(tries)} flows of {len(matrix.sessions)} sessions on {len(lab.specs)} nodes, {counted}")
    assert allowed > 100 and len(tries) - allowed > 100
    assert wrong == []
