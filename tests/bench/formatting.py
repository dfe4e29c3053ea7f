"""What formatting costs beside what it cannot do without: `python -m tests.bench.formatting [STATEMENTS] [ROUNDS]`.

The yardstick is the grammar's parser alone on the same statements, in the same process.
"""

from __future__ import annotations

import sys
import time

from tests.support import HOSPITAL
from ztosc.diagnostics import Report
from ztosc.format import format_text
from ztosc.format.text import laid_out
from ztosc.source import Source
from ztosc.syntax.grammar import parser
from ztosc.syntax.layout import lay_out


def _text(statements: int) -> str:
    """The hospital over and over, with every line spaced wrongly."""
    whole = (HOSPITAL / "network.ztos").read_text()
    copies = statements // len(lay_out(Source("x", whole), Report()).chunks) + 1
    return (whole.replace(" {", "{").replace(", ", " ,") + "\n") * copies


def _seconds(work: object) -> float:
    started = time.process_time()
    work()  # type: ignore[operator]
    return time.process_time() - started


def main(statements: int, rounds: int) -> None:
    """Print one row a round."""
    source = Source("x.ztos", _text(statements))
    chunks = lay_out(source, Report()).chunks
    grammar = parser()
    canonical = Source("x.ztos", format_text(source, Report()) or "")
    assert canonical.text
    print(f"{len(chunks)} statements, {source.text.count(chr(10))} lines")
    for _ in range(rounds):
        bare = _seconds(lambda: [grammar.parse(chunk.text, start="statement") for chunk in chunks])
        layout = _seconds(lambda: laid_out(source.text))
        whole = _seconds(lambda: format_text(source, Report()))
        again = _seconds(lambda: format_text(canonical, Report()))
        print(
            f"parser {bare:.2f} s; layout {layout:.2f} s ({layout / bare:.2f}); with the net {whole:.2f} s ({whole / bare:.2f}); ", end=""
        )
        print(f"canonical before {again:.2f} s ({again / bare:.2f})")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    main(*numbers, *(10_000, 3)[len(numbers) :])
