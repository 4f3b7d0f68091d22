"""Looks for what commonly goes wrong: Python, disk, ports, versions, hashes, leftovers."""

import importlib.metadata
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import click

from mlops.levels import capability, folder, has, present, service_folder
from shared.errors import CheckFailed, Locked, MlopsError
from shared.places import CHECKOUT, home, is_writable
from shared.release.number import is_release
from shared.release.state_version import set_older_aside, written_by_older

LEAST_FREE_BYTES = 2 << 30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `mend` is there if it can be mended here and now."""

    name: str
    good: bool
    detail: str
    mend: Callable[[], object] | None = None


@click.command()
@click.option(
    "--fix", is_flag=True, help="Mend what can be mended here: leftovers of killed runs, dead services' notes."
)
def doctor(fix: bool) -> None:
    """Look for what commonly goes wrong. Exit code 3 if something is."""
    bad = 0
    for finding in look():
        mended = ""
        if fix and finding.mend and not finding.good:
            done = finding.mend()
            mended = f" ({done if isinstance(done, str) else 'mended'})"
        bad += not finding.good and not mended
        click.echo(f"{'ok  ' if finding.good else 'BAD '} {finding.name}: {finding.detail}{mended}")
    if bad:
        raise CheckFailed(f"{bad} of these need attention.", fix="Follow what each line says, or try --fix.")


def look() -> Iterator[Finding]:
    """Everything, in order."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", (3, 11) <= sys.version_info[:2] <= (3, 13), f"{version}; 3.11 to 3.13 work")
    home().mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(home()).free
    yield Finding("disk", free >= LEAST_FREE_BYTES, f"{free >> 20:,} MiB free at {home()}; 2,048 are needed")
    yield versions()
    for level in present():
        yield port(level)
        older = written_by_older(folder(level))
        if older:
            yield Finding(f"level {level} state", False, f"of an older version: {older}", setter_aside(folder(level)))
            continue
        yield from release(level)
        yield from records(level)
        yield from strangers(folder(level))
    yield from leftovers()


def versions() -> Finding:
    """Whether what is installed is what the lock says."""
    locked = dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)(?= \\)", (CHECKOUT / "requirements.lock").read_text(), re.M))
    installed = {name.name.lower().replace("_", "-"): name.version for name in importlib.metadata.distributions()}
    other = [f"{name} {installed[name]}" for name, at in locked.items() if installed.get(name, at) != at]
    return Finding(
        "versions", not other, f"not as locked: {', '.join(other)}; run `make setup`" if other else "as locked"
    )


def port(level: int) -> Finding:
    """Whether the level's usual port is free or held by its own service."""
    from shared.service.process import find, free_port

    running, usual = find(service_folder(level)), 8000 + level
    if running:
        return Finding(f"level {level} service", True, f"runs at {running.url}")
    free = free_port(usual) == usual
    return Finding(f"level {level} port", True, f"{usual} is {'free' if free else 'taken: another will be used'}")


def release(level: int) -> Iterator[Finding]:
    """Whether what is live opens with the hashes that it must have, and whether its service's note is stale."""
    from shared.release.pointer import read_pointer
    from shared.service.follower import load
    from shared.service.process import find, hosts_elsewhere, is_of_another_home, record_file

    note = record_file(service_folder(level))
    running = find(service_folder(level), even_if_it_hangs=True)
    for host in hosts_elsewhere(service_folder(level)):
        yield Finding(f"level {level} service", True, f"one was started on {host}, which cannot be asked from here")
    if is_of_another_home(note):
        yield Finding(f"level {level} service", True, f"{note} came with a copy of another home and does not count")
    elif note.exists() and running is None:
        yield Finding(f"level {level} service", False, f"{note} names a service that is gone", note.unlink)
    elif running and not running.is_itself():
        yield Finding(f"level {level} service", False, f"hangs at {running.url}; run `mlops --level {level} down`")
    try:
        pointer = read_pointer(folder(level))
        if pointer:
            load(folder(level), pointer)
            yield Finding(f"level {level} release", True, f"{pointer.release} verifies")
    except MlopsError as error:
        yield Finding(f"level {level} release", False, str(error))


def strangers(level: Path) -> Iterator[Finding]:
    """What lies among the releases and is none: nothing of ours looks at it."""
    for path in sorted([*level.glob("runs/*"), *level.glob("bundles/*")]):
        if not path.name.startswith(".") and not is_release(path.name):
            yield Finding("not ours", True, f"{path} is no release, and is left alone")


def records(level: int) -> Iterator[Finding]:
    """Whether ledger, pointer and registry tell the same, at a level that has them."""
    if not has(level, "audit"):
        return
    try:
        found = capability(level, "audit").audit(folder(level))
    except MlopsError as error:
        found = [str(error)]
    for told in found:
        yield Finding(f"level {level} records", False, told)
    if not found:
        yield Finding(f"level {level} records", True, "ledger, pointer and registry agree")


def setter_aside(level: Path) -> Callable[[], str]:
    """What sets a level's state aside, and says where it is then."""
    return lambda: set_older_aside(level)


def leftovers() -> Iterator[Finding]:
    """What killed runs left behind."""
    from shared.service.process import command_of

    for level in map(folder, present()):
        with suppress(Locked), nobody_working(level):
            for pattern in ("runs/.*.part", "bundles/.fetch.*", "bundles/.*.part", ".train.*"):
                for path in sorted(level.glob(pattern)):
                    yield Finding("leftover", False, f"{path} is of a run that was killed", remover(path))
    for path in sorted(home().glob(".shop.[0-9]*")):
        if path.suffix[1:].isdecimal() and not command_of(int(path.suffix[1:])):
            yield Finding("leftover", False, f"{path} is of an import that was killed", remover(path))


@contextmanager
def nobody_working(level: Path) -> Iterator[None]:
    """Keep pipelines and deployments of a level out, whose files look like leftovers. Raises Locked if one runs."""
    from shared.locks import held

    if not level.exists() or not is_writable(level):
        yield
        return
    with held(level / ".pipeline.lock", level / ".deploy.lock", busy=f"Somebody is at work in {level}."):
        yield


def remover(path: Path) -> Callable[[], object]:
    """What removes a folder."""
    return lambda: shutil.rmtree(path)
