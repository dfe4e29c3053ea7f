"""What every backend must keep, ours or a third party's: subclass `Conformance` and give it a `backend` fixture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.backends.cases import CASES, HOSTILE, reversed_network
from ztosc.backends import Artifact, Bundle, NetworkSpec, ReadFault, backends, render
from ztosc.backends.base import Target, network_wide, on_nodes, written
from ztosc.backends.registry import is_network_wide
from ztosc.ir.network import Network
from ztosc.nodes import project
from ztosc.prove import real_tools


def subjects(target: Target[Any], network: Network) -> list[Any]:
    """Everything in a network that a target has files for: nodes, or the network once."""
    if is_network_wide(target):
        return [place.subject for place in network_wide(NetworkSpec(network, render(project(network), backends())), [target])]
    return [place.subject for place in on_nodes(project(network), [target])]


def specs_of(target: Target[Any], case: str) -> list[Any]:
    return subjects(target, CASES[case]())


def bundle_of(target: Target[Any], case: str) -> Bundle:
    found = specs_of(target, case)
    if is_network_wide(target):
        return written(place for spec in found for place in network_wide(spec, [target]))
    return written(on_nodes(found, [target]))


def files(target: Target[Any], spec: Any) -> tuple[Artifact, ...]:
    return target.render(target.lower(spec))


@pytest.mark.parametrize("case", CASES)
class Conformance:
    """The seam's promises, one test each."""

    def test_it_has_something_to_say(self, backend: Target[Any], case: str) -> None:
        assert all(files(backend, spec) for spec in specs_of(backend, case)) and specs_of(backend, case)

    def test_what_is_read_is_what_was_meant(self, backend: Target[Any], case: str) -> None:
        for spec in specs_of(backend, case):
            assert backend.read(files(backend, spec)) == backend.lower(spec)

    def test_order_leaves_no_trace(self, backend: Target[Any], case: str) -> None:
        for left, right in zip(specs_of(backend, case), subjects(backend, reversed_network(CASES[case]())), strict=True):
            assert files(backend, left) == files(backend, right)

    def test_it_writes_what_its_manifest_declares(self, backend: Target[Any], case: str) -> None:
        bundle = bundle_of(backend, case)
        assert bundle.files
        for file in bundle.files:
            kind = backend.manifest.kind(file.artifact.path)
            assert kind is not None and (kind.mode, kind.owner) == (file.artifact.mode, file.artifact.owner)
            assert file.artifact.origins, "every file comes from somewhere in the sources"

    def test_every_declared_artifact_is_written(self, backend: Target[Any], case: str) -> None:
        written = [artifact.path for spec in specs_of(backend, case) for artifact in files(backend, spec)]
        assert all(any(kind.owns(path) for path in written) for kind in backend.manifest.artifacts)

    def test_text_files_are_clean(self, backend: Target[Any], case: str) -> None:
        for spec in specs_of(backend, case):
            for artifact in files(backend, spec):
                text = artifact.content.decode()
                assert text.endswith("\n") and all(line.isprintable() for line in text.replace("\t", " ").splitlines())
                assert not any(word in text for word in HOSTILE if "verbatim-text" not in backend.manifest.capabilities)

    def test_what_is_not_known_is_refused(self, backend: Target[Any], case: str) -> None:
        spec = specs_of(backend, case)[0]
        first, *rest = files(backend, spec)
        for more in (b"\nsomething_new yes;\n", b"\xff\xfe", b'\n"'):
            with pytest.raises(ReadFault):
                backend.read([replace(first, content=first.content + more), *rest])
        with pytest.raises(ReadFault):
            backend.read([])

    def test_a_truncated_file_is_never_taken_for_whole(self, backend: Target[Any], case: str) -> None:
        spec = specs_of(backend, case)[0]
        wanted = backend.lower(spec)
        first, *rest = files(backend, spec)
        lines = first.content.splitlines(keepends=True)
        kept = 0
        for end in range(0, len(lines), 7):
            try:
                kept += backend.read([replace(first, content=b"".join(lines[:end])), *rest]) == wanted
            except ReadFault:
                continue
        assert kept == 0

    def test_the_real_tools_take_it(self, backend: Target[Any], case: str) -> None:
        tools, judged = real_tools(), 0
        for spec in specs_of(backend, case):
            results = tools.judge(backend.manifest, files(backend, spec))
            assert not [result for result in results if result.outcome == "rejected"]
            judged += sum(result.outcome == "accepted" for result in results)
        missing = [why for proof in backend.manifest.proofs if (why := tools.why_not(proof))]
        if missing:
            pytest.skip(f"NOT JUDGED: {'; '.join(missing)}")
        assert judged >= len(backend.manifest.proofs)
