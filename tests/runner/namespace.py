"""A node as a network, mount and process namespace of its own, with the runner as it is shipped: one file, the standard library alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MAIN = "import sys\nfrom ztosc.runner.__main__ import main\nsys.exit(main(sys.argv[1:]))\n"
OPEN = ("unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
BEGIN = "mkdir -p /run/wireguard && mount -t tmpfs tmpfs /run/wireguard && ip link set lo up && echo ready && exec cat"


def why_missing(*tools: str) -> str | None:
    """Why no node can be made here, or nothing."""
    missing = [tool for tool in ("unshare", "nsenter", "ip", *tools) if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    done = subprocess.run([*OPEN, "ip", "link", "add", "x0", "type", "bridge"], capture_output=True, text=True, timeout=30, check=False)
    return None if done.returncode == 0 else f"no namespace with a bridge: {done.stderr.strip()}"


def archive(folder: Path) -> Path:
    """`ztos-node` as a zip file."""
    path = folder / "ztos-node.pyz"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("__main__.py", MAIN)
        made.write(ROOT / "ztosc" / "__init__.py", "ztosc/__init__.py")
        for each in sorted((ROOT / "ztosc" / "runner").glob("*.py")):
            made.write(each, f"ztosc/runner/{each.name}")
    return path


class Node:
    """A running namespace."""

    def __init__(self, pid: int, folder: Path) -> None:
        self.enter = ("nsenter", "-t", str(pid), "-U", "-n", "-m", "-p", "--preserve-credentials", "--")
        self.listen = tuple(word for word in self.enter if word not in ("-m", "-p"))
        """Without the process namespace there is no process between, so that whoever ends the command ends it."""
        self.folder = folder
        self.archive = archive(folder)

    def run(self, *command: str) -> str:
        """The output of a command that must succeed."""
        done = subprocess.run([*self.enter, *command], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}{done.stdout}"
        return done.stdout

    def sh(self, script: str) -> str:
        return self.run("sh", "-ec", script)

    def runner(self, *words: str) -> dict[str, Any]:
        """The report of the runner: isolated, without site-packages. Its exit code is the report's."""
        command = [*self.enter, sys.executable, "-I", "-S", str(self.archive), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.stdout, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        assert report["code"] == done.returncode
        return report

    def interfaces(self, mode: str, content: bytes) -> dict[str, Any]:
        path = self.folder / "interfaces.json"
        path.write_bytes(content)
        return self.runner("interfaces", mode, str(path))

    def links(self) -> dict[str, dict[str, Any]]:
        """Everything that iproute2 says of every interface, without what only time changes."""
        found = json.loads(self.run("ip", "-N", "-j", "-d", "link", "show"))
        return {each["ifname"]: _still(each) for each in found}

    def addresses(self, name: str) -> set[str]:
        (found,) = json.loads(self.run("ip", "-j", "address", "show", "dev", name))
        return {f"{each['local']}/{each['prefixlen']}" for each in found["addr_info"]}

    @contextmanager
    def events(self) -> Iterator[list[str]]:
        """What the kernel tells of links, addresses and routes meanwhile."""
        heard: list[str] = []
        command = [*self.listen, "ip", "-d", "monitor", "link", "address", "route"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as monitor:
            time.sleep(0.3)
            try:
                yield heard
            finally:
                time.sleep(0.3)
                monitor.terminate()
                heard.extend((monitor.stdout.read() if monitor.stdout else "").splitlines())


def _still(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _still(each) for key, each in value.items() if not key.endswith("_timer")}
    return value


@contextmanager
def node(folder: Path) -> Iterator[Node]:
    """A node that ends, with every process in it, when the block does."""
    with subprocess.Popen([*OPEN, "sh", "-ec", BEGIN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as opened:
        assert opened.stdout is not None and opened.stdin is not None
        assert opened.stdout.readline() == "ready\n"
        pid = int(Path(f"/proc/{opened.pid}/task/{opened.pid}/children").read_text().split()[0])
        try:
            yield Node(pid, folder)
        finally:
            opened.stdin.close()
            opened.wait(timeout=30)
