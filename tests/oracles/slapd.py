"""OpenLDAP for tests: a server of our own in a folder of its own, with our schema and a tree, spoken to by ldap3 over a socket."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ztosc.backends.ldap import BACKEND, DATA, SCHEMA
from ztosc.prove import real_tools
from ztosc.prove.tools import ENVIRONMENT

PROOF = BACKEND.manifest.proofs[0]
MORE = ("/etc/ldap/schema/inetorgperson.ldif",)
"""Of the standard schemas, what people need beside that."""
MISSING = real_tools().why_not(PROOF) or next((f"{path} is missing" for path in MORE if not Path(path).is_file()), None)
PASSWORD = "only-for-the-test"


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False)


class Folder:
    """A configuration and an empty database."""

    def __init__(self, root: Path, suffix: str, schema: bytes) -> None:
        self.root, self.suffix, self.conf = root, suffix, root / "conf"
        for name in ("conf", "db", "files"):
            (root / name).mkdir()
        (root / "files" / SCHEMA).write_bytes(schema)
        text = PROOF.files[0].text.format(root=root, folder="/files")
        more = "".join(f"include: file://{path}\n\n" for path in MORE)
        text = text.replace("include: file://" + str(root), more + "include: file://" + str(root))
        database = f"olcSuffix: {suffix}\nolcRootDN: cn=root,{suffix}\nolcRootPW: {PASSWORD}\n"
        (root / "conf.ldif").write_text(text.replace("olcSuffix:\n", database))
        self.made = run("slapadd", "-n0", "-F", self.conf, "-l", root / "conf.ldif")

    def loaded(self, data: bytes, *options: str) -> subprocess.CompletedProcess[str]:
        """What `slapadd` says to a tree."""
        (self.root / "files" / DATA).write_bytes(data)
        return run("slapadd", *options, "-o", "value-check=yes", "-F", self.conf, "-b", self.suffix, "-l", self.root / "files" / DATA)


def library() -> Any:
    """ldap3, whose import uses names that pyasn1 has come to call by others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import ldap3
    return ldap3


@contextmanager
def folder(suffix: str, schema: bytes) -> Iterator[Folder]:
    """A folder with a short name, in memory where that is possible: the path of a socket has at most 107 bytes."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="ztos-ldap-", dir=memory if memory.is_dir() else None) as root:
        yield Folder(Path(root), suffix, schema)


@contextmanager
def served(place: Folder, info: str = "NO_INFO") -> Iterator[Any]:
    """A bound ldap3 connection to a server that runs as long as this lasts. With `info="SCHEMA"` ldap3 judges values before it does."""
    ldap3 = library()
    url = "ldapi://" + quote(str(place.root / "socket"), safe="")
    with (place.root / "log").open("wb") as log:
        server = subprocess.Popen(["slapd", "-F", str(place.conf), "-h", url, "-d", "0"], stdout=log, stderr=log, env=ENVIRONMENT)
        try:
            _wait(server, place)
            asked = ldap3.Server(url, get_info=info)
            with ldap3.Connection(asked, f"cn=root,{place.suffix}", PASSWORD) as connection:
                yield connection
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait(server: subprocess.Popen[bytes], place: Folder) -> None:
    """Until somebody answers at the socket, which is there before that; a server that has ended never will."""
    for _ in range(500):
        if server.poll() is not None:
            raise AssertionError(f"slapd ended: {(place.root / 'log').read_text()}")
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(place.root / "socket")) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("slapd does not answer")
