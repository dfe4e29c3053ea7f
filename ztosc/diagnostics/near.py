"""The name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def near(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate closest to `name`, if one is close enough to suggest; ties go to the first in sorted order."""
    pool = sorted(set(candidates))
    folded = {candidate.casefold(): candidate for candidate in reversed(pool)}
    if name.casefold() in folded:
        return folded[name.casefold()]
    found = get_close_matches(name, pool, n=1, cutoff=0.6)
    return found[0] if found else None


def suggestion(name: str, candidates: Iterable[str], otherwise: str = "") -> str:
    """A help line that names the nearest candidate, or `otherwise`."""
    found = near(name, candidates)
    return f"did you mean `{found}`?" if found else otherwise
