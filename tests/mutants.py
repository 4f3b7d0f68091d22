"""Breaks the code in one place at a time, and looks whether the tests beside it notice: `make mutants`, by hand.

For each room some breaks are drawn by a seed from all that its modules offer: a comparison turned round or off by
one, a sum for a difference, `and` for `or`, a condition negated, a number increased (a large one doubled, as a limit
that is off by one harms nobody), a call left out. Each is made in a copy of the checkout, and the room's fast tests
run there until the first one fails. It ends with the score by room; exit code 1 if one is below `LEAST`. A break that
nothing notices is printed at once: it is harmless, or a test is missing.

Left alone is what no result can depend on: the indentation of JSON, `strict` where lengths are the same anyway, closing
a file, and fsync, which only a power cut would show.
"""

import argparse
import ast
import copy
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
LEAST = 85.0
# From here on a number is doubled.
LARGE = 10
# The modules of each room, and the tests beside them.
ROOMS: dict[str, tuple[list[str], list[str]]] = {
    "model": (
        ["[a-bd-f]*", "candidates", "config", "l*", "popular", "ranker", "same_kind", "t*", "visits"],
        ["tests/shared/model"],
    ),
    "metrics": (["metrics"], ["tests/shared/model/test_metrics.py"]),
    "holdout": (["holdout"], ["tests/shared/model/test_holdout.py", "tests/level3_cicd/test_evaluate.py"]),
    "histories": (["histories", "carrying"], ["tests/shared/model"]),
    "gate": (["level3_cicd/gate"], ["tests/level3_cicd/test_gate.py", "tests/level3_cicd/test_steps.py"]),
    "slices": (["level3_cicd/slices"], ["tests/level3_cicd/test_gate.py", "tests/level3_cicd/test_slices.py"]),
    "checks": (["shared/dataset/*"], ["tests/shared/dataset"]),
    "cleaning": (["shared/importing/*"], ["tests/shared/importing"]),
    "release": (["shared/release/*"], ["tests/shared/release"]),
}
SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
Way = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True)
class Mutant:
    """One break: of which file and line, what it was and became, and the whole broken source."""

    file: Path
    line: int
    before: str
    after: str
    source: str


def places(node: ast.AST, above: Way = ()) -> Iterator[tuple[Way, ast.AST]]:
    """Every node that may be broken, by its way from the top. Words for people and types are left alone."""
    yield above, node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
            continue
        for at, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and not makes_no_difference(child):
                yield from places(child, (*above, (name, at)))


def makes_no_difference(node: ast.AST) -> bool:
    """Whether a node is a sentence for people, or what no result can depend on."""
    match node:
        case ast.Raise() | ast.Assert() | ast.JoinedStr() | ast.keyword(arg="indent" | "strict"):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="close" | "fsync"))):
            return True
    return False


def broken(node: ast.AST) -> ast.AST | None:
    """A node broken in its way; None if there is nothing to break."""
    made = copy.deepcopy(node)
    match made:
        case ast.Compare(ops=[operator]) if type(operator) in SWAPS:
            made.ops = [SWAPS[type(operator)]()]
        case ast.BinOp(op=operator) | ast.BoolOp(op=operator) | ast.AugAssign(op=operator) if type(operator) in SWAPS:
            made.op = SWAPS[type(operator)]()
        case ast.If() | ast.IfExp() | ast.While():
            made.test = ast.UnaryOp(ast.Not(), made.test)
        case ast.Constant(value=bool()):
            made.value = not made.value
        case ast.Constant(value=int() | float()):
            made.value = made.value + 1 if abs(made.value) < LARGE else made.value * 2
        case ast.Expr(value=ast.Call()):
            return ast.Pass()
        case _:
            return None
    return made


def replaced(tree: ast.Module, way: Way, by: ast.AST) -> ast.Module:
    """The tree with another node at the end of a way."""
    made = copy.deepcopy(tree)
    node: ast.AST = made
    for name, at in way[:-1]:
        node = getattr(node, name) if at is None else getattr(node, name)[at]
    name, at = way[-1]
    if at is None:
        setattr(node, name, by)
    else:
        getattr(node, name)[at] = by
    return ast.fix_missing_locations(made)


def told(node: ast.AST) -> str:
    """A node in one short line."""
    return ast.unparse(node).splitlines()[0][:100]


def mutants_of(file: Path) -> list[Mutant]:
    """All breaks that a module offers."""
    tree = ast.parse(file.read_text())
    found = []
    for way, node in places(tree):
        by = broken(node)
        if by is not None and way:
            source = ast.unparse(replaced(tree, way, by))
            found.append(Mutant(file, getattr(node, "lineno", 0), told(node), told(by), source))
    return found


