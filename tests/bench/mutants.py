"""Mutation testing by hand: `python -m tests.bench.mutants FILE --tests TEST [TEST …] [--take N] [--seed N]`.

Changes one thing of a module at a time (a comparison, `and` for `or`, a `not` dropped, a number by one, a constant turned over, a sum for a
difference), runs the tests against it in a copy of the checkout, and prints what no test noticed. A mutant that hangs counts as noticed.
"""

from __future__ import annotations

import ast
import copy
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

import lark  # noqa: F401  loaded here once, and not by every child
import pydantic  # noqa: F401
import pytest
import z3  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("ztosc", "tests", "grammar", "stdlib", "targets", "docs", "examples", "pyproject.toml")
SLOWER = 4
"""A mutant that takes so many times as long as what it was made from hangs."""

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.Mult: ast.Add,
}


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """What a node may be changed into."""
    made = copy.deepcopy(node)
    match made:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            made.ops = [COMPARISONS[type(op)]()]
        case ast.BoolOp():
            made.op = ast.Or() if isinstance(made.op, ast.And) else ast.And()
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
            return
        case ast.BinOp() if type(made.op) in OPERATORS:
            made.op = OPERATORS[type(made.op)]()
        case ast.Constant(value=bool() as value):
            made.value = not value
        case ast.Constant(value=int() as value):
            made.value = value + 1
        case ast.If():
            made.test = ast.UnaryOp(op=ast.Not(), operand=made.test)
        case ast.Continue():
            made = ast.Break()
        case _:
            return
    yield made


class _Change(ast.NodeTransformer):
    def __init__(self, number: int) -> None:
        self.number, self.count = number, -1
        self.told = ""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """A type is no behaviour."""
        node.value = self.visit(node.value) if node.value else None
        return node

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        """Of what a function takes, the defaults alone."""
        node.defaults = [self.visit(each) for each in node.defaults]
        node.kw_defaults = [self.visit(each) if each else None for each in node.kw_defaults]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """What it takes and does."""
        node.args = self.visit(node.args)
        node.body = [self.visit(each) for each in node.body]
        return node

    def visit(self, node: ast.AST) -> ast.AST:
        for made in variants(node):
            self.count += 1
            if self.count == self.number:
                self.told = f"{getattr(node, 'lineno', 0)}: {_line(node)}  →  {_line(made)}"
                return ast.copy_location(made, node)
        return super().visit(node)


def _line(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(node)).splitlines()[0]


def mutants(text: str) -> Iterator[tuple[str, str]]:
    """Each change: what it is, and the module with it."""
    number = 0
    while True:
        change = _Change(number)
        tree = change.visit(ast.parse(text))
        if not change.told:
            return
        yield change.told, ast.unparse(ast.fix_missing_locations(tree))
        number += 1


def survives(folder: Path, tests: list[str], limit: int = 600) -> bool:
    """Whether all tests pass, in a child that has loaded nothing of ours yet."""
    child = os.fork()
    if child == 0:
        with Path(os.devnull).open("w") as nowhere:
            for stream in (1, 2):
                os.dup2(nowhere.fileno(), stream)
        signal.alarm(limit)  # whatever hangs is ended by it
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
            del sys.modules[name]  # those of the copy are meant
        os.environ["PYTHONPATH"] = str(folder)
        sys.dont_write_bytecode = True
        os._exit(int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests])))
    return os.waitpid(child, 0)[1] == 0


def main() -> None:
    """Print the survivors of one file, and how many there were."""
    parser = ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--tests", nargs="+", required=True)
    parser.add_argument("--take", type=int, default=0, help="so many of them, drawn at random; all where 0")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name)
        for each in COPIED:
            source = ROOT / each
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / each)
        target = folder / given.file
        text = target.read_text(encoding="utf-8")
        assert not any(name.partition(".")[0] == "ztosc" for name in sys.modules)
        found = list(mutants(text))
        chosen = random.Random(given.seed).sample(found, min(given.take, len(found))) if given.take else found
        begun = time.monotonic()
        if not survives(folder, given.tests):
            sys.exit("the tests fail without any change")
        limit = 5 + SLOWER * int(time.monotonic() - begun)
        lived = 0
        for told, changed in chosen:
            target.write_text(changed, encoding="utf-8")
            if survives(folder, given.tests, limit):
                lived += 1
                print(f"{given.file}:{told}", flush=True)
        print(f"{given.file}: {len(chosen) - lived} of {len(chosen)} noticed ({len(found)} there are)", flush=True)


if __name__ == "__main__":
    main()
