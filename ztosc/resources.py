"""Finds the data that ztosc is shipped with: grammar, standard library, targets, pages on diagnostics.

A wheel carries the folders in `ztosc/_data`; in a checkout, editable installs included, they stand beside the package
and are read live. Nothing is remembered between calls, and no name leads out of its folder: a code or a target's name
may come from a user.
"""

from pathlib import Path
from typing import Literal

Folder = Literal["grammar", "stdlib", "targets", "diagnostics"]

_PACKAGE = Path(__file__).resolve().parent
_IN_CHECKOUT: dict[Folder, str] = {
    "grammar": "grammar",
    "stdlib": "stdlib",
    "targets": "targets",
    "diagnostics": "docs/diagnostics",
}


class ResourceNotFoundError(LookupError):
    """No such file ships with this installation."""


def folder(name: Folder, package: Path = _PACKAGE) -> Path:
    """Where the data of `package` is: inside of it once installed, else beside it."""
    installed = package / "_data"
    found = installed / name if installed.is_dir() else package.parent / _IN_CHECKOUT[name]
    if not found.is_dir():
        raise ResourceNotFoundError(f"this installation of ztosc has no `{name}` folder (looked in {found})")
    return found


def grammar_file(name: str) -> Path:
    """A grammar by its file's name, such as `ztos.lark`."""
    return _file("grammar", name)


def stdlib_files() -> tuple[Path, ...]:
    """Every module of the standard library, in the order of their names."""
    root = folder("stdlib")
    return tuple(sorted(root.rglob("*.ztos"), key=lambda path: path.relative_to(root).parts))


def stdlib_file(module: str) -> Path:
    """The file behind `std.<module>`; `a.b` is `a/b.ztos`."""
    return _file("stdlib", module.replace(".", "/") + ".ztos")


def target_names() -> tuple[str, ...]:
    """The targets that have a manifest, in order."""
    return tuple(sorted(manifest.parent.name for manifest in folder("targets").glob("*/target.toml")))


def target_file(target: str, name: str) -> Path:
    """A file of a target: its `target.toml`, or a template such as `templates/ruleset.nft.j2`."""
    return _file("targets", f"{target}/{name}")


def diagnostic_codes() -> tuple[str, ...]:
    """Every code that has a page, in order."""
    return tuple(sorted(page.stem for page in folder("diagnostics").glob("ZT*.md")))


def diagnostic_page(code: str) -> str:
    """The page that explains a code, as Markdown."""
    return _file("diagnostics", f"{code}.md").read_text(encoding="utf-8")


def _file(name: Folder, relative: str) -> Path:
    root = folder(name).resolve()
    try:
        path = (root / relative).resolve()
        if path.is_relative_to(root) and path.is_file():
            return path
    except (OSError, ValueError):  # a NUL or an over-long name: there is no such file either
        pass
    raise ResourceNotFoundError(f"`{relative}` does not ship with ztosc's {name}")
