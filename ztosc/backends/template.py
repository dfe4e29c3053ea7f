"""Templates that only print: a strict environment over a target's folder, with the target's own filters.

Guarantees: an undefined name is an error, never an empty string; templates come from the installation alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Template


def fill(folder: Path, name: str, values: Mapping[str, Any], filters: Mapping[str, Callable[[Any], Any]]) -> bytes:
    """The text of `templates/<name>` in a target's folder, as UTF-8."""
    return _template(folder, name, tuple(sorted(filters.items(), key=lambda item: item[0]))).render(**values).encode()


@lru_cache(maxsize=64)  # a bundle fills a handful of templates thousands of times
def _template(folder: Path, name: str, filters: tuple[tuple[str, Callable[[Any], Any]], ...]) -> Template:
    import jinja2  # 80 ms that `--help` need not wait for

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # each target's filters escape for its own reader, which no HTML escape would
    )
    environment.filters.update(filters)
    return environment.get_template(name)


def one_line(text: str, limit: int) -> str:
    """Free text as one line of at most `limit` bytes: control, format and unassigned characters become blanks."""
    visible = "".join(" " if unicodedata.category(each).startswith(("C", "Z")) else each for each in text)
    joined = " ".join(visible.split())
    if len(joined.encode()) <= limit:
        return joined
    return joined.encode()[: limit - 3].decode(errors="ignore").rstrip() + "…"
