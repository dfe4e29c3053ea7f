"""Who may know whom: the table of docs/architecture.md, kept.

import-linter keeps the floors (pyproject.toml), chains of imports included. This file keeps what a floor cannot say:
which rooms below a room are its business, and which library lives where. Change it together with the document.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

EVERYWHERE = {"collector", "diagnostics", "source"}

# A room that is not listed may use every room on a floor below it.
ROOMS: dict[str, set[str]] = {
    "deploy": {"compiler", "keys", "backends", "ir", *EVERYWHERE},
    "compliance": {"prove", "verify", "keyplan", "draw", "ir", *EVERYWHERE},
    "prove": {"backends", "verify", "nodes", "ir", "logic", *EVERYWHERE},
    "draw": {"ir", "logic", *EVERYWHERE},
    "compare": {"verify", "ir", "logic", *EVERYWHERE},
    "report": {"compare", "verify", "ir", "resources", *EVERYWHERE},
    "backends": {"nodes", "keyplan", "ir", "logic", "resources", *EVERYWHERE},
    "keys": {"keyplan", "ir", *EVERYWHERE},
    "nodes": {"keyplan", "ir", "logic", *EVERYWHERE},
    "verify": {"ir", "logic", *EVERYWHERE},
    "recheck": {"ir", "logic", *EVERYWHERE},
    "keyplan": {"ir", *EVERYWHERE},
    "allocate": {"ir", "logic", *EVERYWHERE},
    "lower": {"semantics", "ir", *EVERYWHERE},
    "semantics": {"syntax", "ir", "logic", "resources", *EVERYWHERE},
    "format": {"syntax", *EVERYWHERE},
    "library": {"syntax", "resources", *EVERYWHERE},
    "ir": {"logic", *EVERYWHERE},
    "syntax": {"resources", *EVERYWHERE},
    "diagnostics": {"source"},
    "logic": set(),
    "revision": {"source"},
    "collector": set(),
    "source": set(),
    "resources": set(),
    "runner": set(),
}

# The solver and the graph library have a contract of their own in pyproject.toml.
LIBRARIES: dict[str, set[str]] = {
    "asyncssh": {"deploy"},
    "click": {"cli"},
    "cryptography": {"keys"},
    "dns": {"backends", "lab"},
    "jinja2": {"backends", "draw"},
    "lark": {"syntax"},
    "ldap3": {"backends", "deploy"},
    "lsprotocol": {"lsp"},
    "pygls": {"lsp"},
    "pyrage": {"keys"},
    "pyroute2": {"lab"},
    "rich": {"cli"},
    "ruamel": {"semantics"},
}

STANDARD_LIBRARY_ALONE = {"logic", "source", "revision", "resources", "runner"}

HEAVY = {"z3", "networkx", "ldap3", "lsprotocol"}


def imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Every module that is imported anywhere in `tree`, dotted and absolute; `package` is where the code stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names) if base == "ztosc" else (base,)


def files_of(checkout: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """Room, file and imports of everything below `ztosc/` that stands in a room."""
    for path in sorted((checkout / "ztosc").rglob("*.py")):
        parts = path.relative_to(checkout).with_suffix("").parts
        if parts[1] not in {"__init__", "__main__"}:
            yield parts[1], path, list(imported(ast.parse(path.read_bytes()), ".".join(parts[:-1])))


def stranger(room: str, module: str) -> bool:
    """Whether `room` has no business with `module`."""
    top, _, rest = module.partition(".")
    other = rest.partition(".")[0]
    if top == "ztosc":
        return room in ROOMS and other not in ROOMS[room] | {room, "__version__"}
    if top in LIBRARIES:
        return room not in LIBRARIES[top]
    return room in STANDARD_LIBRARY_ALONE and top not in sys.stdlib_module_names


def test_each_room_knows_only_what_the_table_grants_it(checkout: Path) -> None:
    files = list(files_of(checkout))
    wrong = [f"{path.relative_to(checkout)} imports {name}" for room, path, names in files for name in names if stranger(room, name)]
    assert files
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("code", "room", "allowed"),
    [
        ("import ztosc.ir.flow", "verify", True),
        ("import ztosc.nodes", "verify", False),
        ("import ztosc.verify", "recheck", False),
        ("import ztosc.recheck", "verify", False),
        ("import ztosc.ir.flow", "recheck", True),
        ("from ztosc import nodes", "verify", False),
        ("from ..nodes import spec", "verify", False),
        ("from .. import ir", "verify", True),
        ("from . import engine", "verify", True),
        ("def f():\n    from ztosc.keys.store import Store", "verify", False),
        ("import click", "verify", False),
        ("import click", "cli", True),
        ("import ztosc.keys", "cli", True),
        ("import pydantic", "logic", False),
        ("import ipaddress, bisect", "logic", True),
    ],
)
def test_the_table_is_read_as_it_is_meant(code: str, room: str, allowed: bool) -> None:
    assert [stranger(room, module) for module in imported(ast.parse(code), f"ztosc.{room}")] == [not allowed] * (1 + code.count(","))


def test_imports_go_down_only(checkout: Path) -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([tool, "--no-cache"], cwd=checkout, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_command_line_starts_without_the_heavy_libraries(checkout: Path) -> None:
    code = f"import sys, ztosc.cli; sys.exit(' '.join({HEAVY!r} & set(sys.modules)) or None)"
    result = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"loaded by `import ztosc.cli`: {result.stderr}"
