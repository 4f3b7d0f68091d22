"""The MLflow registry: releases with their evidence. A release is a tag, since aliases cannot be called `1.2`.

MLflow verifies no hash, so the bundle's digest is kept in the registry's row and checked on the way out.
"""

import logging
import shutil
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from level3_cicd.ledger import Row, all_rows, live_rows
from level3_cicd.registered import Registered
from level3_cicd.rollout.store import rolled_back, row_before
from level3_cicd.tools.mlflow_client import EXPERIMENT, mlflow_client, talking_to_mlflow, tracking_uri
from level3_cicd.tools.servers import recorded_server
from shared.columns import CUSTOMER
from shared.errors import DependencyDown, IntegrityError, Locked, UsageError
from shared.release.manifest import copy_bundle, digest_of, is_sound, read_manifest
from shared.release.number import PATTERN, in_order, require_release
from shared.release.pointer import Pointer, readable_pointer

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


log = logging.getLogger("level3.registry")


NAME = "recommender"


MODEL_CODE = Path(__file__).with_name("mlflow_model.py")


# Where a bundle lies in an MLflow model.
BUNDLE = "artifacts/bundle"


SECONDS_OF_A_FETCH = 3600


def register(level: Path, run_id: str, release: str, bundle: Path, verdict: str) -> Registered:
    """Give a trained bundle a version. The version appears last, so a kill leaves none without its files.

    Raises Locked if somebody else, on a registry that is shared, has registered the same release meanwhile.
    """
    with talking_to_mlflow():
        client = mlflow_client(level)
        manifest = read_manifest(bundle)
        log_model(client, run_id, bundle)
        if not client.search_registered_models(f"name='{NAME}'"):
            client.create_registered_model(NAME)
        tags = {key: str(manifest[key]) for key in ("data_digest", "revision", "trained_through", "lock")}
        tags |= {"release": release, "bundle_digest": digest_of(bundle), "verdict": verdict}
        source = f"{client.get_run(run_id).info.artifact_uri}/model"
        version = client.create_model_version(NAME, source, run_id, tags=tags, await_creation_for=0)
        if registered(level)[release].version != version.version:
            client.delete_model_version(NAME, version.version)
            taken = f"Another run has registered release {release} meanwhile."
            raise Locked(taken, fix="Run the pipeline again: it takes the next number.")
    align_aliases(level)
    return Registered(release, version.version, verdict, tags["bundle_digest"], source)


def tag_with_row(level: Path, row: Row) -> None:
    """Let a release's version bear the hash of the ledger's row of its verdict.

    Without a registry that answers the tag stays away until `mlops doctor` is asked; the row is written.
    """
    try:
        entry = registered(level).get(row.release)
        if entry and entry.bundle_digest == row.bundle_digest:
            with talking_to_mlflow():
                mlflow_client(level).set_model_version_tag(NAME, entry.version, "ledger_row", row.hash)
    except DependencyDown as error:
        log.warning("The version of release %s does not bear its row: %s", row.release, error.what)


def page_of(level: Path, run_id: str) -> str:
    """Where a run can be looked at: its page if an MLflow server is there, else the folder of its files."""
    server = recorded_server(level.parent, f"mlflow-{level.name}")
    uri = tracking_uri(level)
    if server and not uri.startswith("http") and server.is_answering():
        uri = server.url
    with talking_to_mlflow():
        run = mlflow_client(level).get_run(run_id)
    page = f"{uri}/#/experiments/{run.info.experiment_id}/runs/{run_id}"
    return page if uri.startswith("http") else str(run.info.artifact_uri)


def log_model(client: "MlflowClient", run_id: str, bundle: Path) -> None:
    """Keep the bundle with the run, inside of an MLflow model that knows how to ask it."""
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

    asked = Schema([ColSpec("string", CUSTOMER)])
    signature = ModelSignature(inputs=asked, params=ParamSchema([ParamSpec("k", "long", 10)]))
    with tempfile.TemporaryDirectory(dir=bundle.parent) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*An input example was not provided")
        folder = Path(temporary) / "model"
        mlflow.pyfunc.save_model(
            str(folder),
            python_model=str(MODEL_CODE),
            artifacts={"bundle": bundle.as_uri()},
            signature=signature,
            pip_requirements=[],
        )
        client.log_artifacts(run_id, str(folder), "model")


def experiment_id(client: "MlflowClient") -> str:
    """The experiment that holds all runs."""
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        raise DependencyDown(f"MLflow has no experiment {EXPERIMENT!r}.", fix="Restore its database.")
    if experiment.lifecycle_stage != "active":
        raise DependencyDown(
            f"MLflow's experiment {EXPERIMENT!r} is in the trash.",
            fix=f"Bring it back: `mlflow experiments restore --experiment-id {experiment.experiment_id}` with "
            f"MLFLOW_TRACKING_URI='{client.tracking_uri}', or on its page.",
        )
    return str(experiment.experiment_id)


def registered(level: Path) -> dict[str, Registered]:
    """Every release in the registry by its number, in order. Of two versions with one number the first counts."""
    with talking_to_mlflow():
        versions = mlflow_client(level).search_model_versions(f"name='{NAME}'", max_results=10_000)
    ours = sorted(filter(is_release, versions), key=lambda version: int(version.version), reverse=True)
    found = {version.tags["release"]: parse(version) for version in ours}
    return {release: found[release] for release in in_order(found)}


