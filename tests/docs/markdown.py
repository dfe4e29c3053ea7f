"""Markdown pages as tests read them: sections, and the small projects that stand in them.

A page cannot hold every byte that a file can, so an example writes three things between `⟨` and `⟩`: `⟨U+200B⟩` is that character,
`⟨byte FF⟩` that byte, and `⟨5000 times x⟩` as many copies of a character.
"""

import re
from pathlib import Path

from ztosc.compiler import Compiled, compile_project
from ztosc.ir.clock import instant_text
from ztosc.source import MemoryLoader

DOCS = Path(__file__).resolve().parents[2] / "docs"
AT = 1_800_000_000
"""2027-01-15T08:00:00Z, the clock of every example."""

BLOCK = re.compile(r"(?:^`(?P<path>[^`\n]+)`\n\n?)?^```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
PLACEHOLDER = re.compile(r"⟨(?:U\+([0-9A-F]{4,5})|byte ([0-9A-F]{2})|(\d+) times (.))⟩")


def sections(text: str) -> dict[str, str]:
    """What stands under each `##` heading, by its text."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def project(section: str) -> dict[str, bytes]:
    """The files of a section; a block without a path is the whole project in one file."""
    blocks = [found for found in BLOCK.finditer(section) if found["path"] or found["kind"] == "ztos"]
    return {found["path"] or "network.ztos": _bytes(found["body"]) for found in blocks}


def _bytes(body: str) -> bytes:
    data, last = b"", 0
    for found in PLACEHOLDER.finditer(body):
        character, byte, count, copied = found.groups()
        written = chr(int(character, 16)).encode() if character else bytes.fromhex(byte) if byte else copied.encode() * int(count)
        data, last = data + body[last : found.start()].encode() + written, found.end()
    return data + body[last:].encode()


def compiled(files: dict[str, bytes]) -> Compiled:
    """A project held in memory, compiled at the fixed instant."""
    return compile_project(MemoryLoader(files), AT)


def told(found: Compiled) -> list[str]:
    """Its diagnostics, for a failing test's message."""
    return [f"{instant_text(AT)} {item.code} {item.span}: {item.message}" for item in found.diagnostics]
