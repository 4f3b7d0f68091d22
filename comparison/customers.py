"""Customers: everybody who shops on a day looks at their list first. That is simulated.

The season asks a level's service over HTTP; level 4's story asks an app in its own process.
"""

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
import pandas as pd
from fastapi import FastAPI

from shared.columns import CUSTOMER, PRODUCT, RANK
from shared.dataset.feed import Feed
from shared.dataset.purchases import purchases
from shared.model.metrics import score_customers
from shared.service.process import HOST

# So many identifiers of the greatest length fit into the largest body that a service reads.
AT_ONCE = 100
LENGTH = 10


class Service:
    """A level's service in this process: the same app, without a socket. `app` is None while it is down."""

    def __init__(self) -> None:
        self.app: FastAPI | None = None

    def ask(self, customers: list[str]) -> pd.DataFrame:
        """The lists that are served; empty while the service is down."""
        rows: list[tuple[str, str, int]] = []
        for part in parts(customers):
            rows += self._ask(part)
        return pd.DataFrame(rows, columns=[CUSTOMER, PRODUCT, RANK])

    def version(self) -> dict[str, Any]:
        """What the service says is live; empty while it is down."""
        answer = self._request("GET", "/version")
        return answer.json() if answer is not None and answer.is_success else {}

    def _ask(self, customers: list[str]) -> list[tuple[str, str, int]]:
        answer = self._request("POST", "/recommendations", json={"customers": customers, "k": 10})
        if answer is None or not answer.is_success:
            return []
        return [
            (entry["customer"], item["product"], item["rank"])
            for entry in answer.json()
            for item in entry["recommendations"]
        ]

    def _request(self, method: str, path: str, **body: Any) -> httpx.Response | None:
        if self.app is None:
            return None
        transport = httpx.ASGITransport(self.app)

        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="http://service", timeout=60) as client:
                return await client.request(method, path, **body)

        return asyncio.run(send())


class Address:
    """A level's service at the address that its customers know. No address: it was never started."""

    def __init__(self, port: int | None) -> None:
        self._client = httpx.Client(base_url=f"http://{HOST}:{port}", timeout=60, trust_env=False) if port else None

    def version(self) -> dict[str, Any]:
        """What the service says is live; empty while it is down."""
        return dict(self._asked("GET", "/version") or {})

    def lists(self, customers: list[str]) -> dict[str, list[str]]:
        """Each customer's products, best first; those whose question failed are missing."""
        found: dict[str, list[str]] = {}
        for part in parts(customers):
            answers = self._asked("POST", "/recommendations", json={"customers": part, "k": LENGTH}) or []
            for answer in answers:
                found[answer["customer"]] = [item["product"] for item in answer["recommendations"]]
        return found

    def is_alive(self) -> bool:
        """Whether the process answers, with something to serve or not."""
        return self._asked("GET", "/healthz") is not None

    def is_ready(self) -> bool:
        """Whether it answers customers."""
        return self._asked("GET", "/readyz") is not None

    def close(self) -> None:
        """Let go of the connection."""
        if self._client:
            self._client.close()

    def _asked(self, method: str, path: str, **body: Any) -> Any:
        try:
            answer = self._client.request(method, path, **body) if self._client else None
        except httpx.HTTPError:
            return None
        return answer.json() if answer is not None and answer.is_success else None


def parts(customers: list[str]) -> list[list[str]]:
    """Customers, so many as are asked for at once."""
    return [customers[start : start + AT_ONCE] for start in range(0, len(customers), AT_ONCE)]


@dataclass(frozen=True)
class ServedDay:
    """What a level's service did on a day. digest is that of the bundle that answered; empty if none did."""

    day: date
    digest: str
    version: dict[str, Any]
    ndcg: float
    shoppers: int


def shop(service: Service, feed: Feed, day: date) -> ServedDay:
    """Everybody who shops on a day asks for a list, then buys; a shopper without a list scores 0."""
    bought = purchases(feed.day(day))
    if service.app is not None:
        service.app.state.source.follow()
    version = service.version()
    lists = service.ask(bought[CUSTOMER].unique().tolist())
    scores = score_customers(lists, bought)["ndcg"]
    return ServedDay(day, version.get("bundle_digest", ""), version, float(scores.mean()), len(scores))
