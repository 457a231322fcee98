"""Data and helpers of the tests of what the tasks layer refuses."""

import numpy as np
import pandas as pd
import pytest

from sklearn_mtl import infer_layout
from sklearn_mtl.exceptions import TaskLayoutError

X = np.zeros((4, 2))
PRICE, GOOD = [1.5, 2.5, 3.5, 4.5], ["n", "y", "n", "y"]
Y = {"price": PRICE, "good": GOOD}
ROWS = {"a": np.zeros((2, 1)), "b": np.zeros((3, 1))}
OWN = {"a": [1.5, 2.5], "b": [1.5, 2.5, 3.5]}
LONG = pd.DataFrame({"school": ["u", "u", "v", "v"], "x": [1.0, 2.0, 3.0, 4.0]})


def fit(X, y, sample_weight=None, **options):
    layout = infer_layout(X, y, **options)
    layout.encode(X, y, sample_weight)
    return layout


def raises_with(error, fragments, call):
    with pytest.raises(error) as raised:
        call()
    for fragment in fragments:
        assert fragment in str(raised.value)


def case(name, arguments, fragments, error=TaskLayoutError, **options):
    return pytest.param(arguments, options, fragments, error, id=name)
