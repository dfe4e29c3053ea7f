"""Parsed statements on disk, for the next run: one SQLite database in the user's cache folder.

Guarantees: never fails and never speaks: without a home, on a read-only or foreign folder, with a database that is torn or in use, the
command runs as without a cache. Several processes may use it at once. It stays below `MAX_BYTES` of entries; what was not used for longest
goes. `ZTOSC_CACHE` moves it (`DIR`) or turns it off (`off`).
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

VARIABLE = "ZTOSC_CACHE"
FILE = "statements-1.sqlite3"
MAX_BYTES = 128 * 1024 * 1024
"""What entries may take together, keys left out."""
MAX_ENTRY = 4 * 1024 * 1024
BATCH = 500
DAY = 86400
BUSY = 0.25
"""Seconds to wait for another process that writes."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (key BLOB PRIMARY KEY, value BLOB NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_use ON entry (used);
"""


@contextmanager
def disk_cache() -> Iterator[DiskCache | None]:
    """The user's cache; nothing where it is off or cannot be."""
    folder = _folder(os.environ.get(VARIABLE, ""))
    opened = None
    with suppress(OSError, sqlite3.Error, ValueError):
        opened = DiskCache(folder) if folder is not None else None
    try:
        yield opened
    finally:
        if opened is not None:
            opened.close()


def _folder(said: str) -> Path | None:
    if said == "off":
        return None
    if said:
        return Path(said) if Path(said).is_absolute() else None  # a relative one would be another in each folder
    home = os.environ.get("XDG_CACHE_HOME", "")
    if Path(home).is_absolute():
        return Path(home) / "ztosc"
    with suppress(RuntimeError):
        return Path.home() / ".cache" / "ztosc"
    return None


class DiskCache:
    """Entries by key. Raises `OSError` or `sqlite3.Error` where it cannot be opened, and nothing afterwards."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._grown = False
        self._today = int(time.time()) // DAY
        self._file = _own(folder) / FILE
        try:
            self._base = self._open()
        except sqlite3.OperationalError:  # in use, or out of space: it may be whole
            raise
        except sqlite3.DatabaseError:
            self._file.unlink(missing_ok=True)  # no database, or a torn one: nothing in it is missed
            self._base = self._open()

    def close(self) -> None:
        """Let go of the database, and in it of the least used where there is too much."""
        if self._grown:
            self._trim()
        self._base.close()

    def _open(self) -> sqlite3.Connection:
        os.close(os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        base = sqlite3.connect(self._file, timeout=BUSY, isolation_level=None)
        try:
            base.execute("PRAGMA synchronous = OFF")
            base.execute("PRAGMA cache_size = -32768")
            base.executescript(SCHEMA)
            base.execute("SELECT key, value, used FROM entry LIMIT 1").fetchone()
        except sqlite3.Error:
            base.close()
            raise
        return base

    def get(self, keys: Iterable[bytes]) -> Mapping[bytes, bytes]:
        """The entries that are there, of those asked for."""
        found: dict[bytes, bytes] = {}
        stale: list[bytes] = []
        with self._unhurt():
            for batch in _batches(keys):
                marks = ",".join("?" * len(batch))
                rows = self._base.execute(f"SELECT key, value, used FROM entry WHERE key IN ({marks})", batch)
                for key, value, used in rows:
                    if isinstance(value, bytes):
                        found[key] = value
                        if used != self._today:
                            stale.append(key)
        self._write("UPDATE entry SET used = ? WHERE key = ?", [(self._today, key) for key in stale])
        return found

    def put(self, entries: Mapping[bytes, bytes]) -> None:
        """Keep entries."""
        self._grown = True
        rows = [(key, value, self._today) for key, value in sorted(entries.items()) if len(value) <= MAX_ENTRY]
        self._write("INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", rows)

    @contextmanager
    def _unhurt(self) -> Iterator[None]:
        """Whatever the database says, the command goes on; a torn one is taken away, for the next run to begin anew."""
        try:
            yield
        except sqlite3.OperationalError:
            pass
        except sqlite3.Error:
            with suppress(OSError):
                self._file.unlink(missing_ok=True)

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if not rows:
            return
        with self._unhurt():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                self._base.executemany(statement, rows)
                self._base.execute("COMMIT")
            except sqlite3.Error:
                self._base.execute("ROLLBACK")

    def _trim(self) -> None:
        with self._unhurt():
            size = self._base.execute("SELECT coalesce(sum(length(value)), 0) FROM entry").fetchone()[0]
            if size <= self._max_bytes:
                return
            going: list[tuple[object, ...]] = []
            for key, length in self._base.execute("SELECT key, length(value) FROM entry ORDER BY used, key").fetchall():
                if size <= self._max_bytes * 3 // 4:
                    break
                going.append((key,))
                size -= length
            self._write("DELETE FROM entry WHERE key = ?", going)


def _own(folder: Path) -> Path:
    """The folder, made where it is missing; it must be the user's, and nobody else's to write."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = folder.stat()
    if about.st_uid != os.geteuid() or stat.S_IMODE(about.st_mode) & 0o022:
        raise PermissionError(f"{folder} belongs to somebody else")
    return folder


def _batches(keys: Iterable[bytes]) -> Iterator[list[bytes]]:
    every = sorted(set(keys))  # in the order of the tree, which is touched page by page
    for start in range(0, len(every), BATCH):
        yield every[start : start + BATCH]
