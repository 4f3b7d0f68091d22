"""Lists that are known already are sent at once: finding the route and checking what it is given cost several times
what such an answer does. All else goes on to the app, which alone refuses.

A list is known only if the route made it for this very customer and length, so it needs no second check.
"""

from starlette.datastructures import State
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.service.access import is_let_in
from shared.service.answers import PreparedAnswer
from shared.service.contract import USUAL_K
from shared.service.follower import Live
from shared.service.recommendations import JSON, PATH, POLICY, keep

K = b"k="
MOST_DIGITS = 3


class KnownAnswers:
    """Answers a GET for a list that is kept, of whoever needs no token."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app, self._state = app, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what is known; pass on all else."""
        live: Live | None = self._state.source.live if is_asked_for_list(scope) else None
        k = k_of(scope["query_string"]) if live else None
        customer = scope["path"][len(PATH) + 1 :] if live else ""
        answer = live.answers.known(customer, k) if live and k else None
        if live is None or k is None or answer is None or not is_let_in(scope, POLICY):
            await self._app(scope, receive, send)
            return
        keep(self._state, scope, live, k, {customer: answer.products})
        await send_json(send, answer)


def is_asked_for_list(scope: Scope) -> bool:
    """Whether this is a GET for one customer's list."""
    return scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith(PATH + "/")


def k_of(query: bytes) -> int | None:
    """The length of list that a query asks for; None where it is not for this module to read.

    >>> k_of(b""), k_of(b"k=5"), k_of(b"k=five"), k_of(b"k=5&k=6"), k_of(b"k=-1"), k_of(b"other=1")
    (10, 5, None, None, None, None)
    """
    if not query:
        return USUAL_K
    digits = query[len(K) :]
    return int(digits) if query.startswith(K) and digits.isdigit() and len(digits) <= MOST_DIGITS else None


async def send_json(send: Send, answer: PreparedAnswer) -> None:
    """Send an answer as the route would."""
    length = str(len(answer.body)).encode()
    headers = [(b"content-length", length), (b"content-type", JSON.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
