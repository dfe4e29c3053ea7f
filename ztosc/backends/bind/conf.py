"""`named.conf` parsed back from its text, knowing nothing of the template.

Guarantees: a statement that it does not know, a default that was opened, or a list that names anybody but our prefixes is a
`ReadFault` with a line, never left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ztosc.backends.base import ReadFault
from ztosc.backends.bind.model import Names, zone_file

_TOKEN = re.compile(r'(?P<blank>[ \t\n]+|//[^\n]*)|(?P<text>"[^"\n\\]*")|(?P<mark>[{};])|(?P<word>[^\s"{};]+)')
FOLDER = "/etc/ztos/bind"

Statement = tuple[int, tuple[str, ...], tuple["Statement", ...] | None]
"""Line, words before the block, and the block."""

CLOSED: dict[tuple[str, ...], tuple[tuple[str, ...], ...] | None] = {
    ("directory", f'"{FOLDER}"'): None,
    ("managed-keys-directory", '"/var/cache/bind"'): None,
    ("listen-on",): (("none",),),
    ("allow-transfer",): (("none",),),
    ("allow-update",): (("none",),),
    ("notify", "no"): None,
    ("version", "none"): None,
    ("hostname", "none"): None,
    ("dnssec-validation", "auto"): None,
    ("minimal-responses", "yes"): None,
}
"""Options that every configuration of ours must have, with their block."""


def read_conf(path: str, content: bytes) -> tuple[str, Names]:
    """The title in the first line, and what the configuration says. Raises `ReadFault`."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ReadFault(path, 1, "the file is not UTF-8") from error
    title = re.match(r"// ([^\n]*)\n", text)
    if title is None:
        raise ReadFault(path, 1, "the first line names the node")
    return title[1], _Conf(path, _Parser(path, text).statements()).names()


class _Parser:
    """Statements of nested blocks."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.tokens = list(self._scan(text))
        self.at = 0

    def _scan(self, text: str) -> Iterator[tuple[str, int]]:
        position, line = 0, 1
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise ReadFault(self.path, line, f"{text[position]!r} is no part of a configuration")
            if match.lastgroup != "blank":
                yield match.group(), line
            line += match.group().count("\n")
            position = match.end()

    def statements(self, *, inside: bool = False) -> tuple[Statement, ...]:
        found = []
        while self.at < len(self.tokens) and not (inside and self.tokens[self.at][0] == "}"):
            found.append(self._statement())
        return tuple(found)

    def _statement(self) -> Statement:
        line = self.tokens[self.at][1]
        words: list[str] = []
        block: tuple[Statement, ...] | None = None
        while (token := self._take()) != ";":
            if token == "{":
                block = self.statements(inside=True)
                if self._take() != "}" or self._take() != ";":
                    raise ReadFault(self.path, line, "a block is not closed")
                break
            if token == "}":
                raise ReadFault(self.path, line, "a block is closed that was not opened")
            words.append(token)
        return line, tuple(words), block

    def _take(self) -> str:
        if self.at >= len(self.tokens):
            raise ReadFault(self.path, self.tokens[-1][1] if self.tokens else 1, "the file ends too early")
        self.at += 1
        return self.tokens[self.at - 1][0]


class _Conf:
    """What the statements say."""

    def __init__(self, path: str, statements: tuple[Statement, ...]) -> None:
        self.path = path
        self.statements = statements

    def names(self) -> Names:
        acls: dict[str, tuple[str, ...]] = {}
        zones: list[str] = []
        options: Statement | None = None
        for statement in self.statements:
            line, words, block = statement
            match words:
                case ("acl", name):
                    acls[name] = self._list(line, block)
                case ("options",) if options is None:
                    options = statement
                case ("controls",) if block == ():
                    pass
                case ("zone", name):
                    zones.append(self._zone(line, name.strip('"'), block))
                case _:
                    raise ReadFault(self.path, line, f"`{' '.join(words)}` is not known")
        if options is None or set(acls) != {'"zt_clients"', '"zt_recursion"'}:
            raise ReadFault(self.path, 1, "options or lists of clients are missing")
        listen, dns64 = self._options(options)
        clients, recursion = acls['"zt_clients"'], acls['"zt_recursion"']
        return Names(listen=listen, clients=clients, recursion=recursion, dns64=dns64, zones=tuple(zones))

    def _options(self, options: Statement) -> tuple[tuple[str, ...], str | None]:
        line, _, block = options
        wanted = dict(CLOSED)
        listen: tuple[str, ...] = ()
        dns64: str | None = None
        who = {("allow-query",): (('"zt_clients"',),), ("allow-recursion",): (('"zt_recursion"',),), ("recursion", "yes"): None}
        wanted |= who
        for at, words, inner in block or ():
            if words in wanted and wanted[words] == (None if inner is None else tuple(each[1] for each in inner)):
                del wanted[words]
            elif words == ("listen-on-v6",):
                listen = self._list(at, inner)
            elif words[0] == "dns64" and len(words) == 2 and [each[1] for each in inner or ()] == [("clients",)]:
                if self._list(at, (inner or ())[0][2]) != ('"zt_recursion"',):
                    raise ReadFault(self.path, at, "DNS64 is for those that we recurse for")
                dns64 = words[1]
            else:
                raise ReadFault(self.path, at, f"option `{' '.join(words)}` is not known, given twice, or open")
        if wanted:
            raise ReadFault(self.path, line, f"option `{' '.join(min(wanted))}` is missing")
        return listen, dns64

    def _list(self, line: int, block: tuple[Statement, ...] | None) -> tuple[str, ...]:
        if block is None or any(len(words) != 1 or inner is not None for _, words, inner in block):
            raise ReadFault(self.path, line, "a list of single entries is expected")
        return tuple(words[0] for _, words, _ in block if words != ("none",))

    def _zone(self, line: int, name: str, block: tuple[Statement, ...] | None) -> str:
        wanted = [("type", "primary"), ("file", f'"{zone_file(name)}"')]
        if block is None or [words for _, words, _ in block] != wanted:
            raise ReadFault(self.path, line, f"zone `{name}` is not a primary zone of its own file")
        return name
