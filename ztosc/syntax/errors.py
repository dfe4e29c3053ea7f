"""What the parser could not read, in the reader's words.

Guarantees: each mistake becomes one diagnostic that names the text, what was expected there, and a way out.
"""

from __future__ import annotations

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from ztosc.diagnostics import Report, near
from ztosc.diagnostics.fixes import replace
from ztosc.source import Source
from ztosc.syntax.grammar import parser
from ztosc.syntax.layout import Chunk

READABLE = {
    "NAME": "a name",
    "HOLE": "a name",
    "STRING": "a text in quotes",
    "INT": "a number",
    "ADDRESS": "an address",
    "PLACE": "a country",
    "ZONE": "a time zone",
    "DURATION": "a duration like `8h`",
    "RATE": "a rate like `10G`",
    "INSTANT": "a date",
    "CLOCK": "a time of day",
    "PORTS": "a port like `tcp/443`",
    "RANGE": "a range like `0..100`",
    "COMPARE": "a comparison",
    "DASHES": "`--`",
    "_SEP": "the end of the statement",
    "$END": "the end of the statement",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "COMMA": "`,`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "EQUAL": "`=`",
    "COLON": "`:`",
}


def report_unexpected(error: UnexpectedInput, source: Source, chunk: Chunk, where: str, report: Report) -> None:
    """Turn one parser error into one diagnostic. `where` says what was being read (`segment`, `statement`)."""
    start, text = _place(error, chunk)
    span = source.span(chunk.start + start, chunk.start + start + max(len(text), 1))
    expected = _expected(error)
    keywords = [_keyword(name) for name in expected if _keyword(name)]
    if text and keywords and "NAME" not in expected and text[0].isalpha():
        guess = near(text, keywords)
        choices = ", ".join(f"`{word}`" for word in sorted(keywords)[:24])
        message = f"unknown word `{text}` in {where}"
        help_ = f"did you mean `{guess}`?" if guess else f"here one may write {choices}"
        report.error("ZT106", message, span, help=help_, fixes=replace(span, guess))
    elif not text:
        report.error("ZT105", f"this {where} ends too early", span, label=f"expected {_listed(expected)}")
    else:
        shown = text if len(text) <= 40 else text[:39] + "…"
        report.error("ZT105", f"unexpected `{shown}` in {where}", span, label=f"expected {_listed(expected)}")


def _place(error: UnexpectedInput, chunk: Chunk) -> tuple[int, str]:
    if isinstance(error, UnexpectedToken) and isinstance(error.token, Token) and error.token.type != "$END":
        return error.token.start_pos or 0, str(error.token).strip()
    if isinstance(error, UnexpectedCharacters):
        position = error.pos_in_stream or 0
        return position, chunk.text[position]
    return max(len(chunk.text.rstrip()) - 1, 0), ""


def _expected(error: UnexpectedInput) -> list[str]:
    if isinstance(error, UnexpectedToken):
        return sorted(error.accepts or error.expected)
    return sorted(error.allowed or ()) if isinstance(error, UnexpectedCharacters) else []


def _keyword(terminal: str) -> str:
    if terminal in READABLE:
        return ""
    for definition in parser().terminals:
        if definition.name == terminal:
            return str(definition.pattern.value)
    return ""


def _listed(expected: list[str]) -> str:
    words = sorted({READABLE.get(name) or f"`{_keyword(name)}`" for name in expected})
    if len(words) > 8:
        words = [*words[:7], "…"]
    return " or ".join(words) if len(words) < 3 else ", ".join(words[:-1]) + f" or {words[-1]}"
