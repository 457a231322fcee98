"""Labels in every container, and what tests of predictions from them share."""

import numpy as np
import pandas as pd
import polars as pl

from sklearn_mtl import MultiTaskTarget

N = 30


def make_numbers(missing=0.2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 3))
    Y = X @ rng.normal(size=(3, 2)) * [1.0, 50.0] + [0.0, 300.0]
    Y[rng.random(Y.shape) < missing] = np.nan
    return X, Y


def make_mixed():
    """Return X and labels of three kinds by name, None where missing."""
    X, Y = make_numbers(missing=0.0)
    rng = np.random.default_rng(1)
    good = np.where(Y[:, 1] > 300, "yes", "no").astype(object)
    stars = rng.integers(1, 4, N).astype(object)
    price = Y[:, 0].astype(object)
    for column in (good, stars, price):
        column[rng.random(N) < 0.2] = None
    return X, {"good": good, "price": price, "stars": stars}


def as_dict(named):
    """Return numpy columns: floats with NaN for numbers, objects with None for classes."""
    return {
        name: column.astype(float) if name == "price" else column for name, column in named.items()
    }


def as_pandas(named, **kwargs):
    dtypes = {"good": "category", "price": "Float64", "stars": "Int64"}
    columns = {name: pd.array(list(c), dtype=dtypes[name]) for name, c in named.items()}
    return pd.DataFrame(columns, **kwargs)


def as_polars(named):
    return pl.DataFrame({name: column.tolist() for name, column in named.items()})


def make_own(kind):
    rng = np.random.default_rng(3)
    X = {name: rng.normal(size=(n, 3)) for name, n in (("north", 25), ("south", 18), ("east", 12))}
    y = {name: rows.sum(axis=1) + 5 * i for i, (name, rows) in enumerate(X.items())}
    y["south"][:3] = np.nan
    if kind == "classes":
        bins = {"north": [0.0], "south": [4.0, 6.0], "east": [10.0]}
        texts = {
            "north": ["bad", "good"], "south": ["bad", "good", "great"], "east": ["good", "great"]
        }  # fmt: skip
        labels = {}
        for name, values in y.items():
            own = np.array(texts[name], dtype=object)[np.digitize(values, bins[name])]
            own[np.isnan(values)] = None
            labels[name] = own
        y = labels
    return X, y


CONTAINERS = {
    "matrix": lambda Y: Y,
    "objects": lambda Y: np.where(np.isnan(Y), None, Y),
    "pandas": lambda Y: pd.DataFrame(Y, columns=["a", "b"]),
    "pandas NA": lambda Y: pd.DataFrame(Y, columns=["a", "b"]).convert_dtypes(),
    "polars": lambda Y: pl.DataFrame(Y, schema=["a", "b"]).fill_nan(None),
    "dict": lambda Y: {"a": Y[:, 0], "b": Y[:, 1]},
    "dict of lists": lambda Y: {"a": Y[:, 0].tolist(), "b": Y[:, 1].tolist()},
    "target": lambda Y: MultiTaskTarget({"a": Y[:, 0], "b": Y[:, 1]}),
}


def to_matrix(predicted):
    if isinstance(predicted, (dict, MultiTaskTarget)):
        return np.column_stack([predicted["a"], predicted["b"]])
    return np.asarray(predicted, dtype=float)


def assert_is_distribution(probabilities):
    assert (probabilities >= 0).all()
    # float64 sums of at most four terms
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-14)
