"""A deployment fetches once, and asks whether the gate's comparison still holds. The registry is a fake."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from level3_cicd import deploy
from level3_cicd.deploy import rollback
from level3_cicd.ledger import Row, append, live_rows, read
from level3_cicd.pending_verdict import recorded_after
from level3_cicd.registered import Registered
from level3_cicd.rollout.store import pointer_to
from level3_cicd.rollout.switch import locked, switch
from level3_cicd.tools import registry
from shared.errors import CheckFailed, DependencyDown, Locked, MlopsError, UsageError
from shared.model.frecency import Frecency
from shared.release import manifest
from shared.release.bundle import Evidence, write_bundle
from shared.release.manifest import digest_of, verify
from shared.release.pointer import require_pointer

DAY = date(2017, 2, 9)


class Shop:
    """A level with releases in its store, a fake registry, and a staging service that always answers well.

    events: what happened, in order; verified: how often a bundle's files were read and hashed.
    """

    def __init__(self, level: Path) -> None:
        self.level = level
        self.events: list[str] = []
        self.verified = 0

    def fetch(self, level: Path, release: str) -> tuple[Path, SimpleNamespace]:
        folder = level / "bundles" / release
        self.events.append(f"fetch {release}")
        return folder, SimpleNamespace(verdict="passed", bundle_digest=verify(folder).digest)

    @contextmanager
    def staging(self, level: Path) -> Iterator[SimpleNamespace]:
        self.events.append("staging starts")
        yield SimpleNamespace(take=lambda pointer: self.events.append(f"stage {pointer.release}"))
        self.events.append("staging ends")

    def judge(self, release: str, **numbers: object) -> None:
        """The gate's verdict on a release."""
        digest = digest_of(self.level / "bundles" / release)
        append(self.level, Row(DAY, "gate", "passed", "", release, digest, numbers=numbers))


