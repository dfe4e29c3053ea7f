"""Least privilege: what a policy grants beyond its need, as warnings. Nothing in here changes a verdict or an exit code.

Guarantees: each finding names its rule or declaration, and says what would be narrower; what is reported as unable to grant or deny
anything was decided over every principal, instant and combination of roles that `separate` permits. One kind of finding a file.
"""

from ztosc.verify.findings.all import CODES, find

__all__ = ["CODES", "find"]
