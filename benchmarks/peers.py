"""Other people's recommenders, for `quality.py` only: histories in, scores of every product out.

Each has one setting, tried on the weeks on which our own models were tuned. `implicit`, `cornac` and `lenskit` are
not among this project's requirements: install them in an environment of your own; those that are missing are left out.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

from shared.model.histories import Histories, weights

# Scores of rows of customers: a dense block (b, p). Asked for in blocks, since all of them would be 674 MB.
Scorer = Callable[[np.ndarray], np.ndarray]
BLOCK = 256
NEIGHBOURS = 300
HALF_LIFE = 84.0


class Peer(NamedTuple):
    """How a peer is made from histories and its setting; the values that were tried, and the one that was best."""

    make: Callable[[Histories, Any], Scorer]
    tried: tuple[Any, ...]
    setting: Any


def matrix_of(histories: Histories, values: np.ndarray) -> sparse.csr_matrix:
    """Customers by products (n, p), with one value per pair."""
    shape = (len(histories.customers), len(histories.products))
    return sparse.csr_matrix((values.astype(np.float64), histories.product, histories.starts), shape)


def decayed(histories: Histories) -> np.ndarray:
    """Each pair's purchases, halved every 84 days."""
    return weights(histories, np.arange(len(histories.product)), HALF_LIFE)


def svd(histories: Histories, components: int) -> Scorer:
    """Truncated SVD of log(1 + times)."""
    bought = matrix_of(histories, np.log1p(histories.times))
    model = TruncatedSVD(min(components, min(bought.shape) - 1), random_state=0)
    left = model.fit_transform(bought)
    return lambda rows: left[rows] @ model.components_


def ease(histories: Histories, penalty: float, products: int = 5000) -> Scorer:
    """EASE (Steck, 2019) on the products that most customers bought; the rest score nothing."""
    bought = matrix_of(histories, np.log1p(decayed(histories)))
    kept = np.sort(np.argsort(-bought.getnnz(axis=0), kind="stable")[:products])
    few = bought[:, kept].tocsr()
    inverse = np.linalg.inv((few.T @ few).toarray() + penalty * np.eye(len(kept)))
    parts = -inverse / np.diag(inverse)
    np.fill_diagonal(parts, 0.0)

    def score(rows: np.ndarray) -> np.ndarray:
        scores = np.full((len(rows), bought.shape[1]), -np.inf)
        scores[:, kept] = few[rows] @ parts
        return scores

    return score


def tifu_knn(histories: Histories, own_share: float) -> Scorer:
    """TIFU-KNN (Hu et al., 2020), simplified: decayed frequencies, mixed with those of the nearest customers."""
    frequency = matrix_of(histories, decayed(histories))
    length = np.sqrt(frequency.multiply(frequency).sum(axis=1)).A1
    direction = sparse.diags(1 / np.maximum(length, 1e-12)) @ frequency
    share = sparse.diags(1 / np.maximum(frequency.sum(axis=1).A1, 1e-12)) @ frequency

    def score(rows: np.ndarray) -> np.ndarray:
        near = (direction[rows] @ direction.T).toarray()
        near[np.arange(len(rows)), rows] = 0
        cut = -np.sort(-near, axis=1)[:, min(NEIGHBOURS, near.shape[1]) - 1, None]
        near[near < cut] = 0
        others = sparse.csr_matrix(near / np.maximum(near.sum(axis=1, keepdims=True), 1e-12)) @ share
        return (own_share * share[rows] + (1 - own_share) * others).toarray()

    return score


def implicit_bm25(histories: Histories, neighbours: int) -> Scorer:
    """`implicit`'s item neighbours by BM25. Raises ImportError without it."""
    from implicit.nearest_neighbours import BM25Recommender

    bought = matrix_of(histories, histories.times)
    model = BM25Recommender(K=neighbours, num_threads=1)
    model.fit(bought, show_progress=False)
    return lambda rows: (bought[rows] @ model.similarity.tocsr()).toarray()


def implicit_als(histories: Histories, factors: int) -> Scorer:
    """`implicit`'s alternating least squares. Raises ImportError without it."""
    from implicit.als import AlternatingLeastSquares

    bought = matrix_of(histories, histories.times)
    model = AlternatingLeastSquares(factors=factors, iterations=15, num_threads=1, random_state=0)
    model.fit(bought, show_progress=False)
    return lambda rows: model.user_factors[rows] @ model.item_factors.T


