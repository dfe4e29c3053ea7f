"""Text to syntax tree. Parsing never fails: it returns what could be read, and a diagnostic for the rest."""

from ztosc.syntax.parse import parse
from ztosc.syntax.stored import Cache

__all__ = ["Cache", "parse"]
