"""The staging service: the same app as the live one, on the release that its folder's pointer names.

It ends with the command that started it, also if that is killed: then its standard input ends.
"""

import argparse
import logging
import os
import sys
import threading
from pathlib import Path

from shared.live import Follower
from shared.running import run_forever
from shared.serving import create_app


def end_with_starter() -> None:
    """Wait for the end of what started this process, and end."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_starter, daemon=True).start()
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    given, _ = parser.parse_known_args()
    run_forever(lambda: create_app(3, Follower(given.folder, on_trouble=logging.getLogger("staging").error)), 0)
