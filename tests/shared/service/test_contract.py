"""The service keeps what its OpenAPI description promises, whatever it is asked."""

from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from shared.model.frecency import Frecency
from shared.release.bundle import Evidence, write_bundle
from shared.release.manifest import digest_of
from shared.release.pointer import Pointer, point_to
from shared.service.app import create_app
from shared.service.follower import Follower
from tests.conftest import make_products, make_transactions


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> schemathesis.BaseSchema:
    level: Path = tmp_path_factory.mktemp("level")
    write_bundle(level / "1.0", Frecency().fit(make_transactions()), make_products(), Evidence("data", "code"))
    point_to(level, Pointer("1.0", "1.0", digest_of(level / "1.0")))
    follower = Follower(level)
    follower.follow()
    return schemathesis.openapi.from_asgi("/openapi.json", create_app(3, follower))


ASKED = [("GET", "/recommendations/{customer}"), ("POST", "/recommendations")]
PLAIN = [("GET", "/version"), ("GET", "/readyz"), ("GET", "/healthz")]
GOOD, BAD = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE


# What takes no input cannot be asked wrongly.
@pytest.mark.thorough
@pytest.mark.parametrize(
    ("method", "path", "mode"), [*((*to, GOOD) for to in ASKED + PLAIN), *((*to, BAD) for to in ASKED)]
)
def test_whatever_is_asked_is_answered_as_described(
    schema: schemathesis.BaseSchema, method: str, path: str, mode: schemathesis.GenerationMode
) -> None:
    operation = schema[path][method]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate()

    ask()
