"""What a search over strengths of penalties tried, found and chose."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_mtl.tasks._nested import find_owner
from sklearn_mtl.utils._validation import listing

# fitted attributes (tried, chosen) in the order of the axes of mse_path_; l1_ratio is a parameter
STRENGTHS = (
    ("l1_ratio", "l1_ratio_"),
    ("gammas_", "gamma_"),
    ("alphas_shared_", "alpha_shared_"),
    ("alphas_specific_", "alpha_specific_"),
    ("alphas_", "alpha_"),
)
MSE = "Mean squared error on held-out rows"


@dataclass(frozen=True, eq=False)
class SearchedStrengths:
    """Results of a search over one or two strengths.

    Attributes
    ----------
    names : list of one or two str
    strengths : list of ndarray
        Of shapes (n_1,) and (n_2,); the second of shape (n_1, n_2) where it differs with the
        first.
    results : ndarray of shape (n_1, n_splits) or (n_1, n_2, n_splits)
    chosen : list of float
    measure : str
        What `results` are.
    """

    names: list[str]
    strengths: list[np.ndarray]
    results: np.ndarray
    chosen: list[float]
    measure: str = MSE


def read_search(estimator: Any, needed_for: str) -> SearchedStrengths:
    """Return what an estimator that chooses its strengths, or a grid search, shows of it."""
    check_is_fitted(estimator)
    search = find_owner(estimator, "cv_results_")
    if search is not None:
        return _read_grid(search, needed_for)
    model = find_owner(estimator, "mse_path_")
    if model is None:
        raise TypeError(
            f"{needed_for} shows errors of the strengths that a search tried, but "
            f"{type(estimator).__name__} chose none; fit an estimator that does, such as "
            "LowRankRegressorCV, or a GridSearchCV over one or two strengths."
        )
    results = np.asarray(model.mse_path_)
    found = [
        (chosen.rstrip("_"), np.asarray(getattr(model, tried), dtype=np.float64), chosen)
        for tried, chosen in STRENGTHS
        if hasattr(model, tried) and hasattr(model, chosen)
    ]
    varied = [part for part in found if part[1].ndim > 0][-(results.ndim - 1) :]
    return SearchedStrengths(
        [name for name, _, _ in varied],
        [values for _, values, _ in varied],
        results,
        [float(getattr(model, chosen)) for _, _, chosen in varied],
    )


def _read_grid(search: Any, needed_for: str) -> SearchedStrengths:
    results = search.cv_results_
    columns = {
        key.removeprefix("param_"): values
        for key, values in results.items()
        if key.startswith("param_") and len(set(map(repr, values))) > 1
    }
    names = list(columns)
    if len(names) not in (1, 2):
        raise ValueError(
            f"{needed_for} shows one or two strengths, but the search varied {len(names)} "
            f"parameters: {listing(names)}; search over fewer."
        )
    try:
        columns = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{needed_for} shows strengths, which are numbers, but the search tried others for "
            f"{listing(names)}."
        ) from error
    axes = [np.unique(values, return_inverse=True) for values in columns.values()]
    n_splits = search.n_splits_
    scores = np.full((*(len(values) for values, _ in axes), n_splits), np.nan)
    splits = [_scores_of(search, results, k) for k in range(n_splits)]
    scores[tuple(places for _, places in axes)] = np.column_stack(splits)
    best = results["params"][search.best_index_]
    return SearchedStrengths(
        names,
        [values for values, _ in axes],
        scores,
        [float(best[name]) for name in names],
        "Score on held-out rows",
    )


def _scores_of(search: Any, results: Any, split: int) -> np.ndarray:
    # with several scorers, the one that chose
    name = search.refit if isinstance(search.refit, str) else "score"
    return np.asarray(results[f"split{split}_test_{name}"], dtype=np.float64)


def standard_errors(results: np.ndarray) -> np.ndarray:
    """Return the standard error of the mean over splits, 0 of one split."""
    n_splits = results.shape[-1]
    if n_splits < 2:
        return np.zeros(results.shape[:-1])
    return results.std(axis=-1, ddof=1) / np.sqrt(n_splits)


def check_shapes(
    strengths: Sequence[np.ndarray], results: np.ndarray, chosen: Sequence[float]
) -> None:
    """Raise a ValueError unless there is a result for each strength and split."""
    counts = tuple(values.shape[-1] for values in strengths)
    if len(strengths) not in (1, 2) or results.shape[:-1] != counts or len(chosen) != len(counts):
        raise ValueError(
            f"results must have an axis for each of one or two strengths and one for splits; found "
            f"shape {results.shape} for {len(strengths)} strengths of {listing(counts)} values, of "
            f"which {len(chosen)} chosen."
        )
