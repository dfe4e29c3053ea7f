"""Syntax trees to `Program`: modules, scopes, types.

Guarantees: every name is bound and every expression typed, or there is an error that says why not; all mistakes of all files are
reported in one run, and none twice.
"""

from ztosc.semantics.check import check
from ztosc.semantics.program import Program

__all__ = ["Program", "check"]
