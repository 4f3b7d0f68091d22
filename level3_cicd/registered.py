"""A release as the registry knows it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Registered:
    """A registered release. `source` is the URI of the MLflow model that holds its bundle; `row` the hash of the
    ledger's row of its verdict, once that is written.
    """

    release: str
    version: str
    verdict: str
    bundle_digest: str
    source: str
    row: str = ""
