"""Two networks → `Comparison`: access gained and lost, guarantees lost, memberships and numbers changed, and who signed for it.

Guarantees: pure, and exact: what is not told here is the same in both. One subject a file; how a flow is decided stays with `ir.evaluate`,
how it is reasoned about with `verify`.
"""

from ztosc.compare.engine import compare
from ztosc.compare.model import Comparison, Condition, Guarantee, Idle, Membership, Number, Region

__all__ = ["Comparison", "Condition", "Guarantee", "Idle", "Membership", "Number", "Region", "compare"]
