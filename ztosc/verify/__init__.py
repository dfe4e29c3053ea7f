"""Network → Verdicts: what the sources claim, proved, refuted with a witness that replays, or neither. The only room that knows Z3.

Guarantees: every flow in a verdict is one that `ztosc.ir.evaluate` allows; only a search that ended says `proved`; one property a file.
This is the reference: slow and obvious, the oracle of whatever is faster. What is not modelled is never called proved.
"""

from ztosc.verify.asking import Answer, Asker, Question
from ztosc.verify.assurance import AUTHENTICATED, Assurances
from ztosc.verify.confirm import EnginesDisagree
from ztosc.verify.controls import states
from ztosc.verify.coverage import Coverage, coverage
from ztosc.verify.engine import verify
from ztosc.verify.literals import Unanswerable
from ztosc.verify.questions import WitnessDoesNotReplay
from ztosc.verify.refutation import explained
from ztosc.verify.session import Progress, Session
from ztosc.verify.tests_block import TestFailure, TestResult, run_tests
from ztosc.verify.why import Difference, Explanation, Grounds, why

__all__ = [
    "AUTHENTICATED",
    "Answer",
    "Asker",
    "Assurances",
    "Coverage",
    "Difference",
    "EnginesDisagree",
    "Explanation",
    "Grounds",
    "Progress",
    "Question",
    "Session",
    "TestFailure",
    "TestResult",
    "Unanswerable",
    "WitnessDoesNotReplay",
    "coverage",
    "explained",
    "run_tests",
    "states",
    "verify",
    "why",
]
