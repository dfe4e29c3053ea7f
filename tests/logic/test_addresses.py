"""Addresses as numbers: the fast way says what the slow one says, and refuses what it refuses."""

from __future__ import annotations

import ipaddress
from random import Random

import pytest

from ztosc.logic import addresses

ODD = ("::", "::1", "1::", "::ffff:192.0.2.1", "::192.0.2.1", "1:2:3:4:5:6:7::", "FD00::A", "fe80::1%eth0", "fd00:0:0:0::1", "1:0:0:2::")
NONE = ("", ":", ":::", "1:2:3:4:5:6:7:8:9", "12345::", "::g", "::1/64", "fd00::1 ", "::1\0", "::256.0.0.1", "::1.2.3.04", "é::", "1::2::3")


@pytest.mark.parametrize("text", ODD)
def test_every_way_to_write_an_address_is_its_number(text: str) -> None:
    assert addresses.value(text) == int(ipaddress.IPv6Address(text))


def test_text_and_number_are_each_other() -> None:
    dice = Random(7)
    for _ in range(2000):
        number = dice.getrandbits(128) & ~(dice.getrandbits(128) & dice.getrandbits(128) * dice.randrange(2))
        text = str(ipaddress.IPv6Address(number))
        assert addresses.value(text) == number == addresses.value(ipaddress.IPv6Address(number).exploded)


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        addresses.value(text)
