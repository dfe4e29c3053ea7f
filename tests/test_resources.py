"""The locator finds the shipped folders in a checkout and in a wheel, and never anything else."""

from pathlib import Path

import pytest

from ztosc import resources

CHECKOUT = Path(__file__).resolve().parents[1]
FOLDERS: dict[resources.Folder, str] = {
    "grammar": "grammar",
    "stdlib": "stdlib",
    "targets": "targets",
    "diagnostics": "docs/diagnostics",
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_checkout_is_read_live(name: resources.Folder) -> None:
    assert resources.folder(name) == CHECKOUT / FOLDERS[name]


@pytest.mark.parametrize("name", FOLDERS)
def test_an_installation_reads_its_own_copy(name: resources.Folder, tmp_path: Path) -> None:
    package = tmp_path / "ztosc"
    for inside, beside in FOLDERS.items():
        (package / "_data" / inside).mkdir(parents=True)
        (tmp_path / beside).mkdir(parents=True)
    assert resources.folder(name, package) == package / "_data" / name


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(resources.ResourceNotFoundError, match="`grammar`"):
        resources.folder("grammar", tmp_path / "ztosc")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up installation with one file of each kind, and a secret beside it."""
    files = {
        "grammar/a.lark": "start:",
        "stdlib/identity.ztos": "",
        "stdlib/care/wards.ztos": "",
        "stdlib/.hidden": "",
        "targets/dns/target.toml": "",
        "targets/dns/zone.j2": "zone",
        "targets/unfinished/zone.j2": "",
        "diagnostics/ZT002.md": "two",
        "diagnostics/ZT001.md": "one",
        "diagnostics/README.md": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "secret.md").write_text("secret")
    monkeypatch.setattr(resources, "folder", lambda name: tmp_path / name)
    return tmp_path


def test_files_are_found_by_name(shipped: Path) -> None:
    assert resources.grammar_file("a.lark").read_text() == "start:"
    assert resources.stdlib_file("care.wards") == shipped / "stdlib/care/wards.ztos"
    assert resources.target_file("dns", "zone.j2").read_text() == "zone"
    assert resources.diagnostic_page("ZT001") == "one"


def test_lists_are_ordered_and_hold_only_what_is_meant(shipped: Path) -> None:
    assert resources.stdlib_files() == (shipped / "stdlib/care/wards.ztos", shipped / "stdlib/identity.ztos")
    assert resources.target_names() == ("dns",)
    assert resources.diagnostic_codes() == ("ZT001", "ZT002")


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("code", ["ZT999", "../secret", "", "a\0b", "Z" * 5000])
def test_a_code_that_is_no_page_is_refused(code: str) -> None:
    with pytest.raises(resources.ResourceNotFoundError):
        resources.diagnostic_page(code)


def test_a_link_out_of_the_folder_is_refused(shipped: Path) -> None:
    (shipped / "diagnostics/ZT003.md").symlink_to(shipped / "secret.md")
    with pytest.raises(resources.ResourceNotFoundError):
        resources.diagnostic_page("ZT003")
