"""A disk that is full at any write of a switch or a rollback: pointer, ledger and service agree afterwards."""

from pathlib import Path

import pytest

from tests.e2e.full_disk import Command, deploy_second, fill_at_each_write, go_back


@pytest.mark.thorough
@pytest.mark.parametrize("for_good", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("command", [deploy_second, go_back])
def test_a_full_disk_at_any_write_leaves_one_truth(tmp_path: Path, command: Command, for_good: bool) -> None:
    writes, wrong = fill_at_each_write(tmp_path / "level3", command, for_good)
    assert wrong == []
    assert writes >= 8
