"""All targets for fabrics of growing size, and what the insertion of one node changes: `python tests/bench/targets.py [SIZE …]`.

Each size runs in a process of its own. Prints CPU seconds by phase and target, the sum, peak memory, and the ratio of the sum to parsing
the emitted bytes' worth of JSON lines, so that figures of two machines can be held beside each other. By hand only.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

from tests.bench.fabric import fabric, names
from tests.nodes.networks import public_key
from ztosc.allocate import Lock, render_lock
from ztosc.backends import Bundle, backends, network_backends, render, render_network
from ztosc.compiler import Compiled, compile_project
from ztosc.nodes import project
from ztosc.source import MemoryLoader

AT = 1_795_305_600
SIZES = (48, 200, 1000)


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


def changed_by_one_node(nodes: int) -> tuple[int, int, int, int]:
    """Changed and all node folders, changed and all files, when one node is inserted and the lock is kept."""
    skip = nodes // 2 + 2  # not on the rings between sites
    before = compiled(nodes, skip)
    after = compiled(nodes, None, before.lock)
    old = {file.path: file.artifact.content for file in bundle(before).files}
    new = {file.path: (file.node, file.artifact.content) for file in bundle(after).files}
    inserted = names(nodes)[skip]
    rest = {path: node for path, (node, _) in new.items() if node is not None and node != inserted}
    changed = [path for path in rest if old.get(path) != new[path][1]]
    return len({rest[path] for path in changed}), nodes - 1, len(changed), len(rest)


def main() -> None:
    """Measure every size, then the insertion."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(int(sys.argv[2]))))
        return
    for nodes in [int(each) for each in sys.argv[1:]] or SIZES:
        command = [sys.executable, "-m", "tests.bench.targets", "--one", str(nodes)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        figures = json.loads(done.stdout)
        memory, size, yardstick = figures.pop("memory"), figures.pop("bytes"), figures.pop("json")
        parts = ", ".join(f"{name} {seconds:.2f}" for name, seconds in figures.items())
        total = sum(figures.values())
        size_text = f"{memory:4.0f} MiB, {size / 1e6:5.1f} MB"
        print(f"{nodes:5} nodes: {total:6.2f} s, {size_text}, {total / yardstick:5.1f} x json  ({parts})")
    folders, nodes, files, all_files = changed_by_one_node(48)
    share = 100 * files / all_files
    changed = f"{files} of {all_files} files of other nodes change ({share:.1f} %)"
    print(f"one node inserted into {nodes}: {changed}, on {folders} of {nodes} nodes")


if __name__ == "__main__":
    main()
