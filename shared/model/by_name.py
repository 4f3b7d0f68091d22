"""The models by their kind: what a configuration may name, and what a bundle says that it holds."""

from shared.model.frecency import Frecency
from shared.model.popular import Popular
from shared.model.ranker import Ranker

MODELS: dict[str, type[Popular]] = {model.kind: model for model in (Popular, Frecency, Ranker)}
