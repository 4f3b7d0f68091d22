"""What only reads works where nothing can be written: a backup, a colleague's home, a disk that was mounted so."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from level2_basic_automation import deploy
from level3_cicd.ledger import Row, append
from shared.model.frecency import Frecency
from shared.places import CHECKOUT
from shared.release.bundle import Evidence, write_bundle
from shared.service.process import start, stop

pytestmark = pytest.mark.thorough
# A user for whom permissions do not count sees a disk that is mounted so.
MOUNTED = 'mount --bind "$MLOPS_HOME" "$MLOPS_HOME" && mount -o remount,ro,bind "$MLOPS_HOME" && exec "$@"'


@pytest.fixture
def read_only(home: Path, transactions: pd.DataFrame, products: pd.DataFrame) -> Iterator[Path]:
    """A home with a release at level 2, whose service runs, and a decision at level 3."""
    bundle = home / "level2" / "runs" / "1.0" / "bundle"
    write_bundle(bundle, Frecency().fit(transactions), products, Evidence("data", "code"))
    deploy.deploy(home / "level2", "1.0")
    append(home / "level3", Row(date(2017, 6, 4), "deploy", "live", "the first", release="1.0", sequence=1))
    start(home / "level2", "level2_basic_automation.serve", 0)
    yield home
    stop(home / "level2")


def type_in(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "mlops", *words]
    if os.geteuid() == 0:
        if not shutil.which("unshare"):
            pytest.skip("a user for whom permissions do not count, and no way to mount something for reading only")
        command = ["unshare", "-m", "sh", "-c", MOUNTED, "sh", *command]
    environment = {**os.environ, "MLOPS_HOME": str(home)}
    return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)


def test_what_only_reads_works_and_what_writes_says_why_not(read_only: Path) -> None:
    if os.geteuid():
        subprocess.run(["chmod", "-R", "a-w", read_only], check=True)
    try:
        for words, told in (
            ("--level 2 status", "release:           1.0"),
            ("--level 2 ask c01", "recommends to customer c01"),
            ("--level 2 doctor", "level 2 release: 1.0 verifies"),
            ("--level 3 status", "release:           None"),
            ("--level 3 deploy history", "the first"),
            ("--level 4 deploy history", "Nothing was live"),
            ("data info", "completejourney"),
            ("--level 2 pipeline run --as-of 2017-06-04 --dry-run", "Nothing was changed"),
        ):
            done = type_in(read_only, *words.split())
            assert "Traceback" not in done.stderr, done.stderr
            assert told in done.stdout, (words, done.stdout, done.stderr)
        done = type_in(read_only, "--level", "2", "pipeline", "run", "--as-of", "2017-06-04")
        assert done.returncode == 1
        assert done.stderr.startswith("Error: ")
    finally:
        if os.geteuid():
            subprocess.run(["chmod", "-R", "u+w", read_only], check=True)
