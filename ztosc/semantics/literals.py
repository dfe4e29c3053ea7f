"""Words to values: numbers, durations, instants, addresses, ports, texts.

Guarantees: a value or a `BadLiteral` whose text says in one clause what is wrong with the word.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from ztosc.ir.clock import zone
from ztosc.logic import ports
from ztosc.syntax import ast

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
RATES = {"K": 10**3, "M": 10**6, "G": 10**9}
ESCAPES = re.compile(r"\\(.)")
LDH = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+")
FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}")
MAX_DOMAIN = 120
"""Longest domain of a network, so that `<63>.<63>.<domain>` stays within the 253 of RFC 1035 §2.3.4."""


class BadLiteral(ValueError):
    """A word that is not what its place asks for; `instead` is what was meant, where that is certain."""

    def __init__(self, reason: str, instead: str = "") -> None:
        super().__init__(reason)
        self.instead = instead


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant as written: a day, and a clock time where one was given (`utc`: it ended in `Z`)."""

    day: date
    clock: time | None
    utc: bool

    def start(self, zone_name: str) -> int:
        """Seconds since 1970 of the exact time, or of the start of the day."""
        return self._seconds(self.day, self.clock or time(0), zone_name)

    def end(self, zone_name: str) -> int:
        """Seconds since 1970 of the exact time, or of the first second after the day."""
        if self.clock is not None:
            return self.start(zone_name)
        return self._seconds(self.day + timedelta(days=1), time(0), zone_name)

    def _seconds(self, day: date, clock: time, zone_name: str) -> int:
        return int(datetime.combine(day, clock, zone("UTC" if self.utc else zone_name)).timestamp())


def text(word: ast.Word) -> str:
    """A quoted text without its quotes."""
    return ESCAPES.sub(lambda found: {"n": "\n", "t": "\t"}.get(found.group(1), found.group(1)), word.text[1:-1])


def integer(word: ast.Word, low: int = 0, high: int = 2**32 - 1) -> int:
    """A whole number within bounds."""
    if word.kind != "INT":
        raise BadLiteral("it is no number")
    value = int(word.text) if len(word.text) < 20 else high + 1
    if not low <= value <= high:
        raise BadLiteral(f"it must lie between {low} and {high}")
    return value


def duration(word: ast.Word) -> int:
    """Seconds; at most a hundred years."""
    if word.kind != "DURATION":
        raise BadLiteral("it is no duration, like `8h`")
    number, unit = word.text[:-1], word.text[-1]
    seconds = int(number) * UNITS[unit] if len(number) < 12 else 0
    if not 0 < seconds <= 36500 * 86400:
        raise BadLiteral("it must be longer than nothing and at most a hundred years")
    return seconds


def rate(word: ast.Word) -> int:
    """Bits a second."""
    if word.kind != "RATE":
        raise BadLiteral("it is no rate, like `10G`")
    number = word.text[:-1]
    if len(number) > 6 or int(number) == 0:
        raise BadLiteral("it must be from 1K to 999999G")
    return int(number) * RATES[word.text[-1]]


def clock(word: ast.Word) -> int:
    """Seconds from midnight; `24:00` is the end of the day."""
    if word.kind != "CLOCK":
        raise BadLiteral("it is no time of day, like `06:00`")
    hour, minute = (int(part) for part in word.text.split(":"))
    if hour > 24 or minute > 59 or (hour == 24 and minute):
        raise BadLiteral("a time of day lies between 00:00 and 24:00")
    return hour * 3600 + minute * 60


def moment(word: ast.Word) -> Moment:
    """An instant."""
    day, _, clock_text = word.text.partition("T")
    try:
        parsed = time.fromisoformat(clock_text.removesuffix("Z")) if clock_text else None
        value = Moment(date.fromisoformat(day), parsed, clock_text.endswith("Z"))
    except ValueError:
        raise BadLiteral("there is no such day or time") from None
    if not 1970 < value.day.year < 9999:
        raise BadLiteral("the year must lie between 1971 and 9998")
    return value


def address(word: ast.Word) -> str:
    """One address, in canonical text."""
    try:
        return str(ipaddress.ip_address(word.text))
    except ValueError:
        raise BadLiteral("it is not an IP address") from None


def prefix(word: ast.Word) -> str:
    """A prefix (an address alone is its own prefix), in canonical text."""
    try:
        return str(ipaddress.ip_network(word.text))
    except ValueError as error:
        raise _bad_prefix(word.text, error) from None


def _bad_prefix(written: str, error: ValueError) -> BadLiteral:
    if "host bits" not in str(error):
        return BadLiteral("it is not an IP prefix")
    meant = str(ipaddress.ip_network(written, strict=False))
    return BadLiteral(f"it has bits set behind its length; the prefix is `{meant}`", meant)


def domain(word: ast.Word) -> str:
    """A DNS domain of at least two labels."""
    value = text(word).lower().rstrip(".")
    if len(value) > MAX_DOMAIN or not DOMAIN.fullmatch(value):
        raise BadLiteral(f"it must be a DNS domain of two labels or more and at most {MAX_DOMAIN} characters")
    return value


def ldh(word: ast.Word) -> str:
    """One LDH label (RFC 5890 §2.3.1), lower case."""
    value = text(word)
    if not LDH.fullmatch(value) or value.startswith("xn--"):
        raise BadLiteral("it must be one DNS label of a-z, 0-9 and `-`")
    return value


def port_set(words: ast.Ports) -> ports.Boxes:
    """The set that a list of ports stands for."""
    if not words.any:
        return ports.boxes(_box(word) for word in words.words)
    return ports.subtract(ports.ANY, ports.boxes(_box(word) for word in words.excepted))


def fingerprint(word: ast.Word) -> str:
    """The SHA-256 of a certificate, as `sha256:` and 64 hexadecimal digits."""
    value = text(word).lower().replace(" ", "")
    if not FINGERPRINT.fullmatch(value):
        raise BadLiteral("it must be `sha256:` and 64 hexadecimal digits")
    return value


def _box(word: ast.Word) -> ports.Box:
    if word.text == "icmp":
        return (*ports.ECHO[:1], *ports.ECHO[:1], *ports.ECHO[1:], *ports.ECHO[1:])
    if word.kind != "PORTS":
        raise BadWord(word, "it is no port, like `tcp/443`")
    protocol, _, numbers = word.text.partition("/")
    low, _, high = numbers.partition("-")
    first, last = int(low[:7]), int((high or low)[:7])
    if protocol == "proto":
        if first > 255:
            raise BadWord(word, "a protocol number is at most 255")
        return first, first, 0, 65535
    if not first <= last <= 65535:
        raise BadWord(word, "ports go from 0 to 65535, the lower one first")
    return ports.PROTOCOLS[protocol], ports.PROTOCOLS[protocol], first, last


class BadWord(BadLiteral):
    """One word of several that is not what its place asks for."""

    def __init__(self, word: ast.Word, reason: str, instead: str = "") -> None:
        super().__init__(reason, instead)
        self.word = word
