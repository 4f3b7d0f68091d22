"""Routes that answer customers: the lists of the live release."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path as PathParameter
from fastapi import Query, Request, Response
from starlette.convertors import Convertor, register_url_convertor
from starlette.datastructures import Headers, State
from starlette.types import Scope

from shared.errors import MlopsError
from shared.service.access import Access, router
from shared.service.contract import LONGEST_ID, MOST_K, USUAL_K, Answer, Customer, Problem, Question
from shared.service.follower import Live
from shared.service.head import asks_for_head
from shared.service.health import NOT_READY, live_release

JSON = "application/json"
# A header with which our own commands say that no customer asks: what they are shown is no list to be judged by.
ASKED_BY = "X-Asked-By"
CUSTOMER_ASKS = "customer"


@dataclass(frozen=True)
class Asked:
    """A question: who asked (a customer, unless a header says otherwise), and for lists of which length."""

    by: str
    k: int


# The lists that were served: each customer's products, best first.
OnAnswer = Callable[[Live, Asked, dict[str, list[str]]], None]
log = logging.getLogger("serving")
REFUSED: dict[int | str, dict[str, Any]] = {
    **NOT_READY,
    400: {"model": Problem, "description": "The body cannot be read."},
    413: {"model": Problem, "description": "The body is too large."},
    422: {"model": Problem, "description": "The question is not of this form."},
}


class AnyText(Convertor[str]):
    """A part of a path that may hold anything, line breaks too, so that it is our contract which refuses them."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """Text stays text."""
        return value

    def to_string(self, value: str) -> str:
        """Text stays text."""
        return value


register_url_convertor("any_text", AnyText())
PATH = "/recommendations"
POLICY = Access.NEARBY
recommendations = router(POLICY)


@recommendations.get(PATH + "/{customer:any_text}", response_model=Answer, responses=REFUSED)
async def recommend(
    request: Request,
    customer: Annotated[Customer, PathParameter()],
    k: Annotated[int, Query(ge=1, le=MOST_K)] = USUAL_K,
) -> Response:
    """The k best products for one customer."""

    live = live_release(request)
    # What is known needs no thread.
    answer = live.answers.known(customer, k) or await request.app.state.for_one.run(
        lambda: live.answers.one(customer, k)
    )
    keep(request.app.state, request.scope, live, k, {customer: answer.products})
    return Response(answer.body, media_type=JSON)


@recommendations.post(PATH, response_model=list[Answer], responses=REFUSED)
async def recommend_many(request: Request, question: Question) -> Response:
    """The k best products for each of many customers, each answered once, in their order."""

    def work() -> bytes:
        live = live_release(request)
        answers = live.answers.many(question.customers, question.k)
        lists = {customer: answer.products for customer, answer in answers.items()}
        keep(request.app.state, request.scope, live, question.k, lists)
        return b"[" + b",".join(answer.body for answer in answers.values()) + b"]"

    return Response(await request.app.state.for_many.run(work), media_type=JSON)


def asked_by(scope: Scope) -> str:
    """Who asks: a customer, unless the header says otherwise."""
    return Headers(scope=scope).get(ASKED_BY, CUSTOMER_ASKS)


def keep(state: State, scope: Scope, live: Live, k: int, lists: dict[str, list[str]]) -> None:
    """Hand served lists to whoever keeps them: not what HEAD asks for, as nobody sees it.

    A full disk must not keep a customer from an answer.
    """
    on_answer: OnAnswer | None = state.on_answer
    try:
        if on_answer and not asks_for_head(scope):
            on_answer(live, Asked(asked_by(scope)[:LONGEST_ID], k), lists)
    except (OSError, MlopsError) as error:
        log.error("The answer is not kept: %s", error)
