"""Whole commands beside the floor of what they stand on, interleaved in one run: `python tests/bench/commands.py [ROUNDS]`.

Prints the median CPU seconds (user and system, children included) and peak memory of each, and the ratio of the pair. By hand only:
the dated figures stand in docs/performance.md.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOSPITAL = ROOT / "examples" / "hospital"
IMPORTS = "import click, lark, pydantic, jinja2, networkx, dns.zone, z3"
AT = ["--at", "2026-11-22T00:00Z"]


def pairs(out: Path) -> list[tuple[str, list[str], list[str]]]:
    """Name, command, and the floor that it is measured against."""
    ztosc, python = [sys.executable, "-m", "ztosc"], [sys.executable, "-c"]
    return [
        ("--version against `import click`", [*ztosc, "--version"], [*python, "import click"]),
        ("check against `import lark, pydantic`", [*ztosc, "check", str(HOSPITAL), *AT], [*python, "import click, lark, pydantic"]),
        ("verify against the imports it needs", [*ztosc, "verify", str(HOSPITAL), *AT], [*python, IMPORTS]),
        ("build against the imports it needs", [*ztosc, "build", str(HOSPITAL), "-o", str(out), "--locked", *AT], [*python, IMPORTS]),
    ]


def once(command: list[str]) -> tuple[float, float]:
    """CPU seconds of a command with its children, and the largest process in MiB."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        os.write(writer, f"{done.returncode} {usage.ru_utime + usage.ru_stime} {usage.ru_maxrss / 1024}".encode())
        os._exit(0)
    os.close(writer)
    code, seconds, memory = os.read(reader, 200).decode().split()
    os.close(reader)
    os.waitpid(child, 0)
    if code != "0":
        raise SystemExit(f"exit {code}: {' '.join(command)}")
    return float(seconds), float(memory)


def main() -> None:
    """Measure every pair."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as folder:
        for name, command, floor in pairs(Path(folder) / "out"):
            once(command), once(floor)
            measured = [(once(command), once(floor)) for _ in range(rounds)]
            ours, theirs = [statistics.median(each[side][0] for each in measured) for side in (0, 1)]
            ratios = sorted(each[0][0] / each[1][0] for each in measured)
            memory = max(each[0][1] for each in measured)
            spread = f"{ratios[0]:.2f}-{ratios[-1]:.2f}"
            print(f"{name:<40} {ours:6.3f} s / {theirs:6.3f} s = {statistics.median(ratios):5.2f} ({spread}), {memory:4.0f} MiB")


if __name__ == "__main__":
    main()
