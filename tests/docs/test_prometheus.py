"""docs/how-to/prometheus: Prometheus' own linter accepts the files, and a real Prometheus sees a service fall ill."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from shared.places import CHECKOUT
from shared.service.client import get_json, is_answering
from shared.service.process import Process, free_port, start, stop
from shared.service.waiting import wait_until
from tests.level4_monitoring.fakes import SmallShop
from tests.level4_monitoring.test_ill_service import ask, deploy_two

FILES = CHECKOUT / "docs" / "how-to" / "prometheus"
PAGE = FILES.with_suffix(".md")
METRIC = re.compile(r"\bmlops_\w+")
INSTALL = "install it: apt-get install prometheus"
# In CI a server that cannot be had is a failure: .ci/run installs it.
needs_prometheus = pytest.mark.skipif(
    shutil.which("promtool") is None and not os.environ.get("CI"), reason=f"no promtool; {INSTALL}"
)


def queries() -> list[str]:
    """The dashboard's questions."""
    panels = json.loads((FILES / "dashboard.json").read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def promtool(*words: str) -> None:
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.thorough
@needs_prometheus
def test_prometheus_own_linter_accepts_configuration_rules_and_the_dashboards_questions(tmp_path: Path) -> None:
    promtool("check", "config", str(FILES / "prometheus.yml"))
    promtool("check", "rules", str(FILES / "rules.yml"))
    asked = [{"record": f"question:{number}", "expr": expr} for number, expr in enumerate(queries())]
    (tmp_path / "asked.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": asked}]}))
    promtool("check", "rules", str(tmp_path / "asked.yml"))


def test_each_alert_bears_a_section_of_the_guide() -> None:
    rules = yaml.safe_load((FILES / "rules.yml").read_text())["groups"][0]["rules"]
    sections = re.findall(r"^## (\S+)$", (CHECKOUT / "docs" / "how-to" / "alarms.md").read_text(), re.MULTILINE)
    assert {rule["labels"]["guide"] for rule in rules} <= set(sections)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallShop]:
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.setenv("MLOPS_HOME", str(home))
        made = deploy_two(home)
        yield made
        stop(made.level)


@contextmanager
def prometheus(folder: Path, url: str, service: Process) -> Iterator[None]:
    """A Prometheus with the files as shipped, but for the address, and for how often and how long it looks."""
    shipped = (FILES / "prometheus.yml").read_text().replace("127.0.0.1:8004", f"127.0.0.1:{service.port}")
    (folder / "prometheus.yml").write_text(shipped.replace("interval: 15s", "interval: 1s"))
    (folder / "rules.yml").write_text(re.sub(r"for: \d+m", "for: 1s", (FILES / "rules.yml").read_text()))
    words = [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={url.removeprefix('http://')}"]
    running = subprocess.Popen(
        ["prometheus", f"--config.file={folder / 'prometheus.yml'}", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert wait_until(lambda: is_answering(f"{url}/-/ready"), 30.0)
        yield
    finally:
        running.terminate()
        running.wait(10)


@pytest.mark.thorough
@needs_prometheus
def test_a_real_prometheus_sees_a_service_fall_ill_and_all_metrics_that_the_files_name(
    shop: SmallShop, tmp_path: Path
) -> None:
    service = start(shop.level, "tests.level4_monitoring.failing_service", 0)
    url = f"http://127.0.0.1:{free_port(0)}"

    def firing() -> set[str]:
        alerts = get_json(f"{url}/api/v1/alerts")["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def scrapes() -> int:
        found = get_json(f"{url}/api/v1/query?query=count_over_time(up%5B5m%5D)")["data"]["result"]
        return int(found[0]["value"][1]) if found else 0

    with prometheus(tmp_path, url, service):
        assert wait_until(lambda: scrapes() >= 2, 30.0)
        ask(service, 200)
        before = scrapes()
        assert wait_until(lambda: scrapes() >= before + 2, 30.0)
        assert firing() == set()
        shop.deploy("1.1", 39)

        def is_seen() -> bool:
            ask(service, 100)  # of which 5 end with an error
            return "RecommenderErrors" in firing()

        assert wait_until(is_seen, 60.0)
        known = set(get_json(f"{url}/api/v1/label/__name__/values")["data"])
        stop(shop.level)
        assert wait_until(lambda: "RecommenderDown" in firing(), 30.0)
    rules = (FILES / "rules.yml").read_text()
    named = {name for text in (rules, *queries()) for name in METRIC.findall(text)} - {"mlops_"}
    assert {name for name in named if not name.endswith("_")} <= known
    page = PAGE.read_text()
    for name in (one for one in known if one.startswith("mlops_") and not one.endswith(("_created", "_sum", "_count"))):
        assert f"`{name.removesuffix('_bucket')}" in page
