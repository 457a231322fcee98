"""scikit-learn's callbacks: one step a task, passed on to the estimators inside."""

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.callback import ProgressBar
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import IndependentTasks


class Recorder:
    """Notes which steps began and ended."""

    max_propagation_depth = 0

    def __init__(self, depth=0):
        self.max_propagation_depth = depth
        self.events = []

    def setup(self, estimator, context):
        self.events.append(("setup", context.task_name))

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        rows = None if y is None or isinstance(y, dict) else len(y)
        weighted = metadata is not None
        self.events.append(("begin", context.estimator_name, context.task_name, rows, weighted))

    def on_fit_task_end(self, estimator, context):
        self.events.append(("end", context.estimator_name, context.task_name))

    def teardown(self, estimator, context):
        self.events.append(("teardown", context.task_name))


def make_data():
    X = np.arange(12.0).reshape(-1, 1) / 12
    good = np.array(["no", "yes"] * 6, dtype=object)
    good[0] = None
    return X, {"good": good, "late": np.repeat([0, 1], 6)}


def test_each_task_is_one_step_of_the_fit():
    X, y = make_data()
    recorder = Recorder()
    IndependentTasks(LogisticRegression()).set_callbacks(recorder).fit(X, y)
    assert recorder.events == [
        ("setup", "fit"),
        ("begin", "IndependentTasks", "fit", None, False),
        ("begin", "IndependentTasks", "fit-good", 11, False),
        ("end", "IndependentTasks", "fit-good"),
        ("begin", "IndependentTasks", "fit-late", 12, False),
        ("end", "IndependentTasks", "fit-late"),
        ("end", "IndependentTasks", "fit"),
        ("teardown", "fit"),
    ]


def test_a_callback_is_told_of_weights():
    X, y = make_data()
    recorder = Recorder()
    IndependentTasks(LogisticRegression()).set_callbacks(recorder).fit(X, y, np.ones(12))
    assert all(event[-1] for event in recorder.events if event[0] == "begin")


def test_a_callback_reaches_the_estimators_inside():
    X, y = make_data()
    recorder = Recorder(depth=1)
    IndependentTasks(LogisticRegression()).set_callbacks(recorder).fit(X, y)
    inside = [event for event in recorder.events if event[1] == "LogisticRegression"]
    assert ("begin", "LogisticRegression", "fit", 11, False) in inside
    assert ("begin", "LogisticRegression", "fit", 12, False) in inside


def test_a_callback_is_torn_down_after_a_fit_that_fails():
    X, _ = make_data()
    recorder = Recorder()
    model = IndependentTasks(Ridge()).set_callbacks(recorder)
    with pytest.raises(ValueError, match="Task 'task0'"):
        model.fit(np.full_like(X, np.nan), np.arange(12.0))
    assert recorder.events[-1] == ("teardown", "fit")


def test_estimators_without_callbacks_are_named_in_scikit_learns_warning():
    X, _ = make_data()
    model = IndependentTasks(Ridge()).set_callbacks(ProgressBar())
    with pytest.warns(UserWarning, match="Ridge does not support callbacks"):
        model.fit(X, np.column_stack([X, X]))


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_progress_bar_counts_the_tasks(capsys, n_jobs, backend):
    X, y = make_data()
    model = IndependentTasks(
        {
            "good": make_pipeline(StandardScaler(), LogisticRegression()),
            "late": LogisticRegression(),
        },
        n_jobs=n_jobs,
    )
    with parallel_config(backend=backend):
        model.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, y)
    shown = capsys.readouterr().out
    assert "IndependentTasks - fit" in shown
    assert "fit-good" in shown
    assert "fit-late" in shown
    assert "Pipeline" in shown
    assert "100%" in shown


def test_a_search_around_it_passes_its_progress_bar_through(capsys):
    X, y = make_data()
    Y = np.column_stack([y["late"], 1 - y["late"]])
    model = IndependentTasks(LogisticRegression())
    cv = KFold(3, shuffle=True, random_state=0)
    search = GridSearchCV(model, {"estimator__C": [0.1, 1.0]}, cv=cv, n_jobs=2)
    search.set_callbacks(ProgressBar(max_propagation_depth=2)).fit(X, Y)
    assert "fit-task1" in capsys.readouterr().out
