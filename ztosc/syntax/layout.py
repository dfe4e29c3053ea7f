"""Where statements begin and end in a text with mistakes of layout, token by token. A clean text is cut by `cut`, in one scan.

Guarantees: never fails; the cleaned text has the length of the original, so offsets are shared; a newline survives only where it
ends a statement (inside `( )` and `[ ]`, and before a line that starts with a clause word, it is a space). A bracket without its
partner is reported once, and the statement after it is read as if nothing had happened.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ztosc.diagnostics import Fix, Report
from ztosc.diagnostics.fixes import delete, insert
from ztosc.source import Source
from ztosc.syntax.words import ITEMS

TOKENS = re.compile(
    r'(?P<string>"(?:\\.|[^"\\\n])*")|(?P<quote>")|(?P<comment>\#[^\n]*)|(?P<newline>\n)|(?P<open>[{(\[])|(?P<close>[})\]])'
    r"|(?P<semicolon>;)|(?P<comma>,)|(?P<word>(?:[A-Za-z0-9_.:/-]+|\$\{[a-z][a-z0-9-]*\})+)|(?P<blank>[ \t\r\f]+)|(?P<other>.)"
)
CLAUSE_WORDS = frozenset(["when", "until", "between", "on", "because", "and", "or", "except", "for", "despite", "with", "where"])
DANGLING = frozenset({",", "and", "or", "not", "implies"})
DATE = re.compile(r"[0-9]{4}-")
STATEMENT_WORDS = frozenset({*ITEMS, "new", "import", "separate", "group", "assert", "bloc"})
CLOSER = {"{": "}", "(": ")", "[": "]"}
NONE: frozenset[int] = frozenset()
MAX_DEPTH = 32
"""How deep blocks and brackets may nest."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A statement: its offset in the source and its cleaned text."""

    start: int
    text: str
    broken_at: frozenset[int] = NONE
    """Where the layout already reported a mistake inside it."""
    docs: tuple[tuple[int, str], ...] = ()
    """The `##` text above what begins at an offset from its start."""

    @property
    def broken(self) -> bool:
        return bool(self.broken_at)

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(slots=True)
class Token:
    """A piece of text of a kind from `TOKENS`."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def repair(source: Source, report: Report) -> tuple[Chunk, ...]:
    """Cut a file that has mistakes of layout in it, token by token."""
    tokens = [Token(found.lastgroup or "", found.group(), found.start()) for found in TOKENS.finditer(source.text)]
    broken: set[int] = set()
    _report_quotes(source, tokens, broken, report)
    _match_brackets(source, tokens, broken, report)
    docs = _docs(tokens)
    _join_lines(source, tokens, report)
    return tuple(_chunks(tokens, broken, docs))


def _blank(token: Token) -> None:
    token.kind, token.text = "blank", " " * len(token.text)


def _report_quotes(source: Source, tokens: list[Token], broken: set[int], report: Report) -> None:
    for index, token in enumerate(tokens):
        if token.kind == "quote":
            end = _text_end(tokens, index)
            report.error(
                "ZT107",
                'this text has no closing `"`',
                source.span(token.start, token.end),
                help='close it with `"` on the same line',
                fixes=_close_text(source, tokens[index:end]),
            )
            broken.add(token.start)
            for part in tokens[index:end]:
                _blank(part)


def _text_end(tokens: list[Token], index: int) -> int:
    """Where an unclosed text ends: with its line, but for the braces there, which open and close what they did."""
    end = next((later for later in range(index, len(tokens)) if tokens[later].kind == "newline"), len(tokens))
    while end > index + 1 and (tokens[end - 1].kind == "blank" or tokens[end - 1].text in ("}", "{")):
        end -= 1
    return end


def _close_text(source: Source, text: list[Token]) -> tuple[Fix, ...]:
    """Close it where it ends, unless it swallowed what may be another clause, or ends in a `\\` that would take the quote."""
    if any(token.kind in ("semicolon", "comment") for token in text) or text[-1].text == "\\":
        return ()
    return insert(source.span(text[-1].end, text[-1].end), '"', 'close it with `"`')


def _starts_line(tokens: list[Token], index: int) -> bool:
    return index == 0 or tokens[index - 1].kind == "newline"


def _match_brackets(source: Source, tokens: list[Token], broken: set[int], report: Report) -> None:
    """Report each bracket without partner, and make the text balanced by blanking it or by closing it in place of a blank."""
    stack: list[int] = []
    unclosed = _has_unclosed(tokens)
    for index, token in enumerate(tokens):
        if unclosed and stack and token.kind == "word" and token.text in STATEMENT_WORDS and _starts_line(tokens, index):
            _close_all(source, tokens, stack, index, broken, report)
        if token.kind == "open":
            stack.append(index)
            if len(stack) > MAX_DEPTH:
                _too_deep(source, token, broken, report)
                for later in tokens[stack[0] :]:
                    _blank_unless_newline(later)
                return
        elif token.kind == "close":
            _close(source, tokens, stack, index, broken, report)
        elif token.kind == "semicolon":
            _drop_round(source, tokens, stack, index, broken, report)
    _close_all(source, tokens, stack, len(tokens), broken, report)


def _blank_unless_newline(token: Token) -> None:
    if token.kind != "newline":
        _blank(token)


def _too_deep(source: Source, token: Token, broken: set[int], report: Report) -> None:
    report.error("ZT109", f"brackets nest deeper than {MAX_DEPTH}", source.span(token.start, token.end), help="write it flat")
    broken.add(token.start)


def _has_unclosed(tokens: list[Token]) -> bool:
    count = Counter(token.text for token in tokens if token.kind in ("open", "close"))
    return any(count[opener] > count[closer] for opener, closer in CLOSER.items())


def opens_more(source: Source) -> bool:
    """Whether some bracket is opened more often than closed: then a line that begins like a statement ends what is open."""
    tokens = [Token(found.lastgroup or "", found.group(), found.start()) for found in TOKENS.finditer(source.text)]
    _report_quotes(source, tokens, set(), Report())
    return _has_unclosed(tokens)


def _close(source: Source, tokens: list[Token], stack: list[int], index: int, broken: set[int], report: Report) -> None:
    token = tokens[index]
    if token.text == "}":
        _drop_round(source, tokens, stack, index, broken, report)
    if stack and CLOSER[tokens[stack[-1]].text] == token.text:
        stack.pop()
        return
    span = source.span(token.start, token.end)
    fixes = delete(span, f"`{token.text}`")
    report.error("ZT103", f"`{token.text}` closes nothing", span, help="delete it, or open it before", fixes=fixes)
    broken.add(token.start)
    _blank(token)


def _drop_round(source: Source, tokens: list[Token], stack: list[int], index: int, broken: set[int], report: Report) -> None:
    """`(` and `[` end with the statement at the latest, which is in front of a token."""
    single = sum(tokens[place].text != "{" for place in stack) == 1
    while stack and tokens[stack[-1]].text != "{":
        opener = tokens[stack.pop()]
        fixes = insert(source.span(tokens[index].start, tokens[index].start), CLOSER[opener.text], _closing(opener)) if single else ()
        _unclosed(source, opener, fixes, broken, report)


def _closing(opener: Token) -> str:
    return f"close it with `{CLOSER[opener.text]}`"


def _unclosed(source: Source, token: Token, fixes: tuple[Fix, ...], broken: set[int], report: Report) -> None:
    span = source.span(token.start, token.end)
    report.error("ZT103", f"`{token.text}` is never closed", span, help=_closing(token), fixes=fixes)
    broken.add(token.start)
    if token.text != "{":
        _blank(token)


def _close_all(source: Source, tokens: list[Token], stack: list[int], index: int, broken: set[int], report: Report) -> None:
    """Close what is open in front of a token, in place of the newline before it, so that no offset moves."""
    single = len(stack) == 1
    while stack:
        opener = tokens[stack.pop()]
        brace = opener.text == "{"
        _unclosed(source, opener, _close_line(source, tokens, index, opener) if single else (), broken, report)
        if brace:
            _put_closer(tokens, index)


def _close_line(source: Source, tokens: list[Token], index: int, opener: Token) -> tuple[Fix, ...]:
    """Close a bracket on a line of its own in front of a token, or at the end of the file."""
    end = tokens[index].start if index < len(tokens) else len(source.text)
    before = "" if source.text[:end].endswith("\n") else "\n"
    return insert(source.span(end, end), f"{before}{CLOSER[opener.text]}\n", _closing(opener))


def _put_closer(tokens: list[Token], index: int) -> None:
    for before in range(index - 1, -1, -1):
        if tokens[before].kind in ("newline", "blank", "comment"):
            tokens[before].kind, tokens[before].text = "implied", "}" + " " * (len(tokens[before].text) - 1)
            return
    tokens.append(Token("implied", "}", tokens[-1].end))


def _docs(tokens: list[Token]) -> dict[int, str]:
    docs: dict[int, str] = {}
    lines: list[str] = []
    for index, token in enumerate(tokens):
        if token.kind == "comment" and token.text.startswith("##") and _first_in_line(tokens, index):
            lines.append(token.text[2:].strip())
        elif token.kind not in ("newline", "blank", "comment"):
            if lines:
                docs[token.start] = "\n".join(lines).strip()
            lines = []
        if token.kind == "comment":
            _blank(token)
    return docs


def _first_in_line(tokens: list[Token], index: int) -> bool:
    index -= 1
    while index >= 0 and tokens[index].kind == "blank":
        index -= 1
    return index < 0 or tokens[index].kind in ("newline",) or tokens[index].text in "{};"


def _join_lines(source: Source, tokens: list[Token], report: Report) -> None:
    """Blank each newline that does not end a statement."""
    solid = [index for index, token in enumerate(tokens) if token.kind not in ("blank", "newline")]
    following = dict(zip([-1, *solid], solid, strict=False))
    depth = 0
    last = -1
    for index, token in enumerate(tokens):
        if token.kind == "newline":
            after = following.get(last)
            if depth > 0 or _continues(tokens, solid, after):
                _blank(token)
            elif last >= 0 and after is not None and tokens[last].text in DANGLING:
                _dangling(source, tokens[last], report)
                _blank(token)
        elif token.kind != "blank":
            last = index
            depth += 1 if token.text in ("(", "[") else -1 if token.text in (")", "]") else 0


def _continues(tokens: list[Token], solid: list[int], after: int | None) -> bool:
    if after is None or tokens[after].kind != "word":
        return False
    if tokens[after].text == "from":
        later = next((tokens[index] for index in range(after + 1, len(tokens)) if tokens[index].kind != "blank"), None)
        return later is not None and DATE.match(later.text) is not None
    return tokens[after].text in CLAUSE_WORDS


def _dangling(source: Source, token: Token, report: Report) -> None:
    report.error(
        "ZT104",
        f"the line ends after `{token.text}`, in the middle of a list or guard",
        source.span(token.start, token.end),
        help="write it on one line, put it in `( )` or `[ ]`, or move the word to the start of the next line",
    )


def _chunks(tokens: list[Token], broken: AbstractSet[int], docs: Mapping[int, str]) -> list[Chunk]:
    chunks: list[Chunk] = []
    current: list[Token] = []
    depth = 0
    for token in tokens:
        if depth == 0 and token.kind in ("newline", "semicolon"):
            chunks.extend(_chunk(current, broken, docs))
            current = []
            continue
        depth += 1 if token.text == "{" else -1 if token.text.startswith("}") else 0
        current.append(token)
        if token.kind == "implied" and depth == 0:
            chunks.extend(_chunk(current, broken, docs))
            current = []
    return [*chunks, *_chunk(current, broken, docs)]


def _chunk(tokens: list[Token], broken: AbstractSet[int], docs: Mapping[int, str]) -> list[Chunk]:
    reported = frozenset(place for token in tokens for place in range(token.start, token.end) if place in broken) if broken else NONE
    while tokens and tokens[0].kind in ("blank", "newline"):
        tokens = tokens[1:]
    while tokens and tokens[-1].kind in ("blank", "newline"):
        tokens = tokens[:-1]
    if not tokens:
        return []
    start = tokens[0].start
    above = tuple((token.start - start, docs[token.start]) for token in tokens if token.start in docs) if docs else ()
    return [Chunk(start, "".join(token.text for token in tokens), reported, above)]


def split_block(chunk: Chunk) -> tuple[Chunk, list[Chunk]] | None:
    """A statement's header (with an empty block) and the statements of its block; nothing where it has no block."""
    tokens = [Token(found.lastgroup or "", found.group(), found.start() + chunk.start) for found in TOKENS.finditer(chunk.text)]
    opening = next((index for index, token in enumerate(tokens) if token.text == "{"), None)
    if opening is None:
        return None
    closing = next((index for index in range(len(tokens) - 1, opening, -1) if tokens[index].text == "}"), len(tokens))
    header = "".join(token.text for token in tokens[:opening]) + "{" + "}"
    docs = {chunk.start + offset: text for offset, text in chunk.docs}
    inner = _chunks(tokens[opening + 1 : closing], chunk.broken_at, docs)
    return Chunk(chunk.start, header, chunk.broken_at, chunk.docs), inner
