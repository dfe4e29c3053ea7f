"""`schema.ldif`: our definitions as RFC 4512 §4.1 writes them, in one entry of OpenLDAP's configuration, and read back from there.

Guarantees: every identifier is below the macro `ztosRoot`; every type has an EQUALITY rule, without which single values of it could not
be changed; the reader takes a definition only where it knows each word of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ztosc.backends.base import ReadFault
from ztosc.backends.ldap import ldif
from ztosc.backends.ldap.model import Attributes, AttributeType, Kind, ObjectClass, Schema
from ztosc.backends.ldap.schema import ROOT

NAME = "cn=ztos,cn=schema,cn=config"
ARCS = {"ztosRoot": f"2.25.{ROOT.int}", "ztosType": "ztosRoot:1", "ztosClass": "ztosRoot:2", "ztosFact": "ztosRoot:3"}
OPENING: Attributes = {
    "objectClass": ("olcSchemaConfig",),
    "cn": ("ztos",),
    "olcObjectIdentifier": tuple(f"{name} {oid}" for name, oid in ARCS.items()),
}

_SYNTAX = "1.3.6.1.4.1.1466.115.121.1."
KINDS: dict[Kind, str] = {
    "text": f"EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX {_SYNTAX}15",
    "exact": f"EQUALITY caseExactMatch SYNTAX {_SYNTAX}15",
    "word": f"EQUALITY caseIgnoreIA5Match SUBSTR caseIgnoreIA5SubstringsMatch SYNTAX {_SYNTAX}26",
    "octets": f"EQUALITY octetStringMatch SYNTAX {_SYNTAX}40",
    "integer": f"EQUALITY integerMatch ORDERING integerOrderingMatch SYNTAX {_SYNTAX}27",
    "boolean": f"EQUALITY booleanMatch SYNTAX {_SYNTAX}7",
    "time": f"EQUALITY generalizedTimeMatch ORDERING generalizedTimeOrderingMatch SYNTAX {_SYNTAX}24",
    "dn": f"EQUALITY distinguishedNameMatch SYNTAX {_SYNTAX}12",
}
"""How values compare (RFC 4517)."""

_HEAD = r"\( (?P<arc>ztos[A-Z][a-z]+):(?P<number>[0-9]+) NAME '(?P<name>[A-Za-z][A-Za-z0-9-]*)' DESC '(?P<description>[^'\\]+)'"
TYPE = re.compile(_HEAD + r" (?P<kind>EQUALITY .*?)(?P<single> SINGLE-VALUE)? \)")
CLASS = re.compile(_HEAD + r" SUP top (?P<kind>STRUCTURAL|AUXILIARY)(?: MUST \( (?P<must>[^()]+) \))?(?: MAY \( (?P<may>[^()]+) \))? \)")


def text(schema: Schema) -> bytes:
    """The file."""
    types, classes = tuple(map(_type, schema.types)), tuple(map(_class, schema.classes))
    return ldif.text({NAME: {**OPENING, "olcAttributeTypes": types, "olcObjectClasses": classes}})


def _type(each: AttributeType) -> str:
    arc = "ztosFact" if each.fact else "ztosType"
    return f"( {_head(arc, each)} {KINDS[each.kind]}{' SINGLE-VALUE' if each.single else ''} )"


def _class(each: ObjectClass) -> str:
    lists = "".join(f" {word} ( {' $ '.join(names)} )" for word, names in (("MUST", each.must), ("MAY", each.may)) if names)
    return f"( {_head('ztosClass', each)} SUP top {each.kind}{lists} )"


def _head(arc: str, each: AttributeType | ObjectClass) -> str:
    if "'" in each.description or "\\" in each.description:
        raise ValueError(f"{each.description!r} cannot stand in quotes")
    return f"{arc}:{each.number} NAME '{each.name}' DESC '{each.description}'"


def read(path: str, content: bytes) -> Schema:
    """What the file defines. Raises `ReadFault`."""
    entries, _ = ldif.read(path, content)
    if set(entries) != {NAME}:
        raise ReadFault(path, 1, f"exactly the entry `{NAME}` is expected")
    found = dict(entries[NAME])
    types, classes = found.pop("olcAttributeTypes", ()), found.pop("olcObjectClasses", ())
    if found != OPENING:
        raise ReadFault(path, 1, "our part of the schema has one root, and its three arcs")
    schema = Schema(
        types=tuple(_read_type(path, _match(path, TYPE, value)) for value in types),
        classes=tuple(_read_class(path, _match(path, CLASS, value)) for value in classes),
    )
    for problem in _problems(schema):
        raise ReadFault(path, 1, problem)
    return schema


def _match(path: str, pattern: re.Pattern[str], value: str) -> re.Match[str]:
    match = pattern.fullmatch(value)
    if match is None:
        raise ReadFault(path, 1, f"`{value[:100]}` is no definition of ours")
    return match


def _read_type(path: str, match: re.Match[str]) -> AttributeType:
    kind = next((kind for kind, words in KINDS.items() if words == match["kind"]), None)
    if kind is None or match["arc"] not in ("ztosType", "ztosFact"):
        raise ReadFault(path, 1, f"`{match['name']}` has a syntax or an arc that no type of ours has")
    return AttributeType(
        number=int(match["number"]),
        name=match["name"],
        kind=kind,
        description=match["description"],
        single=match["single"] is not None,
        fact=match["arc"] == "ztosFact",
    )


def _read_class(path: str, match: re.Match[str]) -> ObjectClass:
    if match["arc"] != "ztosClass":
        raise ReadFault(path, 1, f"`{match['name']}` has an arc that no class of ours has")
    lists = {word: tuple((match[word] or "").split(" $ ")) if match[word] else () for word in ("must", "may")}
    fields = {"number": int(match["number"]), "name": match["name"], "description": match["description"], "kind": match["kind"]}
    return ObjectClass.model_validate({**fields, **lists})


def _problems(schema: Schema) -> Iterator[str]:
    numbers = [("fact" if each.fact else "type", each.number) for each in schema.types]
    if len(set(numbers)) != len(numbers) or len({each.number for each in schema.classes}) != len(schema.classes):
        yield "a number is given twice"
    names = [*(each.name.lower() for each in schema.types), *(each.name.lower() for each in schema.classes)]
    if len(set(names)) != len(names):
        yield "a name is given twice"
