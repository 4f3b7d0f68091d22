"""Answers are made when they are asked for, lists and reasons in one pass."""

from typing import Any

import orjson
import pandas as pd
import pytest

from shared.model.frecency import Frecency
from shared.model.popular import Popular
from shared.model.ranker import Ranker
from shared.release.bundle import Bundle
from shared.release.manifest import MANIFEST
from shared.service.answers import Answers
from tests.conftest import make_transactions

MODELS = [Popular(), Frecency(), Ranker(leaf_size=5, trees=5)]


class Watched:
    """A model that notes what it is asked."""

    def __init__(self, model: Popular) -> None:
        self._model = model
        self.asked: list[int] = []
        self.explained = 0

    def recommend(self, customers: list[str], *words: Any, **named: Any) -> pd.DataFrame:
        self.asked.append(len(customers))
        return self._model.recommend(customers, *words, **named)

    def explain(self, customer: str, product: str) -> str:
        self.explained += 1
        return self._model.explain(customer, product)


def answers(model: Popular) -> tuple[Answers, Watched]:
    watched = Watched(model.fit(make_transactions()))
    return Answers("1.0", Bundle({}, MANIFEST, watched, {"p02": "Product two"})), watched  # type: ignore[arg-type]


def test_nothing_is_made_for_customers_who_do_not_ask() -> None:
    made, watched = answers(Frecency())
    assert watched.asked == []
    made.one("c00", 10)
    made.many(["c01", "c02", "c01"], 5)
    assert watched.asked == [1, 2]


def test_a_customers_answer_is_made_once_and_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.service.answers.MOST_KEPT", 2)
    made, watched = answers(Frecency())
    first = made.one("c00", 10)
    assert made.known("c00", 10) == made.one("c00", 10) == first
    assert watched.asked == [1]
    assert made.known("c00", 5) is None
    made.one("c00", 5)
    made.one("c01", 10)
    assert made.known("c00", 10) is None
    assert made.one("c00", 10) == first
    assert watched.asked == [1] * 4


def test_reasons_come_with_the_lists_and_are_those_of_explain() -> None:
    made, watched = answers(Frecency())
    answer = orjson.loads(made.one("c00", 20).body)
    assert watched.explained == 0
    for line in answer["recommendations"]:
        assert line["reason"] == watched.explain("c00", line["product"])
    assert next(line["name"] for line in answer["recommendations"] if line["product"] == "p02") == "Product two"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_every_reason_of_every_list_is_the_one_that_is_given_alone(model: Popular) -> None:
    model.fit(make_transactions().query("customer_id != 'c03' or product_id == 'p01'"))
    lists = model.recommend(["c00", "c03", "nobody"], k=15, reasons=True)
    assert lists["reason"].tolist() == [
        model.explain(customer, product)
        for customer, product in zip(lists["customer_id"], lists["product_id"], strict=True)
    ]
    assert lists.drop(columns="reason").equals(model.recommend(["c00", "c03", "nobody"], k=15))


def test_many_are_answered_in_their_order_each_once() -> None:
    made, _ = answers(Frecency())
    found = made.many(["c05", "nobody", "c01", "c05"], 3)
    assert list(found) == ["c05", "nobody", "c01"]
    assert all(answer.body == made.one(customer, 3).body for customer, answer in found.items())
