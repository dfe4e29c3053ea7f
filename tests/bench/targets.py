"""All targets for fabrics of growing size, and what the insertion of one node changes: `python tests/bench/targets.py [SIZE …]`.

Each size runs in processes of its own, `ROUNDS` of them; of each phase the smallest figure counts, for others use the machine too. Prints
CPU seconds by phase and target, the sum, peak memory, and the ratio of the sum to parsing the emitted bytes' worth of JSON lines, so that
figures of two machines can be held beside each other. By hand only.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass

from tests.bench.fabric import SITE, fabric, names
from tests.nodes.networks import public_key
from ztosc.allocate import Lock, render_lock
from ztosc.backends import Bundle, backends, network_backends, render, render_network
from ztosc.compiler import Compiled, compile_project
from ztosc.nodes import project
from ztosc.source import MemoryLoader

AT = 1_795_305_600
SIZES = (50, 200, 1000)
"""What is asked for; a fabric has the next multiple of its sites' size below."""
ROUNDS = 3


def compiled(nodes: int, skip: int | None = None, lock: Lock | None = None) -> Compiled:
    """The fabric of so many nodes with a public key each, allocated on from a lock."""
    files = {"fabric.ztos": fabric(nodes, skip).encode()}
    files |= {f"keys/wireguard/{name}/1.pub": public_key(name).value.encode() for name in names(nodes, skip)}
    if lock is not None:
        files["ztos.lock"] = render_lock(lock)
    found = compile_project(MemoryLoader(files), AT)
    assert found.network is not None and found.lock is not None, [item.message for item in found.diagnostics][:3]
    return found


def bundle(found: Compiled) -> Bundle:
    """Every file of a compiled network."""
    assert found.network is not None
    return render_network(found.network, render(project(found.network), backends()), network_backends())


def measure(nodes: int) -> dict[str, float]:
    """CPU seconds by phase, and the peak of memory in MiB."""
    seconds: dict[str, float] = {}
    mark = time.process_time()
    found = compiled(nodes)
    assert found.network is not None
    seconds["compile"] = time.process_time() - mark
    mark = time.process_time()
    specs = project(found.network)
    seconds["project"] = time.process_time() - mark
    size, files = 0, []
    for target in backends():
        mark = time.process_time()
        files += render(specs, [target]).files
        seconds[target.name] = time.process_time() - mark
    nodes_bundle = Bundle(tuple(sorted(files, key=lambda file: file.path)))
    for whole in network_backends():
        mark = time.process_time()
        size = max(size, sum(len(file.artifact.content) for file in render_network(found.network, nodes_bundle, [whole]).files))
        seconds[whole.name] = time.process_time() - mark
    return {**seconds, "bytes": size, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "json": json_seconds(size)}


def json_seconds(size: int) -> float:
    """CPU seconds that `json` needs to read so many bytes of short records: the yardstick of this run."""
    line = '{"kind": "subnet", "name": "ehr@campus", "value": 60733}'
    lines = [line] * (size // len(line))
    mark = time.process_time()
    for each in lines:
        json.loads(each)
    return time.process_time() - mark


@dataclass(frozen=True)
class Change:
    """Files before and after a node was inserted, the lock kept: those of the other nodes, and those of the network."""

    nodes: dict[str, str]
    """Every file of the other nodes, with its node."""
    changed: tuple[str, ...]
    """Those of them that changed."""
    shared: tuple[str, ...]
    """Files of the network that changed."""
    all_shared: int


def changed_by_one_node(nodes: int) -> Change:
    """What one node more in the middle of a fabric changes."""
    skip = nodes // 2 + 2  # not on the rings between sites
    before = compiled(nodes, skip)
    after = compiled(nodes, None, before.lock)
    old = {file.path: file.artifact.content for file in bundle(before).files}
    new = {file.path: (file.node, file.artifact.content) for file in bundle(after).files}
    inserted = names(nodes)[skip]
    rest = {path: node for path, (node, _) in new.items() if node is not None and node != inserted}
    shared = [path for path, (node, _) in new.items() if node is None]
    differ = [path for path, (_, content) in new.items() if old.get(path) != content]
    return Change(rest, tuple(path for path in differ if path in rest), tuple(path for path in differ if path in shared), len(shared))


def best(nodes: int) -> dict[str, float]:
    """The smallest figure of each kind over the rounds."""
    command = [sys.executable, "-m", "tests.bench.targets", "--one", str(nodes // SITE * SITE)]
    rounds = [json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(ROUNDS)]
    return {name: min(each[name] for each in rounds) for name in rounds[0]}


def main() -> None:
    """Measure every size, then the insertion."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(int(sys.argv[2]))))
        return
    for nodes in [int(each) for each in sys.argv[1:]] or SIZES:
        figures = best(nodes)
        memory, size, yardstick = figures.pop("memory"), figures.pop("bytes"), figures.pop("json")
        parts = ", ".join(f"{name} {seconds:.2f}" for name, seconds in figures.items())
        total = sum(figures.values())
        rendering = total - figures["compile"] - figures["project"]
        size_text = f"{memory:4.0f} MiB, {size / 1e6:5.1f} MB"
        targets = f"projection and targets {figures['project'] + rendering:.2f} s"
        fabric_of = nodes // SITE * SITE
        print(f"{fabric_of:5} nodes: {total:6.2f} s, {targets}, {size_text}, {total / yardstick:5.1f} x json  ({parts})")
    found = changed_by_one_node(48)
    share = 100 * len(found.changed) / len(found.nodes)
    changed = f"{len(found.changed)} of {len(found.nodes)} files of other nodes change ({share:.1f} %)"
    print(f"one node inserted into 47: {changed}, on {len({found.nodes[path] for path in found.changed})} nodes")
    print(f"of the network's own {found.all_shared} files {len(found.shared)} change: {', '.join(found.shared)}")
    kinds = Counter(path.split("/")[2] for path in found.changed)
    print("by target: " + ", ".join(f"{name} {count}" for name, count in sorted(kinds.items())))


if __name__ == "__main__":
    main()
