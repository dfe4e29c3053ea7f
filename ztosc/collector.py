"""Python's collector of cycles, held back where it would walk much and find nothing.

Guarantees: as it was before, however what runs in between ends.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Where many things are made and none of them in a circle: it would walk all of them again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
