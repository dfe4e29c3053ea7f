"""A target that somebody else ships: a package with an entry point, and nothing of ours is edited."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import HOSPITAL, ROOT

PACKAGE = '''
"""An inventory file a node, by Acme."""

from functools import cached_property
from pathlib import Path

from ztosc.backends import documents
from ztosc.backends.manifest import load
from ztosc.ir.base import Model


class Card(Model):
    node: str
    site: str


class Acme:
    name = "NAME"
    folder = Path(__file__).parent

    @cached_property
    def manifest(self):
        return load(self.folder / "target.toml")

    def applies(self, spec):
        return True

    def lower(self, spec):
        return Card(node=spec.node, site=spec.site)

    def render(self, model):
        return documents.write(self.manifest, model)

    def read(self, artifacts):
        return documents.read(self.manifest, Card, artifacts)

    def origins(self, spec, path):
        return (spec.origin,)

    def unsupported(self, network):
        return ()


BACKEND = Acme()
'''
MANIFEST = """
schema_version = 1
name = "NAME"
summary = "A card a node"
folder = "/etc/acme"
capabilities = []
proofs = []
artifacts = [{ path = "card.json", mode = "0644", owner = "root:root" }]
commands = { check = [], activate = [], rollback = [] }
"""


def ship(folder: Path, name: str) -> Path:
    """A package as pip would install it."""
    package = folder / "acme_ztos"
    package.mkdir()
    (package / "__init__.py").write_text(PACKAGE.replace("NAME", name))
    (package / "target.toml").write_text(MANIFEST.replace("NAME", name))
    info = folder / "acme_ztos-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-ztos\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ztosc.targets]\n{name} = acme_ztos:BACKEND\n")
    return folder


def build(installed: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ztosc", "build", str(HOSPITAL), "-o", str(out), "--locked"],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{installed}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_a_third_party_target_is_rendered_proved_and_listed(tmp_path: Path) -> None:
    done = build(ship(tmp_path, "acme"), tmp_path / "out")
    assert done.returncode == 0, done.stderr
    card = tmp_path / "out" / "nodes" / "edge-1" / "acme" / "card.json"
    assert json.loads(card.read_text()) == {"node": "edge-1", "site": "campus"}
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["judged_by"]["acme"] == ["reader"]
    assert [record["node"] for record in manifest["files"] if record["target"] == "acme"] == ["branch-1", "dr-1", "edge-1", "edge-2"]


@pytest.mark.slow
def test_ours_cannot_be_replaced(tmp_path: Path) -> None:
    done = build(ship(tmp_path, "nftables"), tmp_path / "out")
    assert done.returncode == 70
    assert "two targets are called nftables" in done.stderr
    assert not (tmp_path / "out").exists()
    shutil.rmtree(tmp_path / "acme_ztos-1.0.dist-info")
