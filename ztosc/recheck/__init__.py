"""Certificates checked again: a small checker that shares no code with what decides verdicts.

Guarantees: knows `ir` and `logic` alone, and a solver for the guards that is Z3 or whatever program it is given; never `verify`.
Everything is derived anew from the network's own JSON.
"""

from ztosc.recheck.check import Checker, Finding
from ztosc.recheck.solver import Solver

__all__ = ["Checker", "Finding", "Solver"]
