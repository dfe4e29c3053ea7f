"""Public keys come from the project, private ones never enter it, and the plan says which key lives from when to when."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support import AT, FRAME, compiled
from ztosc.compiler import Compiled, compile_project
from ztosc.ir.clock import instant_text
from ztosc.keyplan import KeyPlan, key_plan
from ztosc.keys import generate
from ztosc.source import MemoryLoader

LINKED = "site t in home { node h { underlay 2001:db8::2; serves gateway } }\nlink g -- h { macsec }\n"
DAY = 86400


def with_keys(text: str, at: int = AT, **keys: str) -> Compiled:
    """The frame and some lines, with key files by `node__epoch`."""
    files = {"network.ztos": (FRAME + text).encode()}
    for name, value in keys.items():
        node, epoch = name.split("__")
        files[f"keys/wireguard/{node}/{epoch}.pub"] = value.encode()
    return compile_project(MemoryLoader(files), at)


def plan(text: str, at: int = AT, **keys: str) -> KeyPlan:
    found = with_keys(text, at, **keys)
    assert found.network is not None, found.diagnostics
    return key_plan(found.network)


def test_a_generated_key_is_what_its_private_half_says() -> None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    pair = generate()
    private = X25519PrivateKey.from_private_bytes(base64.b64decode(pair.private))
    assert base64.b64encode(private.public_key().public_bytes_raw()).decode() == pair.public
    assert pair.private not in repr(pair)


def test_the_highest_epoch_is_in_use() -> None:
    old, new = generate().public, generate().public
    found = with_keys(LINKED, g__1=old, g__12=new)
    assert [item.code for item in found.diagnostics] == []
    assert found.network is not None
    ((key),) = [key for key in key_plan(found.network).keys if key.id == "wireguard/g"]
    assert (key.epoch, key.public) == (12, new)


GOOD = base64.b64encode(bytes(range(1, 33))).decode()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("g__1", "not base64!", "is not 32 bytes in base64"),
        ("g__1", base64.b64encode(bytes(31)).decode(), "is not 32 bytes in base64"),
        ("g__1", base64.b64encode(bytes(32)).decode(), "is not 32 bytes in base64"),
        ("g__1", GOOD + "\nand more", "is not 32 bytes in base64"),
        ("nobody__1", GOOD, "belongs to no node"),
        ("g__0", GOOD, "is no public key of an epoch"),
        ("g__private", GOOD, "is no public key of an epoch"),
    ],
)
def test_a_file_that_is_no_key_is_an_error(name: str, value: str, message: str) -> None:
    (item,) = with_keys(LINKED, **{name: value}).diagnostics
    assert item.code == "ZT224"
    assert message in item.message
    assert item.help


def test_two_nodes_never_share_a_key() -> None:
    (item,) = with_keys(LINKED, g__1=GOOD, h__1=GOOD).diagnostics
    assert (item.code, [label.span.file for label in item.related]) == ("ZT224", ["keys/wireguard/g/1.pub"])


def test_the_plan_says_who_holds_what() -> None:
    found = plan(LINKED, g__1=GOOD)
    assert [(key.id, key.holders, key.epoch) for key in found.keys] == [
        ("macsec/g--h/cak", ("g", "h"), 0),
        ("macsec/g--h/ckn", ("g", "h"), 0),
        ("wireguard/g", ("g",), 1),
        ("wireguard/h", ("h",), 0),
    ]


def test_a_label_shortens_the_life_of_what_carries_it() -> None:
    label = "label hot { rekey 30d; psk }\nsegment oven { at s, t; carries hot }\n"
    found = {key.id: key for key in plan(LINKED + label, g__1=GOOD).keys}
    assert set(found) == {"macsec/g--h/cak", "macsec/g--h/ckn", "psk/g--h", "wireguard/g", "wireguard/h"}
    assert {key.rekey for key in found.values()} == {30 * DAY}
    assert {key.because for key in found.values()} == {("hot",)}
    assert all(key.period_start <= AT < key.period_end == key.period_start + 30 * DAY for key in found.values())


def test_within_a_period_the_plan_stays_and_then_moves() -> None:
    label = "label hot { rekey 30d }\nsegment oven { at s, t; carries hot }\n"
    first = plan(LINKED + label)
    end = first.keys[0].period_end
    assert plan(LINKED + label, at=end - 1) == first
    assert plan(LINKED + label, at=end).keys[0].period_start == end


def test_a_quarantine_begins_a_new_period_for_what_protected_it() -> None:
    hot = (
        "label hot { rekey 30d; psk }\nsegment oven { at s; carries hot }\nsegment hall { at t }\nservice grill on oven { listen tcp/1 }\n"
    )
    before = {key.id: key for key in plan(LINKED + hot).keys}
    since = before["psk/g--h"].period_start + 3 * DAY
    shown = instant_text(since)
    for what in ("oven", "grill"):
        text = f'{LINKED}{hot}quarantine {what} from {shown} because "INC-1"\n'
        assert plan(text, at=since - 1).keys == plan(LINKED + hot, at=since - 1).keys
        after = {key.id: key for key in plan(text, at=since).keys}
        assert {key.period_start for key in after.values()} == {since}, "the label crosses the link, so both its ends are keyed anew"
        assert {key.quarantined for key in after.values()} == {(what,)}
        assert {key.period_end for key in after.values()} == {before["psk/g--h"].period_end}


def test_a_quarantine_of_what_carries_no_label_touches_the_nodes_it_lives_on() -> None:
    parts = "segment oven { at s }\nsegment hall { at t }\nexternal beyond { reach 2000::/3 }\n"
    since = plan(LINKED + parts).keys[0].period_start + DAY
    what = lambda name: f'{LINKED}{parts}quarantine {name} from {instant_text(since)} because "INC-1"\n'  # noqa: E731
    touched = {key.id for key in plan(what("oven"), at=since).keys if key.quarantined}
    assert touched == {"macsec/g--h/cak", "macsec/g--h/ckn", "wireguard/g"}
    assert not [key for key in plan(what("beyond"), at=since).keys if key.quarantined]


def test_a_missing_key_stops_the_build_with_a_way_out(ztosc: Run, tmp_path: Path) -> None:
    project = tmp_path / "p"
    project.mkdir()
    (project / "network.ztos").write_text(FRAME + LINKED)
    assert ztosc("verify", project).returncode == 0
    (project / "keys" / "wireguard" / "g").mkdir(parents=True)
    (project / "keys" / "wireguard" / "g" / "1.pub").write_text(GOOD)
    refused = ztosc("build", project, "-o", tmp_path / "out")
    assert refused.returncode == 1
    assert refused.stderr.count("error[ZT604]") == 1 and "ztosc keys generate --lab" in refused.stderr
    assert not (tmp_path / "out").exists()
    shutil.rmtree(project / "keys")
    made = ztosc("keys", "generate", "--lab", tmp_path / "lab", "-C", project)
    assert made.returncode == 0, made.stderr
    built = ztosc("build", project, "-o", tmp_path / "out")
    assert built.returncode == 0, built.stderr
    secrets = [path.read_text().strip() for path in (tmp_path / "lab").rglob("*.key")]
    assert len(secrets) == 2
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "lab").rglob("*.key"))
    everything = "".join(path.read_text() for folder in (project, tmp_path / "out") for path in folder.rglob("*") if path.is_file())
    assert not [secret for secret in secrets if secret in everything + made.stdout + made.stderr + built.stdout]
    assert "@ztos-secret:wireguard/g/1:32:base64@" in everything


def test_before_the_first_key_every_node_is_named(ztosc: Run, tmp_path: Path) -> None:
    project = tmp_path / "p"
    project.mkdir()
    (project / "network.ztos").write_text(FRAME + LINKED)
    refused = ztosc("build", project, "-o", tmp_path / "out")
    assert refused.returncode == 1
    assert refused.stderr.count("error[ZT604]") == 2 and "ztosc keys generate --lab" in refused.stderr
    assert not (tmp_path / "out").exists()


def test_private_keys_never_go_into_the_project(ztosc: Run, tmp_path: Path) -> None:
    (tmp_path / "network.ztos").write_text(FRAME + LINKED)
    refused = ztosc("keys", "generate", "--lab", tmp_path / "inside", "-C", tmp_path)
    assert refused.returncode == 64
    assert not (tmp_path / "inside").exists()


def test_the_plan_is_printed_and_has_no_material(ztosc: Run, tmp_path: Path) -> None:
    (tmp_path / "network.ztos").write_text(FRAME + LINKED)
    found = json.loads(ztosc("keys", "plan", "-C", tmp_path, "--format", "json").stdout)
    assert [key["id"] for key in found["keys"]] == ["macsec/g--h/cak", "macsec/g--h/ckn", "wireguard/g", "wireguard/h"]
    assert not compiled(LINKED).failed
