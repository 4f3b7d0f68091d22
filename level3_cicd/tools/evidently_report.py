"""The Evidently page. Imported only when one is made: Evidently takes seconds to import.

The columns were judged before, by `drift`; Evidently shows them, in the same bins and with the same limits.
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.core.metric_types import SingleValueCalculation, SingleValueMetric
from evidently.legacy.renderers.html_widgets import CounterData, counter, table_data
from evidently.metrics import ValueDrift
from evidently.presets import DataSummaryPreset

from level3_cicd.drift import COLUMNS, ColumnDrift, Window, labelled
from shared.text import one_line

IN_BINS = " in bins"
LABELS = {
    "ndcg_at_10": ("NDCG@10", "{:.3f}"),
    "precision_at_10": ("precision@10", "{:.3f}"),
    "recall_at_10": ("recall@10", "{:.3f}"),
    "hit_at_10": ("hit rate@10", "{:.1%}"),
    "coverage_at_10": ("coverage@10", "{:.1%}"),
    "customers": ("customers", "{:,.0f}"),
}
NUMBERS = ["basket_size", "amount", "amount_per_product", "hour"]
TEXTS = ["department", "store"]


class Told(SingleValueMetric):
    """Texts below a title, by label. They were found before; Evidently shows them, and keeps one number.

    names: of the columns of a table; without them the texts stand side by side, in large letters.
    """

    title: str
    texts: dict[str, str]
    number: float
    names: list[str] = []  # noqa: RUF012  a field of a model, which copies it


class ToldCalculation(SingleValueCalculation[Told]):
    """Evidently finds it by the type of its metric."""

    def calculate(self, context: Any, current_data: Any, reference_data: Any) -> Any:
        """The number, with all texts in a table or in one row of counters."""
        result, texts = self.result(self.metric.number), self.metric.texts
        if self.metric.names:
            result.widget = [table_data(title=self.metric.title, column_names=self.metric.names, data=texts.items())]
        else:
            counters = [CounterData(label, text) for label, text in texts.items()]
            result.widget = [counter(title=self.metric.title, counters=counters)]
        return result

    def display_name(self) -> str:
        """What stands above the counters."""
        return self.metric.title


def report(
    seen: Window, found: Sequence[ColumnDrift], html: Path, scores: dict[str, float] | None = None, title: str = ""
) -> dict[str, float]:
    """Write the page; returns the population stability index of each judged column as Evidently computed it.

    With `scores`, the page begins with them, below `title`, and ends with a summary of the data's quality.
    """
    both = [
        with_bins(raw, bins) for raw, bins in zip((seen.current, seen.reference), labelled(seen, found), strict=True)
    ]
    definition = DataDefinition(
        numerical_columns=NUMBERS, categorical_columns=[name for name in both[0] if name not in NUMBERS]
    )
    datasets = [Dataset.from_pandas(harmless(rows), data_definition=definition) for rows in both]
    shown = metrics_of(found, scores, escape(title))
    if scores is not None and all(map(len, both)):  # of an empty table Evidently has no summary
        shown.append(DataSummaryPreset(columns=list(COLUMNS)))
    snapshot = Report(shown, include_tests=True).run(*datasets)
    html.parent.mkdir(parents=True, exist_ok=True)
    snapshot.save_html(str(html))
    return read_drift(snapshot.dict())


def metrics_of(found: Sequence[ColumnDrift], scores: dict[str, float] | None, title: str) -> list[Any]:
    """What stands on the page: scores, verdicts, the judged columns side by side."""
    verdicts = {escape(column.column): escape(column.in_words) for column in found}
    moved = sum(column.verdict == "drift" for column in found)
    told = Told(title="Drift by column", texts=verdicts, number=float(moved), names=["column", "verdict"])
    shown: list[Any] = [told]
    # Evidently's preset for drift draws each column twice, of which it shows one.
    shown += [
        ValueDrift(column=column.column + IN_BINS, method="psi", threshold=column.limit)
        for column in found
        if column.value is not None
    ]
    if scores is None:
        return shown
    texts = {label: form.format(scores[name]) for name, (label, form) in LABELS.items() if name in scores}
    score = Told(title=title, texts=texts, number=scores.get("ndcg_at_10", 0.0))
    return [score, *shown]


def with_bins(baskets: pd.DataFrame, bins: pd.DataFrame) -> pd.DataFrame:
    """Baskets with the bins of their judged columns."""
    return pd.concat([baskets.reset_index(drop=True), bins.add_suffix(IN_BINS)], axis=1)


def harmless(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose texts stay text in a page: Evidently writes them into a script as they are.

    >>> harmless(pd.DataFrame({"department": ["</script>"], "hour": [9.0]}))["department"].tolist()
    ['&lt;/script&gt;']
    """
    texts = rows.select_dtypes(["object", "str", "category"]).astype(str)
    return rows.assign(**{name: texts[name].map(escaped(texts[name])) for name in texts})


def escaped(texts: pd.Series) -> dict[str, str]:
    """Each different text, and how it is written into a page."""
    return {text: escape(one_line(text)) for text in texts.unique()}


def read_drift(found: dict[str, Any]) -> dict[str, float]:
    """Column by column, the drift in an Evidently report."""
    drift = {}
    for metric in found["metrics"]:
        config = metric.get("config", {})
        if config.get("type", "").endswith("ValueDrift"):
            drift[config["column"].removesuffix(IN_BINS)] = float(metric["value"])
    return drift
