"""`mlops deploy`: make a release live, go back, or see what was live."""

from datetime import datetime, timedelta
from typing import Any

import click

from mlops.levels import deployment_of, folder, history_of, rollback_of, service_folder
from mlops.options import DAY, as_of_option, day_of_level, echo, json_option, who
from mlops.progress import working


@click.group()
def deploy() -> None:
    """Make a release live, go back, or see what was live."""


@deploy.command("model")
@click.option("--version", "wanted", required=True, help="The release, such as 1.2; from level 3 on also `candidate`.")
@as_of_option
@click.option(
    "--dry-run", is_flag=True, help="Leave the live release; from level 3 on, try the other one out in staging."
)
@click.pass_obj
def model(level: int, wanted: str, as_of: datetime | None, dry_run: bool) -> None:
    """Make a release the live one."""
    from shared.release.manifest import open_manifest
    from shared.release.pointer import readable_pointer, require_pointer
    from shared.service.process import find

    deployment = deployment_of(level)
    release = deployment.find_release(folder(level), wanted)
    before = readable_pointer(folder(level))
    day = day_of_level(level, as_of)
    if dry_run:
        with working(f"Trying {release} out"):
            found = deployment.try_out(folder(level), release, day, who())
        replaced = f" in place of {before.release}" if before else ""
        found = f"; {found}" if found else ""
        click.echo(f"Would make {release} live{replaced}{found}. The live release was not changed.")
        return
    with working(f"Deploying {release}"):
        deployment.deploy(folder(level), release, day, who())
    if before and before.release == release:
        click.echo(f"Release {release} was live already; nothing else changed.")
    else:
        click.echo(f"Release {release} is live" + (f" in place of {before.release}." if before else "."))
    if not find(service_folder(level)):
        click.echo(f"  No service runs; start one: mlops --level {level} serve --background")
    somebody = open_manifest(folder(level) / require_pointer(folder(level)).bundle).somebody
    click.echo(f"  Where: {folder(level) / 'live.json'}\n  Next:  mlops --level {level} ask {somebody}")


@deploy.command("rollback")
@as_of_option
@click.pass_obj
def rollback(level: int, as_of: datetime | None) -> None:
    """Go back to the release that was live before. Typed once more, it goes further back."""
    way_back = rollback_of(level)
    row = way_back.rollback(folder(level), day_of_level(level, as_of), who())
    click.echo(f"Release {row.release} is live again.\n  Next:  mlops --level {level} deploy history")


@deploy.command("history")
@click.option("--on", type=DAY, help="Only what was live on a day.")
@json_option
@click.pass_obj
def history(level: int, on: datetime | None, as_json: bool) -> None:
    """What was live when, on which data, who decided and why."""
    past = history_of(level)
    if on:
        row = past.live_on(folder(level), on.date())
        rows = [row] if row else []
    else:
        rows = past.live_rows(folder(level))
    nothing = f"Nothing was live{f' on {on.date()}' if on else ' yet'}."
    echo(rows, as_json, lambda rows: "\n".join(map(describe, rows)) or nothing)


def describe(row: Any) -> str:
    """A row of the ledger after which a release was live, in words."""
    from shared.release.provenance import shorten

    through = row.numbers.get("trained_through", "an unknown day")
    return (
        f"{row.release}  from {row.as_of + timedelta(days=1)}  {row.step} by {row.actor}: {row.reason}\n"
        f"     trained through {through} on data {row.data_digest[:12]}\n"
        f"     bundle {row.bundle_digest[:12]}  revision {shorten(row.revision)}"
    )
