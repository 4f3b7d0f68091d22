"""A command starts, and a switch and a rollback run, without the slow libraries: seen in processes of their own."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from level3_cicd.ledger import Row, append
from shared.model.frecency import Frecency
from shared.places import CHECKOUT
from shared.release.bundle import Evidence, write_bundle
from shared.release.pointer import Pointer, point_to, read_pointer
from tests.conftest import make_products, make_transactions

SLOW = ["pandas", "sklearn", "pyarrow", "mlflow", "prefect", "evidently", "fastapi"]
DAY = date(2017, 2, 9)


def loaded(program: str, *words: str) -> list[str]:
    """The slow libraries that a program has loaded when it ends."""
    end = f"\nimport sys; print([name for name in {SLOW} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program + end, *words], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout.splitlines()[-1].replace("'", '"')))


@pytest.fixture
def level(tmp_path: Path) -> Path:
    """A level with two releases in its store, of which the second is live."""
    level = tmp_path / "level3"
    for number, release in enumerate(["1.0", "1.1"], start=1):
        bundle = level / "bundles" / release
        model = Frecency(half_life=80 + number).fit(make_transactions())
        digest = write_bundle(bundle, model, make_products(), Evidence("data", "code"))
        point_to(level, Pointer(release, f"bundles/{release}", digest))
        append(level, Row(DAY, "deploy", "live", "", release, digest, sequence=number))
    return level


@pytest.mark.parametrize("words", [["--help"], ["deploy", "--help"], ["pipeline", "run", "--help"], ["data", "--help"]])
def test_a_command_starts_without_slow_libraries(words: list[str]) -> None:
    program = f"""
import sys
from mlops.root import commands
try:
    commands({words!r}, prog_name="mlops")
except SystemExit as ended:
    assert not ended.code
"""
    assert loaded(program) == []


def test_a_rollback_runs_without_slow_libraries(level: Path) -> None:
    program = """
import sys
from datetime import date
from pathlib import Path
from level3_cicd.deploy import rollback
rollback(Path(sys.argv[1]), date(2017, 2, 9))
"""
    assert loaded(program, str(level)) == []
    pointer = read_pointer(level)
    assert pointer is not None
    assert pointer.release == "1.0"


def test_a_switch_runs_without_slow_libraries(level: Path) -> None:
    program = """
import sys
from datetime import date
from pathlib import Path
from level3_cicd.rollout.switch import switch
from shared.release.manifest import verify
from shared.release.pointer import Pointer
level = Path(sys.argv[1])
bundle = verify(level / "bundles" / "1.0")
switch(level, bundle, Pointer("1.0", "bundles/1.0", bundle.digest), date(2017, 2, 9), "deploy", "test", "asked for")
"""
    assert loaded(program, str(level)) == []
    pointer = read_pointer(level)
    assert pointer is not None
    assert pointer.release == "1.0"
