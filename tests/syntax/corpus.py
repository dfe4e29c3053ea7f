"""Texts of the language to try things on: the examples, the standard library, and mutations of them."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.support import ROOT

FORMS = """
## Of all forms.
template ward(n, seg: segment, size: int = 64) { segment ${n}-desks { at s; size ${size}; carries ${seg} }
  ## Inside.
  new bed(n: ${n}) }
new ward(n: a, seg: b, size: 3); new bed()
group g = a, b
  except c
group h =
bloc EAST = DE, FR
attribute a.kind : one of x, y, z { source "hr"; max-age 8h }
attribute a.level : ordered low < mid < high
attribute a.score : 0..100
attribute a.born : instant
profile p over phi { owner "x"
  control "1" error "One" { each flow f where (f.target carries phi or f.source is role) and not f.subject has releases
    require f.path within [DE, EAST] implies f.ends may carry phi
    hint "h" }
}
break-glass role fire for 4h { from a; requires (u.mfa and (u.level >= mid)) or u.kind in [x, y]; releases phi because "r" }
allow [a, b] to c # why
  on [tcp/1, udp/2-3, icmp] when (x.y
    and not z.w) # more
  between 06:00 and 18:00 on mon-fri, sun until 2027-01-01 because "c" { approved by "d" }
allow a to b on any except tcp/22
assert [a, b] isolated from c except through d
assert only a reach b; assert a reaches b despite 2 link failures
assert a reaches b despite 1 failure; assert phi stays within EU, CH
assert phi never flows down except by a; assert [a, # c
  b] never reaches c
test "t" { given [a, b] from s with u.mfa = true, u.kind = x at 2027-01-01T06:00Z
  expect allow to b on [tcp/1]; expect deny to c }
quarantine a, b from 2027-01-01 because "q" { owner "o" }
comply p, q { ticket "T" }
waive p "1" for a until 2027-01-01 because "w"
separate a, b
accept widening [a, b] to c on tcp/1 when x.y between 06:00 and 18:00 on mon-fri
  until 2027-01-01 because "w" approved by "z" { ticket "T" }
accept widening a to b releases phi, c because "w" approved by "z"; accept widening a to b stale because "w" approved by "z"
accept widening assert "a never reaches b"
  because "w" approved by "z" # why
accept widening waive p "1" for a, b because "w"; accept widening separate a, b because "w" approved by "y" approved by "z"
accept widening person "a.b" as c because "w"; accept widening device "d-1" with mac because "w"
accept widening psk of label phi because "w"
accept widening macsec of link a -- b because "w"; accept widening node a attach eth1 vlan 7 because "w"
accept widening segment a carries phi because "w"; accept widening recognised of device c because "w"
accept widening manage from a because "w"
service x on y { listen any except tcp/1, udp/2; replicas 2 }; service z { listen tcp/1 }
network n { manage from a, b on tcp/22; timezone Europe/Berlin; log all to z }
import "b/c.ztos"
"""
PIECES = (
    *'{}()[];,"#\n abz09:/.-<>=!',
    *("allow ", "segment ", "\n}", "\n{", "until ", "é", "\t", "and\n", "## doc\n", "# c\n", "${x}", ",\n", "or", " \n on tcp/1"),
    *("from 2027-01-01", "; ## x\n", "\r\n", "not\n", "#", "}and\n", "({\n})", "\\", "from\n"),
)


def texts() -> list[str]:
    """Whole files without a mistake of layout."""
    files = sorted([*ROOT.glob("examples/**/*.ztos"), *ROOT.glob("stdlib/*.ztos")])
    return [FORMS, *(path.read_text(encoding="utf-8") for path in files)]


def mutations(seed: int, number: int, length: int = 1500) -> Iterator[str]:
    """Pieces of those texts with something put in or taken out."""
    dice = random.Random(seed)
    whole = texts()
    for _ in range(number):
        text = dice.choice(whole)
        start = dice.randrange(max(len(text) - length, 1))
        text = text[start : start + length]
        for _ in range(dice.randint(1, 3)):
            place = dice.randrange(len(text) + 1)
            text = text[:place] + dice.choice(PIECES) * dice.randint(0, 2) + text[place + dice.choice([0, 0, 1, 3, 12]) :]
        yield text
