"""What a command of the runner did, and the exit code that says it.

Guarantees: `OK` means that the kernel was read afterwards and holds what the file says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

OK = 0
DRIFT = 1
"""`--check` found a difference."""
REFUSED = 2
"""The file cannot be read or is not what this version knows; nothing was changed."""
INCAPABLE = 3
"""This kernel lacks something that the file needs; the report names it, nothing was changed."""
FOREIGN = 4
"""Something that is not ours stands in the way or is not there."""
FAILED = 5
"""A change was refused by the kernel, or did not last."""
USAGE = 64

Kind = Literal["file", "capability", "foreign", "missing", "failed"]
CODES: dict[Kind, int] = {"file": REFUSED, "capability": INCAPABLE, "foreign": FOREIGN, "missing": FOREIGN, "failed": FAILED}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is in the way. `name` is that of the interface, capability or file."""

    kind: Kind
    name: str
    text: str


@dataclass(slots=True)
class Report:
    """Changes made (or, of a check, to be made) in words, and problems."""

    checked: bool = False
    changes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    due: dict[str, int | None] = field(default_factory=dict)
    """What else the report says: of windows, as `next`, when one opens and the command has to be run again."""

    @property
    def code(self) -> int:
        """The gravest of what there is to say."""
        found = [CODES[problem.kind] for problem in self.problems]
        return max([*found, DRIFT if self.checked and self.changes else OK])

    def table(self) -> dict[str, Any]:
        """As JSON."""
        problems = [{"kind": each.kind, "name": each.name, "text": each.text} for each in self.problems]
        return {"code": self.code, "changes": self.changes, "problems": problems, **self.due}
