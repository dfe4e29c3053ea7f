"""Files and folders put in place whole.

Guarantees: whoever looks, at whatever moment, even after a kill or a loss of power, sees the old content or the new one, never a
mixture; a folder that is not ours is never replaced.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

MARK = "manifest.json"
"""The file by which an output of ours is known."""

AT_FDCWD = -100
RENAME_EXCHANGE = 2


class NotWritable(Exception):
    """An output that cannot be written; the text says why, in one clause."""


def write_file(path: Path, data: bytes) -> None:
    """Replace one file. Raises `NotWritable`."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            _fill(descriptor, data, _mode_of(path))
            temporary.replace(path)
            _sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise NotWritable(f"{error.strerror}") from error


def _mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777 if path.exists() else 0o644


def _fill(descriptor: int, data: bytes, mode: int) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_output(folder: Path, project: Path) -> None:
    """Refuse a folder whose content would be lost. Raises `NotWritable`."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise NotWritable("it is there and is not a folder")
    if project.resolve().is_relative_to(folder.resolve()):
        raise NotWritable("it holds the project itself")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise NotWritable(f"it is not empty and has no `{MARK}`, so it is not an output of ztosc")


def write_folder(folder: Path, files: Mapping[str, tuple[bytes, int]]) -> None:
    """Replace a folder by these files (path within it → bytes, mode). Raises `NotWritable`."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise NotWritable(f"{error.strerror}") from error
    try:
        for name in sorted(files):
            _put(aside, name, *files[name])
        for below in sorted({aside, *(path for path in aside.rglob("*") if path.is_dir())}):
            _sync_folder(below)
        aside.chmod(0o755)
        _swap(aside, folder)
        _sync_folder(folder.parent)
    except OSError as error:
        raise NotWritable(f"{error.strerror}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _put(root: Path, name: str, data: bytes, mode: int) -> None:
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise ValueError(f"`{name}` would lie outside of the output")
    path.parent.mkdir(parents=True, exist_ok=True)
    _fill(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), data, mode)


def _swap(new: Path, old: Path) -> None:
    """Put `new` in the place of `old` in one step; what was there stands at `new` afterwards."""
    if not old.exists():
        new.rename(old)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.renameat2(AT_FDCWD, os.fsencode(new), AT_FDCWD, os.fsencode(old), RENAME_EXCHANGE)
    if done != 0:  # a file system without exchange: two steps, the first undone if the second fails
        kept = new.with_name(new.name + ".old")
        old.rename(kept)
        try:
            new.rename(old)
        except OSError:
            kept.rename(old)
            raise
        shutil.rmtree(kept, ignore_errors=True)
