"""`verify --certificates` and `recheck`, and what reports say of their own ground."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import FRAME, HOSPITAL
from ztosc.cli.app import run

AT = "2027-01-15T08:00Z"
Run = Callable[..., subprocess.CompletedProcess[str]]
WRONG = """allow desks to web when user.mfa and session.country == DE between 06:00 and 20:00
allow lab to web
deny desks to vault on tcp/443 when user.risk > 50
assert desks never reaches phi
assert lab isolated from desks
"""


@pytest.fixture
def ztosc(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """The command line within this process."""

    def done(*arguments: object) -> subprocess.CompletedProcess[str]:
        code = run([str(argument) for argument in arguments])
        out, err = (stream.decode() for stream in capfdbinary.readouterr())
        return subprocess.CompletedProcess(arguments, code, out, err)

    return done


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The frame of the tests with a refuted assertion and a proved one."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "ztos.toml").write_text('[project]\nname = "small"\n')
    (folder / "network.ztos").write_text(FRAME + WRONG)
    return folder


@pytest.fixture
def certified(ztosc: Run, project: Path, tmp_path: Path) -> Path:
    """Its certificates."""
    assert ztosc("verify", project, "--at", AT, "--certificates", tmp_path / "proofs").returncode == 1
    return tmp_path / "proofs"


def test_a_folder_of_certificates_holds(ztosc: Run, certified: Path) -> None:
    assert sorted(path.name for path in certified.iterdir()) == ["0001-never-reaches.json", "0002-isolated.json", "network.json"]
    done = ztosc("recheck", certified)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0001-never-reaches.json refuted: desks never reaches phi" in done.stdout
    assert "0002-isolated.json proved: lab isolated from desks" in done.stdout
    assert re.search(r"^network sha256:[0-9a-f]{64}$", done.stdout, flags=re.MULTILINE)


def test_the_hospital_is_proved_rechecked_and_the_same_bytes_each_time(ztosc: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert ztosc("verify", HOSPITAL, "--at", AT, "--certificates", tmp_path / name).returncode == 0
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two and len(one) == 6
    found = json.loads(ztosc("recheck", tmp_path / "one", "--format", "json").stdout)
    assert {each["state"] for each in found["certificates"]} == {"holds"}
    assert list(found["certificates"][0]) == ["path", "state", "reason", "statement", "outcome", "digest"]
    manifest_digest = json.loads(ztosc("verify", HOSPITAL, "--at", AT, "--format", "json").stdout)["digest"]
    assert {each["digest"] for each in found["certificates"]} == {manifest_digest}


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (lambda text: text.replace('"outcome":"refuted"', '"outcome":"proved"'), 1, "does not hold"),
        (lambda text: text.replace('"outcome":"refuted"', '"outcome":"unknown"'), 3, "cannot be checked"),
        (lambda text: text[:-40], 64, "is no certificate"),
        (lambda text: "[" * 50_000, 64, "is no certificate"),
        (lambda text: text.replace('"network":"sha256:', '"network":"sha256:0'), 1, "another network"),
    ],
)
def test_each_outcome_has_its_exit_code(ztosc: Run, certified: Path, change: Callable[[str], str], code: int, says: str) -> None:
    file = certified / "0001-never-reaches.json"
    file.write_text(change(file.read_text()))
    done = ztosc("recheck", file)
    assert (done.returncode, done.stderr) == (code, "")
    assert says in done.stdout


def test_the_worst_of_several_counts(ztosc: Run, certified: Path) -> None:
    bad = certified / "0002-isolated.json"
    bad.write_text(bad.read_text().replace('"outcome":"proved"', '"outcome":"refuted"'))
    assert ztosc("recheck", certified / "0001-never-reaches.json").returncode == 0
    assert ztosc("recheck", certified).returncode == 1
    (certified / "0003-more.json").write_text("{}")
    assert ztosc("recheck", certified).returncode == 64


def test_the_network_can_be_elsewhere(ztosc: Run, certified: Path, tmp_path: Path) -> None:
    (certified / "network.json").rename(tmp_path / "kept.json")
    missing = ztosc("recheck", certified)
    assert missing.returncode == 64 and "network.json` cannot be read" in missing.stderr
    assert ztosc("recheck", certified, "--network", tmp_path / "kept.json").returncode == 0
    (tmp_path / "kept.json").write_text('{"schema_version": 1}')
    broken = ztosc("recheck", certified, "--network", tmp_path / "kept.json")
    assert broken.returncode == 64 and "the network cannot be read" in broken.stdout


def test_a_foreign_folder_is_not_touched(ztosc: Run, project: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.json").write_text("{}")
    done = ztosc("verify", project, "--at", AT, "--certificates", tmp_path / "mine")
    assert done.returncode == 64 and "not a folder of certificates" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["diary.json"]


def test_what_an_earlier_run_left_goes(ztosc: Run, project: Path, certified: Path) -> None:
    (project / "network.ztos").write_text(FRAME + "assert lab isolated from desks\n")
    assert ztosc("verify", project, "--at", AT, "--certificates", certified).returncode == 0
    assert sorted(path.name for path in certified.iterdir()) == ["0001-isolated.json", "network.json"]
    assert ztosc("recheck", certified).returncode == 0


def test_recheck_needs_no_engine(certified: Path) -> None:
    code = (
        "import sys; from ztosc.cli.app import run; code = run(sys.argv[1:]);"
        "sys.exit(code or ' '.join(name for name in sys.modules if name == 'networkx' or name.startswith('ztosc.verify')) or 0)"
    )
    import sys

    done = subprocess.run([sys.executable, "-c", code, "recheck", str(certified)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# What reports say


def test_a_refutation_is_drawn_for_a_reader(ztosc: Run, project: Path) -> None:
    done = ztosc("verify", project, "--at", AT)
    base = FRAME.count("\n")
    assert f"assert desks never reaches phi\n{' ' * len(str(base + 4))} │ {'^' * len('assert desks never reaches phi')}" in done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    start = lines.index(f"refuted     desks never reaches phi  (network.ztos:{base + 4})")
    assert lines[start + 1 : start + 11] == [
        "`desks` can reach `phi`.",
        "1. whoever or whatever is with `session.country` = DE, `user.mfa` = true and `user.risk` = 0 in `desks` may open tcp/443 to `web` "
        f"in `vault` at 2027-01-15T08:00:00Z (network.ztos:{base + 1})",
        "affected:",
        f"anyone from desks to web on tcp/443 when user.mfa == true and session.country == DE, unless denied (network.ztos:{base + 3}) "
        f"between 06:00 and 20:00 (Europe/Berlin) (network.ztos:{base + 1})",
        f"though whoever or whatever is in `lab` may open tcp/443 to `web` in `vault` (network.ztos:{base + 2})",
        "a test that fails until this is mended:",
        'test "desks never reaches phi" {',
        "given desks with session.country = DE, user.mfa = true, user.risk = 0 at 2027-01-15T08:00:00Z",
        "expect deny to web on tcp/443",
        "}",
    ]


def test_the_report_ends_with_what_it_leaves_out(ztosc: Run, project: Path) -> None:
    short, whole = (ztosc("verify", project, "--at", AT, *more).stdout for more in ((), ("--scope",)))
    assert "grants by assurance: 3 none" in short and "further limits hold for every network" in short
    assert "the model does not cover:" not in short and "the model does not cover:" in whole
    assert "rollout: the network is taken to change everywhere at once" in whole
    told = ztosc("verify", project, "--at", AT, "--assurance").stdout.split("what each grant rests on:")[1]
    assert re.search(r"^  none\n    desks to web  \(network\.ztos:\d+\): no port is said to carry `desks`$", told, flags=re.MULTILINE)


def test_every_format_tells_it(ztosc: Run, project: Path) -> None:
    found = json.loads(ztosc("verify", project, "--at", AT, "--format", "json").stdout)
    assert {grant["level"] for grant in found["assurance"]["grants"]} == {"none"}
    assert {line["topic"] for line in found["model"]["does_not_cover"]} >= {"answers", "ICMPv6", "rollout", "underlay", "nodes"}
    assert found["verdicts"][0]["explanation"]["test"].startswith('test "desks never reaches phi" {\n')
    assert found["verdicts"][1]["explanation"] is None
    for form in ("markdown", "junit", "sarif"):
        assert "during a rollout some nodes hold the old one" in ztosc("verify", project, "--at", AT, "--format", form).stdout


def test_why_tells_the_grounds(ztosc: Run) -> None:
    facts = ("--with", "user.mfa=true", "--with", "device.managed=true")
    told = ztosc("why", "biomed", "infusion", "-C", HOSPITAL, "--at", "2027-01-12T15:00Z", *facts).stdout.splitlines()
    assert told[1:] == [
        "  under: device.managed == true and user.mfa == true",
        "  holds: until 2027-07-01T04:00:00Z between 06:00 and 20:00 (America/New_York)",
        "  enforced: who may initiate, on branch-1, edge-1; what may arrive, on edge-1",
        "  assurance: dot1x (port `eth3` of `edge-1` authenticates each host (802.1X) (network.ztos:20))",
        "  because: CHG-2041 firmware campaign",
    ]


def test_a_chain_is_a_code_flow(ztosc: Run, project: Path) -> None:
    (project / "network.ztos").write_text(FRAME + "allow lab to desks on tcp/22\nallow desks to web\nassert lab isolated from vault\n")
    (result,) = json.loads(ztosc("verify", project, "--at", AT, "--format", "sarif").stdout)["runs"][0]["results"]
    (flow,) = result["codeFlows"]
    steps = flow["threadFlows"][0]["locations"]
    base = FRAME.count("\n")
    assert [step["location"]["physicalLocation"]["region"]["startLine"] for step in steps] == [base + 1, base + 2]
