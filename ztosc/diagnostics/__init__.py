"""What is said to the reader: one value, many renderers.

Guarantees: every code is registered in `codes`, user mistakes are values and never exceptions, and the order of a report depends
on the sources alone.
"""

from ztosc.diagnostics.codes import CODES, Code
from ztosc.diagnostics.fixes import Edit, Fix
from ztosc.diagnostics.model import Diagnostic, Label, Report, Severity, sort_diagnostics
from ztosc.diagnostics.near import near, suggestion

__all__ = ["CODES", "Code", "Diagnostic", "Edit", "Fix", "Label", "Report", "Severity", "near", "sort_diagnostics", "suggestion"]
