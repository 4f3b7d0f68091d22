"""The models by their kind: what a configuration may name, and what a bundle says that it holds."""

from shared.model import Frecency, Popular
from shared.ranker import Ranker

MODELS: dict[str, type[Popular]] = {model.kind: model for model in (Popular, Frecency, Ranker)}
