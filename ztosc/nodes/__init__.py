"""Network → NodeSpecs: all that one node must be, in no target's words, and nothing that it does not need.

Guarantees: pure and deterministic; a spec holds only grants whose source or destination lives on its node; what a spec lets pass
is what `ztosc.ir.evaluate.Policy.decide` allows.
"""

from ztosc.nodes.conditions import holds
from ztosc.nodes.project import project
from ztosc.nodes.spec import Condition, Inbound, NodeFlow, NodeSpec, Permit

__all__ = ["Condition", "Inbound", "NodeFlow", "NodeSpec", "Permit", "holds", "project"]
