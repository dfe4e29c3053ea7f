"""The second engine: whatever the diagrams said is nobody's, asked again of Z3, as text and all at once.

Guarantees: a fresh context, and a limit on the solver's own steps for each question; exactly one `sat` or `unsat` for each, and anything
else that comes back counts as *not decided*. Where the two engines differ, `EnginesDisagree`: an internal error, never a verdict.
"""

from __future__ import annotations

from collections.abc import Sequence

from ztosc.verify.answers import Question
from ztosc.verify.encoding import Reading
from ztosc.verify.smtlib import Script

BATCH = 2_000
"""Questions in one text."""


class EnginesDisagree(Exception):
    """One engine finds somebody where the other finds nobody: an internal error."""


def confirmed(reading: Reading, questions: Sequence[Question], rlimit: int) -> list[bool]:
    """Of questions answered *nobody*: whether the solver says so too, or did not decide. Raises `EnginesDisagree`."""
    found: list[bool] = []
    for start in range(0, len(questions), BATCH):
        found += _asked(reading, questions[start : start + BATCH], rlimit)
    return found


def _asked(reading: Reading, questions: Sequence[Question], rlimit: int) -> list[bool]:
    text = Script(reading, questions).text(rlimit=rlimit)
    tokens = solve(text)
    if len(tokens) != len(questions) or not set(tokens) <= {"sat", "unsat", "unknown"}:
        if len(questions) == 1:
            return [False]
        half = len(questions) // 2  # one that is too hard spoils the text for all others
        return _asked(reading, questions[:half], rlimit) + _asked(reading, questions[half:], rlimit)
    if "sat" in tokens:
        raise EnginesDisagree(f"the solver finds somebody where the diagrams find nobody: q{tokens.index('sat')} of\n{text}")
    return [token == "unsat" for token in tokens]  # what a solver says


def solve(text: str) -> list[str]:
    """What Z3 prints for a text, line by line; nothing where it complains."""
    import z3  # type: ignore[import-untyped]

    context = z3.Context()  # named, so that it outlives the call
    try:
        lines = z3.Z3_eval_smtlib2_string(context.ref(), text).split("\n")
    except z3.Z3Exception:
        return []
    return [line.strip() for line in lines if line.strip()]