def files_of(patterns: list[str]) -> list[Path]:
    """The modules that a room's names stand for; a bare name is one of the models' room."""
    wanted = [name if "/" in name else f"shared/model/{name}" for name in patterns]
    return sorted(file for name in wanted for file in CHECKOUT.glob(f"{name}.py") if file.name != "__init__.py")


def tell(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def preload() -> None:
    """Import what nearly every test needs, once: tests run in forks of this process. Nothing of ours is among it."""
    for name in ("pandas", "pyarrow.parquet", "sklearn.ensemble", "pandera.pandas", "fastapi", "hypothesis", "pytest"):
        importlib.import_module(name)


class Workshop:
    """A copy of the checkout in which one break at a time is tried."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        shutil.copytree(CHECKOUT, self.folder, ignore=shutil.ignore_patterns(".*", "var", "__pycache__", "*.egg-info"))

    def passes(self, tests: list[str], seconds: float) -> bool:
        """Whether the tests pass here, within some seconds: in a fork, which an alarm ends."""
        child = os.fork()
        if child:
            return os.waitpid(child, 0)[1] == 0
        signal.alarm(int(seconds))
        try:
            os._exit(self.run_tests(tests))
        finally:  # whatever happens, no fork goes on as a second one of us
            os._exit(1)

    def run_tests(self, tests: list[str]) -> int:
        """Run tests with this copy's code, in silence; returns pytest's exit code."""
        import pytest

        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(nowhere, stream)
        os.chdir(self.folder)
        os.environ.update(PYTHONPATH=str(self.folder), MLOPS_HOME=str(self.folder / "home"))
        sys.dont_write_bytecode = True
        sys.path[:] = [str(self.folder), *(entry for entry in sys.path if not entry.startswith(f"{CHECKOUT}/tests"))]
        base = ["--basetemp", str(self.folder.parent / "temporary")]
        return int(pytest.main(["-x", "-p", "no:cacheprovider", *base, "-m", "not story and not thorough", *tests]))

    def notices(self, mutant: Mutant, tests: list[str], seconds: float) -> bool:
        """Whether the tests fail, or come to no end, with a break; the module's own examples are tests, too."""
        name = mutant.file.relative_to(CHECKOUT)
        file, nearest = self.folder / name, Path("tests") / name.with_name(f"test_{name.name}")
        whole = file.read_text()
        try:
            file.write_text(mutant.source)
            if (self.folder / nearest).exists() and not self.passes([str(nearest)], seconds):
                return True
            return not self.passes([*tests, str(name)], seconds)
        finally:
            file.write_text(whole)

    def unnoticed(self, mutants: list[Mutant], tests: list[str], seconds: float) -> list[Mutant]:
        """Those of some breaks that the tests do not notice."""
        left = []
        for mutant in mutants:
            if not self.notices(mutant, tests, seconds):
                left.append(mutant)
                tell(f"  {mutant.file.relative_to(CHECKOUT)}:{mutant.line}: {mutant.before}  ->  {mutant.after}")
        return left


def try_room(workshops: list[Workshop], room: str, many: int, seed: int) -> float:
    """Try some breaks of a room, print those that nothing notices, and return its score."""
    patterns, tests = ROOMS[room]
    offered = [mutant for file in files_of(patterns) for mutant in mutants_of(file)]
    drawn = random.Random(f"{seed} {room}").sample(offered, min(many, len(offered)))
    began = time.monotonic()
    if not workshops[0].passes(tests, 600):
        sys.exit(f"The tests of {room} fail without any break: mend those first.")
    seconds = 10 + 4 * (time.monotonic() - began)
    with ProcessPoolExecutor(len(workshops), get_context("fork")) as pool:
        tried = [
            pool.submit(shop.unnoticed, drawn[at :: len(workshops)], tests, seconds)
            for at, shop in enumerate(workshops)
        ]
        left = sum(len(share.result()) for share in tried)
    score = 100 * (len(drawn) - left) / len(drawn)
    took = time.monotonic() - began
    tell(f"{room:<10} {score:5.1f} %  {len(drawn):4} of {len(offered):5} breaks, {left} unnoticed, {took:.0f} s")
    return score


def main() -> int:
    """Try the rooms; 1 if the score of one is too low."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("rooms", nargs="*", default=list(ROOMS), help=f"of {', '.join(ROOMS)}")
    arguments.add_argument("--per-room", type=int, default=30, help="how many breaks are tried")
    arguments.add_argument("--seed", type=int, default=1, help="which ones are drawn")
    arguments.add_argument("--at-once", type=int, default=2, help="how many are tried at the same time")
    asked = arguments.parse_args()
    preload()
    with tempfile.TemporaryDirectory() as temporary:
        folders = [Path(temporary) / str(number) for number in range(asked.at_once)]
        workshops = [Workshop(folder) for folder in folders]
        scores = [try_room(workshops, room, asked.per_room, asked.seed) for room in asked.rooms]
    return int(min(scores) < LEAST)


if __name__ == "__main__":
    sys.exit(main())
