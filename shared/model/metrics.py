"""How good lists are, judged by what the customers then bought.

Every metric is the mean over the customers who bought something; one without a list scores 0.
With nobody who bought, it is NaN.
"""

import numpy as np
import pandas as pd

from shared.columns import CUSTOMER, PRODUCT, RANK


def score_customers(lists: pd.DataFrame, purchases: pd.DataFrame, k: int = 10) -> pd.DataFrame:
    """Per customer with purchases: ndcg, precision, recall and hit at k, each from 0 to 1.

    NDCG has gain 1 for a bought product and discount log2(rank + 1); its ideal has
    min(k, number of products bought) hits (Jarvelin and Kekalainen, 2002).

    >>> lists = pd.DataFrame({"customer_id": ["a", "a"], "product_id": ["x", "y"], "rank": [1, 2]})
    >>> bought = pd.DataFrame({"customer_id": ["a", "b"], "product_id": ["x", "x"]})
    >>> score_customers(lists, bought, k=2)["ndcg"].to_dict()
    {'a': 1.0, 'b': 0.0}
    """
    relevant = purchases.groupby(CUSTOMER)[PRODUCT].nunique()
    hits = lists[lists[RANK] <= k].merge(purchases[[CUSTOMER, PRODUCT]].drop_duplicates())
    gain = (1 / np.log2(hits[RANK] + 1)).groupby(hits[CUSTOMER]).sum()
    found = hits.groupby(CUSTOMER).size()
    ideal = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(1, k + 1) + 1))])
    best = pd.Series(ideal[relevant.clip(upper=k)], index=relevant.index)
    scores = pd.DataFrame(
        {
            "ndcg": gain.reindex(relevant.index, fill_value=0.0) / best,
            "precision": found.reindex(relevant.index, fill_value=0) / k,
            "recall": found.reindex(relevant.index, fill_value=0) / relevant,
        }
    )
    return scores.assign(hit=(scores["recall"] > 0).astype(float))


def summarize(lists: pd.DataFrame, purchases: pd.DataFrame, catalogue_size: int, k: int = 10) -> dict[str, float]:
    """The means of `score_customers`, the share of the catalogue that was recommended, and the customers judged."""
    scores = score_customers(lists, purchases, k)
    means = {f"{name}_at_{k}": float(value) for name, value in scores.mean().items()}
    return {**means, f"coverage_at_{k}": coverage(lists, catalogue_size, k), "customers": float(len(scores))}


def coverage(lists: pd.DataFrame, catalogue_size: int, k: int = 10) -> float:
    """The share of the catalogue's products that stand on any list.

    >>> lists = pd.DataFrame({"customer_id": ["a", "b"], "product_id": ["x", "x"], "rank": [1, 1]})
    >>> coverage(lists, catalogue_size=4)
    0.25
    """
    return float(lists.loc[lists[RANK] <= k, PRODUCT].nunique() / max(catalogue_size, 1))
