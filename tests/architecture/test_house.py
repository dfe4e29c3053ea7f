"""House rules that no linter knows: who prints, how long a file is, what stands at the top, and no addresses of registries."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

LONGEST = 500

TOP = {
    "pyproject.toml", "ztosc", "grammar", "stdlib", "targets", "examples", "tests", "docs", "editors", "README.md",
    "CHANGELOG.md", "LICENSE", "Makefile", "requirements.lock", "requirements-dev.lock",
}  # fmt: skip

# Taken apart, so that this file does not hold what it looks for.
HOSTS = ("pypi" ".org", "files.python" "hosted", "registry.npm" "js", "registry.yarn" "pkg", "proxy.gol" "ang", "deb.deb" "ian.org")
ADDRESS = re.compile(
    "|".join(
        [
            *(re.escape(host) for host in HOSTS),
            r"(?:index-url|find-links|trusted-host)\s*[= ]\s*[\"']?(?:\w+://|/)",
            r"(?<![\w.~*-])/(?:wo" r"rk|ro" r"ot|opt/py" r"pi|opt/whe" r"els)(?:/|\b(?=\s|$))",
            r"\.\./sha" r"red\b",
        ]
    ),
    re.IGNORECASE,
)


def prints(tree: ast.AST) -> Iterator[int]:
    """The lines that write to the terminal."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="print")):
                yield node.lineno
            case ast.Attribute(value=ast.Name(id="click"), attr="echo" | "secho"):
                yield node.lineno
            case ast.Attribute(value=ast.Name(id="sys"), attr="stdout" | "stderr" | "__stdout__" | "__stderr__"):
                yield node.lineno
            case ast.ImportFrom(module="sys") if {alias.name for alias in node.names} & {"stdout", "stderr"}:
                yield node.lineno


def test_only_the_command_line_prints(checkout: Path) -> None:
    package = checkout / "ztosc"
    speaks = package / "runner" / "__main__.py"  # a command line too, on the node
    modules = [path for path in sorted(package.rglob("*.py")) if path != speaks]
    silent = [path for path in modules if path.relative_to(package).parts[0] not in {"cli", "cli.py"}]
    found = [f"{path.relative_to(checkout)}:{line}" for path in silent for line in prints(ast.parse(path.read_bytes()))]
    assert silent
    assert not found, found


@pytest.mark.parametrize("code", ["print(1)", "click.echo('a')", "sys.stdout.write('')", "f(file=sys.stderr)", "from sys import stdout"])
def test_printing_is_recognised(code: str) -> None:
    assert list(prints(ast.parse(code))) == [1]


@pytest.mark.parametrize("code", ["fingerprint(1)", "self.print()", "import sys", "process.stdout"])
def test_what_only_looks_like_printing_is_not(code: str) -> None:
    assert not list(prints(ast.parse(code)))


def test_no_file_is_too_long_to_be_read_at_once(checkout: Path) -> None:
    lengths = {path: len(path.read_bytes().splitlines()) for path in (checkout / "ztosc").rglob("*.py")}
    assert lengths
    assert not [f"{path.relative_to(checkout)}: {lines} lines" for path, lines in sorted(lengths.items()) if lines > LONGEST]


def test_the_top_holds_only_what_it_should(committed: list[str]) -> None:
    top = {name.split("/")[0] for name in committed}
    assert top
    assert not {name for name in top if not name.startswith(".")} - TOP


def test_no_registry_and_no_machine_is_named(checkout: Path, committed: list[str]) -> None:
    found = []
    for name in committed:
        content = (checkout / name).read_bytes()
        if b"\0" not in content:  # text
            lines = content.decode("utf-8", errors="replace").splitlines()
            found += [f"{name}:{number}: {line.strip()[:100]}" for number, line in enumerate(lines, 1) if ADDRESS.search(line)]
    assert committed
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line",
    [f"see https://{host}/simple" for host in HOSTS]
    + ["--index-url" " https://mirror.example/", "--find-links" "=/srv", "cd /wo" "rk/main", "cp ../sha" "red/x .", 'open("/ro' 'ot/x")'],
)
def test_an_address_is_recognised(line: str) -> None:
    assert ADDRESS.search(line)


@pytest.mark.parametrize("line", ["a frame/work/shop", "# as root / as a user", "--no-emit-index-url", "*/work/*"])
def test_what_only_looks_like_an_address_is_not(line: str) -> None:
    assert not ADDRESS.search(line)
