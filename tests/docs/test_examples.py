"""The README of each example: its commands, run in a copy of the example, print what stands under them.

A block of `console` is a sequence of commands, each after `$ ` and followed by all that it prints, on either stream. Blocks of one page run
one after the other in the same folder, so a page may change the project and show what comes of it. `python -m tests.docs.test_examples`
writes what the commands print into the pages; a reader then judges whether it is what the page says.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT
from ztosc.prove import real_tools

EXAMPLES = ROOT / "examples"
PAGES = sorted(EXAMPLES.glob("*/README.md"))
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
JUDGES = ("bgpd", "named-checkconf", "named-checkzone", "nft", "slapadd", "vtysh", "wpa_supplicant")
"""Who judges the files of a build: a page names them, so a machine without one prints another line."""
LACKING = [why for tool in JUDGES if (why := real_tools().why_missing(tool))]


def copied(page: Path, folder: Path) -> Path:
    """The example in a folder of its own, with `ztosc` beside it."""
    (folder / "bin").mkdir()
    tool = folder / "bin" / "ztosc"
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ztosc "$@"\n')
    tool.chmod(0o755)
    return Path(shutil.copytree(page.parent, folder / page.parent.name))


def printed(command: str, project: Path) -> str:
    """What a command of a page prints."""
    path = f"{project.parent / 'bin'}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    done = subprocess.run(
        ["bash", "-c", f"{command} 2>&1"], cwd=project, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    return done.stdout


def commands(page: Path) -> Iterator[tuple[str, str]]:
    """Every command of a page with what it should print."""
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        yield from COMMAND.findall(block)


def test_each_industry_has_a_page() -> None:
    assert {page.parent.name for page in PAGES} >= {"hospital-group", "bank", "tower", "defence", "agencies"}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_the_commands_of_a_page_print_what_stands_under_them(page: Path, tmp_path: Path) -> None:
    found = list(commands(page))
    text = "\n".join(command for command, _ in found)
    assert all(verb in text for verb in ("verify", "why", "build")), "a page verifies, asks and builds"
    if LACKING:
        pytest.skip(f"NOT JUDGED: {'; '.join(LACKING)}")
    project = copied(page, tmp_path)
    for command, wanted in found:
        assert printed(command, project) == wanted, command


def test_a_page_s_commands_are_found() -> None:
    text = "x\n```console\n$ a | b\none\n\ntwo\n$ c\n```\n"
    assert [COMMAND.findall(block) for block in BLOCK.findall(text)] == [[("a | b", "one\n\ntwo\n"), ("c", "")]]


def main(names: list[str]) -> None:
    """Write what the commands print into the pages of these examples, or of all."""
    for page in PAGES:
        if names and page.parent.name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            project = copied(page, Path(folder))

            def block(match: re.Match[str], project: Path = project) -> str:
                done = (f"$ {command}\n{printed(command, project)}" for command, _ in COMMAND.findall(match[1]))
                return f"```console\n{''.join(done)}```"

            page.write_text(BLOCK.sub(block, page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
