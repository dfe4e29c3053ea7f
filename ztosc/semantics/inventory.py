"""`inventory/*.yaml` to typed entries.

Guarantees: an unknown key, name or attribute is an error at its word with the nearest one; a value is typed against its attribute's
declaration, never guessed from how it looks; an entry that is wrong is left out, and its mistakes are all told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ztosc.diagnostics import Label, Report, suggestion
from ztosc.ir.inventory import Device, Inventory, Person, Pin
from ztosc.ir.values import Value
from ztosc.semantics import literals
from ztosc.semantics.guards import GuardChecker
from ztosc.semantics.scope import INVENTORY, Names, article
from ztosc.semantics.yaml import CODE, Mapping, Node, Scalar, Sequence, parse_yaml
from ztosc.source import Loader, SourceMissing, SourceRefused, Span
from ztosc.syntax import ast
from ztosc.syntax.decode import decode

FOLDER = "inventory/"
SUFFIXES = (".yaml", ".yml")
SECTIONS: dict[str, dict[str, bool]] = {
    "people": {"id": True, "name": False, "roles": False, "attributes": False},
    "devices": {"id": True, "class": True, "segment": False, "mac": False, "certificate": False, "attributes": False},
    "endpoints": {"service": True, "node": True},
}
"""The keys of an entry, and whether it must have them."""
ABOUT = {"people": "user.", "devices": "device."}
"""How attributes begin that an entry of a section may have."""
PERSON = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")
DEVICE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
KINDS = (
    ("DURATION", re.compile(r"[0-9]+[smhd]")),
    ("INSTANT", re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?Z?)?")),
    ("INT", re.compile(r"[0-9]+")),
    ("PLACE", re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*")),
    ("NAME", re.compile(r"[a-z][a-z0-9]*([-.][a-z0-9]+)*")),
)
"""Texts as words of the language."""


def read_inventory(loader: Loader, names: Names, guards: GuardChecker, report: Report) -> Inventory:
    """Every usable entry of every file."""
    reader = _Inventory(names, guards, report)
    for file in loader.names():
        if file.startswith(FOLDER) and file.endswith(SUFFIXES):
            reader.file(loader, file)
    return reader.result()


class _Inventory:
    def __init__(self, names: Names, guards: GuardChecker, report: Report) -> None:
        self._names, self._guards, self._report = names, guards, report
        self._people: dict[str, Person] = {}
        self._devices: dict[str, Device] = {}
        self._pins: list[Pin] = []

    def result(self) -> Inventory:
        """What was read so far, sorted."""
        people = tuple(self._people[name] for name in sorted(self._people))
        devices = tuple(self._devices[name] for name in sorted(self._devices))
        return Inventory(
            people=people, devices=devices, pins=tuple(sorted(self._pins, key=lambda pin: (pin.service, pin.node, pin.origin)))
        )

    def file(self, loader: Loader, file: str) -> None:
        """One file."""
        try:
            source = decode(file, loader.read(file), self._report)
        except (SourceMissing, SourceRefused) as refused:
            why = refused.reason if isinstance(refused, SourceRefused) else "it is gone"
            self._report.error(
                "ZT223", f"`{file}` is not read: {why}", Span(file, 1, 1, 1, 1), help="keep what a project needs below its root"
            )
            return
        if source is None:
            return
        self._names.modules.texts[file] = source
        tree = parse_yaml(source, self._report)
        if tree is None:
            return
        if not isinstance(tree, Mapping):
            self._wrong(tree, f"`{file}` is no inventory", "begin with `people:`, `devices:` or `endpoints:`")
            return
        for key, value in tree.entries:
            self._section(key, value)

    def _wrong(self, node: Node, message: str, help_: str) -> None:
        self._report.error(CODE, message, node.span, help=help_)

    def _section(self, key: Scalar, value: Node) -> None:
        if key.text not in SECTIONS:
            fallback = "an inventory has " + ", ".join(f"`{each}`" for each in SECTIONS)
            self._wrong(key, f"an inventory has no `{key.text}`", suggestion(key.text, SECTIONS, fallback))
        elif isinstance(value, Sequence):
            for item in value.items:
                self._entry(key.text, item)
        elif not (isinstance(value, Scalar) and not value.text):
            self._wrong(value, f"`{key.text}` is no list", "write one entry a line, each with `- ` in front")

    def _entry(self, section: str, item: Node) -> None:
        if not isinstance(item, Mapping):
            self._wrong(item, f"an entry of `{section}` is no mapping", "write `- id: …`, and its other keys below it")
            return
        before = len(self._report.items)
        given = dict(self._known(section, item))
        for key, required in SECTIONS[section].items():
            if required and key not in given:
                self._report.error("ZT208", f"this entry of `{section}` has no `{key}`", item.span, help=f"add `{key}: …`")
        if section == "people":
            self._person(item, given, before)
        elif section == "devices":
            self._device(item, given, before)
        else:
            self._pin(item, given, before)

    def _known(self, section: str, item: Mapping) -> Iterator[tuple[str, Node]]:
        keys = SECTIONS[section]
        for key, value in item.entries:
            if key.text in keys:
                yield key.text, value
            else:
                fallback = "it has " + ", ".join(f"`{each}`" for each in keys)
                self._wrong(key, f"an entry of `{section}` has no `{key.text}`", suggestion(key.text, keys, fallback))

    # Entries

    def _person(self, item: Mapping, given: dict[str, Node], before: int) -> None:
        name = self._matching(given.get("id"), PERSON, "`a-z`, `0-9`, `.`, `_` and `-`, at most 63")
        roles = tuple(found for each in self._list(given.get("roles")) if (found := self._reference(each, "role")))
        attributes = self._attributes("people", given.get("attributes"))
        full = self._text(given.get("name"))
        if name and len(self._report.items) == before and self._first(name, self._people, item.span):
            person = Person(name=name, full_name=full, roles=tuple(sorted(set(roles))), attributes=attributes, origin=item.span)
            self._people[name] = person

    def _device(self, item: Mapping, given: dict[str, Node], before: int) -> None:
        name = self._matching(given.get("id"), DEVICE, "`a-z`, `0-9` and `-`, at most 63")
        kind = self._reference(given.get("class"), "device")
        segment = self._reference(given.get("segment"), "segment")
        mac = self._matching(given.get("mac"), MAC, "six pairs of hexadecimal digits with `:` between")
        certificate = self._matching(given.get("certificate"), literals.FINGERPRINT, "`sha256:` and 64 hexadecimal digits")
        attributes = self._attributes("devices", given.get("attributes"))
        if name and kind and len(self._report.items) == before and self._first(name, self._devices, item.span):
            self._devices[name] = Device(
                name=name, device_class=kind, segment=segment, mac=mac, certificate=certificate, attributes=attributes, origin=item.span
            )

    def _pin(self, item: Mapping, given: dict[str, Node], before: int) -> None:
        service, node = self._reference(given.get("service"), "service"), self._reference(given.get("node"), "node")
        if service and node and len(self._report.items) == before:
            self._pins.append(Pin(service=service, node=node, origin=item.span))

    def _first(self, name: str, known: dict[str, Person] | dict[str, Device], span: Span) -> bool:
        if name not in known:
            return True
        label = Label(known[name].origin, "the first")
        self._report.error("ZT202", f"`{name}` is listed twice", span, help="give each an `id` of its own", related=[label])
        return False

    # Values

    def _text(self, node: Node | None) -> str:
        if node is not None and not isinstance(node, Scalar):
            self._wrong(node, "this is no text", "write one word or a text in quotes")
        return node.text if isinstance(node, Scalar) else ""

    def _matching(self, node: Node | None, pattern: re.Pattern[str], wanted: str) -> str | None:
        text = self._text(node).lower()
        if not text or node is None:
            return None
        if not pattern.fullmatch(text):
            self._report.error("ZT213", f"`{text[:80]}` cannot be used: it is made of {wanted}", node.span)
            return None
        return text

    def _list(self, node: Node | None) -> tuple[Node, ...]:
        if node is None or isinstance(node, Sequence):
            return node.items if node is not None else ()
        if isinstance(node, Scalar):
            return (node,) if node.text else ()
        self._wrong(node, "this is no list", "write `[a, b]`")
        return ()

    def _reference(self, node: Node | None, kind: str) -> str | None:
        text = self._text(node)
        if node is None or not isinstance(node, Scalar):
            return None
        symbol = self._names.resolve(ast.Word("NAME", text, node.span), INVENTORY, (kind,))
        return symbol.name if symbol is not None else None

    def _attributes(self, section: str, node: Node | None) -> tuple[tuple[str, Value], ...]:
        if node is None or (isinstance(node, Scalar) and not node.text):
            return ()
        if not isinstance(node, Mapping):
            self._wrong(node, "these are no attributes", "write `name: value`, one a line")
            return ()
        found = (self._attribute(section, key, value) for key, value in node.entries)
        return tuple(sorted(each for each in found if each is not None))

    def _attribute(self, section: str, key: Scalar, value: Node) -> tuple[str, Value] | None:
        symbol = self._names.resolve(ast.Word("NAME", key.text, key.span), INVENTORY, ("attribute",))
        kind = self._guards.type_of(symbol.name) if symbol else None
        if symbol is None or kind is None:
            return None
        if symbol.name.startswith(("user.", "device.", "session.")) and not symbol.name.startswith(ABOUT[section]):
            about = symbol.name.partition(".")[0]
            message = f"`{symbol.name}` is a fact about {article(about)}, not one of `{section}`"
            self._report.error("ZT209", message, key.span, help="write it where it belongs; sessions are not listed")
            return None
        text = self._text(value)
        values = self._guards.values(_word(text, value.span), kind) if isinstance(value, Scalar) else None
        if values is None:
            return None
        if len(values) > 1:
            self._report.error("ZT209", f"`{text}` is a group of countries, not one", value.span, help="name one country")
            return None
        return symbol.name, values[0]


def _word(text: str, span: Span) -> ast.Word:
    """A text as a word of the language."""
    kind = next((kind for kind, pattern in KINDS if pattern.fullmatch(text)), "STRING")
    return ast.Word(kind, text, span)
