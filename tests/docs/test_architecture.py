"""docs/architecture.md and the decisions name what is there."""

import re
from pathlib import Path

import pytest

from tests.architecture.test_rooms import EVERYWHERE, ROOMS
from tests.docs.markdown import DOCS, sections

TEXT = (DOCS / "architecture.md").read_text(encoding="utf-8")
ROOT = DOCS.parent
PACKAGE = ROOT / "ztosc"
ROWS = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", sections(TEXT)["Rooms"], flags=re.MULTILINE))
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))


def test_every_room_stands_in_the_table() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert rooms - {"__init__", "__main__"} == ROWS.keys()


@pytest.mark.parametrize("room", sorted(ROWS.keys() & ROOMS.keys()))
def test_a_room_may_import_what_the_table_says(room: str) -> None:
    assert set(re.findall(r"`(\w+)`", ROWS[room])) - EVERYWHERE == ROOMS[room] - EVERYWHERE


def test_what_the_table_leaves_open_is_what_the_test_leaves_open() -> None:
    assert {room for room, said in ROWS.items() if said.startswith("everything")} == ROWS.keys() - ROOMS.keys()


def test_every_path_that_is_named_exists() -> None:
    later = {"compliance/", "keyplan/", "keys/", "runner/", "deploy/", "lsp/", "draw/", "lab/"}
    named = set(re.findall(r"`((?:[\w-]+/)+[\w.*-]*)`", TEXT)) - later
    missing = [path for path in named if not any(list(base.glob(path.rstrip("/"))) for base in (ROOT, PACKAGE))]
    assert len(named) > 15
    assert [path for path in missing if path != "docs/diagnostics/ZTnnn.md"] == []


def test_decisions_are_numbered_one_after_the_other() -> None:
    assert [path.name[:5] for path in DECISIONS] == [f"{number:04}-" for number in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_why_what_and_what_follows(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.match(rf"# {path.name[:4]}: \S", text)
    assert list(sections(text)) == ["Context", "Decision", "Consequences"]
    assert all(part.strip() for part in sections(text).values())
