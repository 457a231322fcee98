"""Small random problems in real containers, and the same data task by task for the references."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from convex._references_convex import Part
from scipy import sparse

from sklearn_mtl import MultiTaskTarget

BINARY, LEVELS = np.array(["no", "yes"]), np.array(["high", "low", "mid"])


@dataclass
class Scenario:
    """What `fit` is given, and the parts of each task by name."""

    X: Any
    y: Any
    parts: dict
    sample_weight: Any = None
    options: dict = field(default_factory=dict)

    def fit(self, model):
        return model.set_params(**self.options).fit(self.X, self.y, self.sample_weight)

    def in_order_of(self, model):
        return [self.parts[name] for name in model.task_names_]

    def task_weight(self, model):
        given = self.options.get("task_weight")
        if given is None:
            return np.ones(len(self.parts))
        if given == "n_samples":
            counts = np.array([len(part.y) for part in self.in_order_of(model)])
            return counts / counts.mean()
        return np.array([given.get(name, 1.0) for name in model.task_names_])

    @property
    def fit_intercept(self):
        return self.options.get("fit_intercept", True)


def _labels(rng, scores, family, t):
    """Turn scores into the labels of task t, and its classes."""
    if family == "regression" or (family == "mixed" and t % 2 == 0):
        return scores + 0.3 * rng.normal(size=len(scores)) + 2.0 * t, None
    noisy = scores / (scores.std() + 1e-9) + rng.normal(size=len(scores))
    order = np.argsort(np.argsort(noisy))  # ranks: every class is there
    if t % 3 == 2 or family == "mixed":
        return LEVELS[order * 3 // len(order)], LEVELS
    return BINARY[order * 2 // len(order)], BINARY


def _shared(rng, family, *, n=18, p=4, n_tasks=3, missing=0.0, X=None, weights=None, **options):
    """Tasks over the same rows, by name."""
    X = rng.normal(size=(n, p)) @ (np.eye(p) + 0.3 * rng.normal(size=(p, p))) if X is None else X
    n, p = X.shape
    centred = X - X.mean(axis=0)
    scores = centred @ (rng.normal(size=(p, 2)) @ rng.normal(size=(2, n_tasks)))
    columns, parts = {}, {}
    for t in range(n_tasks):
        labels, classes = _labels(rng, scores[:, t], family, t)
        seen = rng.random(n) >= missing
        weight = (
            np.ones(n) if weights is None else (weights if weights.ndim == 1 else weights[:, t])
        )
        used = seen & (weight > 0)
        column = labels.astype(float if classes is None else object)
        column[~seen] = np.nan if classes is None else None
        columns[f"t{t}"] = column
        parts[f"t{t}"] = Part(X[used], labels[used], weight[used], classes)
    return Scenario(X, columns, parts, weights, options)


def complete(rng, family):
    return _shared(rng, family)


def missing(rng, family):
    return _shared(rng, family, n=22, missing=0.3)


def matrix(rng, family):
    """An array of labels, whose tasks have numbers for names."""
    made = _shared(rng, family, missing=0.2)
    dtype = float if family == "regression" else object
    made.y = np.column_stack([column.astype(dtype) for column in made.y.values()])
    made.parts = {f"task{t}": part for t, part in enumerate(made.parts.values())}
    return made


def pandas_frame(rng, family):
    made = _shared(rng, family, missing=0.2)
    made.X = pd.DataFrame(made.X, columns=list("abcd"))
    made.y = pd.DataFrame(made.y)
    return made


def polars_frame(rng, family):
    made = _shared(rng, family, missing=0.2)
    made.y = pl.DataFrame(
        {
            name: [None if pd.isna(value) else value for value in column.tolist()]
            for name, column in made.y.items()
        }
    )
    return made


def target(rng, family):
    made = _shared(rng, family, missing=0.2)
    made.y = MultiTaskTarget(made.y)
    return made


def weighted_rows(rng, family):
    return _shared(rng, family, weights=rng.uniform(0.1, 3.0, size=18))


def weighted_labels(rng, family):
    weights = rng.uniform(0.1, 3.0, size=(18, 3)) * (rng.random((18, 3)) > 0.1)
    return _shared(rng, family, missing=0.15, weights=weights)


def task_weights(rng, family):
    return _shared(rng, family, task_weight={"t0": 0.2, "t2": 4.0})


def weights_by_count(rng, family):
    return _shared(rng, family, missing=0.4, n=25, task_weight="n_samples")


def wide(rng, family):
    return _shared(rng, family, n=12, p=16 if family == "regression" else 14)


def constant_columns(rng, family):
    X = rng.normal(size=(18, 4))
    X[:, 1], X[:, 3] = 5.0, 0.0
    return _shared(rng, family, X=X)


def repeated_columns(rng, family):
    X = rng.normal(size=(18, 4))
    X[:, 3] = X[:, 0]
    return _shared(rng, family, X=X)


def offset(rng, family):
    return _shared(rng, family, X=1e6 + rng.normal(size=(18, 3)))


def one_task(rng, family):
    return _shared(rng, family, n_tasks=1)


def one_feature(rng, family):
    return _shared(rng, family, p=1)


def no_intercept(rng, family):
    return _shared(rng, family, missing=0.2, fit_intercept=False)


def sparse_rows(rng, family):
    X = rng.normal(size=(20, 4)) * (rng.random((20, 4)) < 0.5)
    made = _shared(rng, family, X=X, missing=0.2)
    made.X = sparse.csr_array(X)
    return made


def own_rows(rng, family, *, weighted=False):
    X, y, parts, weights = {}, {}, {}, {}
    shared = rng.normal(size=3)
    for t, (name, n) in enumerate((("north", 9), ("south", 14), ("east", 7))):
        X[name] = rng.normal(size=(n, 3)) + t
        scores = (X[name] - t) @ (shared + 0.5 * rng.normal(size=3))
        labels, classes = _labels(rng, scores, family, t)
        weights[name] = rng.uniform(0.1, 3.0, size=n) if weighted else np.ones(n)
        parts[name] = Part(X[name], labels, weights[name], classes)
        y[name] = labels.astype(float if classes is None else object)
    known = parts["south"]
    y["south"][:2] = np.nan if known.classes is None else None
    parts["south"] = Part(known.X[2:], known.y[2:], known.weight[2:], known.classes)
    return Scenario(X, y, parts, weights if weighted else None)


def weighted_own_rows(rng, family):
    return own_rows(rng, family, weighted=True)


def long_form(rng, family):
    """The same rows in one frame with a column of names, in any order."""
    made = own_rows(rng, family)
    X = pd.concat(
        [pd.DataFrame(rows, columns=list("abc")).assign(place=n) for n, rows in made.X.items()]
    )
    y = np.concatenate([np.asarray(column, dtype=object) for column in made.y.values()])
    order = rng.permutation(len(y))
    y = y[order]
    if family == "regression":
        y = y.astype(float)
    return Scenario(X.iloc[order], y, made.parts, None, {"task_feature": "place"})


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        complete,
        missing,
        matrix,
        pandas_frame,
        polars_frame,
        target,
        weighted_rows,
        weighted_labels,
        task_weights,
        weights_by_count,
        wide,
        constant_columns,
        repeated_columns,
        offset,
        one_task,
        one_feature,
        no_intercept,
        sparse_rows,
        own_rows,
        weighted_own_rows,
        long_form,
    )
}
