"""Rows and labels of every kind of task, and networks that are linear models."""

import numpy as np
from _plain import PLAIN

# no hidden layer, full batches: gradient descent on a convex objective
LINEAR = {
    **PLAIN,
    "hidden_layer_sizes": (),
    "dropout": 0.0,
    "batch_size": 10_000,
    "early_stopping": False,
    "weight_decay": 0.0,
    "dtype": "float64",
    "lr": 0.05,
    "max_epochs": 800,
    "random_state": 0,
}
SMALL = {**PLAIN, "hidden_layer_sizes": (6,), "max_epochs": 3, "random_state": 0}


def make_rows(n=80, p=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, X @ rng.normal(size=p) / 2, rng


def make_mixed(n=80, seed=0):
    X, eta, rng = make_rows(n, seed=seed)
    return X, {
        "price": 3.0 + eta + 0.1 * rng.normal(size=n),
        "count": rng.poisson(np.exp(1.0 + eta)).astype(float),
        "share": 1 / (1 + np.exp(-eta - 0.1 * rng.normal(size=n))),
        "good": np.where(eta + 0.3 * rng.normal(size=n) > 0, "yes", "no"),
        "grade": np.digitize(eta + 0.3 * rng.normal(size=n), [-0.3, 0.3]),
    }
