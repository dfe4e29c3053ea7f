"""The one canonical layout of a source text.

Guarantees: pure; what is formatted means the same, says the same comments in the same places, and formats to itself. A text with a
mistake in it is not formatted: the report says why. Statements are laid out by their tokens alone, so the layout does not depend on
which statements there are.
"""

from ztosc.format.check import NotTheSame
from ztosc.format.text import WIDTH, format_text

__all__ = ["WIDTH", "NotTheSame", "format_text"]
