"""Services as processes: what is noted is found and stopped only if it is what was started."""

import json
import os
import subprocess
import sys
from pathlib import Path

from shared.running import Running, find, is_process_of, stop, wait_until


def sleeper(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """A process that looks as if it served a port, but answers nothing."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "--port", str(port)])
    (folder / "service.json").write_text(json.dumps({"pid": process.pid, "port": port}))
    return process


def test_a_process_that_hangs_is_found_if_asked_for_and_stopped(tmp_path: Path) -> None:
    process = sleeper(tmp_path, 8123)
    try:
        assert wait_until(lambda: is_process_of(Running(process.pid, 8123)), 5)
        assert find(tmp_path) is None
        assert find(tmp_path, even_if_it_hangs=True) == Running(process.pid, 8123)
        assert stop(tmp_path)
        assert process.wait(5) != 0
    finally:
        process.kill()
    assert not (tmp_path / "service.json").exists()


def test_a_stale_note_never_stops_another_process(tmp_path: Path) -> None:
    (tmp_path / "service.json").write_text(json.dumps({"pid": os.getpid(), "port": 8124}))
    assert find(tmp_path, even_if_it_hangs=True) is None
    assert not stop(tmp_path)
    assert not (tmp_path / "service.json").exists()
