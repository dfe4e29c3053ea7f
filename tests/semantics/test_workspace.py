"""Checking again after an edit finds what checking anew finds."""

from __future__ import annotations

import random

import pytest

from tests.support import FRAME, HOSPITAL
from ztosc.diagnostics import Report
from ztosc.semantics import check
from ztosc.semantics.workspace import Workspace
from ztosc.source import DiskLoader, MemoryLoader

HOSPITAL_TEXT = (HOSPITAL / "network.ztos").read_text()
BASE = (
    FRAME
    + """
## The staff of
## two kinds.
group all = desks, lab
group most = all except lab
template bed(n, seg: segment) { service bed-${n} on ${seg} { listen tcp/80 }
  allow staff to bed-${n}
}
new bed(n: one, seg: vault)
new bed(n: two, seg: vault)
allow staff to web
  # a comment
  when user.mfa
allow most to internet on tcp/443; deny lab to web on tcp/22
assert lab never reaches web
test "a" { given staff from desks with user.mfa = true; expect allow to web }
label secret { above phi }
region away { country US }
site t in away { node h { underlay 2001:db8::2; serves gateway
    attach eth1 to desks }
  node i { underlay 2001:db8::3; serves gateway }
  link h -- i
}
"""
)
OTHER = """import "a.ztos"
role guest { from desks }
service tea on lab { listen tcp/1 }
allow guest to tea when user.mfa and user.mfa
allow guest to web
"""
PIECES = [
    *("\u0430", "\u201c", ") (", "\nsite u in home {\n", "{\nrole z { from desks }\n}", " [", "(\n"),
    *('{}()[];,"#\n az9:.-<' + "é\u200b\t"),
    *(
        "\n",
        "\n\n",
        "allow ",
        "segment x { at s }\n",
        "\n}",
        "until ",
        "## said\n",
        "# c\n",
        "${n}",
        "or ",
        "\n on tcp/1",
        "web",
        "staff",
        "desks",
    ),
    *(
        "service tea on lab { listen tcp/2 }\n",
        "role staff { from desks }\n",
        "import std.medical\n",
        "group g = all, g\n",
        " tcp/70000",
        "lab",
    ),
    *(
        "allow staff to wep\n",
        "new bed(n: three, seg: desks)\n",
        "attribute user.x: bool\n",
        "deny all to bed-one on tcp/9\n",
        "\ud800",
        "\r\n",
    ),
]


def fresh(files: dict[str, bytes]) -> tuple[object, object]:
    report = Report()
    program = check(MemoryLoader(files), report)
    return report.sorted(), program


def mutated(text: str, dice: random.Random) -> str:
    place = dice.randrange(len(text) + 1)
    cut = place + dice.choice([0, 0, 0, 1, 1, 2, 5, 12, 40])
    if dice.random() < 0.3 and "\n" in text:  # a whole line goes, or comes again
        start = text.rfind("\n", 0, place) + 1
        end = text.find("\n", place) + 1 or len(text)
        return text[:start] + text[start:end] * dice.choice([0, 2]) + text[end:]
    return text[:place] + dice.choice(PIECES) * dice.randint(0, 1) + text[cut:]


def walk(seed: int, files: dict[str, str], steps: int) -> tuple[int, int]:
    """Edits at random, each compared with a fresh check; after how many of them there were mistakes, and after how many none."""
    wrong = 0
    dice = random.Random(seed)
    texts = dict(files)
    workspace = Workspace(MemoryLoader({name: text.encode() for name, text in files.items()}))
    for step in range(steps):
        name = dice.choice(sorted(name for name in texts if name.endswith(".ztos")))
        texts[name] = files[name] if dice.random() < 0.15 else mutated(texts[name], dice)
        found = workspace.edit(name, texts[name])
        diagnostics, program = fresh({each: text.encode("utf-8", "surrogatepass") for each, text in texts.items()})
        assert found == diagnostics, (seed, step)
        wrong += bool(diagnostics)
        if dice.random() < 0.5:
            assert workspace.program == program, (seed, step)
    return wrong, steps - wrong


@pytest.mark.parametrize("seed", range(6))
def test_any_edits_find_what_a_fresh_check_finds(seed: int) -> None:
    wrong, right = walk(seed, {"a.ztos": BASE, "b.ztos": OTHER}, 25)
    assert wrong and wrong + right == 25


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 130))
def test_many_edits_find_what_a_fresh_check_finds(seed: int) -> None:
    wrong, right = walk(seed, {"a.ztos": BASE, "b.ztos": OTHER}, 60)
    assert wrong and wrong + right == 60


@pytest.mark.slow
def test_edits_of_the_hospital() -> None:
    loader = DiskLoader(HOSPITAL)
    wrong, right = walk(7, {name: loader.read(name).decode() for name in loader.names()}, 40)
    assert wrong and wrong + right == 40


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("listen tcp/443", "listen tcp/444"),
        ("allow staff to web\n", "\n\nallow staff to web\n"),
        ("service web on vault", "service wep on vault"),
        ("group all = desks, lab", "group all = desks, wrong"),
        ("requires user.mfa", "requires user.mfaa"),
        ("site t in away", "# a line more\nsite t in away"),
        ("node i {", "node k {"),
        ("## two kinds.", "## three kinds."),
    ],
)
def test_an_edit_and_its_undoing(old: str, new: str) -> None:
    assert old in BASE
    workspace = Workspace(MemoryLoader({"a.ztos": BASE.encode()}))
    edited = BASE.replace(old, new, 1)
    assert (workspace.edit("a.ztos", edited), workspace.program) == fresh({"a.ztos": edited.encode()})
    assert (workspace.edit("a.ztos", BASE), workspace.program) == fresh({"a.ztos": BASE.encode()})


def test_an_edit_of_one_rule_reads_and_binds_one_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(MemoryLoader({"a.ztos": BASE.encode()}))
    bound: list[object] = []
    bind = workspace._scene.binder.bind
    monkeypatch.setattr(workspace._scene.binder, "bind", lambda statement, module: bound.append(statement) or bind(statement, module))
    workspace.edit("a.ztos", BASE.replace("deny lab to web on tcp/22", "deny lab to web on tcp/23"))
    assert len(bound) <= 2  # what shares its line is read again too
