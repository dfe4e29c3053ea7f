"""Real packets through the emitted rulesets agree with `decide`: every segment and service, every principal, in and out of hours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.lab import Lab
from tests.harness.matrix import Matrix
from tests.harness.rig import CASES, REASON, WHY_NOT, files
from tests.nodes import networks as n
from ztosc.nodes import project

pytestmark = [pytest.mark.netns, pytest.mark.slow, pytest.mark.skipif(WHY_NOT is not None, reason=REASON)]


@pytest.fixture(scope="module", params=CASES)
def matrix(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    network = CASES[request.param]()
    specs = project(network)
    with Lab(network, specs, files(network), tmp_path_factory.mktemp("rulesets")) as lab:
        yield Matrix(lab)


@pytest.mark.parametrize("instant", [n.NOON, n.LATE], ids=["noon", "late"])
def test_packets_agree_with_decide(matrix: Matrix, instant: int) -> None:
    tries, wrong = matrix.run(instant)
    allowed = sum(each.wanted for each in tries)
    print(f"{len(tries)} flows of {len(matrix.sessions)} sessions, {allowed} allowed")
    assert len(tries) > 1000 and allowed > 100 and {each.protocol for each in tries} == {6, 17, 58}
    assert wrong == []
