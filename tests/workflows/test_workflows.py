"""What the workflows promise: what is not merged sees nothing of production, and any job can be run again."""

from typing import Any

import pytest
import yaml

from shared.places import CHECKOUT

FOLDER = CHECKOUT / ".github" / "workflows"
PRODUCTION = ("MLOPS_HOME", "MLOPS_MLFLOW_URI", "MLOPS_RUNNER", "secrets.")


def read(name: str) -> dict[Any, Any]:
    return dict(yaml.safe_load((FOLDER / f"{name}.yml").read_text()))


def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job.get("steps", ())]


ALL = sorted(file.stem for file in FOLDER.glob("*.yml"))


@pytest.mark.parametrize("name", ALL)
def test_a_pull_requests_workflow_names_nothing_of_production(name: str) -> None:
    workflow = read(name)
    if "pull_request" not in workflow[True]:  # YAML reads `on` as true
        return
    code = "\n".join(line.split("#")[0] for line in (FOLDER / f"{name}.yml").read_text().splitlines())
    assert [word for word in PRODUCTION if word in code] == []
    assert {job["runs-on"] for job in workflow["jobs"].values()} == {"ubuntu-latest"}
    assert workflow[True]["pull_request"] is None or "branches" in workflow[True]["pull_request"]  # whatever it changes


def test_a_pull_request_is_judged_and_not_registered() -> None:
    judged = [step for step in steps(read("level3-pull-request")) if "level3-train" in step.get("run", "")]
    assert [bool(step["env"]["JUDGE_ONLY"]) for step in judged] == [True]


def test_what_is_not_main_sees_nothing_of_production_in_the_training_either() -> None:
    workflow = read("level3-train")
    led = [*workflow["env"].values(), workflow["jobs"]["train"]["runs-on"]]
    assert all(value.startswith("${{ github.ref == 'refs/heads/main' && ") for value in led)


@pytest.mark.parametrize("name", ALL)
def test_an_artifact_of_a_job_that_is_run_again_takes_the_first_ones_place(name: str) -> None:
    uploads = [step["with"] for step in steps(read(name)) if "upload-artifact" in step.get("uses", "")]
    assert all(upload["overwrite"] is True for upload in uploads)


def test_an_artifact_that_has_expired_is_told_in_words() -> None:
    for job in read("level3-deploy")["jobs"].values():
        brought = [at for at, step in enumerate(job["steps"]) if "download-artifact" in step.get("uses", "")]
        for at in brought:
            told = job["steps"][at + 1]
            assert job["steps"][at]["continue-on-error"] is True
            assert told["if"] == f"steps.{job['steps'][at]['id']}.outcome == 'failure'"
            assert "To fix:" in told["run"]
            assert told["run"].rstrip().endswith("exit 1")


def test_pushes_queue_and_a_deployment_is_one_whole() -> None:
    train, deploy = read("level3-train"), read("level3-deploy")
    for workflow in (train, deploy):
        assert workflow["concurrency"]["cancel-in-progress"] is False
        assert not any("concurrency" in job for job in workflow["jobs"].values())
    assert "github" not in deploy["concurrency"]["group"]  # whoever starts it
