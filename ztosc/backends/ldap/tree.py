"""A tree of entries under construction.

Guarantees: an entry is added once; the containers come first; what is absent or empty leaves no attribute; values are written as their
syntax wants them, sorted, each once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from ztosc.backends.ldap.model import Attributes, Entries
from ztosc.backends.ldap.names import Path, join, rdn, suffix, value_of

Given = str | bool | int | None | Iterable[str]

CONTAINERS = {
    "attributes": "Declared facts about users, devices and sessions",
    "devices": "Classes of device",
    "dns": "Zones and their records",
    "domains": "Isolation domains",
    "externals": "Networks that are not ours",
    "grants": "Rules; whatever none of them allows is denied",
    "keys": "Which keys exist; none of them is here",
    "equipment": "Devices, from the inventory",
    "labels": "Classes of data",
    "links": "Adjacencies of nodes",
    "nodes": "Nodes",
    "partners": "Overlays of other organisations",
    "people": "People, from the inventory",
    "profiles": "What each node is given, by digest",
    "regions": "Jurisdictions",
    "roles": "Roles of people",
    "segments": "Micro-segments",
    "separations": "Roles that nobody has together",
    "services": "What listens on segments",
    "sites": "Places with nodes",
    "systems": "Services of the nodes themselves",
}


class Tree:
    """Entries below the suffix of a domain."""

    def __init__(self, domain: str) -> None:
        self.root = suffix(domain)
        self._entries: dict[Path, Attributes] = {}
        for name, description in CONTAINERS.items():
            self.add(("ou", name), (), "organizationalUnit", description=description)

    def container(self, name: str) -> Path:
        """The path of a container."""
        return (*self.root, rdn("ou", name))

    def path(self, container: str, *names: str) -> Path:
        """The path of an entry: its name in a container, or names in one another."""
        return (*self.container(container), *(rdn("cn", name) for name in names))

    def ref(self, container: str, *names: str) -> str:
        """The distinguished name of an entry, whether or not it has been added."""
        return join(self.path(container, *names))

    def refs(self, container: str, names: Iterable[str]) -> list[str]:
        """Those of several."""
        return [self.ref(container, name) for name in names]

    def add(self, name: tuple[str, str], above: Path, *classes: str, **given: Given) -> Path:
        """An entry named `(attribute, value)` below another, or below the suffix. Returns its path."""
        return self.put((*(above or self.root), rdn(*name)), classes, given)

    def put(self, path: Path, classes: Iterable[str], given: dict[str, Given]) -> Path:
        """An entry at a path; what it is named by need not be given. Raises `ValueError` where there is one already."""
        if path in self._entries:
            raise ValueError(f"`{join(path)}` stands there twice")
        naming, value = value_of(path[-1])
        found = {_key(attribute): _values(value) for attribute, value in {naming: value, **given}.items()}
        ordered = {attribute: found[attribute] for attribute in sorted(found) if found[attribute]}
        self._entries[path] = {"objectClass": tuple(sorted(classes)), **ordered}
        return path

    def also(self, path: Path, name: str, given: dict[str, Given]) -> None:
        """One auxiliary class more, with its attributes, for an entry that is there."""
        entry = self._entries[path]
        found = {_key(attribute): _values(value) for attribute, value in given.items()}
        whole = {**entry, **found, "objectClass": tuple(sorted((*entry["objectClass"], name)))}
        rest = {attribute: whole[attribute] for attribute in sorted(whole) if attribute != "objectClass" and whole[attribute]}
        self._entries[path] = {"objectClass": whole["objectClass"], **rest}

    def entries(self) -> Entries:
        """All of them, in the order of the tree."""
        return {join(path): self._entries[path] for path in sorted(self._entries)}


def _key(attribute: str) -> str:
    """Ours begin with a capital where they are given."""
    return f"ztos{attribute}" if attribute[0].isupper() else attribute


def _values(given: Given) -> tuple[str, ...]:
    match given:
        case None | "":
            return ()
        case bool():
            return ("TRUE" if given else "FALSE",)
        case int() | str():
            return (str(given),)
        case _:
            return tuple(sorted({value for value in given if value}))


def time(instant: int | None) -> str | None:
    """An instant as GeneralizedTime (RFC 4517 §3.3.13)."""
    return None if instant is None else datetime.fromtimestamp(instant, UTC).strftime("%Y%m%d%H%M%SZ").rjust(15, "0")
