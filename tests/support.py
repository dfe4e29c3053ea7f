"""Small projects in memory, compiled as the compiler does it."""

from __future__ import annotations

from pathlib import Path

from ztosc.compiler import Compiled, compile_project
from ztosc.ir.network import Network
from ztosc.source import DiskLoader, MemoryLoader

AT = 1_795_305_600
"""2026-11-22T00:00:00Z."""

ROOT = Path(__file__).resolve().parent.parent
HOSPITAL = ROOT / "examples" / "hospital"

FRAME = """
import std.identity
import std.hipaa
import std.medical
network n { domain "n.example"
  prefix fd00:77::/48
  timezone Europe/Berlin
}
region home { country DE }
site s in home {
  node g { underlay 2001:db8::1; serves gateway, resolver }
}
segment desks { at s; admits people; carries internal }
segment lab { at s; admits infusion-pump; carries internal }
segment vault { at s; carries phi }
service web on vault { listen tcp/443 }
external internet { reach ::/0, 0.0.0.0/0 }
role staff { from desks; requires user.mfa }
"""
"""A network small enough to know by heart; tests add lines to it."""


def compiled(text: str = "", *, at: int = AT, frame: str = FRAME, **files: str) -> Compiled:
    """The frame and some lines more, compiled; `files` are further files of the project by stem."""
    named = {"network.ztos": (frame + text).encode(), **{f"{stem}.ztos": body.encode() for stem, body in files.items()}}
    return compile_project(MemoryLoader(named), at)


def network(text: str = "", **options: str) -> Network:
    """The network of a project without mistakes."""
    found = compiled(text, **options)
    assert not found.failed, [item.message for item in found.diagnostics]
    assert found.network is not None
    return found.network


def codes(text: str, **options: str) -> list[str]:
    """The codes of the diagnostics that some lines give, in the order of the sources."""
    return [item.code for item in compiled(text, **options).diagnostics]


def hospital(at: int = AT) -> Compiled:
    """The example of the tutorial."""
    return compile_project(DiskLoader(HOSPITAL), at)
