"""The record of a pipeline's run that lasts: an MLflow run with its evidence, and what Prefect's page shows of it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from level3_cicd.tools.mlflow_client import identity_of, mlflow_client, talking_to_mlflow
from level3_cicd.tools.registry import experiment_id
from shared.errors import DependencyDown
from shared.release.manifest import read_manifest

log = logging.getLogger("level3.record")


@dataclass(frozen=True)
class RunRecord:
    """An MLflow run that is under way."""

    level: Path
    run_id: str

    def keep(self, name: str, content: dict[str, Any]) -> None:
        """Keep a JSON file with the run."""
        with talking_to_mlflow():
            mlflow_client(self.level).log_dict(self.run_id, content, name)

    def keep_numbers(self, bundle: Path) -> None:
        """Keep a bundle's metrics and settings with the run."""
        from mlflow.entities import Metric, Param

        manifest = read_manifest(bundle)
        metrics = [Metric(name, value, 0, 0) for name, value in manifest["metrics"].items()]
        settings = {"model": manifest["kind"], **manifest["config"]}
        with talking_to_mlflow():
            params = [Param(name, str(value)) for name, value in settings.items()]
            mlflow_client(self.level).log_batch(self.run_id, metrics, params)

    def show_table(self, key: str, rows: list[dict[str, Any]], description: str) -> None:
        """Show a table on Prefect's page of the run."""
        from prefect.artifacts import create_table_artifact

        create_table_artifact(key=key, table=rows, description=description)

    def show_link(self, key: str, link: str, text: str) -> None:
        """Show a link on Prefect's page of the run. The run goes on without it."""
        from prefect.artifacts import create_link_artifact

        try:
            create_link_artifact(key=key, link=link, link_text=text)
        except Exception as error:  # noqa: BLE001  what is done is done; a link is no reason to fail
            log.warning("Prefect's page has no link to %s: %s", link, error)


@contextmanager
def record_of_run(level: Path, name: str, release: str, tags: dict[str, str]) -> Iterator[RunRecord]:
    """An MLflow run, closed as finished or failed. Runs that a kill left open are closed first.

    The caller holds the pipeline's lock, so whatever this folder's runs say, none of them is alive.
    """
    with talking_to_mlflow():
        client = mlflow_client(level)
        experiment = experiment_id(client)
        running = client.search_runs([experiment], "attributes.status = 'RUNNING'")
        for left in running:
            if left.data.tags.get("place") == identity_of(level):
                client.set_tag(left.info.run_id, "crashed", "true")
                client.set_terminated(left.info.run_id, "KILLED")
        named = {"release": release, "level": level.name, "place": identity_of(level), **tags}
        run = client.create_run(experiment, run_name=name, tags=named)
    try:
        yield RunRecord(level, run.info.run_id)
    except BaseException:
        with suppress(DependencyDown), talking_to_mlflow():
            client.set_terminated(run.info.run_id, "FAILED")
        raise
    with talking_to_mlflow():
        client.set_terminated(run.info.run_id)
