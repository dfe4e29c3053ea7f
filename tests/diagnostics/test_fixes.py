"""Fixes: what `apply` makes of edits, and the repair of each mistake that has one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import FRAME, compiled
from ztosc.diagnostics import Edit
from ztosc.diagnostics.fixes import apply
from ztosc.source import Source, Span


def edit(text: str, start: int, end: int, new: str) -> Edit:
    return Edit(Source("f", text).span(start, end), new)


@given(st.text("ab\n\r\U0001f600\u2028", max_size=40), st.data())
def test_edits_are_made_where_their_spans_say(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=4, max_size=4)))
    first, second = edit(text, cuts[0], cuts[1], "<1>"), edit(text, cuts[2], cuts[3], "<2>")
    wanted = text[: cuts[0]] + "<1>" + text[cuts[1] : cuts[2]] + "<2>" + text[cuts[3] :]
    assert apply([first, second], text) == wanted
    if cuts[1] < cuts[2]:
        assert apply([second, first], text) == wanted


def test_edits_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        apply([edit("abcdef", 0, 4, "x"), edit("abcdef", 3, 5, "y")], "abcdef")


def test_insertions_at_one_place_keep_their_order() -> None:
    assert apply([edit("ab", 1, 1, "1"), edit("ab", 1, 1, "2")], "ab") == "a12b"


def test_nothing_comes_in_front_of_a_byte_order_mark() -> None:
    assert apply([Edit(Span("f", 1, 1, 1, 1), "import a\n")], "\ufeffnetwork") == "\ufeffimport a\nnetwork"


@pytest.mark.parametrize(("line", "column"), [(9, 1), (1, 99), (0, 1)])
def test_a_place_outside_of_the_text_is_its_nearest_end(line: int, column: int) -> None:
    assert apply([Edit(Span("f", line, column, line, column), "!")], "abc") in ("abc!", "!abc")


REPAIRS = {
    "ZT102": ("allow staff\u200b to web", "allow staff to web"),
    "ZT103 too many": ("allow staff to web )", "allow staff to web "),
    "ZT103 block": ("segment more { at s", "segment more { at s\n}\n"),
    "ZT103 list": ("segment more { at [s }", "segment more { at [s ]}"),
    "ZT103 in front of the next": ("segment more {\n  at s\nsegment other { at s }", "segment more {\n  at s\n}\nsegment other { at s }"),
    "ZT106": ("segment more { at s; admitz people }", "segment more { at s; admits people }"),
    "ZT107": ('allow staff to web because "duty  ', 'allow staff to web because "duty"  '),
    "ZT201": ("allow stff to web", "allow staff to web"),
    "ZT203": ("role more { from web }\nsegment wed { at s; admits people }", "role more { from wed }\nsegment wed { at s; admits people }"),
    "ZT204": ("import std.hippa", "import std.hipaa"),
    "ZT207": ("segment more { at s; lease 1h; lease 2h }", "segment more { at s; lease 1h;  }"),
    "ZT209": ("role more { from desks; requires device.health == healty }", "role more { from desks; requires device.health == healthy }"),
    "ZT210": ("segment more { at s; addressing slac }", "segment more { at s; addressing slaac }"),
    "ZT210 attach": (
        "site t in home { node h { underlay 2001:db8::2; serves gateway; attach e to desks sharde } }",
        "site t in home { node h { underlay 2001:db8::2; serves gateway; attach e to desks shared } }",
    ),
    "ZT211": ("segment more { at s; within EUU }", "segment more { at s; within EU }"),
    "ZT213 prefix": ("segment more { at s; prefix fd00:77:0:1001::/60 }", "segment more { at s; prefix fd00:77:0:1000::/60 }"),
    "ZT213 reach": ("external more { reach 2001:db8::/32, 192.0.2.9/24 }", "external more { reach 2001:db8::/32, 192.0.2.0/24 }"),
}
"""A mistake behind the frame of these tests, and what its fix makes of it."""


@pytest.mark.parametrize("name", sorted(REPAIRS))
def test_a_fix_repairs_its_mistake_and_nothing_else(name: str) -> None:
    wrong, right = REPAIRS[name]
    text, code = FRAME + wrong, name.split()[0]
    found = [item for item in compiled(wrong).diagnostics if item.code == code]
    assert found, [item.message for item in compiled(wrong).diagnostics]
    repaired = apply(found[0].fixes[0].edits, text)
    assert repaired == FRAME + right
    left = [item.code for item in compiled("", frame=repaired).diagnostics]
    assert left.count(code) == len(found) - 1


def test_the_import_that_is_missing_is_added_at_the_top_of_its_file() -> None:
    wrong = "role more { from desks; requires device.health == healthy }\n"
    frame = FRAME.replace("import std.identity\n", "").replace("; requires user.mfa", "")
    (item,) = compiled(frame=frame, more=wrong).diagnostics
    (fix,) = item.fixes
    assert (item.code, fix.title) == ("ZT201", "add `import std.identity`")
    assert apply(fix.edits, wrong) == "import std.identity\n" + wrong
    assert not compiled(frame=frame, more=apply(fix.edits, wrong)).diagnostics


@pytest.mark.parametrize(
    "wrong",
    [
        "allow qwertz to web",  # nothing is near
        'segment more { at s; name "x; at s }',  # the quote may end before the `;`
        "segment more { at ( [ s }",  # which bracket goes where?
        "region more { country QQQQQ }",
    ],
)
def test_what_is_not_certain_has_no_fix(wrong: str) -> None:
    found = compiled(wrong).diagnostics
    assert found
    assert not [fix for item in found for fix in item.fixes]
