"""`*.md`: the language by topic, source and what comes of it side by side.

The blocks before a file's first `##` belong to every case of it. A case is the blocks of sources under one `##` (a block without a path is
`network.ztos`, appended to the common one), and then what must come of them:

- `diagnostics`: every one of them, in order, as `severity code file:line:column message`; where the block is missing there must be none;
- `model PATH`: that part of the Intent as JSON, without what is empty, false or absent and without places;
- `decides`: a line a question, `allow|deny SOURCE [ROLE,…] [ATTRIBUTE=VALUE …] -> TARGET PORT [at INSTANT]`, where SOURCE is a segment,
  `service:NAME` or `external:NAME`, and `device CLASS` may stand for the roles;
- `verdicts`: each assertion's outcome and reason.

`python -m tests.language.test_literate` writes what comes of each case into its blocks; a reader then judges whether it is right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.docs.markdown import AT
from ztosc.compiler import Compiled, compile_project, verify_network
from ztosc.source import MemoryLoader
from ztosc.verify import Asker

HERE = Path(__file__).parent
BLOCK = re.compile(r"(?:^`(?P<path>[^`\n]+)`\n\n?)?^```(?P<kind>\w+)(?: (?P<what>[^\n]+))?\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
SOURCES = ("ztos", "yaml", "toml", "text")
MAIN = "network.ztos"


@dataclass(frozen=True)
class Case:
    """A case with the files that make it, and the text of its section."""

    file: str
    title: str
    files: dict[str, str]
    section: str


def cases() -> Iterator[Case]:
    """Every case of every file."""
    for path in sorted(HERE.glob("*.md")):
        head, *rest = sections(path.read_text(encoding="utf-8"))
        common = sources(head)
        for title, section in (each.removeprefix("## ").split("\n", 1) for each in rest):
            own = sources(section)
            files = {**common, **own}
            if MAIN in common and MAIN in own:
                files[MAIN] = common[MAIN] + own[MAIN]
            yield Case(path.name, title, files, section)


def sections(text: str) -> list[str]:
    """What stands before the first `##` heading, and each of them with what is under it; `##` inside a block is no heading."""
    found, inside = [""], False
    for line in text.splitlines(keepends=True):
        inside ^= line.startswith("```")
        if line.startswith("## ") and not inside:
            found.append("")
        found[-1] += line
    return found


def sources(text: str) -> dict[str, str]:
    """The files among the blocks of a text."""
    found = [block for block in BLOCK.finditer(text) if block["kind"] in SOURCES]
    return {block["path"] or MAIN: block["body"] for block in found}


def outcome(case: Case, kind: str, what: str, body: str, found: Compiled) -> str:
    """What a block of this kind should say."""
    match kind:
        case "diagnostics":
            return "".join(f"{line}\n" for line in told(found))
        case "model":
            return _model(found, what)
        case "verdicts":
            assert found.network is not None, told(found)
            return "".join(f"{each.verdict} {each.statement}: {each.reason}\n" for each in verify_network(found.network))
        case _:
            assert found.network is not None, told(found)
            asker = Asker(found.network)
            return "".join(f"{_decided(asker, line)}\n" for line in body.splitlines())


def told(found: Compiled) -> list[str]:
    """Every diagnostic on a line."""
    places = [(item, item.span) for item in found.diagnostics]
    return [
        f"{item.severity} {item.code} {span.file}:{span.line}:{span.column} {item.message}"
        if span
        else f"{item.severity} {item.code} {item.message}"
        for item, span in places
    ]


def _model(found: Compiled, what: str) -> str:
    assert found.intent is not None, told(found)
    value: Any = _plain(found.intent.model_dump(mode="json"))
    for step in what.split("/"):
        value = value[int(step)] if isinstance(value, list) and step.isdigit() else _named(value, step)
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _named(value: Any, step: str) -> Any:
    return next(each for each in value if each.get("name") == step) if isinstance(value, list) else value[step]


def _plain(value: Any) -> Any:
    """Without the places where things stand, ids made from content, and what is empty, false or absent."""
    if isinstance(value, dict):
        pairs = ((key, _plain(each)) for key, each in value.items() if key not in ("origin", "id"))
        return {key: each for key, each in pairs if each or (each == 0 and each is not False)}
    return [_plain(each) for each in value] if isinstance(value, list) else value


QUESTION = re.compile(
    r"(?:allow|deny) (?P<source>\S+)(?: \[(?P<roles>[^\]]*)\])?(?P<facts>(?: \S+=\S+)*) -> (?P<target>\S+) (?P<on>\S+)(?: at (?P<at>\S+))?"
)


def _decided(asker: Asker, line: str) -> str:
    question = QUESTION.fullmatch(line)
    assert question is not None, f"no question: {line}"
    kind, _, name = question["source"].rpartition(":")
    who = {kind or "segment": name, "attributes": dict(_fact(each) for each in question["facts"].split())}
    if (question["roles"] or "").startswith("device "):
        who["device"] = question["roles"].removeprefix("device ")
    elif question["roles"]:
        who["roles"] = question["roles"].split(",")
    asked = {"from": who, "to": question["target"], "on": question["on"], **({"at": question["at"]} if question["at"] else {})}
    answers = list(asker.batch([json.dumps(asked)]))
    assert answers[0].record is not None, answers[0].error
    return f"{answers[0].record['decision']} {line.split(' ', 1)[1]}"


def _fact(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    return name, {"true": True, "false": False}.get(value, int(value) if value.isdigit() else value)


def written(case: Case) -> str:
    """The section with every block that says what comes of it as it should be."""
    found = compile_project(MemoryLoader({name: body.encode() for name, body in case.files.items()}), AT)

    def block(match: re.Match[str]) -> str:
        if match["kind"] in SOURCES:
            return match.group()
        head = f"```{match['kind']}" + (f" {match['what']}" if match["what"] else "")
        return f"{head}\n{outcome(case, match['kind'], match['what'] or '', match['body'], found)}```"

    return BLOCK.sub(block, case.section)


CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=[f"{case.file}: {case.title}" for case in CASES])
def test_a_case_comes_out_as_written(case: Case) -> None:
    blocks = {match["kind"] for match in BLOCK.finditer(case.section)}
    assert blocks - set(SOURCES), "a case says what must come of it"
    if "diagnostics" not in blocks:
        assert not told(compile_project(MemoryLoader({name: body.encode() for name, body in case.files.items()}), AT))
    assert written(case) == case.section


def main() -> None:
    """Write every case's outcome into its file."""
    for path in sorted(HERE.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        for case in CASES:
            if case.file == path.name:
                text = text.replace(f"## {case.title}\n{case.section}", f"## {case.title}\n{written(case)}")
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
