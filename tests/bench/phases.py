"""The front half by phase: `python -m tests.bench.phases [SEGMENTS/RULES …]`, two sizes where nothing is said.

Prints CPU seconds from the text of a project (`tests/bench/generate.py`, 400 claims) to its network, each run in a process of its own and
the rounds in turns, the least of three:

- imports: what has to be loaded, before anything is read;
- reading: text to AST, making the tables of the grammar included where they are needed;
- binding, lowering, allocation: the phases after it, with their checks;
- scope: the lines about assurance and scope that `ztosc verify` ends with;
- lark: the same grammar as a plain user of lark takes it, over the same statements in the same process, tables left out.

`cold` is without a cache, `warm` with one on disk that an earlier run filled. By hand only: the dated figures stand in docs/performance.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SIZES = ("500/5000", "2000/20000")
ROUNDS = 3
AT = 1_795_305_600


class Phases:
    """CPU seconds by phase."""

    def __init__(self) -> None:
        self.taken = {"imports": time.process_time()}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Counts what is done here for a phase."""
        start = time.process_time()
        yield
        self.taken[name] = self.taken.get(name, 0.0) + time.process_time() - start


def one(folder: str, cache: str) -> None:
    """A run in this process: prints its phases as JSON."""
    import resource

    from ztosc.allocate import allocate
    from ztosc.cli.cache import DiskCache
    from ztosc.collector import uncollected
    from ztosc.compiler import compile_project  # noqa: F401 - part of what every command loads
    from ztosc.diagnostics import Report
    from ztosc.lower import lower
    from ztosc.semantics import check
    from ztosc.source import DiskLoader, Source
    from ztosc.syntax import parse

    phases, report = Phases(), Report()
    opened = DiskCache(Path(cache)) if cache else None
    module = sys.modules["ztosc.semantics.check"]

    def reading(source: Source, report: Report, cache: Any) -> Any:
        with phases.phase("reading"):
            return parse(source, report, cache)

    module.parse = reading  # type: ignore[attr-defined]
    with uncollected():
        with phases.phase("binding"):
            program = check(DiskLoader(Path(folder)), report, opened)
        phases.taken["binding"] -= phases.taken["reading"]
        with phases.phase("lowering"):
            intent = lower(program, AT, report)
        assert intent is not None
        with phases.phase("allocation"):
            network = allocate(intent, None, AT, report).network
    phases.taken["sum"] = sum(phases.taken.values())
    phases.taken["MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert not report.items and network is not None
    with phases.phase("scope"):
        from ztosc.verify.assurance import Assurances

        assert sum(1 for _ in Assurances(network).bases())
    if not cache:
        phases.taken["lark"] = bare(Path(folder, "main.ztos").read_text(encoding="utf-8"))
    print(json.dumps(phases.taken))


def bare(text: str) -> float:
    """The statements of a text by lark alone."""
    from ztosc.diagnostics import Report
    from ztosc.source import Source
    from ztosc.syntax.cut import lay_out
    from ztosc.syntax.grammar import lark

    parser = lark(propagate_positions=True, maybe_placeholders=True)
    chunks = lay_out(Source("main.ztos", text), Report())
    start = time.process_time()
    for chunk in chunks:
        parser.parse(chunk.text, start="statement")
    return time.process_time() - start


def run(folder: Path, cache: str) -> dict[str, float]:
    """A run in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.phases", "--one", str(folder), cache]
    found: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


def least(rounds: list[dict[str, float]]) -> dict[str, float]:
    """The least of each phase."""
    return {name: min(each[name] for each in rounds) for name in rounds[0]}


def measure(segments: int, rules: int) -> None:
    """Prints the phases of one size."""
    from tests.bench.generate import Plan

    text = Plan(segments, rules, 400).text()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "project")
        folder.mkdir()
        (folder / "main.ztos").write_text(text, encoding="utf-8")
        (folder / "ztos.toml").write_text('[project]\nname = "big"\n', encoding="utf-8")
        run(folder, f"{name}/cache")
        kinds: dict[str, Callable[[], dict[str, float]]] = {"cold": lambda: run(folder, ""), "warm": lambda: run(folder, f"{name}/cache")}
        found: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
        for _ in range(ROUNDS):
            for kind, do in kinds.items():
                found[kind].append(do())
    print(f"{segments} segments, {rules} rules, {len(text) / 1e6:.1f} MB, load {os.getloadavg()[0]:.1f}")
    for kind, each in found.items():
        print(f"  {kind}: " + ", ".join(f"{name} {taken:.2f}" for name, taken in least(each).items()), flush=True)


def main(arguments: list[str]) -> None:
    """Each size in turn."""
    if arguments[:1] == ["--one"]:
        one(*arguments[1:])
        return
    for size in arguments or SIZES:
        measure(*map(int, size.split("/")))


if __name__ == "__main__":
    main(sys.argv[1:])
