"""What people write in a question on the command line or in a line of JSON: ports, instants, values of attributes.

Guarantees: everything is read as the language reads it, or refused with a sentence that names it; nothing is guessed.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ztosc.diagnostics.near import suggestion
from ztosc.ir.clock import zone
from ztosc.ir.values import AttributeType, BoolType, CountryType, DurationType, EnumType, InstantType, RangeType, Value
from ztosc.logic import ports

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Unanswerable(Exception):
    """A question that cannot be asked of this network: one sentence, and a line of help or nothing."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help


def port_set(text: str) -> ports.Boxes:
    """`tcp/443, udp/5000-5100, icmp, proto/47, any` as boxes. Raises `Unanswerable`."""
    return ports.union(*((_port(part.strip()),) for part in text.split(",")))


def _port(text: str) -> ports.Box:
    if text == "any":
        return ports.ANY[0]
    if text == "icmp":
        return (*(ports.ECHO[0],) * 2, *(ports.ECHO[1],) * 2)
    match = re.fullmatch(r"(tcp|udp|sctp|proto)/(\d{1,5})(?:-(\d{1,5}))?", text)
    if not match:
        raise Unanswerable(f"`{text}` is no port", "ports are written like `tcp/443`, `udp/5000-5100`, `icmp` or `proto/47`")
    name, low, high = match[1], int(match[2]), int(match[3] or match[2])
    if low > high or high > (255 if name == "proto" else 65_535):
        raise Unanswerable(f"`{text}` is no range of ports")
    return (low, high, 0, 65_535) if name == "proto" else (ports.PROTOCOLS[name], ports.PROTOCOLS[name], low, high)


def instant(given: object, timezone: str) -> int:
    """`2027-01-31`, `2027-01-31T18:00Z` or seconds since 1970, as the latter; without an offset in the network's zone."""
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if not isinstance(given, str) or not re.match(r"\d{4}-\d{2}-\d{2}(T|$)", given):
        raise Unanswerable(f"`{given}` is no instant", "instants are written like `2027-01-31` or `2027-01-31T18:00Z`")
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise Unanswerable(f"`{given}` is no instant: there is no such day or time") from None
    local = moment if moment.tzinfo else moment.replace(tzinfo=zone(timezone))
    return int(local.astimezone(UTC).timestamp())


def value(name: str, kind: AttributeType, given: object, timezone: str) -> Value:
    """A value of an attribute, from text or JSON. Raises `Unanswerable`."""
    match kind:
        case BoolType() if given in (True, "true"):
            return True
        case BoolType() if given in (False, "false"):
            return False
        case EnumType(values=values):
            return _word(name, given, values)
        case RangeType(low=low, high=high) if low <= (number := _integer(name, given)) <= high:
            return number
        case CountryType() if isinstance(given, str) and re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", given):
            return given
        case InstantType():
            return instant(given, timezone)
        case DurationType():
            return _duration(name, given)
    raise Unanswerable(f"`{name}` cannot be `{given}`", _hint(kind))


def _word(name: str, given: object, values: tuple[str, ...]) -> str:
    if isinstance(given, str) and given in values:
        return given
    raise Unanswerable(f"`{name}` cannot be `{given}`", suggestion(str(given), values, f"it is one of {', '.join(values)}"))


def _integer(name: str, given: object) -> int:
    if isinstance(given, bool) or not re.fullmatch(r"-?\d{1,18}", str(given)):
        raise Unanswerable(f"`{name}` cannot be `{given}`", "it is a whole number")
    return int(str(given))


def _duration(name: str, given: object) -> int:
    match = re.fullmatch(r"(\d{1,12})([smhd])", str(given))
    return int(match[1]) * UNITS[match[2]] if match else _integer(name, given)


def _hint(kind: AttributeType) -> str:
    match kind:
        case BoolType():
            return "it is `true` or `false`"
        case RangeType(low=low, high=high):
            return f"it is a number from {low} to {high}"
        case _:
            return "a country is written like `US` or `US-CA`"
