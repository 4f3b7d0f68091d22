"""Register: a folder per run, with the bundle, the configuration, the metrics and the log."""

import json
import shutil
from pathlib import Path

from level2_basic_automation.run import Run
from level2_basic_automation.store import run_folder
from shared.model.popular import Popular
from shared.release.bundle import Evidence, write_bundle
from shared.release.provenance import revision


def register(run: Run, train: Popular, evaluate: dict[str, float], validate: list[str] | None = None) -> Path:
    """The run's folder, which appears whole or not at all."""
    folder = run_folder(run.level, run.release)
    part = folder.with_name(f".{run.release}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    evidence = Evidence(run.feed.digest(run.as_of), revision(), evaluate)
    write_bundle(part / "bundle", train, run.feed.products(), evidence)
    shutil.copy(run.config_file, part / "config.toml")
    (part / "metrics.json").write_text(json.dumps(evaluate, indent=1))
    head = f"release {run.release}\nas_of {run.as_of}\nrows {len(run.feed.through(run.as_of))}\n"
    (part / "run.log").write_text(head + "\n".join(validate or []) + "\n")
    part.rename(folder)
    return folder
