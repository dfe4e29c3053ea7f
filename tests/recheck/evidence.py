"""Networks to certificates and back, in one step."""

from __future__ import annotations

import json
from typing import Any

from ztosc.ir.network import Network
from ztosc.recheck import Checker, Finding
from ztosc.verify import verify
from ztosc.verify.certificates import NETWORK, certificates


def files(network: Network) -> dict[str, bytes]:
    """The network and one certificate a claim, as they stand on disk."""
    return certificates(network, verify(network))


def findings(made: dict[str, bytes], checker: Checker | None = None) -> dict[str, Finding]:
    """What the checker says of each certificate."""
    checker = checker or Checker(made[NETWORK])
    return {name: checker.check(data) for name, data in made.items() if name != NETWORK}


def parsed(made: dict[str, bytes], name: str) -> Any:
    """A certificate as plain values, to be forged."""
    return json.loads(made[name])


def dumped(value: Any) -> bytes:
    """Plain values as the bytes of a certificate."""
    return json.dumps(value).encode()
