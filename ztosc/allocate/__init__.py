"""Intent and lock to `Network`: every number and every place.

Guarantees: a number once given stays with its name; adding one thing changes no other; a number given up is not given to another
name for three generations. Nothing is taken from a clock, a random source or the order of the files.
"""

from ztosc.allocate.allocate import Allocated, allocate
from ztosc.allocate.lock import LOCK_FILE, Lock, parse_lock, render_lock

__all__ = ["LOCK_FILE", "Allocated", "Lock", "allocate", "parse_lock", "render_lock"]
