"""`mlops pipeline`: train a release."""

from datetime import datetime

import click

from mlops.levels import folder, pipeline_of
from mlops.options import as_of_option, day_of, dry_run_option, who
from mlops.progress import working


@click.group()
def pipeline() -> None:
    """Train a release."""


@pipeline.command("run")
@click.option("--model", help="Another model than the configuration names; from level 3 on.")
@click.option("--judge-only", is_flag=True, help="Register nothing: for what is not merged; from level 3 on.")
@as_of_option
@dry_run_option
@click.pass_obj
def run(level: int, model: str | None, judge_only: bool, as_of: datetime | None, dry_run: bool) -> None:
    """Train, evaluate and register a release (level 2 deploys it, too)."""
    steps = pipeline_of(level)
    if dry_run:
        click.echo(steps.plan(day_of(as_of), model))
        return
    with working("Training (from level 3 on, Prefect takes about 20 s to start)"):
        made = steps.run(folder(level), day_of(as_of), actor=who(), model=model, judge_only=judge_only)
    click.echo(made.describe())
    if not judge_only:
        click.echo(f"  Next:  mlops --level {level} {made.next_command(as_of.date() if as_of else None)}")
