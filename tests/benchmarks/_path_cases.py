"""Cross-validation over a path: the CV estimators against a grid search over the plain ones.

    python tests/benchmarks/_path_cases.py             # (20000, 100, 20), 10 strengths
    python tests/benchmarks/_path_cases.py --whole     # (100000, 200, 50), 50 strengths
    python tests/benchmarks/_path_cases.py --whole --every 5   # the search on every fifth, scaled

Both sides have the same splits, strengths, solver and tolerance, and one thread. The grid search
also fits all rows once with the best strength, as the CV estimator does.
"""

import argparse
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from sklearn_mtl import (
    GraphRegressor,
    GraphRegressorCV,
    JointFeatureRegressor,
    JointFeatureRegressorCV,
    LowRankRegressor,
    LowRankRegressorCV,
)

FOLDS = 5
NAMES = ("low rank", "joint features", "graph")


@dataclass(frozen=True)
class PathRow:
    """Seconds of both sides, the strengths the search was given, and how far scores differ."""

    name: str
    shape: tuple
    n_alphas: int
    n_searched: int
    seconds: float
    search_seconds: float
    difference: float

    @property
    def ratio(self):
        """How many times cheaper the path is; the search's fits are scaled to all strengths."""
        fits, searched = self.n_alphas * FOLDS + 1, self.n_searched * FOLDS + 1
        return self.search_seconds * fits / searched / self.seconds

    def __str__(self):
        scaled = "" if self.n_searched == self.n_alphas else f" (of {self.n_searched}, scaled)"
        return (
            f"{self.name:<16} {self.shape!s:<18} {self.n_alphas} alphas, {FOLDS} folds: path "
            f"{self.seconds:.2f} s, search {self.search_seconds:.1f} s{scaled}, "
            f"ratio {self.ratio:.1f}; scores differ by {self.difference:.0e}"
        )


def make_data(n, p, n_tasks, seed=0):
    """Return correlated features and labels of weights of rank 5, a third of it noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ (np.eye(p) + 0.5 * rng.normal(size=(p, p)) / np.sqrt(p))
    W = rng.normal(size=(n_tasks, 5)) @ rng.normal(size=(5, p)) / np.sqrt(p)
    return X, X @ W.T + 1.5 * rng.normal(size=(n, n_tasks))


def negative_error(model, X, y):
    """What the CV estimators minimise, negated."""
    return -np.square(model.predict(X) - y).mean()


def path_row(name, path, plain, X, y, every=1):
    """Return the times of a CV estimator and of a search over the plain one.

    Parameters
    ----------
    name : str
    path : CV estimator
    plain : estimator
        With parameter alpha.
    X, y : ndarray
    every : int
        The search gets every so many of the strengths.
    """
    begin = perf_counter()
    path.set_params(cv=FOLDS).fit(X, y)
    seconds = perf_counter() - begin
    alphas = path.alphas_[::every]
    search = GridSearchCV(plain, {"alpha": alphas}, scoring=negative_error, cv=FOLDS)
    begin = perf_counter()
    search.fit(X, y)
    search_seconds = perf_counter() - begin
    errors = path.mse_path_.reshape(len(path.alphas_), FOLDS)[::every].mean(axis=1)
    difference = np.abs(errors / -search.cv_results_["mean_test_score"] - 1).max()
    shape = (*X.shape, y.shape[1])
    return PathRow(name, shape, len(path.alphas_), len(alphas), seconds, search_seconds, difference)


def rows(
    shape=(20_000, 100, 20), n_alphas=10, every=1, names=("low rank", "joint features", "graph")
):
    """Yield a row for each model."""
    X, y = make_data(*shape)
    models = {
        "low rank": (LowRankRegressorCV(alphas=n_alphas), LowRankRegressor()),
        "joint features": (JointFeatureRegressorCV(alphas=n_alphas), JointFeatureRegressor()),
        "graph": (GraphRegressorCV(gammas=[0.1], alphas=n_alphas), GraphRegressor(gamma=0.1)),
    }
    with threadpool_limits(1):
        LowRankRegressorCV(alphas=2).fit(X[:200], y[:200])  # imports are no part of either side
        for name in names:
            yield path_row(name, *models[name], X, y, every)


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--whole", action="store_true", help="the size and path of the target")
    parser.add_argument("--every", type=int, default=1, help="strengths the search leaves out")
    parser.add_argument("--names", nargs="+", default=NAMES)
    arguments = parser.parse_args(words)
    size = {"shape": (100_000, 200, 50), "n_alphas": 50} if arguments.whole else {}
    for row in rows(**size, every=arguments.every, names=arguments.names):
        print(row, flush=True)


if __name__ == "__main__":
    main()
