"""Text to syntax tree. Parsing never fails: it returns what could be read, and a diagnostic for the rest."""

from ztosc.syntax.parse import parse

__all__ = ["parse"]
