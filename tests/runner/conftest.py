"""A node with a real `nft`, for every test of the runner that loads something."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.runner.namespace import Node, node


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with node(tmp_path_factory.mktemp("node")) as found:
        yield found
