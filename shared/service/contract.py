"""The requests and answers of the service, the same at every level."""

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.identifiers import IDENTIFIER, LONGEST_ID

MOST_CUSTOMERS = 1000
MOST_K = 100
USUAL_K = 10
# Customers times k of one question: what takes long is asked for in parts.
MOST_ENTRIES = 10_000
Customer = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ID, pattern=IDENTIFIER)]


class Recommendation(BaseModel):
    """One product in a list."""

    rank: int
    product: str
    name: str
    reason: str


class Answer(BaseModel):
    """A customer's list, and the release that made it."""

    customer: str
    release: str
    recommendations: list[Recommendation]


class Question(BaseModel):
    """The customers whose lists are wanted."""

    model_config = ConfigDict(extra="forbid")

    customers: list[Customer] = Field(min_length=1, max_length=MOST_CUSTOMERS)
    k: int = Field(default=USUAL_K, ge=1, le=MOST_K, description=f"Customers times k: at most {MOST_ENTRIES}.")

    @model_validator(mode="after")
    def _within_budget(self) -> Self:
        entries = len(self.customers) * self.k
        if entries > MOST_ENTRIES:
            raise ValueError(f"{len(self.customers)} customers times k are {entries} entries; at most {MOST_ENTRIES}")
        return self


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str


class Health(BaseModel):
    """The process is alive, and what it is doing beside answering.

    loading: the release that is being loaded, if any; step: the step of that; worked: CPU seconds of its thread.
    error: what keeps a newer release from being live.
    """

    status: str = "alive"
    pid: int
    loading: str = ""
    step: str = ""
    worked: float = 0.0
    error: str = ""


class Version(BaseModel):
    """What is live."""

    level: int
    release: str
    bundle_digest: str
    histories_digest: str
    trained_through: date
    histories_through: date
    sequence: int
    degraded: bool
    error: str
