"""Canonical JSON, written directly, is what pydantic and `json` write; ids of rules are made of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bench.generate import Plan
from tests.support import AT, ROOT, network
from ztosc.compiler import compile_project
from ztosc.ir.base import PROVENANCE, Model, Writer, canonical
from ztosc.ir.intent import Governance, Release, Rule
from ztosc.ir.network import Network
from ztosc.ir.values import AllOf, AnyOf, Compare, Constant, Negation, Now, OtherAttribute, Ref, Validity, Window
from ztosc.nodes import project
from ztosc.source import DiskLoader, MemoryLoader, Span

PROJECTS = sorted(path.parent for path in ROOT.glob("examples/**/ztos.toml"))
QUARANTINED = """
quarantine internet, lab from 2026-11-01 because "q" { owner "o" }
allow staff to web between 22:00 and 06:00 on mon-fri until 2027-03-01 because "ä\\n\\"\\u0007" { ticket "1"; ticket "2"; approved by "x" }
allow staff to web
allow staff to web
"""


def meaning(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: meaning(item) for key, item in value.items() if key not in PROVENANCE}
    return [meaning(item) for item in value] if isinstance(value, list) else value


def slowly(model: Model) -> bytes:
    """By pydantic's and Python's own writers."""
    return json.dumps(meaning(model.model_dump(mode="json")), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def agree(found: Network) -> None:
    assert canonical(found) == slowly(found)
    for rule in found.intent.rules:
        said = rule.model_copy(update={"id": ""})
        assert canonical(said) == slowly(said)
        if not rule.id.startswith("system-"):
            assert rule.id.split("-")[:2] == [rule.effect, hashlib.sha256(slowly(said)).hexdigest()[:10]]


@pytest.mark.parametrize("folder", PROJECTS, ids=lambda folder: folder.name)
def test_networks_and_rules_of_the_examples(folder: Path) -> None:
    found = compile_project(DiskLoader(folder), AT).network
    assert found is not None
    agree(found)


def test_what_nodes_are_told() -> None:
    for spec in project(network("allow staff to web\nallow lab to web when device.managed")):
        assert canonical(spec) == slowly(spec)


def test_quarantines_windows_and_rules_said_twice() -> None:
    found = network(QUARANTINED)
    agree(found)
    assert sum(rule.id.endswith("-2") for rule in found.intent.rules) == 1
    assert sum(rule.quarantine for rule in found.intent.rules) == 2


def test_generated_rules_and_one_sink_for_all() -> None:
    text = Plan(100, 400, 10).text()
    for said in (text, text.replace('domain "group.example"', 'domain "group.example"; log all to app-0-0')):
        found = compile_project(MemoryLoader({"main.ztos": said.encode()}), AT).network
        assert found is not None
        agree(found)
    assert {rule.governance.log_to for rule in found.intent.rules} == {"app-0-0"}


values = st.one_of(st.booleans(), st.integers(), st.text())
compares = st.builds(
    Compare,
    attribute=st.text(),
    operator=st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in"]),
    operand=st.one_of(
        st.builds(Constant, values=st.lists(values).map(tuple)), st.builds(OtherAttribute, attribute=st.text()), st.builds(Now)
    ),
)
guards = st.recursive(
    compares,
    lambda inner: st.one_of(
        st.builds(AllOf, parts=st.lists(inner).map(tuple)),
        st.builds(AnyOf, parts=st.lists(inner).map(tuple)),
        st.builds(Negation, part=inner),
    ),
    max_leaves=6,
)
refs = st.lists(
    st.builds(Ref, kind=st.sampled_from(["role", "segment", "segments"]), name=st.text(), via=st.none() | st.text()), max_size=3
).map(tuple)
windows = st.builds(Window, start=st.integers(), end=st.integers(), days=st.lists(st.integers(0, 6)).map(tuple), zone=st.text())
governed = st.builds(
    Governance,
    owner=st.none() | st.text(),
    tickets=st.lists(st.text()).map(tuple),
    idle=st.none() | st.integers(),
    releases=st.lists(st.builds(Release, label=st.text(), because=st.text()), max_size=2).map(tuple),
)
said = st.builds(
    Rule,
    id=st.text(),
    effect=st.sampled_from(["allow", "deny"]),
    subjects=refs,
    targets=refs,
    ports=st.none() | st.lists(st.tuples(*[st.integers(0, 65535)] * 4), max_size=3).map(tuple),
    guard=guards,
    validity=st.builds(
        Validity, not_before=st.none() | st.integers(), not_after=st.none(), windows=st.lists(windows, max_size=2).map(tuple)
    ),
    because=st.none() | st.text(),
    stale=st.none() | st.integers(),
    quarantine=st.booleans(),
    governance=governed,
    doc=st.text(),
    origin=st.just(Span("a.ztos", 1, 1, 1, 2)),
)


@settings(
    derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # a rule has many parts to draw, slowly on a busy machine
@given(st.lists(said, max_size=3))
def test_any_rules_by_one_writer(rules: list[Rule]) -> None:
    writer = Writer()
    for rule in rules:
        assert writer.value(rule).encode() == slowly(rule)
        assert writer.fields(Rule, rule.__dict__).encode() == slowly(rule)


@pytest.mark.parametrize("value", [1.5, {"a": 1}, ["a"], b"x", frozenset("a")])
def test_what_no_field_may_have_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="has no canonical JSON"):
        Writer().value(value)
