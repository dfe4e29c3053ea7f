"""The canonical form: what it looks like, that it is one, and that nothing is lost on the way."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.docs.markdown import BLOCK, DOCS
from tests.format.texts import FILES, bare, comments, formatted, judge, parsed, program, respaced
from tests.support import ROOT
from ztosc.diagnostics import Report
from ztosc.format import WIDTH, NotTheSame, format_text
from ztosc.format.check import check_same
from ztosc.format.text import laid_out
from ztosc.source import Source

GOLDEN = {
    "blanks, tabs, line ends and semicolons": (
        '\n\n\tnetwork  n{domain"n.example" ;prefix fd00:1::/48}\r\n\n\n\nregion\ta {  country   DE  } ;; region b{country AT};\n\n',
        'network n { domain "n.example"; prefix fd00:1::/48 }\n\nregion a { country DE }\nregion b { country AT }\n',
    ),
    "a block of several lines has one statement a line": (
        "segment n { at s; size 64\n\n\n  lease 8h;\n\n}\n",
        "segment n {\n  at s\n  size 64\n\n  lease 8h\n}\n",
    ),
    "a block in one line stays so, and an empty one is closed": (
        "site s in r {node n {underlay ::1;serves gateway}}\nlabel l {\n\n}\n",
        "site s in r { node n { underlay ::1; serves gateway } }\nlabel l { }\n",
    ),
    "runs are aligned": (
        "service a on bcd { listen tcp/1 }\nservice abcdef   on b {replicas 2}\nservice c { replicas 2 }\n"
        "role a { from x }\nrole abc { from y }\n\nrole abcdef { from z }\n# apart\nrole x { from z }\n",
        "service a      on bcd { listen tcp/1 }\nservice abcdef on b   { replicas 2 }\nservice c { replicas 2 }\n"
        "role a   { from x }\nrole abc { from y }\n\nrole abcdef { from z }\n# apart\nrole x { from z }\n",
    ),
    "a broken statement has one clause a line": (
        'allow a to b on tcp/22 when x.y\nand z.w between 06:00\n and 20:00 because "c; #" {owner "o"\n}\n',
        'allow a to b on tcp/22 when x.y\n  and z.w\n  between 06:00 and 20:00\n  because "c; #" {\n    owner "o"\n  }\n',
    ),
    "what continues a clause is indented more": (
        "allow a to b\nwhen x.y\nand z.w\nuntil 2027-01-01\nfrom 2026-01-01\n",
        "allow a to b\n  when x.y\n    and z.w\n  until 2027-01-01\n  from 2026-01-01\n",
    ),
    "brackets open where they were opened, and close up otherwise": (
        "allow [a,\n   b] to [\n  c,d,\n e] on [ tcp/1 ]\n",
        "allow [a, b] to [\n  c, d,\n  e\n] on [tcp/1]\n",
    ),
    "comments keep their place": (
        "# head\n\n\n#x\nsegment a { # why\n   at s   #  two\n  size 64;# three\n   # last\n } # end\n"
        "allow a to b # one\n  # two\n\n  on [tcp/1, # t\n udp/1]\n",
        "# head\n\n#x\nsegment a {  # why\n  at s     #  two\n  size 64  # three\n  # last\n}  # end\n"
        "allow a to b  # one\n  # two\n  on [\n    tcp/1,  # t\n    udp/1\n  ]\n",
    ),
    "a doc stays with what it documents": (
        "region a { country DE }; ## B.\nregion b { country AT }\nsite s in a { ## N.\n"
        " node n { underlay ::1 } ## M.\n node m { underlay ::2 } }\n",
        "region a { country DE }\n## B.\nregion b { country AT }\nsite s in a {\n  ## N.\n"
        "  node n { underlay ::1 }  ## M.\n  node m { underlay ::2 }\n}\n",
    ),
    "operators are set apart": (
        "link a--b\nattribute a.b:ordered x<y\nattribute c.d: 0..100\nrole r { requires not(a.b>=x)and c.d!=4 }\n",
        "link a -- b\nattribute a.b : ordered x < y\nattribute c.d : 0..100\nrole r { requires not (a.b >= x) and c.d != 4 }\n",
    ),
}
LATER = """\
template ministry( name,place:region,a : address, size: int=128 ){
  site ${name} in ${place} { node ${name}-a{underlay ${a}} }
  segment ${name}-desk {at ${name};size ${size}}
  segment ${name}-co { at ${name} }
}
new ministry (name:interior)
profile hipaa over phi { control "1" error "x" {
    each flow f where f.target carries phi
    require f.guard implies (a.b or c.d); on x; until y
} }
"""
LATER_FORMATTED = """\
template ministry(name, place: region, a: address, size: int = 128) {
  site ${name} in ${place} { node ${name}-a { underlay ${a} } }
  segment ${name}-desk { at ${name}; size ${size} }
  segment ${name}-co   { at ${name} }
}
new ministry(name: interior)
profile hipaa over phi {
  control "1" error "x" {
    each flow f where f.target carries phi
    require f.guard implies (a.b or c.d);
    on x;
    until y
  }
}
"""


@pytest.mark.parametrize("name", GOLDEN)
def test_it_looks_like_this(name: str) -> None:
    text, wanted = GOLDEN[name]
    assert formatted(text) == wanted
    assert judge(text)


def test_statements_that_this_version_does_not_know_are_laid_out_too() -> None:
    assert laid_out(LATER) == laid_out(LATER_FORMATTED) == LATER_FORMATTED


def test_what_does_not_fit_is_broken_where_a_line_end_means_nothing() -> None:
    words = " and ".join(f"user.fact-{number}" for number in range(14))
    names = ", ".join(f"name-{number}" for number in range(40))
    text = f'allow [{names}] to b on tcp/1 when {words} between 06:00 and 20:00 because "x and y" {{ ticket "1"; owner "o" }}\n'
    lines = formatted(text).split("\n")
    assert max(map(len, lines)) <= WIDTH
    close = lines.index("] to b")
    assert lines[0] == "allow [" and " ".join(line.strip() for line in lines[1:close]) == names
    assert lines[close + 1 : close + 4] == ["  on tcp/1", "  when user.fact-0", "    and user.fact-1"]
    assert lines[-6:] == ["  between 06:00 and 20:00", '  because "x and y" {', '    ticket "1"', '    owner "o"', "  }", ""]
    assert judge(text)


def test_a_block_that_does_not_fit_is_opened() -> None:
    names = ", ".join(f"name-{number}" for number in range(16))
    assert formatted(f"segment a {{ at {names}; size 64 }}\n") == f"segment a {{\n  at {names}\n  size 64\n}}\n"


def test_a_run_that_would_not_fit_is_not_aligned() -> None:
    text = f"role {'a' * 60} {{ from b }}\nrole c {{ from {'d' * 60}, {'e' * 40} }}\n"
    assert formatted(text) == text


def test_a_text_inside_quotes_is_never_broken() -> None:
    long = f'allow a to b\n  because "{"and when " * 30}"\n'
    assert formatted(long) == long


@pytest.mark.parametrize("text", ["segment a {", "segment a { atx }\n", 'domain "', "group g = a,\n b\n", "foo", "allow a to b )"])
def test_a_text_with_a_mistake_is_not_formatted(text: str) -> None:
    report = Report()
    assert format_text(Source("x.ztos", text), report) is None
    assert report.failed and all(item.code.startswith("ZT1") for item in report.items)


def test_a_line_that_would_become_too_long_is_told() -> None:
    report = Report()
    text = "bloc X = " + ",".join(["DE"] * 1300) + "\n"
    assert parsed(text) is not None
    assert format_text(Source("x.ztos", text), report) is None
    assert [item.code for item in report.items] == ["ZT108"]


@pytest.mark.parametrize(
    "after",
    [
        "segment a { at s; size 65 }\n",
        "segment a { at s }\n",
        "# said\nsegment a { at s; size 64 }\n",
        "## told\nsegment a { size 64; at s }\n",
        "## told\nsegment a { at s size 64 }\n",
        "segment a { at s; size 64 }\n## told\n",
    ],
)
def test_the_net_holds(after: str) -> None:
    module = parsed("## told\nsegment a { at s; size 64 }\n")
    assert module is not None
    check_same(module, "## told\nsegment a {\n  at s\n  size 64\n}\n")
    with pytest.raises(NotTheSame):
        check_same(module, after)


def test_the_net_sees_what_only_the_tree_shows() -> None:
    """The same words and comments, but the `##` documents nothing any more."""
    module = parsed("link a -- b; ## told\nregion b { country DE }\n")
    assert module is not None
    with pytest.raises(NotTheSame, match="something else"):
        check_same(module, "link a -- b  ## told\nregion b { country DE }\n")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_we_ship_is_canonical(path: object) -> None:
    text = path.read_text()  # type: ignore[attr-defined]
    assert formatted(text) == text


def test_the_examples_of_the_pages_are_canonical() -> None:
    pages = [*DOCS.rglob("*.md"), ROOT / "README.md"]
    blocks = [(page.name, found["body"]) for page in pages for found in BLOCK.finditer(page.read_text()) if found["kind"] == "ztos"]
    readable = [(page, body) for page, body in blocks if parsed(body) is not None]
    assert len(readable) > 100
    assert not [page for page, body in readable if formatted(body) != body]


@pytest.mark.slow
@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False))
def test_generated_programs_spaced_at_random(dice: random.Random) -> None:
    text = program(dice)
    assert judge(text), text
    other = respaced(text, dice)
    assert judge(other), other


@pytest.mark.slow
@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(FILES))
def test_what_we_ship_spaced_at_random(dice: random.Random, path: object) -> None:
    text = path.read_text()  # type: ignore[attr-defined]
    other = respaced(text, dice)
    assert judge(other), other


@pytest.mark.slow
def test_mutations_of_the_examples() -> None:
    """Whatever still parses keeps its meaning and its comments."""
    dice = random.Random(20261122)
    alphabet = [
        *'{}()[];,"#\n abz09:/.-<>=!$',
        " when ",
        "\n}",
        "\n{",
        " until ",
        "é",
        "\t",
        " and\n",
        "##",
        "\r\n",
        " # c\n",
        ";\n",
        "\n\n\n",
    ]
    texts = [path.read_text() for path in FILES]
    judged = 0
    for _ in range(1500):
        text = dice.choice(texts)
        for _ in range(dice.randint(1, 3)):
            place = dice.randrange(len(text))
            text = text[:place] + dice.choice(alphabet) * dice.randint(0, 2) + text[place + dice.choice([0, 0, 0, 1, 3]) :]
        judged += judge(text)
    assert judged > 300


def test_only_blanks_decide_nothing() -> None:
    """Two texts that differ in blanks alone have one canonical form."""
    dice = random.Random(7)
    for _ in range(30):
        text = formatted(program(dice))
        wide = "\n".join(
            line and "  " * dice.randint(0, 5) + line.strip().replace(" , ", ", ") + " " * dice.randint(0, 3) for line in text.split("\n")
        )
        assert formatted(wide) == text
        assert comments(wide) == comments(text)
        one, other = parsed(wide), parsed(text)
        assert one is not None and other is not None
        assert bare(one.statements) == bare(other.statements)
