"""Measure defaults, and a small search, on small tables with several targets.

Run it as

    python tests/benchmarks/bench_small_tables.py FILE.npz ... [--search] [--seeds 3]

with files that hold X (n, p) and Y (n, T), such as Mulan's multi-target sets (Spyromitros-Xioufis
et al., "Multi-target regression via input space expansion", Machine Learning 104, 2016). NaN in X
is imputed inside each training fold. It prints aRRMSE over 10 folds, whose errors are pooled: 1 is
predicting the training mean, lower is better. Each seed draws other folds and other weights.
"""

import argparse
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import MultiTaskRegressor
from sklearn_mtl.neural_network import PeriodicEmbedding

warnings.simplefilter("ignore")  # RidgeCV on ill-conditioned folds

PLAIN = {"input_scaling": ["standard"], "input_dropout": [0.0], "activation": ["silu"]}
# four candidates: the default, a wider one, and two that bend less, without and with embedding
CANDIDATES = [
    {},
    {"hidden_layer_sizes": [(256, 256)]},
    {**PLAIN, "numeric_embedding": [None]},
    {**PLAIN, "numeric_embedding": [PeriodicEmbedding(frequency_scale=0.03)], "dropout": [0.1]},
]
SEARCH = [
    {f"multitaskregressor__{name}": values for name, values in candidate.items()}
    for candidate in CANDIDATES
]


def models(seed, search):
    """Return the models to compare, by name."""
    network = make_pipeline(
        SimpleImputer(keep_empty_features=True), MultiTaskRegressor(random_state=seed)
    )
    forest = RandomForestRegressor(random_state=seed)
    ridge = MultiOutputRegressor(RidgeCV(np.logspace(-2, 4, 13)))
    result = {
        "MultiTaskRegressor()": network,
        "random forest": make_pipeline(SimpleImputer(keep_empty_features=True), forest),
        "ridge": make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), ridge),
    }
    if search:
        inner = KFold(3, shuffle=True, random_state=seed)
        result = {"searched": GridSearchCV(network, SEARCH, cv=inner, scoring=minus_error)}
    return result


def minus_error(model, X, y):
    """Return minus the aRRMSE on these rows, against their own mean."""
    return -np.mean(np.sqrt(((y - model.predict(X)) ** 2).sum(0) / ((y - y.mean(0)) ** 2).sum(0)))


def relative_error(model, X, y, seed):
    """Return the aRRMSE over 10 folds, errors pooled, and the seconds of a fit."""
    residual, base, seconds = np.zeros(y.shape[1]), np.zeros(y.shape[1]), []
    for train, test in KFold(10, shuffle=True, random_state=seed).split(X):
        started = perf_counter()
        model.fit(X[train], y[train])
        seconds.append(perf_counter() - started)
        residual += ((y[test] - model.predict(X[test])) ** 2).sum(axis=0)
        base += ((y[test] - y[train].mean(axis=0)) ** 2).sum(axis=0)
    return np.mean(np.sqrt(residual / base)), np.median(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--search", action="store_true", help="only the search: it takes long")
    options = parser.parse_args()
    for path in options.files:
        with np.load(path) as arrays:
            X, y = arrays["X"].astype(float), arrays["Y"].astype(float)
        print(f"{Path(path).stem}: {X.shape[0]} rows, {X.shape[1]} features, {y.shape[1]} targets")
        for name in models(0, options.search):
            runs = [
                relative_error(models(seed, options.search)[name], X, y, seed)
                for seed in range(options.seeds)
            ]
            errors, seconds = np.array(runs).T
            each = " ".join(f"{error:.3f}" for error in errors)
            print(f"  {name:<22} {errors.mean():.3f}  ({each})  {np.median(seconds):.2f} s a fit",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
