"""Countries and blocs.

Guarantees: a code is known iff the bloc `WORLD` has it (ISO 3166-1), a subdivision (`US-CA`) iff its country is; blocs are gone
after this.
"""

from __future__ import annotations

from ztosc.diagnostics import Report, near, suggestion
from ztosc.diagnostics.fixes import replace
from ztosc.syntax import ast


class Countries:
    """The blocs of the loaded modules."""

    def __init__(self, blocs: dict[str, tuple[str, ...]], report: Report) -> None:
        self._blocs, self._report = blocs, report
        self._world = frozenset(blocs.get("WORLD", ()))

    def resolve(self, word: ast.Word) -> tuple[str, ...] | None:
        """The codes that a word stands for, sorted; reports a word that is neither country nor bloc."""
        if word.text in self._blocs:
            return tuple(sorted(set(self._blocs[word.text])))
        if word.text.split("-", 1)[0] in self._world:
            return (word.text,)
        known = [*self._blocs, *self._world]
        help_ = suggestion(word.text, known, "countries are ISO 3166 codes like `DE` or `US-CA`")
        fixes = replace(word.span, near(word.text, known))
        self._report.error("ZT211", f"unknown country `{word.text}`", word.span, help=help_, fixes=fixes)
        return None

    def country(self, word: ast.Word) -> str | None:
        """One country; a bloc is none."""
        found = self.resolve(word)
        if found is None or (len(found) == 1 and word.text not in self._blocs):
            return found[0] if found else None
        self._report.error("ZT211", f"`{word.text}` is a group of countries, not one", word.span, help="a region lies in one country")
        return None
