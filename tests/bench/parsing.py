"""Reading, and reading again: `python -m tests.bench.parsing [LINES …]`, 10,000 and 100,000 where nothing is said.

Prints CPU seconds, the least of the rounds, each size in processes of its own:

- bare lark: the same grammar as a plain user of lark takes it (LALR, contextual lexer, trees with positions and placeholders), over the
  cleaned text of the same statements. Making the tables of the grammar is left out here and in all other rows but `process`;
- cold: text to AST without a cache, and the ratio of both, taken in turns;
- filling: the same with an empty cache on disk, which is written;
- warm: the same where every statement is in the cache; `process` is a new process that imports what parsing needs and reads all of it;
- edits of a project held in memory (`semantics.workspace`), up to its diagnostics: a port of one rule, a line put in, a name that others
  use, a name that there is not, a quote that is not closed, and what taking each back costs.

By hand only: the dated figures stand in docs/performance.md.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.fabric import HEAD, SITE, site_text
from ztosc.cli.cache import DiskCache
from ztosc.diagnostics import Report
from ztosc.semantics.workspace import Workspace
from ztosc.source import MemoryLoader, Source
from ztosc.syntax import Cache, parse
from ztosc.syntax.cut import lay_out

SIZES = (10_000, 100_000)
ROUNDS = 3
AREA = 50
"""Sites that share an office."""
CHILD = """
import sys, time
from pathlib import Path
from ztosc.cli.cache import DiskCache
from ztosc.diagnostics import Report
from ztosc.source import Source
from ztosc.syntax import parse
module = parse(Source("a.ztos", Path(sys.argv[1]).read_text()), Report(), DiskCache(Path(sys.argv[2])))
assert "lark" not in sys.modules
print(time.process_time())
"""


def project(lines: int) -> str:
    """The text of a network with about so many lines: sites of a hospital group, in areas that share an office."""
    parts = [HEAD]
    total, site = HEAD.count("\n"), 0
    while total < lines:
        area = site // AREA
        text = site_text(site, None).replace(" office dot1x", f" office-{area} dot1x")
        text += "\n".join(f"link n{site - 1}-{ring} -- n{site}-{ring}" for ring in range(2) if site) + "\n"
        if site % AREA == AREA - 1:
            shared = ", ".join(f"s{each}" for each in range(site - AREA + 1, site + 1))
            text += (
                f"segment office-{area} {{ at {shared}; admits people; carries internal }}\nallow office-{area} to internet on tcp/443\n"
            )
        parts.append(text)
        total, site = total + text.count("\n"), site + 1
    rest = ", ".join(f"s{each}" for each in range(site // AREA * AREA, site)) or "s0"
    parts.append(f"segment office-{site // AREA} {{ at {rest}; admits people; carries internal }}\n")
    return "".join(parts)


def least(*steps: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """The least CPU seconds of each step, taken in turns."""
    best = [float("inf")] * len(steps)
    for _ in range(rounds):
        for index, step in enumerate(steps):
            mark = time.process_time()
            made = step()
            best[index] = min(best[index], time.process_time() - mark)
            del made
    return best


def reading(text: str) -> None:
    """Cold against bare lark, then with a cache on disk."""
    from ztosc.syntax.grammar import lark, parser

    source = Source("a.ztos", text)
    chunks = lay_out(source, Report())
    bare = lark(propagate_positions=True, maybe_placeholders=True)
    parser()

    def cold(cache: Cache | None = None) -> object:
        report = Report()
        module = parse(Source("a.ztos", text), report, cache)
        assert not report.items and len(module.statements) == len(chunks)
        return module

    floor, ours = least(lambda: [bare.parse(chunk.text, start="statement") for chunk in chunks], cold)
    print(f"  {len(chunks)} statements, {len(text) / 1e6:.1f} MB", f"layout {least(lambda: lay_out(source, Report()))[0]:.3f}", sep=", ")
    print(f"  bare lark {floor:.2f}, cold {ours:.2f}: ratio {ours / floor:.2f}")
    with tempfile.TemporaryDirectory() as folder:
        made: list[DiskCache] = []

        def fill() -> object:
            made.append(DiskCache(Path(folder) / f"cache{len(made)}"))
            return cold(made[-1])

        (filling,) = least(fill)
        for other in made[:-1]:
            other.close()
        cache = made[-1]
        place = Path(folder) / f"cache{len(made) - 1}"
        (warm,) = least(lambda: cold(cache))
        size = sum(path.stat().st_size for path in place.iterdir()) / 1e6
        cache.close()
        (Path(folder) / "a.ztos").write_text(text)
        command = [sys.executable, "-c", CHILD, str(Path(folder) / "a.ztos"), str(place)]
        child = min(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(ROUNDS))
    print(
        f"  filling {filling:.2f} ({filling / floor:.2f}), warm {warm:.2f} ({warm / floor:.2f}), process {child:.2f}; {size:.1f} MB on disk"
    )


def editing(text: str) -> None:
    """One edit at a time of a project in memory."""
    mark = time.process_time()
    workspace = Workspace(MemoryLoader({"a.ztos": text.encode()}))
    print(f"  open {time.process_time() - mark:.2f} s, {len(workspace.diagnostics)} diagnostics")
    middle = text.count("\nsite ") // 2
    rule = f"allow nurse-{middle} to records-{middle}\n"
    edits = {
        "a port": (f"pumps-{middle} on tcp/22", f"pumps-{middle} on tcp/23"),
        "a line more": (rule, rule + f"allow nurse-{middle} to hub-{middle}\n"),
        "a used name": (f"segment rack-{middle} ", f"segment rock-{middle} "),
        "an unknown name": (rule, rule.replace("nurse", "nurze")),
        "an open quote": (f"role tech-{middle} {{", f'role tech-{middle} "{{'),
    }
    for what, (old, new) in edits.items():
        edited = text.replace(old, new, 1)
        assert edited != text
        there, back = least(lambda edited=edited: workspace.edit("a.ztos", edited), lambda: workspace.edit("a.ztos", text), rounds=5)
        print(f"  {what}: {there * 1000:.1f} ms, back {back * 1000:.1f} ms")


def main() -> None:
    """Measure every size."""
    for lines in [int(each) for each in sys.argv[1:]] or SIZES:
        text = project(lines)
        print(f"{text.count(chr(10))} lines, {text.count(chr(10) + 'site ') * SITE} nodes", flush=True)
        reading(text)
        editing(text)


if __name__ == "__main__":
    main()
