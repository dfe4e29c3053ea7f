"""Findings to render: any text, hostile text, and verdicts and tests of every outcome."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import strategies as st

from ztosc.diagnostics import CODES, Diagnostic, Edit, Fix, Label, Severity
from ztosc.ir.verdict import Hop, Verdict, Witness
from ztosc.report import Findings
from ztosc.source import Span
from ztosc.verify import TestResult
from ztosc.verify.tests_block import TestFailure

HOSTILE = (
    "]]> <!-- --> <script>alert(1)</script> &amp; ' \"",
    "::error file=x,line=1::owned\n::stop-commands::x\r\n##[error]x %0A %25",
    "[click](http://evil.example) @everyone #1 | a | b | `code` ``` ~~~ <b>\n# heading\n\n- [x] done",
    "\x1b[31mred\x1b[0m \x00 \x07 \x7f \x9b \u202eevil\u202c \u2066 \u200b \ufeff \u2028 \ufffe \uffff \udcff",
    "{0} {{1}} }{ \\](x) \\\\](y) \\",
    "```\n`````\n~~~",
    "`",
    " ",
    "",
)

ANY = st.text(st.characters(exclude_categories=[])).map(lambda text: re.sub("[\ud800-\udbff]", "", text))
TEXTS = st.one_of(st.sampled_from(HOSTILE), ANY, st.text("`\\[](){}|@:,%\n\r <>&", max_size=12))
"""Any text at all, and low surrogates alone: that is how Python reads a name on disk that is no UTF-8."""

NAMES = TEXTS.filter(lambda text: bool(text.strip()))
SPANS = st.builds(
    lambda file, line, column, lines, more: Span(file, line, column, line + lines, column + more),
    NAMES, st.integers(1, 9999), st.integers(1, 9999), st.integers(0, 3), st.integers(0, 9),
)  # fmt: skip
FIXES = st.builds(Fix, NAMES, st.lists(st.builds(Edit, SPANS, TEXTS), min_size=1, max_size=3).map(tuple))
DIAGNOSTICS = st.builds(
    Diagnostic,
    st.sampled_from(sorted(CODES)), NAMES, st.none() | SPANS, TEXTS, TEXTS,
    st.lists(st.builds(Label, SPANS, TEXTS), max_size=2).map(tuple), st.sampled_from(Severity), st.lists(FIXES, max_size=2).map(tuple),
)  # fmt: skip
HOPS = st.lists(st.builds(Hop, text=TEXTS, rule=st.none() | SPANS), max_size=2).map(tuple)
VERDICTS = st.builds(
    Verdict,
    kind=st.just("assert"), property=st.just("isolated"), statement=NAMES, origin=SPANS,
    verdict=st.sampled_from(["proved", "refuted", "unknown", "unsupported"]), reason=TEXTS, witness=st.builds(Witness, hops=HOPS),
)  # fmt: skip
FAILURES = st.lists(st.builds(TestFailure, reason=NAMES, origin=SPANS), max_size=2).map(tuple)
TESTS = st.builds(TestResult, name=NAMES, origin=SPANS, failures=FAILURES)
FINDINGS = st.builds(
    Findings,
    st.just("1.2.3"), st.just("2027-01-15T08:00:00Z"), st.none() | st.just("sha256:00"),
    st.lists(DIAGNOSTICS, max_size=4).map(tuple), st.lists(VERDICTS, max_size=3).map(tuple), st.lists(TESTS, max_size=3).map(tuple),
)  # fmt: skip

HERE = Span("network.ztos", 3, 5, 3, 9)


def findings(*items: Diagnostic, verdicts: tuple[Verdict, ...] = (), tests: tuple[TestResult, ...] = ()) -> Findings:
    """A run that found these."""
    return Findings("1.2.3", "2027-01-15T08:00:00Z", None, items, verdicts, tests)


def unknown_name(message: str = "unknown name `stff`", span: Span | None = HERE, **more: object) -> Diagnostic:
    """A diagnostic."""
    return replace(Diagnostic("ZT201", message, span), **more)  # type: ignore[arg-type]


def verdict(outcome: str, statement: str = "guest isolated from ehr", reason: str = "because") -> Verdict:
    """A verdict on an assertion."""
    found = {"kind": "assert", "property": "isolated", "statement": statement, "origin": HERE, "verdict": outcome, "reason": reason}
    return Verdict(**found)  # type: ignore[arg-type]
