"""The recommender as MLflow users expect one: `mlflow.pyfunc.load_model("models:/recommender@champion")`.

MLflow saves this file beside the bundle ("model from code") and runs it when the model is loaded; that is
the only import which does something. Our own service never loads it.
"""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel

from shared.columns import CUSTOMER
from shared.release.bundle import open_bundle


class Recommender(PythonModel):
    """Asks the verified bundle. Input: a column `customer_id`; parameter `k`, the length of the lists."""

    def load_context(self, context: Any) -> None:
        """Open the bundle. MLflow passes the context by this name."""
        self.bundle = open_bundle(Path(context.artifacts["bundle"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """A table of lists for the customers in `model_input`."""
        k = int((params or {}).get("k", 10))
        return self.bundle.model.recommend(model_input[CUSTOMER].astype(str), k)


mlflow.models.set_model(Recommender())
