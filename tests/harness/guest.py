"""What runs inside the machine of `qemu.py`: obeys one JSON command a line, one answer a line. Standard library only."""

from __future__ import annotations

import asyncio
import ctypes
import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, TextIO

sys.path.insert(0, str(Path(__file__).parent))
probe = importlib.import_module("agent")
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
agents: dict[str, tuple[int, TextIO, TextIO]] = {}
"""By name: its number, what it hears, what it says."""


def hello() -> str:
    return Path("/proc/sys/kernel/osrelease").read_text().strip()


def run(command: list[str], given: str | None) -> list[Any]:
    """Exit code, output, errors."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=90, check=False)
    return [done.returncode, done.stdout, done.stderr]


def write(path: str, content: str) -> bool:
    """A file of the machine's own: what stands below /run is seen by nobody else."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(content)
    return True


def enter(name: str) -> None:
    """Be in a namespace from here on."""
    with Path("/run/netns", name).open() as space:
        if LIBC.setns(space.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def runner(name: str, archive: str, arguments: list[str]) -> str:
    """What the runner prints in a namespace: it too is a copy of this process."""
    if archive not in sys.path:
        sys.path.insert(0, archive)
    main = importlib.import_module("ztosc.runner.__main__").main
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            enter(name)
            os.dup2(writes, 1)
            sys.stdout = os.fdopen(1, "w")
            main(arguments)
            sys.stdout.flush()
        finally:
            os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as said:
        found = said.read()
    os.waitpid(pid, 0)
    return found


def agent(name: str) -> bool:
    """A probe agent in the namespace of that name: a copy of this process, for a fresh Python takes five seconds in here."""
    (hears, to), (heard, says) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(hears, 0)
            os.dup2(says, 1)
            os.closerange(3, 1024)
            enter(name)
            sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w")
            asyncio.run(probe.main())
        finally:
            os._exit(1)
    os.close(hears)
    os.close(says)
    agents[name] = (pid, os.fdopen(to, "w"), os.fdopen(heard))
    return True


def tell(name: str, line: str) -> bool:
    to = agents[name][1]
    to.write(line)
    to.flush()
    return True


def answer(name: str) -> str:
    """Its next line; none where it has ended."""
    return str(agents[name][2].readline())


def end(name: str) -> bool:
    pid, *pipes = agents.pop(name)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    for pipe in pipes:
        pipe.close()
    return True


COMMANDS = {each.__name__: each for each in (hello, run, write, runner, agent, tell, answer, end)}

with Path(sys.argv[1]).open("r+b", buffering=0) as port:
    pending = b""
    while part := port.read(1 << 16):
        pending += part
        while b"\n" in pending:
            one, _, pending = pending.partition(b"\n")
            what, arguments = json.loads(one)
            try:
                said = {"ok": COMMANDS[what](*arguments)}
            except Exception as error:  # whoever asked must hear of it
                said = {"error": repr(error)}
            port.write(json.dumps(said).encode() + b"\n")
