"""`mlops status`: the live release of a level, and whether its service runs."""

from pathlib import Path
from typing import Any

import click

from mlops.levels import folder, has, lacks, service_folder
from mlops.options import echo, json_option
from shared.errors import DependencyDown


@click.command()
@json_option
@click.pass_obj
def status(level: int, as_json: bool) -> None:
    """The live release of this level, and whether its service runs."""
    from shared.service.process import find

    running = find(service_folder(level))
    state = live_state(level) if has(level, "deploy") else served_state(level, running)
    state["service"] = running.url if running else "not running"
    if running:
        state |= own_words(running)
    state["state"] = str(folder(level))
    echo(state, as_json, lambda state: "\n".join(f"{f'{key}:':<19}{value}" for key, value in state.items()))


def live_state(level: int) -> dict[str, Any]:
    """The release that the pointer names, and the days that it knows."""
    from shared.release.manifest import read_manifest
    from shared.release.pointer import read_pointer

    pointer = read_pointer(folder(level))
    manifest = read_manifest(folder(level) / pointer.bundle, pointer.bundle_digest) if pointer else {}
    days = {key: manifest.get(key) for key in ("trained_through", "histories_through")}
    if pointer and pointer.histories:
        days["histories_through"] = Path(pointer.histories).name[:10]
    return {"level": level, "release": pointer.release if pointer else None, **days}


def served_state(level: int, running: Any) -> dict[str, Any]:
    """The release that a service names, where a level keeps no pointer."""
    served = running.get("/version") if running else {}
    return {"level": level, "release": served.get("release"), "note": lacks(level, "ledger").what}


def own_words(running: Any) -> dict[str, Any]:
    """What a running service says of itself, if that is more than its release."""
    try:
        served = running.get("/version")
    except DependencyDown as error:
        return {"error": str(error)}
    return {"answers with": served["release"], "error": served["error"]} if served["degraded"] else {}
