"""The staging service: the same app as the live one, on the release that its folder's pointer names.

It ends with the command that started it, also if that is killed: then its standard input ends.
"""

import argparse
import logging
from pathlib import Path

from shared.service.app import create_app
from shared.service.follower import Follower
from shared.service.main import end_with_starter, run_forever

if __name__ == "__main__":
    end_with_starter()
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    given, _ = parser.parse_known_args()
    run_forever(lambda: create_app(3, Follower(given.folder, on_error=logging.getLogger("staging").error)), 0)
