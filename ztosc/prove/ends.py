"""Whether the two ends of a link say the same.

Guarantees: what is compared is read back from the files; an end that is missing or cannot be read is a reason against agreement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ztosc.backends.base import Agrees, Bundle, Placement, ReadFault


def both_ends(placements: Iterable[Placement], bundle: Bundle) -> Iterator[tuple[str, str]]:
    """A statement a link and target, and the reason against it, empty where there is none."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for each in placements:
        if isinstance(each.target, Agrees):
            try:
                said = each.target.shared(each.target.read(bundle.at(each.place)))
            except ReadFault:
                continue  # told where the file is read; here its end is missing
            for link, value in said.items():
                found.setdefault((each.target.name, link), {})[each.place] = value
    for (target, link), ends in sorted(found.items()):
        yield f"{target}: both ends of `{link}` agree", _disagree(ends)


def _disagree(ends: dict[str, Any]) -> str:
    if len(ends) != 2:
        return f"it has {len(ends)} ends: {', '.join(sorted(ends))}"
    (one, left), (other, right) = sorted(ends.items())
    return "" if left == right else f"{one} and {other} differ"
