"""The command line of all levels. Slow libraries are imported by the command that needs them.

Exit codes: 0 done, 1 error, 2 usage, 3 a check said no, 4 integrity, 5 a dependency is down,
6 locked by another, 7 rolled back.
"""

import os
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import orjson

from mlops.commands.data import data
from mlops.commands.doctor import doctor
from mlops.commands.servers import down, find_sound, in_background, up
from mlops.levels import PACKAGES, capability, folder, lacks, present, service_folder
from mlops.progress import bar, working
from shared.dataset.clock import known_through
from shared.dataset.shop import require_known_day
from shared.errors import DependencyDown, UsageError, run_program
from shared.places import home
from shared.service.process import Process, find

DAY = click.DateTime(["%Y-%m-%d"])
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
as_of_option = click.option("--as-of", type=DAY, help="The last day that the command may know of, such as 2017-06-04.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def main() -> None:
    """Run a command; an error that an operator can meet is told without a traceback, with its exit code."""
    run_program(lambda: commands(prog_name="mlops"))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--level", type=click.IntRange(1, 4), envvar="MLOPS_LEVEL", help="Default: the highest level present.")
@click.pass_context
def commands(context: click.Context, level: int | None) -> None:
    """One retail recommender, run at four MLOps maturity levels.

    Exit codes: 0 done, 1 error, 2 usage, 3 a check said no, 4 integrity, 5 a dependency is down,
    6 locked by another, 7 rolled back.
    """
    context.obj = level or max(present())
    if context.obj not in present():
        raise UsageError(f"Level {context.obj} is not here; there are {present()}.", fix="Choose one of them.")


commands.add_command(data)


@commands.group()
def pipeline() -> None:
    """Train a release."""


@pipeline.command("run")
@click.option("--model", help="Another model than the configuration names; from level 3 on.")
@click.option("--judge-only", is_flag=True, help="Register nothing: for what is not merged; from level 3 on.")
@as_of_option
@dry_run_option
@click.pass_obj
def pipeline_run(level: int, model: str | None, judge_only: bool, as_of: datetime | None, dry_run: bool) -> None:
    """Train, evaluate and register a release (level 2 deploys it, too)."""
    run = capability(level, "pipeline").run
    if level == 2 and (model or judge_only):
        raise UsageError("Level 2 trains and deploys what its config.toml says.", fix="Use --level 3.")
    if dry_run:
        click.echo(plan_run(level, day_of(as_of), model))
        return
    with working("Training (from level 3 on, Prefect takes about 20 s to start)"):
        if level == 2:
            made = run(day_of(as_of))
            click.echo(f"Release {made.release} is trained and live: NDCG@10 {made.metrics['ndcg_at_10']:.4f}.")
            click.echo(f"  Where: {made.folder}\n  Next:  mlops --level 2 ask 1")
            return
        made = run(day_of(as_of), level=folder(level), actor=who(), model=model, judge_only=judge_only)
    told = capability(level, "tools.github_summary").tell_last(folder(level))
    if judge_only:
        click.echo(f"The gate would let it pass; nothing was registered.\n{told}\n  Where: {made.source}")
        return
    click.echo(f"Release {made.release} passed the gate and is registered.\n{told}")
    known = f" --as-of {as_of.date()}" if as_of else ""
    click.echo(f"  Where: {made.source}\n  Next:  mlops --level {level} deploy model --version {made.release}{known}")


@commands.group()
def deploy() -> None:
    """Make a release live, go back, or see what was live."""


@deploy.command("model")
@click.option("--version", "release", required=True, help="The release, such as 1.2; from level 3 on also `candidate`.")
@as_of_option
@click.option(
    "--dry-run", is_flag=True, help="Leave live what is live; from level 3 on, try the release out in staging."
)
@click.pass_obj
def deploy_model(level: int, release: str, as_of: datetime | None, dry_run: bool) -> None:
    """Make a release the live one."""
    from shared.release.pointer import readable_pointer

    module = capability(level, "deploy")
    if release == "candidate" and level > 2:
        release = capability(level, "tools.registry").candidate(folder(level))
    before = readable_pointer(folder(level))
    if dry_run:
        found = try_out(level, release, day_of_level(level, as_of))
        replaced = f" in place of {before.release}" if before else ""
        click.echo(f"Would make {release} live{replaced}{found}. What is live was not changed.")
        return
    with working(f"Deploying {release}"):
        if level == 2:
            module.deploy(release)
        else:
            module.deploy(folder(level), release, day_of_level(level, as_of), actor=who())
    if before and before.release == release:
        click.echo(f"Release {release} was live already; nothing else changed.")
    else:
        click.echo(f"Release {release} is live" + (f" in place of {before.release}." if before else "."))
    if not find(service_folder(level)):
        click.echo(f"  No service runs; start one: mlops --level {level} serve --background")
    click.echo(f"  Where: {folder(level) / 'live.json'}\n  Next:  mlops --level {level} ask 1")


@deploy.command("rollback")
@as_of_option
@click.pass_obj
def deploy_rollback(level: int, as_of: datetime | None) -> None:
    """Go back to the release that was live before. Typed once more, it goes forward again."""
    module = capability(level, "deploy", "rollback")
    if not hasattr(module, "rollback"):
        raise lacks(level, "rollback")
    row = module.rollback(folder(level), day_of_level(level, as_of), actor=who())
    click.echo(f"Release {row.release} is live again.\n  Next:  mlops --level {level} deploy history")


@deploy.command("history")
@click.option("--on", type=DAY, help="Only what was live on a day.")
@json_option
@click.pass_obj
def deploy_history(level: int, on: datetime | None, as_json: bool) -> None:
    """What was live when, on which data, who decided and why."""
    from shared.release.provenance import shorten

    ledger = capability(level, "ledger", "history")
    if on:
        row = ledger.live_on(folder(level), on.date())
        rows = [row] if row else []
    else:
        rows = ledger.live_rows(folder(level))
    if as_json:
        click.echo(to_json(rows))
        return
    if not rows:
        click.echo(f"Nothing was live{f' on {on.date()}' if on else ' yet'}.")
    for row in rows:
        click.echo(f"{row.release}  from {row.as_of + timedelta(days=1)}  {row.step} by {row.actor}: {row.reason}")
        through = row.numbers.get("trained_through", "an unknown day")
        click.echo(f"     trained through {through} on data {row.data_digest[:12]}")
        click.echo(f"     bundle {row.bundle_digest[:12]}  revision {shorten(row.revision)}")


@commands.group()
def monitor() -> None:
    """Look at how the live release is doing."""


@monitor.command("model")
@as_of_option
@json_option
@click.pass_obj
def monitor_model(level: int, as_of: datetime | None, as_json: bool) -> None:
    """Level 3: a report on the last week. Level 4: the evening's tick of the loop, with its decision."""
    if level == 4:
        tick = capability(4, "loop").tick
        with working("Watching the day"):
            row = tick(day_of(as_of))
        click.echo(to_json(row) if as_json else tell_tick(row))
        return
    module = capability(level, "monitor")
    from shared.dataset.feed import open_feed

    with working("Writing a report"):
        seen = module.monitor(folder(level), open_feed(home() / "shop"), day_of(as_of))
    if as_json:
        click.echo(to_json(seen))
        return
    verdict = f"drift in {', '.join(seen.drifted)}" if seen.drifted else "no column has drifted"
    scored = f"NDCG@10 {seen.metrics['ndcg_at_10']:.3f}, and {seen.judged:.3f} when it was judged"
    click.echo(f"Release {seen.release} in the week through {seen.as_of}: {scored}; {verdict}.")
    click.echo(f"  Where: {seen.report}\n  Next:  open it in a browser; at this level nobody is told by itself")


@commands.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Default: 8000 + level, or a free one.")
@click.option("--background", is_flag=True, help="Start it, if it does not run, and return; `mlops down` stops it.")
@click.pass_obj
def serve(level: int, port: int | None, background: bool) -> None:
    """Answer customers until stopped with Ctrl-C."""
    from shared.service.process import HOST, free_port, recorded_as_running

    if background:
        click.echo(f"Level {level} answers at {in_background(level, port).url}/recommendations/1")
        return
    import uvicorn

    at = free_port(port or 8000 + level)
    if port and at != port:
        raise UsageError(f"Port {port} is taken.", fix="Name another one, or none.")
    app = capability(level, "serve").app()
    with recorded_as_running(service_folder(level), at):
        click.echo(f"Level {level} answers at http://{HOST}:{at}/recommendations/1 (Ctrl-C stops it)")
        uvicorn.run(app, host=HOST, port=at, log_level="warning", access_log=False)


@commands.command()
@click.argument("customer")
@click.option("-k", default=5, type=click.IntRange(1, 100), show_default=True, help="How many products.")
@json_option
@click.pass_obj
def ask(level: int, customer: str, k: int, as_json: bool) -> None:
    """Ask the level's service for a customer's list; starts it for the question if it is not running."""
    from shared.service.process import start, starting, stop

    if not customer:
        raise UsageError("A customer's identifier cannot be empty.", fix="For example: `mlops ask 1`.")
    at = service_folder(level)
    with starting(at):
        running = find_sound(level)
        try:
            answering = running or start(at, f"{PACKAGES[level]}.serve", 8000 + level)
            answer = answering.recommend(customer, k)
        finally:
            if not running:
                stop(at)
    click.echo(to_json(answer) if as_json else tell_answer(level, answer))


@commands.command()
@json_option
@click.pass_obj
def status(level: int, as_json: bool) -> None:
    """What is live at this level, and whether its service runs."""
    from shared.release.manifest import read_manifest
    from shared.release.pointer import read_pointer

    running = find(service_folder(level))
    if level == 1:
        served = running.get("/version") if running else {}
        state: dict[str, Any] = {"level": 1, "release": served.get("release"), "note": lacks(1, "history").what}
    else:
        pointer = read_pointer(folder(level))
        manifest = read_manifest(folder(level) / pointer.bundle, pointer.bundle_digest) if pointer else {}
        days = {key: manifest.get(key) for key in ("trained_through", "histories_through")}
        state = {"level": level, "release": pointer.release if pointer else None, **days}
        if pointer and pointer.histories:
            state["histories_through"] = Path(pointer.histories).stem
    state["service"] = running.url if running else "not running"
    if running:
        state |= answering(running)
    state["state"] = str(folder(level))
    click.echo(to_json(state) if as_json else "\n".join(f"{key + ':':<19}{value}" for key, value in state.items()))


def answering(running: Process) -> dict[str, Any]:
    """What a running service says of itself, if that is more than its release."""
    try:
        served = running.get("/version")
    except DependencyDown as error:
        return {"error": str(error)}
    return {"answers with": served["release"], "error": served["error"]} if served["degraded"] else {}


@commands.command()
@click.option("--only", type=click.IntRange(1, 4), multiple=True, help="Play only these levels.")
@click.option("--days", type=click.IntRange(8, 200), default=14, show_default=True, help="Length of the season.")
@click.option("--customer", default="1", show_default=True, help="Whose list is shown.")
@json_option
def compare(only: tuple[int, ...], days: int, customer: str, as_json: bool) -> None:
    """Play the same season and the same incident through the levels, and measure what each is like."""
    from comparison.season import play
    from comparison.summary import as_data, tell

    prepare_shop()
    played = play(only or tuple(present()), customer, bar, days=days)
    click.echo(to_json(as_data(played)) if as_json else tell(played, customer))


def prepare_shop() -> None:
    """Prepare the shop's feed, with a progress bar the first time."""
    from shared.dataset.feed import open_feed

    open_feed(home() / "shop", progress=lambda days: bar(days, "Preparing the year, day by day"))


def plan_run(level: int, as_of: date, model: str | None) -> str:
    """What a pipeline run would do, in words."""
    from shared.config import read_config
    from shared.dataset.feed import open_feed, require_day
    from shared.model.config import ModelConfig

    feed = open_feed(home() / "shop")
    require_day(feed, as_of)
    module = capability(level, "pipeline")
    form = ModelConfig if level == 2 else capability(level, "config").PipelineConfig
    config = read_config(module.CONFIG, form)
    if model:
        config = config.model_copy(update={"model": model, "parameters": {}})
        config.estimator()
    rows = sum(entry["rows"] for day, entry in feed.about["days"].items() if day <= as_of.isoformat())
    goes = "train and deploy" if level == 2 else "train, judge and register"
    return (
        f"Would {goes} {config.model} {config.parameters} on {rows:,} rows through {as_of}, "
        f"data {feed.digest(as_of)[:12]}. Nothing was changed."
    )


def try_out(level: int, release: str, as_of: date) -> str:
    """What is found when a release is tried out without making it live; level 2 only looks whether it is there."""
    from shared.release.number import require_release

    deploy = capability(level, "deploy")
    if level == 2:
        require_release(release, deploy.releases(folder(2)))
        return ""
    with working(f"Trying {release} out in staging"):
        return f"; {deploy.try_out(folder(level), release, as_of, actor=who())}"


def day_of(as_of: datetime | None) -> date:
    """The day that was asked for, else the day that the shop has reached."""
    if as_of:
        return as_of.date()
    if not (home() / "shop" / "shop.json").exists():
        prepare_shop()
    return known_through(home() / "shop")


def day_of_level(level: int, as_of: datetime | None) -> date:
    """The day that was asked for, else that of the level's last decision, else the day that the shop has reached."""
    if as_of:
        require_known_day(home() / "shop", as_of.date())
        return as_of.date()
    reached = capability(level, "ledger").day_reached(folder(level)) if level > 2 else None
    return reached or day_of(None)


def who() -> str:
    """Who decides: the operator, or a workflow."""
    workflow = os.environ.get("GITHUB_WORKFLOW")
    return f"{workflow}, started by {os.environ.get('GITHUB_ACTOR')}" if workflow else "operator"


for command in (doctor, up, down):
    commands.add_command(command)


def to_json(value: Any) -> str:
    """A value as JSON; data classes become objects, days and paths text."""

    def plain(item: Any) -> Any:
        return asdict(item) if is_dataclass(item) and not isinstance(item, type) else str(item)

    text = orjson.dumps(value, default=plain, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)
    return text.decode()  # a number that is none becomes null


def tell_tick(row: Any) -> str:
    """A day's decision in words."""
    seen = row.numbers
    drift = f"drift in {', '.join(seen['drifted'])}" if seen["drifted"] else "no column has drifted"
    served = f"NDCG@10 {seen['ndcg_at_10']:.4f} for {seen['customers']} customers who bought"
    return (
        f"{row.as_of}: {row.verdict}. {row.reason}\n"
        f"  Served: {served if seen['customers'] else 'nobody who bought'}; {drift}\n"
        f"  Where:  {folder(4) / 'reports' / 'latest.html'}\n"
        f"  Next:   mlops deploy history"
    )


def tell_answer(level: int, answer: dict[str, Any]) -> str:
    """A customer's list in words."""
    lines = [f"Level {level}, release {answer['release']}, recommends to customer {answer['customer']}:"]
    lines += [f"  {item['rank']}. {item['name']}  ({item['reason']})" for item in answer["recommendations"]]
    return "\n".join(lines)
