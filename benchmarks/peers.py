"""Other people's recommenders, for `quality.py` only: sparse matrices in, scores of every product out."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

from shared.model.histories import Histories

# Scores of rows of customers: a dense block (b, p). Asked for in blocks, since all of them would be 674 MB.
Scorer = Callable[[np.ndarray], np.ndarray]
BLOCK = 256
NEIGHBOURS = 300


def matrix_of(histories: Histories, values: np.ndarray) -> sparse.csr_matrix:
    """Customers by products (n, p), with one value per pair."""
    shape = (len(histories.customers), len(histories.products))
    return sparse.csr_matrix((values.astype(np.float64), histories.product, histories.starts), shape)


def svd(histories: Histories, components: int = 256) -> Scorer:
    """Truncated SVD of log(1 + times)."""
    bought = matrix_of(histories, np.log1p(histories.times))
    model = TruncatedSVD(min(components, min(bought.shape) - 1), random_state=0)
    left = model.fit_transform(bought)
    return lambda rows: left[rows] @ model.components_


def ease(histories: Histories, products: int = 5000, penalty: float = 5.0) -> Scorer:
    """EASE (Steck, 2019) on the products that most customers bought; the rest score nothing."""
    bought = matrix_of(histories, np.log1p(histories.weight))
    kept = np.sort(np.argsort(-bought.getnnz(axis=0), kind="stable")[:products])
    few = bought[:, kept].tocsr()
    inverse = np.linalg.inv((few.T @ few).toarray() + penalty * np.eye(len(kept)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)

    def score(rows: np.ndarray) -> np.ndarray:
        scores = np.full((len(rows), bought.shape[1]), -np.inf)
        scores[:, kept] = few[rows] @ weights
        return scores

    return score


def tifu_knn(histories: Histories, own_share: float = 0.7) -> Scorer:
    """TIFU-KNN (Hu et al., 2020), simplified: decayed frequencies, mixed with those of the nearest customers."""
    frequency = matrix_of(histories, histories.weight)
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


def item_knn(histories: Histories, kind: str) -> Scorer:
    """`implicit`'s item neighbours: kind is BM25Recommender or CosineRecommender. Raises ImportError without it."""
    from implicit import nearest_neighbours

    bought = matrix_of(histories, histories.times)
    model = getattr(nearest_neighbours, kind)(K=20, num_threads=2)
    model.fit(bought, show_progress=False)
    return lambda rows: (bought[rows] @ model.similarity.tocsr()).toarray()


def als(histories: Histories, factors: int = 64) -> Scorer:
    """`implicit`'s alternating least squares. Raises ImportError without it."""
    from implicit.als import AlternatingLeastSquares

    bought = matrix_of(histories, histories.times)
    model = AlternatingLeastSquares(factors=factors, iterations=15, num_threads=2, random_state=0)
    model.fit(bought, show_progress=False)
    return lambda rows: model.user_factors[rows] @ model.item_factors.T


PEERS: dict[str, Callable[[Histories], Scorer]] = {
    "implicit BM25": lambda histories: item_knn(histories, "BM25Recommender"),
    "implicit cosine": lambda histories: item_knn(histories, "CosineRecommender"),
    "implicit ALS 64": als,
    "TruncatedSVD 256": svd,
    "EASE, top 5,000": ease,
    "TIFU-KNN": tifu_knn,
}


def best(score: Scorer, rows: np.ndarray, k: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Blocks of (rows, the k best products of each (b, k), best first)."""
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        scores = np.asarray(score(block))
        some = np.argpartition(-scores, k, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(scores, some, axis=1), axis=1, kind="stable")
        yield block, np.take_along_axis(some, order, axis=1)