def is_release(version: "ModelVersion") -> bool:
    """Whether a version is a release of ours: anybody may put others beside them."""
    named = {"release", "verdict", "bundle_digest"} <= set(version.tags)
    return named and bool(PATTERN.fullmatch(version.tags["release"]))


def champion(level: Path) -> Pointer | None:
    """What the alias `champion` says is live, in the level's own store; None if there is no alias.

    It stands in for the pointer where a run has no lasting folder, only a registry. Raises IntegrityError if what
    was fetched is not what was registered.
    """
    from mlflow.exceptions import MlflowException

    with talking_to_mlflow():
        try:
            version = mlflow_client(level).get_model_version_by_alias(NAME, "champion")
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise
    if not is_release(version):
        return None
    _, entry = fetch(level, version.tags["release"])
    return Pointer(entry.release, f"bundles/{entry.release}", entry.bundle_digest)


def candidate(level: Path) -> str:
    """The highest release that passed the gate and was not rolled back. Raises UsageError if there is none."""
    releases = registered(level)
    wanted = deployable(level, releases)
    if wanted:
        return wanted[-1].release
    passed = [entry.release for entry in releases.values() if entry.verdict == "passed"]
    if not passed:
        raise UsageError("No release has passed the gate yet.", fix="Run `mlops pipeline run`.")
    raise UsageError(
        f"Release {passed[-1]} passed the gate and was rolled back since; there is no other one.",
        fix=f"Run `mlops pipeline run`, or name it: `mlops deploy model --version {passed[-1]}`.",
    )


def deployable(level: Path, releases: dict[str, Registered]) -> list[Registered]:
    """The releases, in order, that passed the gate and were not rolled back: those wait until they are named."""
    left = rolled_back(all_rows(level))
    passed = [entry for entry in releases.values() if entry.verdict == "passed"]
    return [entry for entry in passed if (entry.release, entry.bundle_digest) not in left]


def parse(version: "ModelVersion") -> Registered:
    """A registry row as a release."""
    tags = version.tags
    return Registered(
        tags["release"],
        version.version,
        tags["verdict"],
        tags["bundle_digest"],
        str(version.source),
        tags.get("ledger_row", ""),
    )


def fetch(level: Path, release: str) -> tuple[Path, Registered]:
    """A release's bundle in the level's own store, verified against the registry's digest, and its registry row."""
    releases = registered(level)
    entry = releases[require_release(release, releases)]
    target = level / "bundles" / release
    if not is_sound(target, entry.bundle_digest):
        download(level, entry, target)
    return target, entry


def download(level: Path, entry: Registered, target: Path) -> None:
    """Bring a release's files from MLflow. Raises IntegrityError if they are not what was registered."""
    from mlflow.artifacts import download_artifacts

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch.") as temporary, talking_to_mlflow():
        uri = f"{entry.source}/{BUNDLE}"
        folder = Path(download_artifacts(artifact_uri=uri, dst_path=temporary, tracking_uri=tracking_uri(level)))
        try:
            copy_bundle(folder, target, entry.bundle_digest)
        except IntegrityError as error:
            what = f"Release {entry.release} at {uri} is not the bundle that was registered: {error.what}"
            raise IntegrityError(what, fix="Deploy another release, or bring its files back from a backup.") from error


def align_aliases(level: Path) -> None:
    """Let the aliases follow what they stand for: `champion` the pointer, `candidate` what `candidate` returns.

    The pointer and the versions' tags are the truth. A kill or a registry that is down leaves an alias behind;
    the next command brings it up. Where several folders share a registry, `champion` is what the last one says.
    """
    pointer = readable_pointer(level)
    try:
        releases = registered(level)
        wanted = {
            "candidate": next(reversed(deployable(level, releases)), None),
            "champion": next((entry for entry in releases.values() if pointer and is_of(entry, pointer)), None),
        }
        with talking_to_mlflow():
            for alias, entry in wanted.items():
                if entry:
                    mlflow_client(level).set_registered_model_alias(NAME, alias, entry.version)
    except DependencyDown as error:
        log.warning("The aliases stay behind: %s", error.what)


def is_of(entry: Registered, pointer: Pointer) -> bool:
    """Whether a pointer names a registered release: in a registry that is shared, its number may be another's."""
    return (entry.release, entry.bundle_digest) == (pointer.release, pointer.bundle_digest)


def stored(level: Path) -> list[str]:
    """The release numbers that the level's own store holds."""
    return in_order(folder.name for folder in (level / "bundles").glob("[0-9]*") if PATTERN.fullmatch(folder.name))


def forget_old_bundles(level: Path, keep: int = 10) -> None:
    """Remove the oldest bundles from the level's own store, but never the live one or the one before.

    What a killed fetch left is removed, too, once nobody can be at it any more.
    """
    rows = live_rows(level)
    needed = {row.release for row in [*rows[-1:], row_before(rows)] if row}
    folders = [level / "bundles" / release for release in stored(level)]  # by number: a clock may have been set back
    for folder in folders[:-keep]:
        if folder.name not in needed:
            shutil.rmtree(folder, ignore_errors=True)
    for left in [*(level / "bundles").glob(".fetch.*"), *(level / "bundles").glob(".*.part")]:
        if left.is_dir() and time.time() - left.stat().st_mtime > SECONDS_OF_A_FETCH:
            shutil.rmtree(left, ignore_errors=True)
