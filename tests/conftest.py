"""What every test stands on."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def a_cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands keep what they parsed for each other, but not in the user's folder."""
    before = os.environ.get("ZTOSC_CACHE")
    os.environ["ZTOSC_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["ZTOSC_CACHE"]
    else:
        os.environ["ZTOSC_CACHE"] = before
