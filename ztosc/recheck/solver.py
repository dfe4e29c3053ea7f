"""A solver, asked for one word: `sat` or `unsat`.

Guarantees: whatever is not exactly one of the two, whatever the reason, is no answer (`NoAnswer`); the only file here that knows Z3. With
the name of a program, that program judges instead: it is given a file of SMT-LIB and nothing else.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

RLIMIT = 50_000_000
"""Steps of Z3 for one question."""
SECONDS = 120
"""How long another solver may take for one question."""


class NoAnswer(Exception):
    """A question that was not decided; the text says why."""


class Solver:
    """Z3 in this process, or another solver's program."""

    def __init__(self, program: str | None = None) -> None:
        self.program = program
        self.asked = 0
        self._known: dict[str, bool] = {}

    def satisfiable(self, text: str) -> bool:
        """Whether a text of SMT-LIB is satisfiable. Raises `NoAnswer`."""
        if text not in self._known:
            self.asked += 1
            word = self._run(text) if self.program else self._z3(text)
            if word not in ("sat", "unsat"):
                raise NoAnswer(f"{self.program or 'the solver'} does not say whether somebody may: {word[:120] or 'it says nothing'}")
            self._known[text] = word == "sat"
        return self._known[text]

    def _z3(self, text: str) -> str:
        import z3  # type: ignore[import-untyped]

        solver = z3.Solver(ctx=z3.Context())
        solver.set("rlimit", RLIMIT)
        solver.set("random_seed", 0)
        try:
            solver.from_string(text)
            return str(solver.check())
        except z3.Z3Exception as error:
            return str(error)

    def _run(self, text: str) -> str:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "question.smt2"
            file.write_text(text, encoding="utf-8")
            try:
                done = subprocess.run([str(self.program), str(file)], capture_output=True, text=True, timeout=SECONDS, check=False)
            except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
                return f"{type(error).__name__}"
        words = done.stdout.split()
        return words[0] if len(words) == 1 and done.returncode == 0 else (done.stderr or done.stdout).strip()
