"""The hospital of the language reference: everything it claims is proved, and each small mistake is refuted by a witness that replays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.verify.networks import replays, verified
from ztosc.compiler import compile_project
from ztosc.ir.network import Network
from ztosc.ir.verdict import Verdict
from ztosc.source import DiskLoader, MemoryLoader
from ztosc.verify import run_tests

HOSPITAL = Path(__file__).parents[2] / "examples" / "hospital"
AT = 1_795_305_600
"""2026-11-22T00:00:00Z."""


def compiled(*changes: tuple[str, str]) -> Network:
    """The hospital with some text replaced; each piece must stand there exactly once."""
    text = (HOSPITAL / "network.ztos").read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    loader = MemoryLoader({"network.ztos": text.encode(), "ztos.toml": (HOSPITAL / "ztos.toml").read_bytes()})
    network = compile_project(loader, AT).network
    assert network is not None
    return network


def test_everything_it_claims_is_proved() -> None:
    network = compile_project(DiskLoader(HOSPITAL), AT).network
    assert network is not None
    verdicts = verified(network)
    assert [(each.property, each.verdict) for each in verdicts] == [
        ("never-reaches", "proved"),
        ("isolated", "proved"),
        ("only-reach", "proved"),
        ("stays-within", "proved"),
        ("reaches", "proved"),
    ]
    assert all(result.passed for result in run_tests(network))


LAST = "separate biomed, auditor"
MUTATIONS = {
    "a grant from guest": ((LAST, f"allow guest to pump-hub\n{LAST}"), {"never-reaches", "isolated", "only-reach", "stays-within"}),
    "clinicians who come from guest too": (("  from staff\n", "  from staff, guest\n"), {"never-reaches", "isolated", "stays-within"}),
    "people of that role granted": ((LAST, f"allow auditor to ehr-web\n{LAST}"), {"only-reach"}),
    "guest to staff, and on from there": ((LAST, f"allow guest to staff on tcp/22\n{LAST}"), {"isolated", "stays-within"}),
    "phi to the internet": ((LAST, f"allow infusion to internet on tcp/443\n{LAST}"), {"stays-within"}),
    "the internet to staff": ((LAST, f"allow internet to staff on tcp/443\n{LAST}"), {"isolated", "stays-within"}),
    "a way over Dublin": (("link dr-1 -- edge-1", "link dr-1 -- edge-1\nlink dr-1 -- edge-2"), {"stays-within"}),
    "campus abroad": (("site campus in us-east", "site campus in eu-west"), {"stays-within"}),
    "one replica": (("replicas 2;", "replicas 1;"), {"reaches"}),
    "one link less": (("link branch-1 -- edge-2\n", "link dr-1 -- edge-2\n"), {"reaches", "stays-within"}),
    "clinicians may be denied at night": ((LAST, f"deny clinician to ehr-web between 22:00 and 06:00\n{LAST}"), {"reaches"}),
    "a deny of those who reach": ((LAST, f"deny staff to ehr\n{LAST}"), {"reaches"}),
}


def refuted(verdicts: tuple[Verdict, ...]) -> set[str]:
    """The properties that fail."""
    return {each.property for each in verdicts if each.verdict == "refuted"}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mistake_of_one_line_is_refuted_and_replays(name: str) -> None:
    change, properties = MUTATIONS[name]
    network = compiled(change)
    verdicts = verified(network)
    assert refuted(verdicts) == properties
    assert {each.verdict for each in verdicts} <= {"proved", "refuted"}
    with_flows = [each for each in verdicts if any(hop.flow for hop in each.witness.hops)]
    assert all(replays(network, each) for each in with_flows)


def test_a_guard_that_is_dropped_fails_the_test_block() -> None:
    network = compiled(("requires user.mfa and device.health == healthy", "requires user.mfa"))
    (result,) = run_tests(network)
    assert not result.passed


def test_the_same_witness_under_any_hash_seed() -> None:
    """Two processes with different seeds, on a hospital that breaks four claims."""
    code = (
        "from tests.verify.test_hospital import compiled, MUTATIONS; from ztosc.verify import verify; "
        "import sys; sys.stdout.write(repr([v.model_dump_json() for v in verify(compiled(MUTATIONS['a grant from guest'][0]))]))"
    )
    root = HOSPITAL.parents[1]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            cwd=root,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert '"verdict":"refuted"' in outputs.pop()
