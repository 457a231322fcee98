"""Every linear estimator there is, by what it fits; listing one in `__all__` tests it."""

import numpy as np
import pytest
from sklearn.base import is_classifier, is_regressor

from sklearn_mtl import linear_model

ESTIMATORS = {name: getattr(linear_model, name) for name in linear_model.__all__}
REGRESSORS = {name: kind for name, kind in ESTIMATORS.items() if is_regressor(kind())}
CLASSIFIERS = {name: kind for name, kind in ESTIMATORS.items() if is_classifier(kind())}
MIXED = {
    name: kind
    for name, kind in ESTIMATORS.items()
    if name not in REGRESSORS and name not in CLASSIFIERS
}
PATHS = {name: kind for name, kind in ESTIMATORS.items() if name.endswith("CV")}
# those that learn a population of tasks: no penalty, hence no certificate and no choice of solver
POPULATION = {name: kind for name, kind in ESTIMATORS.items() if not hasattr(kind(), "solver")}
PENALISED = {name: kind for name, kind in ESTIMATORS.items() if name not in POPULATION}
# those with a penalty of their own strength
PLAIN = {name: kind for name, kind in PENALISED.items() if name not in PATHS}


def make_data(name, *, n=40, p=4, n_tasks=3, missing=0.0, seed=0):
    """Return X and labels by name, of the kinds that the estimator of that name fits.

    Regressors get numbers, classifiers two classes and, for every third task, three; the mixed
    estimator gets both. NaN or None where missing.
    """
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    scores = X @ rng.normal(size=(p, n_tasks)) + rng.normal(size=(n, n_tasks))
    y = {}
    for t, column in enumerate(scores.T):
        if name in REGRESSORS or (name in MIXED and t == 1):
            labels = column + 3.0 * t
        elif t % 3 == 2:
            labels = np.array(["high", "low", "mid"])[np.digitize(column, [-1.0, 1.0])]
        else:
            labels = np.array(["no", "yes"])[(column > 0).astype(int)]
        if missing:
            hidden = rng.random(n) < missing
            labels = labels.astype(float if labels.dtype.kind == "f" else object)
            labels[hidden] = np.nan if labels.dtype.kind == "f" else None
        y["abcdefgh"[t]] = labels
    return X, y


def assert_same_fit(model, other, *, rtol):
    """Compare weights, intercepts and what was reached by two fits."""
    scale = np.abs(model.coef_).max()
    np.testing.assert_allclose(other.coef_, model.coef_, rtol=rtol, atol=rtol * scale)
    np.testing.assert_allclose(other.intercept_, model.intercept_, rtol=rtol, atol=10 * rtol)
    assert reached(other) == pytest.approx(reached(model), rel=rtol)


def reached(model):
    """Return the objective, or the log evidence and hyper-prior, at the end of a fit."""
    return model.objective_ if hasattr(model, "objective_") else model.scores_[-1]


def small(name, **parameters):
    """Return the estimator of that name; a few strengths and folds where it searches them."""
    search = {}
    if name in PATHS:
        params = ESTIMATORS[name]().get_params()
        search = {key: 3 for key in params if key.startswith(("alphas", "gammas"))} | {"cv": 3}
    return ESTIMATORS[name](**{**search, **parameters})
