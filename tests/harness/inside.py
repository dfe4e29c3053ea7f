"""A lab's place inside the machine of `qemu.py`."""

from __future__ import annotations

from typing import Any

from tests.harness.here import LabFault
from tests.harness.qemu import Machine


class Inside:
    """As `here.Here`, in there."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.names: list[str] = []

    def _ask(self, what: str, *arguments: Any) -> Any:
        said = self.machine.ask(what, *arguments)
        if "error" in said:
            raise LabFault(f"{what} {arguments}: {said['error']}")
        return said["ok"]

    def run(self, *command: str, given: str | None = None) -> str:
        code, output, errors = self._ask("run", command, given)
        if code:
            raise LabFault(f"{' '.join(command)}: {errors.strip()}{output.strip()}")
        return str(output)

    def write(self, path: str, content: str) -> None:
        self._ask("write", path, content)

    def runner(self, space: str, archive: str, *arguments: str) -> str:
        return str(self._ask("runner", space, archive, arguments))

    def agent(self, name: str) -> None:
        self._ask("agent", name)
        self.names.append(name)

    def tell(self, name: str, line: str) -> None:
        self._ask("tell", name, line)

    def answer(self, name: str) -> str:
        return str(self._ask("answer", name))

    def end(self) -> None:
        """End what was started."""
        for name in self.names:
            self._ask("end", name)
        self.names = []
