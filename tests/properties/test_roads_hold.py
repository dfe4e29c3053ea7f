"""The evidence for `reaches … despite k failures`: the checker confirms it, and where it is missing the engine proved by several parts."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.properties.test_engine_agrees import declared
from tests.properties.test_verify_agrees import fixed
from tests.recheck.evidence import files, findings, parsed
from tests.verify.networks import allow, link, network, node, reaches
from ztosc.recheck import Checker
from ztosc.verify.certificates import NETWORK

WAYS = ("segment:b", "segment:c", "segment:d", "service:s", "service:t", "system:dns", "external:net")
CLAIMS = st.builds(
    lambda target, count, failing: (allow("segment:a", target, on="any"), reaches("segment:a", target, count, failing)),
    st.sampled_from(WAYS),
    st.integers(0, 2),
    st.sampled_from(["any", "links", "nodes"]),
)
EGRESS = (node("n5", "home", "nat64"), node("n6", "third", "nat64", "resolver"), link("n1", "n5"), link("n3", "n6"), link("n5", "n6"))
SAID = ("the way holds for a reason of several parts", "what answers changes with time", "a guard speaks of `now`")
"""What a checker cannot see from flows and paths, in words."""


def test_every_way_and_every_cut_holds() -> None:
    met: Counter[tuple[str, str]] = Counter()

    @fixed(80)
    @given(declared(), CLAIMS)
    def each(parts: list[Any], asked: tuple[Any, Any]) -> None:
        made = files(network(*parts, *EGRESS, *asked))
        ((name, found),) = findings(made, Checker(made[NETWORK])).items()
        said = parsed(made, name)
        evidence = said["evidence"]
        met[said["outcome"], evidence["kind"]] += 1
        far = any(len(path) > 1 for way in evidence.get("ways", ()) for each in way["nodes"] for path in each["paths"])
        met["proved", "paths to another node"] += far
        unchecked = found.state == "unchecked" and any(text in found.reason for text in SAID)
        assert found.state == "holds" or unchecked, (found, evidence)

    each()
    assert met["proved", "paths"] >= 20 and met["refuted", "cut"] >= 20 and met["proved", "paths to another node"] >= 5, met
