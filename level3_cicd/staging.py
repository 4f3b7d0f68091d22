"""The staging service: the same app as the live one, on the release that its folder's pointer names."""

import argparse
import logging
from pathlib import Path

from level3_cicd.smoke import PORT
from shared.live import Follower
from shared.running import run_forever
from shared.serving import create_app

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    given, _ = parser.parse_known_args()
    run_forever(lambda: create_app(3, Follower(given.folder, on_trouble=logging.getLogger("staging").error)), PORT)
