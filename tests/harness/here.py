"""Where a lab's commands and agents run: this machine, or one that answers as `guest.py` does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Protocol

AGENT = Path(__file__).with_name("agent.py")


class LabFault(Exception):
    """The lab itself could not be built; it says nothing of the ruleset."""


class Place(Protocol):
    """What a lab needs of a machine."""

    def run(self, *command: str, given: str | None = None) -> str: ...

    def write(self, path: str, content: str) -> None: ...

    def agent(self, name: str) -> None: ...

    def tell(self, name: str, line: str) -> None: ...

    def answer(self, name: str) -> str: ...

    def end(self) -> None: ...


def run(*command: str, given: str | None = None) -> str:
    """What a command prints. Raises `LabFault` where it fails."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise LabFault(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class Here:
    """This machine."""

    def __init__(self) -> None:
        self.started: dict[str, subprocess.Popen[str]] = {}

    def run(self, *command: str, given: str | None = None) -> str:
        return run(*command, given=given)

    def write(self, path: str, content: str) -> None:
        raise LabFault(f"{path} would be a file of this machine")

    def agent(self, name: str) -> None:
        """A probe agent in the namespace of that name, which is told and answers by it."""
        command = ["ip", "netns", "exec", name, sys.executable, "-I", "-S", str(AGENT)]
        self.started[name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, name: str, line: str) -> None:
        stdin = self.started[name].stdin
        assert stdin is not None
        stdin.write(line)
        stdin.flush()

    def answer(self, name: str) -> str:
        stdout = self.started[name].stdout
        assert stdout is not None
        return stdout.readline()

    def end(self) -> None:
        """End what was started."""
        for process in self.started.values():
            process.kill()
        for process in self.started.values():
            process.wait(timeout=10)
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
        self.started = {}
