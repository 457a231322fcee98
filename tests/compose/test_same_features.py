"""Tasks with X of their own need the same features where one estimator reads several of them."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from _labels import make_own
from compose._compositions import COMPOSITIONS, REGRESSOR
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sklearn_mtl import StackedTasks, TaskLayoutError

SHARING = ["PooledTasks", "StackedTasks", "TaskChain"]


def framed(own, columns="abc", library=pd.DataFrame):
    return library({name: own[:, j] for j, name in enumerate(columns)})


@pytest.mark.parametrize(
    ("north", "south", "message"),
    [
        (
            np.asarray,
            lambda own: own[:, :2],
            r"has 2 feature\(s\), X of .* has 3 feature\(s\)\. One",
        ),
        (
            np.asarray,
            framed,
            r"has the column\(s\) 'a', 'b', 'c' in a frame of pandas, X of .* has 3 feature\(s\)",
        ),
        (
            framed,
            lambda own: framed(own, library=pl.DataFrame),
            r"in a frame of polars, X of .* in a frame of pandas",
        ),
        (framed, lambda own: framed(own, "abd"), "'a', 'b', 'd' in .* has the .* 'a', 'b', 'c' in"),
        # scikit-learn compares names that are all strings alone
        (
            lambda own: framed(own, [0, 1, 2]),
            lambda own: framed(own, [0, 1, 5]),
            r"0, 1, 5 in .* 0, 1, 2 in",
        ),
    ],
)
@pytest.mark.parametrize("name", SHARING)
def test_features_that_differ_are_told_of_with_their_tasks(name, north, south, message):
    X, y = make_own("numbers")
    X = {task: north(own) for task, own in X.items()}
    model = COMPOSITIONS[name](REGRESSOR).fit(X, y)
    X["south"] = south(make_own("numbers")[0]["south"])
    for call in (model.predict, lambda X: model.fit(X, y)):
        with pytest.raises(TaskLayoutError, match=f"X of task 'south' .*{message}"):
            call(X)


@pytest.mark.parametrize("name", SHARING)
def test_tasks_that_have_other_features_than_in_fit_are_refused(name):
    X, y = make_own("numbers")
    model = COMPOSITIONS[name](REGRESSOR).fit(X, y)
    with pytest.raises(ValueError, match=r"X has 2 features, but .* is expecting [34] features"):
        model.predict({task: own[:, :2] for task, own in X.items()})
    with pytest.raises(TaskLayoutError, match="X lacks the task"):
        model.predict({})


@pytest.mark.parametrize("form", [list, np.array])
def test_texts_have_no_features_that_could_differ(form):
    X = {"a": form(["good wine", "bad wine"]), "b": form(["beer", "ale"])}
    y = {"a": [1.0, 2.0], "b": [3.0, 4.0]}
    estimator = make_pipeline(TfidfVectorizer(), Ridge())
    model = StackedTasks(estimator, Ridge(), passthrough=False, cv=None).fit(X, y)
    assert {task: values.shape for task, values in model.predict(X).items()} == {
        "a": (2,),
        "b": (2,),
    }