def cornac_gptop(histories: Histories, with_popularity: bool) -> Scorer:
    """`cornac`'s GPTop (Li et al., 2023): the customer's frequencies and everybody's. Raises ImportError without it."""
    from cornac.models import GPTop

    model, given = GPTop(use_global_popularity=with_popularity), cornac_baskets(histories)
    model.fit(given)
    return cornac_scorer(model, given, histories)


def cornac_baskets(histories: Histories) -> Any:
    """What each customer bought on a day as a basket, in the order of the days."""
    from cornac.data import BasketDataset

    customer, product, day = histories.purchases
    order = np.lexsort((day, customer))
    baskets = (customer << 16 | day)[order]
    rows = zip(customer[order].tolist(), baskets.tolist(), product[order].tolist(), strict=True)
    return BasketDataset.build([(user, f"{basket}", item) for user, basket, item in rows], fmt="UBI", seed=0)


def cornac_scorer(model: Any, given: Any, histories: Histories) -> Scorer:
    """Scores from one of cornac's models of next baskets."""
    column = np.array([given.iid_map[product] for product in range(len(histories.products))])
    _, product, day = histories.purchases

    def score(rows: np.ndarray) -> np.ndarray:
        scores = []
        for row in rows:
            mine = slice(histories.ends[histories.starts[row]], histories.ends[histories.starts[row + 1]])
            order = np.argsort(day[mine], kind="stable")
            ends = np.flatnonzero(np.diff(day[mine][order])) + 1
            baskets = [part.tolist() for part in np.split(column[product[mine][order]], ends)]
            scores.append(model.score(given.uid_map[row], baskets)[column])
        return np.array(scores)

    return score


def lenskit_item_knn(histories: Histories, neighbours: int) -> Scorer:
    """LensKit's item neighbours. Raises ImportError without it."""
    from lenskit.knn import ItemKNNScorer

    return lenskit_scorer(ItemKNNScorer(max_nbrs=neighbours, feedback="implicit"), histories)


def lenskit_als(histories: Histories, weight: float) -> Scorer:
    """LensKit's implicit matrix factorization; `weight` of a purchase. Raises ImportError without it."""
    from lenskit.als import ImplicitMFScorer

    return lenskit_scorer(ImplicitMFScorer(embedding_size=64, epochs=10, weight=weight, use_ratings=True), histories)


def lenskit_scorer(model: Any, histories: Histories) -> Scorer:
    """Scores of all products, bought before or not."""
    import pandas as pd
    from lenskit.data import ItemList, RecQuery, from_interactions_df

    size = len(histories.products)
    pairs = pd.DataFrame(
        {"user_id": histories.customer, "item_id": histories.product, "rating": histories.times.astype(float)}
    )
    model.train(from_interactions_df(pairs))
    everything = ItemList(item_ids=np.arange(size))

    def score(rows: np.ndarray) -> np.ndarray:
        found = []
        for row in rows:
            pairs = slice(histories.starts[row], histories.starts[row + 1])
            mine = ItemList(item_ids=histories.product[pairs], rating=histories.times[pairs].astype(float))
            scored = model(RecQuery(user_id=int(row), user_items=mine), everything)
            found.append(np.nan_to_num(scored.scores(), nan=-np.inf))
        return np.array(found)

    return score


PEERS: dict[str, Peer] = {
    "TIFU-KNN": Peer(tifu_knn, (0.5, 0.7, 0.9), 0.7),
    "EASE, top 5,000": Peer(ease, (5.0, 50.0, 500.0), 5.0),
    "TruncatedSVD": Peer(svd, (128, 256), 256),
    "implicit BM25": Peer(implicit_bm25, (5, 20, 100), 5),
    "implicit ALS": Peer(implicit_als, (64, 256), 64),
    "cornac GPTop": Peer(cornac_gptop, (True, False), True),
    "LensKit item kNN": Peer(lenskit_item_knn, (5, 20, 100), 100),
    "LensKit ALS": Peer(lenskit_als, (0.5, 2.0, 40.0), 0.5),
}


def best(score: Scorer, rows: np.ndarray, k: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Blocks of (rows, the k best products of each (b, k), best first)."""
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        scores = np.asarray(score(block))
        some = np.argpartition(-scores, k, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(scores, some, axis=1), axis=1, kind="stable")
        yield block, np.take_along_axis(some, order, axis=1)
