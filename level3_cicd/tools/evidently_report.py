"""The Evidently page. Imported only when one is made: Evidently takes seconds to import."""

from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from evidently import Report
from evidently.core.metric_types import SingleValueCalculation, SingleValueMetric
from evidently.legacy.renderers.html_widgets import CounterData, counter
from evidently.presets import DataDriftPreset, DataSummaryPreset

from shared.text import one_line

SHARE_LIMIT = 0.5
LABELS = {
    "ndcg_at_10": ("NDCG@10", "{:.3f}"),
    "precision_at_10": ("precision@10", "{:.3f}"),
    "recall_at_10": ("recall@10", "{:.3f}"),
    "hit_at_10": ("hit rate@10", "{:.1%}"),
    "coverage_at_10": ("coverage@10", "{:.1%}"),
    "customers": ("customers", "{:,.0f}"),
}
FEATURES = ["department", "basket_size", "amount", "quantity", "hour"]


class Scores(SingleValueMetric):
    """How good the lists were. They were scored before; Evidently shows them, and keeps NDCG@10 as the value."""

    scores: dict[str, float]
    title: str


class ScoresCalculation(SingleValueCalculation[Scores]):
    """Evidently finds it by the type of its metric."""

    def calculate(self, context: Any, current_data: Any, reference_data: Any) -> Any:
        """NDCG@10, with all scores in one row of counters."""
        scores = self.metric.scores
        result = self.result(scores["ndcg_at_10"])
        counters = [
            CounterData(label, form.format(scores[name])) for name, (label, form) in LABELS.items() if name in scores
        ]
        result.widget = [counter(title=self.display_name(), counters=counters)]
        return result

    def display_name(self) -> str:
        """What stands above the counters."""
        return self.metric.title


def report(
    current: pd.DataFrame,
    reference: pd.DataFrame,
    limit: float,
    html: Path | None = None,
    scores: dict[str, float] | None = None,
    title: str = "",
) -> dict[str, float]:
    """The population stability index of each column; also a page, if `html` says where, on which `limit` is drift.

    With `scores`, the page begins with them, below `title`, and ends with a summary of the data's quality.
    """
    drift = DataDriftPreset(columns=FEATURES, method="psi", threshold=limit, drift_share=SHARE_LIMIT)
    shown = [Scores(scores=scores, title=escape(title))] if scores else []
    snapshot = Report(
        [*shown, drift, *([DataSummaryPreset(columns=FEATURES)] if scores else [])], include_tests=True
    ).run(harmless(current), harmless(reference))
    if html:
        html.parent.mkdir(parents=True, exist_ok=True)
        snapshot.save_html(str(html))
    return read_drift(snapshot.dict())


def harmless(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose texts stay text in a page: Evidently writes them into a script as they are.

    >>> harmless(pd.DataFrame({"department": ["</script>"], "hour": [9.0]}))["department"].tolist()
    ['&lt;/script&gt;']
    """
    texts = rows.select_dtypes(["object", "str", "category"]).columns
    return rows.assign(**{name: rows[name].map(lambda text: escape(one_line(str(text)))) for name in texts})


def read_drift(found: dict[str, Any]) -> dict[str, float]:
    """Column by column, the drift in an Evidently report."""
    drift = {}
    for metric in found["metrics"]:
        config = metric.get("config", {})
        if config.get("type", "").endswith("ValueDrift"):
            drift[config["column"]] = float(metric["value"])
    return drift
