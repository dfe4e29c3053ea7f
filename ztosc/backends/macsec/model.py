"""A connectivity association as a value.

Guarantees: it holds nothing that differs between the two ends of a link; what is the same for every link is no field, but a fixed line.
"""

from __future__ import annotations

import re

from ztosc.ir.base import Model
from ztosc.ir.secrets import SecretRef
from ztosc.ir.spaces import macsec_name

LINK = re.compile(r"[a-z0-9-]{1,140}")
"""A link, as it may stand in the name of a secret."""


class Association(Model):
    """The two ends of a link that share a CAK."""

    link: str
    port: int
    """Part of the secure channel identifier; also names the interface."""
    cak: SecretRef
    ckn: SecretRef


class Associations(Model):
    """Those of a node, by port."""

    associations: tuple[Association, ...]


def path_of(port: int) -> str:
    """The file of a link."""
    return f"{macsec_name(port)}.conf"
