"""The standard library is documented, each template is used in a network that proves its claims, and the pages say what the sources do."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.docs.markdown import AT
from tests.support import codes
from ztosc.cli.app import OK, USAGE, run
from ztosc.compiler import Compiled, compile_project, verify_network
from ztosc.library import Entry, Page, find, pages, render
from ztosc.source import MemoryLoader

EVERY = (Path(__file__).parent / "every.ztos").read_bytes()
PAGES = pages()
ENTRIES = [(page, entry) for page in PAGES for entry in page.entries]
TEMPLATES = {entry.name for _, entry in ENTRIES if entry.kind == "template"}
CLASSES = [(page, entry) for page, entry in ENTRIES if entry.kind == "device"]


def every(text: bytes = b"") -> Compiled:
    """The network that uses every template."""
    return compile_project(MemoryLoader({"network.ztos": EVERY + text}), AT)


def name_of(item: tuple[Page, Entry]) -> str:
    return f"{item[0].name}.{item[1].name}"


def test_the_library_has_what_the_language_promises() -> None:
    assert {page.name for page in PAGES} >= {f"std.{name}" for name in ("prelude", "identity", "services", "countries", "medical")}
    assert {page.name for page in PAGES} >= {f"std.{name}" for name in ("building", "finance", "industry", "hipaa", "gdpr", "itar", "sox")}
    wanted = "guest-network clinic branch tenant-floor dmz inter-agency-channel medical-vlan ot-cell remote-access"
    assert set(wanted.split()) <= TEMPLATES


@pytest.mark.parametrize("item", ENTRIES, ids=map(name_of, ENTRIES))
def test_everything_is_documented(item: tuple[Page, Entry]) -> None:
    assert item[0].doc.endswith(".") and item[1].doc.endswith(".")


@pytest.mark.parametrize("item", CLASSES, ids=map(name_of, CLASSES))
def test_a_class_says_what_it_speaks_and_who_says_so(item: tuple[Page, Entry]) -> None:
    entry = item[1]
    assert " speaks " in entry.signature
    assert re.search(r"IANA|RFC \d|IEC|IHE|HTTPS|DICOM|OPC|ASHRAE|EN \d|OCPP|CEN|HL7|ISO \d", entry.doc)


def test_every_template_is_used_and_its_claims_hold() -> None:
    used = set(re.findall(rb"^new ([a-z-]+)\(", EVERY, flags=re.MULTILINE))
    assert {name.decode() for name in used} == TEMPLATES
    found = every()
    assert not found.diagnostics, [(item.message, item.span) for item in found.diagnostics]
    assert found.network is not None
    verdicts = verify_network(found.network)
    assert len(verdicts) >= 9 and {each.verdict for each in verdicts} == {"proved"}


CLAIMS = {
    "guest-network": "allow guests to servers on tcp/443",
    "dmz": "allow desks to shop on tcp/443",
    "remote-access": "allow desks to afar-edge on udp/500",
    "inter-agency-channel": "allow exchange-peer to servers on tcp/443",
    "print-service": "allow desks to spool-printers on tcp/631",
    "medical-vlan": "allow desks to pumps on tcp/22",
    "tenant-floor": "allow desks to bakery-servers on tcp/443",
    "ot-cell": "allow desks to lathes on tcp/22",
}
"""A grant that each template's own claim does not let stand."""


@pytest.mark.parametrize("name", CLAIMS)
def test_a_template_s_claim_can_fail(name: str) -> None:
    found = every(f"\n{CLAIMS[name]}\n".encode())
    assert found.network is not None and not found.failed
    assert [each.verdict for each in verify_network(found.network)].count("refuted") == 1


def test_the_lists_of_countries_are_dated_and_of_the_length_they_say() -> None:
    blocs = [entry for _, entry in ENTRIES if entry.kind == "bloc"]
    for bloc in blocs:
        members = re.findall(r"\b[A-Z]{2}\b", bloc.signature.split("=")[1])
        assert len(members) == len(set(members)), bloc.name
        assert bloc.name in ("FIVE-EYES",) or re.search(r"as of \d{4}-\d{2}-\d{2}", bloc.doc), bloc.name
        said = re.search(r"(\d+) (?:members|states)", bloc.doc)
        assert said is None or int(said[1]) == len(members), bloc.name
    assert {bloc.name for bloc in blocs} >= {"WORLD", "EU", "EEA", "SCHENGEN", "EU-ADEQUATE", "NATO", "AUKUS", "FIVE-EYES", "USMCA"}


def test_all_members_of_a_bloc_are_countries() -> None:
    lines = [f"region r{number} {{ country {entry.name} }}" for number, (_, entry) in enumerate(ENTRIES) if entry.kind == "bloc"]
    assert len(lines) > 8
    assert set(codes("\n".join(lines))) <= {"ZT211"}, "a bloc is no one country, but it is known"
    within = "\n".join(
        f"segment x{number} {{ at s; within {entry.name} }}" for number, (_, entry) in enumerate(ENTRIES) if entry.kind == "bloc"
    )
    assert set(codes(within)) <= {"ZT315"}


# Pages


def test_a_module_a_name_and_a_name_alone_are_found() -> None:
    whole = find("std.medical")
    assert whole is not None and whole[1] is None and whole[0].name == "std.medical"
    for wanted in ("std.medical.clinic", "medical.clinic", "clinic"):
        found = find(wanted)
        assert found is not None and found[1] is not None and found[1].name == "clinic"
    assert find("medical.klinik") is None and find("../../etc/passwd") is None


def test_a_template_s_page_is_made_from_its_source() -> None:
    found = find("services.dmz")
    assert found is not None and found[1] is not None
    assert found[1].signature.startswith("template dmz(\n  name,\n  at: site,") and "copies: int = 2" in found[1].signature
    assert found[1].gives[:3] == ("segment ${name}", "service ${name}-front", "allow ${outside} to ${name}-front")


class Reader(HTMLParser):
    """Counts tags, to see that each that opens is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.headings += tag == "h2"
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_format_tells_every_name(capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("text", "json", "markdown", "html"):
        assert run(["docs", "services", "--format", form]) == OK
        text = capsys.readouterr().out
        assert all(entry.name in text for page, entry in ENTRIES if page.name == "std.services"), form
    assert run(["docs", "--format", "json"]) == OK
    document = json.loads(capsys.readouterr().out)
    assert [module["name"] for module in document["modules"]] == [page.name for page in PAGES]
    assert run(["docs", "--format", "html"]) == OK
    reader = Reader()
    reader.feed(capsys.readouterr().out)
    assert reader.open == [] and reader.headings == len(ENTRIES)


def test_html_is_escaped() -> None:
    page = Page("std.x", "A <b> & `c<d>`.", (), (Entry("device", "e", "device e # <script>", "<i>."),))
    text = render([(page, page.entries)], "html")
    assert "<script>" not in text and "<i>" not in text and "<code>c&lt;d&gt;</code>" in text


def test_what_is_not_there_gets_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["docs", "std.medcal"]) == USAGE
    assert "did you mean `std.medical`?" in capsys.readouterr().err
    assert run(["docs"]) == OK
    assert len(capsys.readouterr().out.splitlines()) == len(PAGES)
