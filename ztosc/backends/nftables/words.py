"""Names, addresses and comments as nft takes them.

Guarantees: no text of the sources becomes more than a text; what nft would not take as a name is a `ValueError`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from ztosc.backends.template import one_line
from ztosc.logic import addresses
from ztosc.logic.intervals import Interval

COMMENT_BYTES = 127
"""nft 1.0.6 holds 128 with the end of the string."""
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")


def comment(words: str) -> str:
    """Free text as nft takes it in a comment: one line without double quotes, which it cannot escape."""
    return one_line(words.replace('"', "'"), COMMENT_BYTES)


@lru_cache(maxsize=1 << 12)  # an interface's name stands in front of many elements
def interface(name: str) -> str:
    """An interface name in quotes, so that no name is a keyword. Raises `ValueError` for what no interface is called."""
    if not _INTERFACE.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of an interface")
    return f'"{name}"'


def span_text(part: Interval) -> str:
    """An interval of numbers."""
    return str(part[0]) if part[0] == part[1] else f"{part[0]}-{part[1]}"


def address_text(part: Interval) -> str:
    """An interval of addresses."""
    low = addresses.address_text(part[0])
    return low if part[0] == part[1] else f"{low}-{addresses.address_text(part[1])}"