@pytest.fixture
def shop(tmp_path: Path, transactions: pd.DataFrame, products: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop(tmp_path / "level3")
    for number in range(3):
        folder = shop.level / "bundles" / f"1.{number}"
        write_bundle(folder, Frecency(half_life=80.0 + number).fit(transactions), products, Evidence("data", "code"))
    monkeypatch.setattr(registry, "fetch", shop.fetch)
    monkeypatch.setattr(registry, "align_aliases", lambda level: None)
    monkeypatch.setattr(deploy, "staging", shop.staging)
    monkeypatch.setattr(deploy, "smoke_test", lambda *_: "all well")
    real = manifest.verified_contents

    def counted(*given: object) -> dict[str, bytes]:
        shop.verified += 1
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(manifest, "verified_contents", counted)
    return shop


def make_live(shop: Shop, release: str) -> None:
    bundle = verify(shop.level / "bundles" / release)
    switch(shop.level, bundle, pointer_to(release, bundle), DAY, "deploy", "test", "made")


def test_a_deployment_fetches_and_verifies_once_while_staging_starts(shop: Shop) -> None:
    shop.verified = 0
    deploy.deploy(shop.level, "1.0", DAY)
    assert shop.events == ["staging starts", "fetch 1.0", "stage 1.0", "staging ends"]
    assert shop.verified == 1


def test_what_was_tried_out_is_fetched_and_starts_no_staging(shop: Shop) -> None:
    deploy.try_out(shop.level, "1.0", DAY)
    shop.events.clear()
    deploy.deploy(shop.level, "1.0", DAY)
    assert shop.events == ["fetch 1.0"]


def named(shop: Shop, release: str) -> dict[str, str]:
    return {"release": release, "bundle_digest": digest_of(shop.level / "bundles" / release)}


@pytest.mark.parametrize(
    "judged",
    [
        lambda shop: {"compared_with": named(shop, "1.0")},
        lambda shop: {"compared_with": None},
        lambda shop: {"rules": [{"name": "better than popular"}]},
        lambda shop: {"compared_with": named(shop, "1.1") | {"bundle_digest": "of another release of this number"}},
    ],
    ids=["with another release", "with none", "with none, by an older version", "with another of this number"],
)
def test_a_release_that_was_not_compared_with_what_is_live_must_be_judged_again(
    shop: Shop, judged: Callable[[Shop], dict]
) -> None:
    make_live(shop, "1.1")
    shop.judge("1.2", **judged(shop))
    with pytest.raises(CheckFailed, match=r"but 1\.1 is live now.\n  To fix: Run the pipeline again"):
        deploy.deploy(shop.level, "1.2", DAY)
    assert require_pointer(shop.level).release == "1.1"
    row = read(shop.level)[-1]
    assert (row.step, row.verdict, row.release) == ("deploy", "refused", "1.2")


@pytest.mark.parametrize(
    "judged",
    [
        lambda shop: {"compared_with": named(shop, "1.1")},
        lambda shop: {"rules": [{"name": "better than popular"}, {"name": "not worse than live"}]},
    ],
    ids=["compared with it", "an older version, which does not say with which"],
)
def test_a_release_that_was_compared_with_what_is_live_goes_live(shop: Shop, judged: Callable[[Shop], dict]) -> None:
    make_live(shop, "1.1")
    shop.judge("1.2", **judged(shop))
    assert deploy.deploy(shop.level, "1.2", DAY).release == "1.2"


def test_a_release_that_was_live_before_may_be_named_again(shop: Shop) -> None:
    shop.judge("1.0", compared_with=None)
    shop.judge("1.1", compared_with=named(shop, "1.0"))
    for release in ("1.0", "1.1", "1.0"):
        assert deploy.deploy(shop.level, release, DAY).release == release
    assert len(live_rows(shop.level)) == 3


def test_the_candidate_is_never_what_was_rolled_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def registered(level: Path) -> dict[str, Registered]:
        names = ("1.0", "1.1")
        digests = {release: digest_of(level / "bundles" / release) for release in names}
        return {release: Registered(release, "1", "passed", digests[release], "") for release in names}

    monkeypatch.setattr(registry, "registered", registered)
    assert registry.candidate(shop.level) == "1.1"
    for release in ("1.0", "1.1"):
        make_live(shop, release)
    deploy.rollback(shop.level, DAY)
    assert registry.candidate(shop.level) == "1.0"
    assert deploy.deploy(shop.level, "1.1", DAY).release == "1.1"
    assert registry.candidate(shop.level) == "1.1"


def test_where_all_that_passed_was_rolled_back_there_is_no_candidate(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = Registered("1.1", "1", "passed", digest_of(shop.level / "bundles" / "1.1"), "")
    monkeypatch.setattr(registry, "registered", lambda level: {"1.1": entry})
    append(shop.level, Row(DAY, "deploy", "failed", "", "1.1", entry.bundle_digest))
    with pytest.raises(UsageError, match=r"1\.1 passed the gate and was rolled back since.*\n.*--version 1\.1"):
        registry.candidate(shop.level)


def test_a_named_release_needs_no_registry_and_a_refused_one_is_not_fetched_further(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "candidate", lambda level: "1.1")
    assert (deploy.find_release(shop.level, "1.2"), deploy.find_release(shop.level, "candidate")) == ("1.2", "1.1")
    entry = SimpleNamespace(verdict="refused", bundle_digest="")
    monkeypatch.setattr(registry, "fetch", lambda level, release: (level / "bundles" / release, entry))
    with pytest.raises(UsageError, match=r"The gate refused release 1\.1"):
        deploy.fetch_passed(shop.level, "1.1")


def test_a_deployment_for_an_earlier_day_than_its_release_knows_is_refused(shop: Shop) -> None:
    with pytest.raises(UsageError, match=r"knows purchases through 2017-02-09; 2017-02-08 is earlier"):
        deploy.deploy(shop.level, "1.0", date(2017, 2, 8))


def test_a_first_release_has_nothing_to_go_back_to(shop: Shop) -> None:
    make_live(shop, "1.0")
    with pytest.raises(UsageError, match=r"no release before 1\.0"):
        deploy.rollback(shop.level, DAY)


@pytest.mark.parametrize(
    ("error", "verdict"), [(DependencyDown("no registry"), "unavailable"), (CheckFailed("no"), "refused")]
)
def test_why_a_release_does_not_go_live_is_written_down(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, error: MlopsError, verdict: str
) -> None:
    def fail(level: Path, release: str) -> None:
        raise error

    monkeypatch.setattr(registry, "fetch", fail)
    with pytest.raises(type(error)):
        deploy.deploy(shop.level, "1.0", DAY)
    assert [(row.step, row.verdict, row.reason) for row in read(shop.level)] == [("deploy", verdict, error.what)]


def test_a_verdict_that_a_killed_run_left_is_written_down_first(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = digest_of(shop.level / "bundles" / "1.0")
    entry = Registered("1.0", "1", "passed", digest, "")
    monkeypatch.setattr(registry, "registered", lambda level: {"1.0": entry})
    monkeypatch.setattr(registry, "tag_with_row", lambda level, row: None)
    with pytest.raises(KeyboardInterrupt), recorded_after(shop.level, Row(DAY, "gate", "passed", "", "1.0", digest)):
        raise KeyboardInterrupt
    deploy.deploy(shop.level, "1.0", DAY)
    assert [row.step for row in read(shop.level)] == ["gate", "stage", "deploy"]


def test_of_two_deployments_at_once_one_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(Locked, match="by process"), locked(tmp_path):
        pass


def test_without_a_release_there_is_nothing_to_go_back_to(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Nothing is deployed"):
        rollback(tmp_path, date(2017, 6, 4))
