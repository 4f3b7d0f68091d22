"""Asks a service that runs on this machine. Commands, the smoke test and the stories use it.

A user's proxy and other settings must not stand between the product and itself, so the environment is not read.
"""

from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from shared.errors import DependencyDown, Refused

if TYPE_CHECKING:
    from ssl import SSLContext

SECONDS_TO_ANSWER = 10.0
WRONG_QUESTIONS = (400, 413, 414, 422)
# Who asks by this client is no customer: a command, a smoke test, a story. The header is recommendations.ASKED_BY.
BY_AN_OPERATOR = {"X-Asked-By": "operator"}


@cache
def certificates() -> "SSLContext":
    """What each client needs, whether it speaks TLS or not. Reading it takes 20 ms, so it is read once."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def get_json(url: str, seconds: float = SECONDS_TO_ANSWER) -> Any:
    """The parsed JSON answer to a GET. Raises DependencyDown if there is none within `seconds`, or a refusal."""
    import httpx

    try:
        with httpx.Client(verify=certificates(), trust_env=False, timeout=seconds, headers=BY_AN_OPERATOR) as client:
            answer = client.get(url)
        if answer.is_success:
            return answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise DependencyDown(f"{url} does not answer: {error}") from error
    if answer.status_code in WRONG_QUESTIONS:
        raise Refused(
            f"The service refuses this: {reason_of(answer)}", fix="Ask for a customer as the shop names them."
        )
    raise DependencyDown(f"{url} answers {answer.status_code}: {reason_of(answer)}")


def reason_of(refusal: Any) -> str:
    """The reason that a service gives for a refusal, an `httpx.Response`."""
    try:
        return str(refusal.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return str(refusal.reason_phrase)


def is_answering(url: str, seconds: float = 2) -> bool:
    """True if an address answers a GET with success, whatever it says."""
    import httpx

    try:
        with httpx.Client(verify=certificates(), trust_env=False, timeout=seconds) as client:
            return bool(client.get(url).is_success)
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        return False


def recommendations_of(url: str, customer: str, k: int = 5) -> dict[str, Any]:
    """One customer's list of k products from the service at `url`."""
    path = quote(customer, safe="").replace(".", "%2E")  # `..` alone would be the folder above
    answer: dict[str, Any] = get_json(f"{url}/recommendations/{path}?k={k}")
    return answer
