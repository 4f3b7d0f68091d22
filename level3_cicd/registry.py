"""The MLflow registry: releases with their evidence. A release is a tag, since aliases cannot be called `1.2`.

MLflow verifies no hash, so the bundle's digest is kept in the registry's row and checked on the way out.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from level3_cicd.tools import EXPERIMENT, mlflow_client
from shared.bundle import copy_bundle, digest_of, read_manifest
from shared.errors import DependencyDown, IntegrityError, UsageError
from shared.live import read_pointer
from shared.releases import in_order, require_release

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

NAME = "recommender"


@dataclass(frozen=True)
class Registered:
    """A release as the registry knows it."""

    release: str
    version: str
    verdict: str
    bundle_digest: str
    source: str


def register(level: Path, bundle: Path, verdict: str, report: dict[str, Any]) -> Registered:
    """Give a trained bundle a version. The version appears last, so a kill leaves none without its files."""
    from mlflow.entities import Metric, Param

    client = mlflow_client(level)
    manifest = read_manifest(bundle)
    release, digest = manifest["release"], digest_of(bundle)
    run = client.create_run(experiment_id(client), run_name=f"recommender {release}", tags={"release": release})
    run_id = run.info.run_id
    metrics = [Metric(name, value, 0, 0) for name, value in manifest["metrics"].items()]
    settings = {"model": manifest["kind"], **manifest["config"]}
    client.log_batch(run_id, metrics, [Param(name, str(value)) for name, value in settings.items()])
    client.log_dict(run_id, report, "gate.json")
    client.log_artifacts(run_id, str(bundle), "bundle")
    client.set_terminated(run_id)
    if not client.search_registered_models(f"name='{NAME}'"):
        client.create_registered_model(NAME)
    tags = {key: str(manifest[key]) for key in ("release", "data_digest", "revision", "trained_through")}
    tags |= {"bundle_digest": digest, "verdict": verdict}
    source = f"{run.info.artifact_uri}/bundle"
    version = client.create_model_version(NAME, source, run_id, tags=tags, await_creation_for=0)
    if verdict == "passed":
        client.set_registered_model_alias(NAME, "candidate", version.version)
    return Registered(release, version.version, verdict, digest, source)


def experiment_id(client: "MlflowClient") -> str:
    """The experiment that holds all runs."""
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        raise DependencyDown(f"MLflow has no experiment {EXPERIMENT!r}.", fix="Restore its database.")
    return str(experiment.experiment_id)


def registered(level: Path) -> dict[str, Registered]:
    """Every release in the registry by its number, in order."""
    found = {
        version.tags["release"]: parse(version)
        for version in mlflow_client(level).search_model_versions(f"name='{NAME}'", max_results=10_000)
        if "release" in version.tags
    }
    return {release: found[release] for release in in_order(found)}


def candidate(level: Path) -> str:
    """The release that passed the gate last. Raises UsageError if there is none."""
    passed = [entry.release for entry in registered(level).values() if entry.verdict == "passed"]
    if not passed:
        raise UsageError("No release has passed the gate yet.", fix="Run `mlops pipeline run`.")
    return passed[-1]


def parse(version: "ModelVersion") -> Registered:
    """A registry row as a release."""
    tags = version.tags
    return Registered(tags["release"], version.version, tags["verdict"], tags["bundle_digest"], str(version.source))


def fetch(level: Path, release: str) -> tuple[Path, str]:
    """(folder, digest) of a release's bundle in the level's own store, verified against the registry's digest."""
    releases = registered(level)
    entry = releases[require_release(release, releases)]
    target = level / "bundles" / release
    try:
        read_manifest(target, entry.bundle_digest)
    except IntegrityError:
        download(entry, target)
    return target, entry.bundle_digest


def download(entry: Registered, target: Path) -> None:
    """Bring a release's files from MLflow. Raises IntegrityError if they are not what was registered."""
    from mlflow.artifacts import download_artifacts

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch.") as temporary:
        folder = Path(download_artifacts(artifact_uri=entry.source, dst_path=temporary))
        copy_bundle(folder, target, entry.bundle_digest)


def follow_pointer(level: Path) -> None:
    """Let the alias `champion` follow the pointer, which is the truth."""
    pointer = read_pointer(level)
    entry = registered(level).get(pointer.release) if pointer else None
    if entry:
        mlflow_client(level).set_registered_model_alias(NAME, "champion", entry.version)
