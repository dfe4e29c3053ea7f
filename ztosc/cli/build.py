"""`ztosc build`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import click

from ztosc import __version__
from ztosc.allocate import LOCK_FILE, render_lock
from ztosc.backends import BundleFile, targets
from ztosc.backends.unenforced import unenforced
from ztosc.cli.app import OK
from ztosc.cli.ground import ground
from ztosc.cli.judge import judge, show_tests, show_verdicts
from ztosc.cli.output import MARK, NotWritable, check_output, write_file, write_folder
from ztosc.cli.project import (
    Outcome,
    at_option,
    compile_at,
    find_project,
    findings_option,
    path_argument,
    plural,
    print_document,
    show_diagnostics,
)
from ztosc.compiler import Built, build
from ztosc.diagnostics import Diagnostic, sort_diagnostics
from ztosc.diagnostics.text import safe
from ztosc.ir.clock import instant_text
from ztosc.ir.network import Network, network_digest
from ztosc.prove import Tools, real_tools
from ztosc.source import Span


@click.command("build")
@path_argument
@click.option("-o", "out", required=True, type=click.Path(path_type=Path), help="The folder to build; replaced as a whole.", metavar="DIR")
@click.option("--locked", is_flag=True, help="Fail where ztos.lock would change.")
@at_option
@findings_option
def command(path: Path | None, out: Path, locked: bool, at: int | None, form: str) -> int:
    """Configuration for every node, after verification and proof."""
    root = find_project(path).root
    try:
        check_output(out, root)
    except NotWritable as error:
        raise click.UsageError(f"`{safe(str(out))}` cannot be the output: {error}") from None
    outcome = compile_at(path, at, skip=(out.resolve(),))
    network = _judged(outcome, locked)
    built = _built(outcome, network) if network is not None else None
    if built is not None and network is not None:
        _write(outcome, network, built, root, out, locked)
    return _say(outcome, built, out, form)


def _judged(outcome: Outcome, locked: bool) -> Network | None:
    """The network, where everything asked of it holds."""
    compiled = outcome.compiled
    if locked and compiled.network is not None and not compiled.locked:
        help_ = "build once without `--locked`, and keep the lock in version control"
        outcome.diagnostics.append(Diagnostic("ZT313", f"`{LOCK_FILE}` would change", Span(LOCK_FILE, 1, 1, 1, 1), help=help_))
    network = compiled.verifiable
    if network is None:
        return None
    for target in targets():
        outcome.diagnostics.extend(target.unsupported(network))
    outcome.diagnostics.extend(unenforced(network))
    judge(outcome, network)
    return network if outcome.code == OK else None


def _built(outcome: Outcome, network: Network) -> Built | None:
    """The proven bundle."""
    built = build(network, real_tools())
    bad = [proof for proof in built.proofs if proof.verdict != "proved"]
    for proof in bad:
        code = "ZT601" if proof.property == "accepted" else "ZT602"
        outcome.diagnostics.append(Diagnostic(code, f"not so: {proof.statement}; {proof.reason}", proof.origin))
    outcome.verdicts = (*outcome.verdicts, *bad)
    return built if not bad else None


def _write(outcome: Outcome, network: Network, built: Built, root: Path, out: Path, locked: bool) -> None:
    """Lock first, bundle second: a lock that is ahead of its bundle costs nothing, the reverse would."""
    files = {file.path: (file.artifact.content, file.artifact.mode) for file in built.bundle.files}
    files[MARK] = (manifest(network, outcome.at, built, real_tools()), 0o644)
    lock = outcome.compiled.lock
    try:
        if lock is not None and not locked and not outcome.compiled.locked:
            write_file(root / LOCK_FILE, render_lock(lock))
        write_folder(out, files)
    except NotWritable as error:
        outcome.diagnostics.append(
            Diagnostic("ZT701", f"`{safe(str(out))}` cannot be written: {error}", None, help="what was there is still there")
        )


def manifest(network: Network, at: int, built: Built, tools: Tools) -> bytes:
    """`manifest.json`: one file a line, each with its digest and the lines of the sources it comes from."""
    head = {"schema": 1, "ztosc": __version__, "digest": network_digest(network), "at": instant_text(at), "generation": network.generation}
    head["judged_by"] = {name: ["reader", *judges] for name, judges in judges_of(built, tools).items()}
    lines = [json.dumps(_record(file), ensure_ascii=False, sort_keys=True) for file in built.bundle.files]
    opening = json.dumps(head, ensure_ascii=False, sort_keys=True)[:-1]
    return (opening + ', "files": [\n' + ",\n".join(lines) + "\n]}\n").encode()


def judges_of(built: Built, tools: Tools) -> dict[str, tuple[str, ...]]:
    """The real tools that judged what was written, by target; a target that wrote nothing was judged by nobody."""
    wrote = {file.target for file in built.bundle.files}
    return {target.name: tools.judges(target.manifest) for target in targets() if target.name in wrote}


def _record(file: BundleFile) -> dict[str, Any]:
    origins = sorted({(span.file, span.line) for span in file.artifact.origins})
    return {
        "path": file.path,
        "node": file.node,
        "target": file.target,
        "sha256": hashlib.sha256(file.artifact.content).hexdigest(),
        "mode": f"{file.artifact.mode:04o}",
        "origins": [{"file": name, "line": line} for name, line in origins],
    }


def _say(outcome: Outcome, built: Built | None, out: Path, form: str) -> int:
    outcome.diagnostics = list(sort_diagnostics(outcome.diagnostics))
    code = outcome.code
    if form != "text":
        files = [file.path for file in built.bundle.files] if built is not None and code == OK else []
        print_document(outcome, form, **ground(outcome.compiled.verifiable), output=str(out) if files else None, files=files)
        return code
    show_diagnostics(outcome.diagnostics, outcome.compiled.sources)
    show_verdicts(outcome.verdicts)
    show_tests(outcome.tests)
    if code != OK or built is None:
        click.echo("nothing was built: what is above comes first")
        return code
    found = sorted({judge for judges in judges_of(built, real_tools()).values() for judge in judges})
    click.echo(
        f"{plural(len(built.bundle.files), 'file')} for {plural(len(built.specs), 'node')}, "
        f"proved to mean the network, accepted by {', '.join(found) or 'no real tool: none is installed'}"
    )
    click.echo(f"built {safe(str(out))}")
    return code
