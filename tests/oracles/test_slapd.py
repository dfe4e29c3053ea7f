"""OpenLDAP on our directory: it loads, wrong values are refused, and what a real server gives back is what we meant."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from tests.backends.cases import CASES
from tests.backends.directories import WORDS, directory, specified, talkative
from tests.bench.fabric import fabric
from tests.nodes import networks as n
from tests.oracles.slapd import MISSING, folder, library, run, served
from tests.support import network as compiled
from ztosc.backends import Bundle, NetworkSpec
from ztosc.backends.ldap import BACKEND, DATA
from ztosc.backends.ldap.model import Directory, Entries
from ztosc.backends.ldap.names import LONGEST, rdn
from ztosc.backends.ldap.tree import Tree
from ztosc.ir.network import Network
from ztosc.prove import real_tools

pytestmark = pytest.mark.skipif(MISSING is not None, reason=f"NOT JUDGED: {MISSING}")

FABRIC = 48


@cache
def made(case: str) -> tuple[Directory, bytes, bytes]:
    """A directory, its data and its schema."""
    model = BACKEND.lower(NetworkSpec(compiled(frame=fabric(FABRIC)), Bundle(()))) if case == "fabric" else directory(_network(case))
    data, schema = (artifact.content for artifact in BACKEND.render(model))
    return model, data, schema


def _network(case: str) -> Network:
    return talkative(WORDS[int(case.split()[1])]) if case.startswith("word ") else CASES[case]()


def suffix(model: Directory) -> str:
    return next(iter(model.entries))


def everything(connection: Any, base: str) -> Entries:
    """All that a server holds, as it says it, with values in order."""
    assert connection.search(base, "(objectClass=*)", attributes=["*"])
    found = {entry["dn"]: entry["raw_attributes"] for entry in connection.response}
    return {
        name: {key: tuple(sorted(value.decode() for value in values)) for key, values in attributes.items()}
        for name, attributes in found.items()
    }


@pytest.mark.parametrize("case", [*CASES, "fabric", *(f"word {number}" for number in range(len(WORDS)))])
def test_a_real_server_gives_back_what_was_meant(case: str) -> None:
    model, data, schema = made(case)
    with folder(suffix(model), schema) as place:
        assert place.made.returncode == 0, place.made.stderr
        assert place.loaded(data).returncode == 0
        with served(place) as connection:
            assert everything(connection, suffix(model)) == model.entries


def test_the_schema_is_there_as_it_was_meant() -> None:
    model, data, schema = made("hospital")
    with folder(suffix(model), schema) as place:
        checked = run("slaptest", "-u", "-F", place.conf)
        assert checked.returncode == 0, checked.stderr
        assert place.loaded(data).returncode == 0
        with served(place, "SCHEMA") as connection:
            known = connection.server.schema
            for each in model.schema_file.types:
                assert known.attribute_types[each.name].equality, f"values of {each.name} could not be changed"
                assert known.attribute_types[each.name].single_value is each.single
            for wanted in model.schema_file.classes:
                found = known.object_classes[wanted.name]
                assert (set(found.must_contain or ()), set(found.may_contain or ())) == (set(wanted.must), set(wanted.may))


WRONG = {
    "no integer": (r"ztosVni: \d+", "ztosVni: nope"),
    "no truth": ("ztosMacsec: FALSE", "ztosMacsec: maybe"),
    "no time": (r"ztosNotAfter: \d+Z", "ztosNotAfter: 2027-06-30"),
    "no name": ("ztosSiteRef: cn=campus", "ztosSiteRef: campus"),
    "two of one": (r"(ztosVni: \d+)\n", r"\1\nztosVni: 7\n"),
    "an unknown attribute": ("ztosVni:", "ztosVnj:"),
    "an attribute of another class": ("ztosRecognisedBy: mac", "ztosRecognisedBy: mac\nztosVni: 1"),
    "an unknown class": ("objectClass: ztosSegment", "objectClass: ztosSegments"),
    "less than the class demands": (r"ztosUnderlay: [^\n]*\n", ""),
    "two kinds at once": ("objectClass: ztosSegment", "objectClass: ztosSegment\nobjectClass: ztosRole"),
}


@pytest.mark.parametrize("change", WRONG)
def test_what_is_wrong_is_refused(change: str) -> None:
    """By the judge of the build, so that its acceptance means something; and our own reader needs no judge to see it."""
    files = BACKEND.render(made("hospital")[0])
    assert [result.outcome for result in real_tools().judge(BACKEND.manifest, files)] == ["accepted"]
    text, count = re.subn(WRONG[change][0], WRONG[change][1], files[0].content.decode(), count=1)
    assert count == 1 and files[0].path == DATA
    broken = (replace(files[0], content=text.encode()), *files[1:])
    (result,) = real_tools().judge(BACKEND.manifest, broken)
    assert result.outcome == "rejected" and result.output and "/tmp" not in result.output
    with pytest.raises(Exception, match=DATA):
        BACKEND.read(broken)


def test_a_broken_schema_is_refused() -> None:
    files = BACKEND.render(made("hospital")[0])
    for old, new in ((b"EQUALITY integerMatch", b"EQUALITY integerWatch"), (b"NAME 'ztosVni'", b"NAME 'ztosAsn'")):
        broken = [replace(file, content=file.content.replace(b"\n ", b"").replace(old, new, 1)) for file in files]
        assert broken[1].content != files[1].content.replace(b"\n ", b"")
        (result,) = real_tools().judge(BACKEND.manifest, broken)
        assert result.outcome == "rejected" and "conf" in result.output + result.tool


def test_an_entry_without_a_parent_is_not_loaded() -> None:
    """A dry run would not see it; loading does, and so does our reader."""
    model, _, schema = made("hospital")
    orphaned = {name: value for name, value in model.entries.items() if not name.startswith("cn=edge-1,ou=nodes")}
    files = BACKEND.render(model.model_copy(update={"entries": orphaned}))
    with folder(suffix(model), schema) as place:
        done = place.loaded(files[0].content)
        assert done.returncode != 0 and "cn=edge-1" in done.stderr
    with pytest.raises(Exception, match="edge-1"):
        BACKEND.read(files)


def test_names_are_written_as_the_server_writes_them() -> None:
    """Any text can name an entry and comes back to the byte, as long as it is short and no two differ in case and blanks alone."""
    words = [word for word in (*WORDS, '"', ";", "=", ">", "a,b", "a\\,b", "é", "\x7f") if word != "A B" and len(word) < 200]
    words.append("x" * (LONGEST - len("ou=")))
    with pytest.raises(ValueError, match="cannot name"):
        rdn("ou", words[-1] + "x")
    tree = Tree("mercy.example")
    for word in words:
        tree.put((*tree.container("people"), rdn("ou", word)), ("organizationalUnit",), {})
    schema = made("hospital")[2]
    entries = {"dc=mercy,dc=example": {"objectClass": ("domain",), "dc": ("mercy",)}, **tree.entries()}
    model = made("hospital")[0].model_copy(update={"entries": entries})
    with folder("dc=mercy,dc=example", schema) as place:
        done = place.loaded(BACKEND.render(model)[0].content)
        assert done.returncode == 0, done.stderr
        with served(place) as connection:
            assert everything(connection, "dc=mercy,dc=example") == entries


def test_people_have_typed_facts_and_values_can_be_changed() -> None:
    ldap3 = library()
    model, data, schema = made("hospital")
    person = f"uid=jo,ou=people,{suffix(model)}"
    classes = ["inetOrgPerson", "ztosFacts"]
    with folder(suffix(model), schema) as place:
        assert place.loaded(data).returncode == 0
        with served(place) as connection:
            assert not connection.add(person, classes, {"cn": "Jo", "sn": "Doe", "ztos-user--mfa": "perhaps"})
            assert connection.add(person, classes, {"cn": "Jo", "sn": "Doe", "ztos-user--mfa": "TRUE", "ztos-device--health": "healthy"})
            role = f"cn=clinician,ou=roles,{suffix(model)}"
            assert connection.modify(role, {"member": [(ldap3.MODIFY_ADD, [person])]})
            assert connection.modify(role, {"member": [(ldap3.MODIFY_DELETE, [person])]})
            grant = next(name for name, each in model.entries.items() if "ztosBecause" in each)
            for attribute, value in (("ztosTicket", " CHG-1"), ("ztosTicket", "CHG-1")):
                assert connection.modify(grant, {attribute: [(ldap3.MODIFY_ADD, [value])]}), connection.result
            assert connection.modify(grant, {"ztosTicket": [(ldap3.MODIFY_DELETE, [" CHG-1"])]})
            assert connection.search(grant, "(ztosTicket=CHG-1)", attributes=["ztosTicket", "ztosBecause"])
            assert connection.response[0]["raw_attributes"]["ztosTicket"] == [b"CHG-1"]
            ehr = f"cn=ehr,ou=segments,{suffix(model)}"
            old = list(model.entries[ehr]["ztosVni"])
            assert connection.modify(ehr, {"ztosVni": [(ldap3.MODIFY_DELETE, old), (ldap3.MODIFY_ADD, ["77"])]})


def test_the_profiles_of_the_files_are_those_that_a_node_computes(tmp_path: Any) -> None:
    """With the command of the target's README, over the files as they are in the bundle."""
    spec = specified(n.hospital())
    model = BACKEND.lower(spec)
    for file in spec.nodes.files:
        path = tmp_path / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.artifact.content)
    command = "cd {} && find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    for node in ("branch-1", "dr-1", "edge-1", "edge-2"):
        digest = run("sh", "-c", command.format(tmp_path / "nodes" / node)).stdout.split()[0]
        assert model.entries[f"cn={node},ou=profiles,dc=mercy,dc=example"]["ztosProfileDigest"] == (f"sha256:{digest}",)
