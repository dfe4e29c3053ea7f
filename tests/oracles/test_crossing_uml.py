"""Grants between isolation domains, with packets, on a kernel that has VRFs. It has no nftables for IPv6, so the filters are left out."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.oracles import frr_rig as rig
from tests.runner import uml

MISSING = uml.why_missing() or rig.why_not() or rig.why_no_wireguard()
pytestmark = [pytest.mark.slow, pytest.mark.netns, pytest.mark.skipif(MISSING is not None, reason=f"NOT RUN: {MISSING}")]

ROOT = Path(__file__).resolve().parents[2]
CHECKS = ("up", "routes", "hosts", "services", "granted", "tunnelled", "no route")


def test_grants_cross_domains_in_the_stricter_one(tmp_path: Path) -> None:
    for parent in (tmp_path, *tmp_path.parents):
        if parent.name.startswith(("pytest-", "test_")):
            parent.chmod(0o755)
    (tmp_path / "nodes").mkdir(mode=0o755)
    path = f"PATH=$PATH:{Path(shutil.which('wireguard-go') or '').parent}"
    script = f"cd {ROOT}\nPYTHONPATH={ROOT} {path} PYTHONDONTWRITEBYTECODE=1 {sys.executable} -m tests.oracles.crossing {tmp_path}/nodes\n"
    output = uml.run(tmp_path, script, memory="1500M", seconds=420)
    assert tuple(line.removeprefix("PASSED ") for line in output.splitlines() if line.startswith("PASSED ")) == CHECKS
