"""One scan finds the statements that reading token by token finds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.syntax.corpus import mutations, texts
from ztosc.diagnostics import Report
from ztosc.source import Source
from ztosc.syntax.cut import cut
from ztosc.syntax.layout import repair


def agrees(text: str) -> bool:
    """Whether the text could be cut in one scan; fails where that gives other statements."""
    report = Report()
    slow = repair(Source("x.ztos", text), report)
    fast = cut(text)
    if fast is None:
        return False
    assert report.items == []
    assert fast == slow
    return True


@pytest.mark.parametrize("text", texts())
def test_whole_files_are_cut_in_one_scan(text: str) -> None:
    assert agrees(text)


def test_mutations_are_cut_alike() -> None:
    clean = sum(agrees(text) for text in mutations(20261122, 600))
    assert 150 < clean < 590


def test_any_text_is_cut_alike() -> None:
    clean = []

    @settings(derandomize=True, max_examples=500, deadline=None)
    @given(st.text(alphabet='anor{}()[];,"#\n\r\t:\\é$ ', max_size=60))
    def each(text: str) -> None:
        clean.append(agrees(text))

    each()
    assert 50 < sum(clean) < len(clean), "texts that are cut in one scan, and texts that are not"


@pytest.mark.parametrize(
    "text",
    ['a "b', "a {", "a }", "a (\n;)", "a, \nb", "a and # c\nb", "({)}", "{" * 40 + "}" * 40],
)
def test_what_may_be_mistaken_is_left_to_the_slow_way(text: str) -> None:
    assert cut(text) is None


def test_documentation_goes_with_its_statement() -> None:
    one, two, three = cut("## a\n# no\n## b\nx { ## in\n y }; ## c\nz ## trailing\nw") or ()
    assert (one.text, one.docs) == ("x {      \n y }", ((0, "a\nb"), (11, "in")))
    assert (two.text, two.docs) == ("z", ((0, "c"),))
    assert (three.text, three.docs) == ("w", ())
