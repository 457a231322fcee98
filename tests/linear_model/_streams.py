"""Rows in every container, whole and in chunks."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from linear_model._estimators import ESTIMATORS

from sklearn_mtl import MultiTaskTarget

STREAMING = {name: kind for name, kind in ESTIMATORS.items() if hasattr(kind, "partial_fit")}

N, P, T = 60, 4, 3
NAMES = ["north", "south", "east"]


@dataclass
class Stream:
    """What one `fit` is given, what each `partial_fit` is given, and parameters."""

    whole: tuple
    chunks: list
    options: dict[str, Any] = field(default_factory=dict)


def make_rows(*, offset=0.0, missing=False):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, P)) @ (np.eye(P) + 0.3 * rng.normal(size=(P, P))) + offset
    Y = X @ rng.normal(size=(P, T)) + rng.normal(size=(N, T)) + offset
    if missing:
        Y[rng.random((N, T)) < 0.3] = np.nan
        Y[:6] = np.where(np.isnan(Y[:6]), 1.0 + offset, Y[:6])  # every task has a label at first
        Y[25:41, 1] = np.nan  # and one is missing throughout some chunks
    return X, Y


# cuts[i] .. cuts[i + 1]: chunks of one row, of less than the features, and larger ones
CUTS = [0, 6, 7, 10, 25, 41, N]


def _cut(take):
    return [take(slice(start, end)) for start, end in pairwise(CUTS)]


def _of_labels(wrap, *, missing=False, **options):
    X, Y = make_rows(missing=missing)
    return Stream((X, wrap(Y)), _cut(lambda part: (X[part], wrap(Y[part]))), options)


def matrix():
    return _of_labels(lambda Y: Y)


def vector():
    return _of_labels(lambda Y: Y[:, 0])


def missing_labels():
    return _of_labels(lambda Y: Y, missing=True)


def by_count():
    return _of_labels(lambda Y: Y, missing=True, task_weight="n_samples")


def task_weights():
    return _of_labels(lambda Y: Y, task_weight=[0.5, 2.0, 1.0])


def no_intercept():
    return _of_labels(lambda Y: Y, missing=True, fit_intercept=False)


def frame():
    return _of_labels(lambda Y: pd.DataFrame(Y, columns=NAMES), missing=True)


def frame_of_objects():
    """A task without labels in a chunk is a column of None there."""

    def wrap(Y):
        return pd.DataFrame(Y, columns=NAMES).astype(object).where(~np.isnan(Y), None)

    return _of_labels(wrap, missing=True)


def dictionary():
    return _of_labels(lambda Y: dict(zip(NAMES, Y.T, strict=True)), missing=True)


def reordered_dictionary():
    """Later chunks name the tasks in another order."""
    stream = dictionary()
    stream.chunks = [
        (X, dict(sorted(y.items(), reverse=i % 2 == 1))) for i, (X, y) in enumerate(stream.chunks)
    ]
    stream.whole = (stream.whole[0], dict(sorted(stream.whole[1].items())))
    return stream


def target():
    return _of_labels(lambda Y: MultiTaskTarget(dict(zip(NAMES, Y.T, strict=True))), missing=True)


def named_features():
    X, Y = make_rows()
    X = pd.DataFrame(X, columns=list("abcd"))
    return Stream((X, Y), _cut(lambda part: (X.iloc[part], Y[part])))


def row_weights():
    X, Y = make_rows(missing=True)
    weight = np.random.default_rng(1).uniform(0.1, 3.0, N)
    return Stream((X, Y, weight), _cut(lambda part: (X[part], Y[part], weight[part])))


def label_weights():
    X, Y = make_rows(missing=True)
    rng = np.random.default_rng(1)
    weight = rng.uniform(0.1, 3.0, (N, T)) * (rng.random((N, T)) > 0.1)
    weight[:3] = 1.0
    return Stream((X, Y, weight), _cut(lambda part: (X[part], Y[part], weight[part])))


def offset():
    X, Y = make_rows(offset=1e6)
    return Stream((X, Y), _cut(lambda part: (X[part], Y[part])))


def own_rows():
    """A task without new rows comes with none."""
    X, Y = make_rows()
    ends = {"north": [0, 2, 5, 30, 60], "south": [0, 9, 9, 9, 40], "east": [0, 3, 20, 20, 20]}
    rows = {name: X[: end[-1]] for name, end in ends.items()}
    labels = {name: Y[: end[-1], t].copy() for t, (name, end) in enumerate(ends.items())}
    labels["south"][4:7] = np.nan
    chunks = [
        tuple(
            {name: values[name][end[i] : end[i + 1]] for name, end in ends.items()}
            for values in (rows, labels)
        )
        for i in range(4)
    ]
    return Stream((rows, labels), chunks)


def long_form():
    """Later chunks have rows of some of the tasks."""
    X, Y = make_rows()
    rng = np.random.default_rng(2)
    place = rng.choice(NAMES[:2], size=N)
    place[:6] = NAMES * 2
    place[50:] = "east"
    X = pd.DataFrame(X, columns=list("abcd")).assign(place=place)
    y = Y[np.arange(N), [NAMES.index(name) for name in place]]
    return Stream((X, y), _cut(lambda part: (X.iloc[part], y[part])), {"task_feature": "place"})


STREAMS = {
    stream.__name__: stream
    for stream in (
        matrix,
        vector,
        missing_labels,
        by_count,
        task_weights,
        no_intercept,
        frame,
        frame_of_objects,
        dictionary,
        reordered_dictionary,
        target,
        named_features,
        row_weights,
        label_weights,
        offset,
        own_rows,
        long_form,
    )
}
