"""A wpa_supplicant configuration parsed back, knowing nothing of its template.

Guarantees: every line is one that we know, in its place. wpa_supplicant itself takes a MACsec network without a CAK, or with MACsec off,
without a word; here each is a `ReadFault` with its line, and so is key material where a hole belongs.
"""

from __future__ import annotations

import re

from ztosc.backends.base import Artifact, ReadFault
from ztosc.backends.macsec.model import LINK, Association, path_of
from ztosc.ir.secrets import SecretRef

GLOBAL = ("eapol_version=3", "ap_scan=0")
"""MKA is EAPOL version 3 (IEEE 802.1X §11.3.1); nothing is scanned on a wire."""
FIXED = {
    "key_mgmt": "NONE",
    "eapol_flags": "0",
    "macsec_policy": "1",
    "macsec_integ_only": "0",
    "macsec_replay_protect": "1",
    "macsec_replay_window": "0",
}
"""Secured and encrypted, every frame in order; no EAP, for the CAK is there beforehand."""
HOLE = re.compile(r"@ztos-secret:(?P<id>[a-z0-9./-]+):(?P<length>[0-9]{1,3}):(?P<encoding>hex)@")
CAK_BYTES = frozenset({16, 32})
CKN_BYTES = frozenset(range(1, 33))


def read(artifact: Artifact) -> Association:
    """The association that a file means. Raises `ReadFault`."""
    found = _Lines(artifact)
    link = found.take(rf"# link ({LINK.pattern}), written by ztosc")
    for line in GLOBAL:
        found.take(re.escape(line))
    found.take(r"network=\{")
    for key, value in FIXED.items():
        found.take(rf"\t{key}={re.escape(value)}")
    port = int(found.take(r"\tmacsec_port=([1-9][0-9]{0,4})"))
    cak = found.hole("mka_cak", f"macsec/{link}/cak", CAK_BYTES)
    ckn = found.hole("mka_ckn", f"macsec/{link}/ckn", CKN_BYTES)
    found.take(r"\}")
    found.end()
    if artifact.path != path_of(port):
        raise ReadFault(artifact.path, 1, f"port {port} belongs into `{path_of(port)}`")
    if set(artifact.secrets) != {cak, ckn}:
        raise ReadFault(artifact.path, 1, "the holes of the file are not those that are filled")
    return Association(link=link, port=port, cak=cak, ckn=ckn)


class _Lines:
    """The lines of a file, one after the other."""

    def __init__(self, artifact: Artifact) -> None:
        self.path, self.number = artifact.path, 0
        try:
            self.lines = artifact.content.decode().split("\n")
        except UnicodeDecodeError as error:
            raise ReadFault(self.path, 1, "the file is not UTF-8") from error

    def take(self, pattern: str) -> str:
        """The first group of the next line, or all of it; the line must be of the pattern."""
        line = self.lines[self.number] if self.number < len(self.lines) else ""
        self.number += 1
        match = re.fullmatch(pattern, line)
        if match is None:
            raise ReadFault(self.path, self.number, f"a line like {pattern!r} is expected here")
        return match[1] if match.groups() else match[0]

    def hole(self, key: str, name: str, lengths: frozenset[int]) -> SecretRef:
        """The hole of a name, of one of the lengths."""
        text = self.take(rf"\t{key}=(.+)")
        match = HOLE.fullmatch(text)
        if match is None or match["id"] != name or int(match["length"]) not in lengths:
            raise ReadFault(self.path, self.number, f"{key} is not the link's hole: key material has no place in a bundle")
        return SecretRef(id=match["id"], length=int(match["length"]), encoding="hex")

    def end(self) -> None:
        if self.lines[self.number :] != [""]:
            raise ReadFault(self.path, self.number + 1, "the file goes on")
