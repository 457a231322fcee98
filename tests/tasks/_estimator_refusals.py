"""Calls that no estimator takes, whatever it fits, and what its message must say."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from sklearn_mtl import TaskLayoutError

RNG = np.random.default_rng(0)
N = 24
X = RNG.normal(size=(N, 3))
PRICE = X[:, 0] + 1.5
Y = np.column_stack([PRICE, X[:, 1] - X[:, 2]])
NAMED = {"price": PRICE, "late": (X[:, 1] > 0).astype(int)}
NUMBERS = {"price": PRICE, "weight": Y[:, 1]}
WORDS = {"good": np.where(X[:, 0] > 0, "yes", "no"), "grade": np.arange(N) % 3}
OWN_X = {"north": X[:10], "south": X[10:]}
OWN_Y = {"north": PRICE[:10], "south": PRICE[10:]}
CITY = np.where(np.arange(N) % 2, "rome", "oslo")
LONG = pd.DataFrame(X, columns=["a", "b", "c"]).assign(city=CITY)


def with_value(array, value):
    """A copy of the array whose first entry is `value`."""
    array = np.array(array, dtype=float)
    array[(0,) * array.ndim] = value
    return array


def refused(call, error, fragments):
    """Call, and check the kind of error and that its message has all fragments."""
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    missing = [fragment for fragment in fragments if fragment not in message]
    assert not missing, f"{missing} not in: {message}"


def but_first(labels):
    return dict(list(labels.items())[1:])


def first_as(labels, column):
    return {**labels, next(iter(labels)): column}


def first_twice(labels):
    frame = pd.DataFrame(labels)
    return frame.set_axis([frame.columns[0]] * 2, axis=1)


# what is refused -> (call with an estimator factory and labels by name, error, fragments of its
# message); {first} is the name of the first task
EVERY_ESTIMATOR = {
    # y at fit
    "labels of another length": (
        lambda make, y: make().fit(X, first_as(y, next(iter(y.values()))[:-1])),
        TaskLayoutError,
        ["'{first}'", "23 labels", "24 rows", "NaN or None", "X as a dict too"],
    ),
    "a task nobody labelled": (
        lambda make, y: make().fit(X, {**y, "empty": np.full(N, np.nan)}),
        TaskLayoutError,
        ["'empty'", "no observed label among 24 rows", "drop it"],
    ),
    "two columns of one name": (
        lambda make, y: make().fit(X, first_twice(y)),
        TaskLayoutError,
        ["'{first}'", "rename"],
    ),
    "no y": (lambda make, y: make().fit(X, None), ValueError, ["y", "None"]),
    "no task": (lambda make, y: make().fit(X, {}), ValueError, ["task"]),
    "labels of three dimensions": (
        lambda make, y: make().fit(X, np.zeros((N, 2, 2))),
        ValueError,
        ["y", "(24, 2, 2)"],
    ),
    # X
    "NaN in X": (
        lambda make, y: make().fit(with_value(X, np.nan), y),
        ValueError,
        ["Input X contains NaN"],
    ),
    "infinity in X": (
        lambda make, y: make().fit(with_value(X, np.inf), y),
        ValueError,
        ["Input X contains infinity"],
    ),
    "complex X": (
        lambda make, y: make().fit(X * 1j, y),
        ValueError,
        ["Complex data not supported"],
    ),
    "words in X": (
        lambda make, y: make().fit(np.full((N, 2), "red"), y),
        ValueError,
        ["could not convert string to float", "'red'"],
    ),
    "X of one dimension": (
        lambda make, y: make().fit(X[:, 0], y),
        ValueError,
        ["Expected 2D array", "Reshape"],
    ),
    "X without a column": (
        lambda make, y: make().fit(X[:, :0], y),
        ValueError,
        ["0 feature(s)", "minimum of 1"],
    ),
    "another width at predict": (
        lambda make, y: make().fit(X, y).predict(X[:, :2]),
        ValueError,
        ["X has 2 features", "expecting 3 features"],
    ),
    "other column names at predict": (
        lambda make, y: (
            make()
            .fit(pd.DataFrame(X, columns=list("abc")), y)
            .predict(pd.DataFrame(X, columns=list("abd")))
        ),
        ValueError,
        ["feature names", "- d", "- c"],
    ),
    "NaN in X at predict": (
        lambda make, y: make().fit(X, y).predict(with_value(X, np.nan)),
        ValueError,
        ["Input X contains NaN"],
    ),
    "no row at predict": (
        lambda make, y: make().fit(X, y).predict(X[:0]),
        ValueError,
        ["0 sample(s)", "minimum of 1"],
    ),
    "an X for each task, but one y": (
        lambda make, y: make().fit(OWN_X, next(iter(y.values()))),
        TaskLayoutError,
        ["X is a dict", "y must be a dict of the same names", "ndarray"],
    ),
    "one X at fit, a dict at predict": (
        lambda make, y: make().fit(X, y).predict(dict.fromkeys(y, X)),
        TaskLayoutError,
        ["fit received one X", "an array or a frame", "dict"],
    ),
    # score
    "a name missing at score": (
        lambda make, y: make().fit(X, y).score(X, but_first(y)),
        TaskLayoutError,
        ["y lacks", "'{first}'", "found"],
    ),
    "a name unknown at score": (
        lambda make, y: make().fit(X, y).score(X, {**y, f"{next(iter(y))}s": PRICE}),
        TaskLayoutError,
        ["'{first}s'", "never saw", "did you mean '{first}'"],
    ),
    "named at fit, an array at score": (
        lambda make, y: make().fit(X, y).score(X, Y),
        TaskLayoutError,
        ["named tasks", "'{first}'", "DataFrame, a dict or a MultiTaskTarget"],
    ),
    "other rows at score": (
        lambda make, y: make().fit(X, y).score(X[:-1], y),
        TaskLayoutError,
        ["'{first}'", "24 labels", "23 rows"],
    ),
    "no y at score": (
        lambda make, y: make().fit(X, y).score(X, None),
        ValueError,
        ["score needs labels", "y is None"],
    ),
    "predict before fit": (
        lambda make, y: make().predict(X),
        NotFittedError,
        ["not fitted yet", "'fit'"],
    ),
    "score before fit": (
        lambda make, y: make().score(X, y),
        NotFittedError,
        ["not fitted yet", "'fit'"],
    ),
    # weights of labels
    "a negative sample_weight": (
        lambda make, y: make().fit(X, y, with_value(np.ones(N), -1.0)),
        ValueError,
        ["sample_weight", "not negative", "-1.0 in 1 place"],
    ),
    "NaN as a sample_weight": (
        lambda make, y: make().fit(X, y, with_value(np.ones(N), np.nan)),
        ValueError,
        ["sample_weight", "finite", "nan"],
    ),
    "a sample_weight for other rows": (
        lambda make, y: make().fit(X, y, np.ones(N - 1)),
        TaskLayoutError,
        ["sample_weight", "(24,) or (24, 2)", "(23,)"],
    ),
    "a sample_weight for three tasks": (
        lambda make, y: make().fit(X, y, np.ones((N, 3))),
        TaskLayoutError,
        ["sample_weight", "(24, 2)", "(24, 3)"],
    ),
    "words as sample_weight": (
        lambda make, y: make().fit(X, y, np.full(N, "much")),
        ValueError,
        ["sample_weight must hold numbers", "'much'"],
    ),
    "a sample_weight of an unknown task": (
        lambda make, y: make().fit(
            X, y, {**dict.fromkeys(y, np.ones(N)), f"{next(iter(y))}s": np.ones(N)}
        ),
        TaskLayoutError,
        ["sample_weight", "'{first}s'", "did you mean '{first}'"],
    ),
    "a sample_weight that lacks a task": (
        lambda make, y: make().fit(X, y, dict.fromkeys(but_first(y), np.ones(N))),
        TaskLayoutError,
        ["sample_weight lacks", "'{first}'"],
    ),
    "a sample_weight of zeros": (
        lambda make, y: make().fit(X, y, np.zeros(N)),
        TaskLayoutError,
        ["'{first}'", "no label to learn from", "zero sample_weight"],
    ),
    "a sample_weight of zeros for one task": (
        lambda make, y: make().fit(X, y, np.column_stack([np.zeros(N), np.ones(N)])),
        TaskLayoutError,
        ["'{first}'", "no label to learn from", "zero sample_weight", "drop"],
    ),
}
