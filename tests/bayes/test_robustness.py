"""Data that leave little to learn: finite answers, no warning, and what was kept from 0 is said."""

import numpy as np
import pytest
from bayes._task_data import own_rows, related
from bayes.test_evidence import learned, predictions

from sklearn_mtl.bayes import STRUCTURES


def plain(**how):
    return lambda: own_rows(*related(**how))


def with_features(change):
    X, y, task = related(n_tasks=4, n=10)
    return lambda: own_rows(change(X), y, task)


def with_labels(change, **how):
    X, y, task = related(**{"n_tasks": 4, "n": 10, **how})
    return lambda: own_rows(X, change(X, y, task), task)


CASES = {
    "one task": plain(n_tasks=1),
    "two tasks": plain(n_tasks=2),
    "three tasks, more features than rows": plain(n_tasks=3, n=8, p=20),
    "one task, more features than rows": plain(n_tasks=1, n=8, p=20),
    "one feature": plain(p=1),
    "one label a task": plain(n_tasks=8, n=1),
    "one label": plain(n_tasks=1, n=1),
    "a constant feature": with_features(lambda X: np.column_stack([X, np.full(len(X), 7.0)])),
    "constant features": with_features(np.ones_like),
    "each feature twice": with_features(lambda X: np.column_stack([X, X])),
    "constant labels": with_labels(lambda X, y, task: np.full(len(y), 3.0)),
    "labels of 0": with_labels(lambda X, y, task: 0.0 * y),
    "constant labels in each task": with_labels(lambda X, y, task: 2.0 * task),
    "constant labels in one task": with_labels(lambda X, y, task: np.where(task == 1, 2.0, y)),
    "no noise": with_labels(lambda X, y, task: X @ [1.0, 2.0, -1.0] + task),
    "no noise, more features than rows": with_labels(
        lambda X, y, task: X @ np.linspace(-1, 1, 12) + task, n=5, p=12
    ),
    "tiny labels": with_labels(lambda X, y, task: 1e-8 * y),
    "huge labels": with_labels(lambda X, y, task: 1e8 * y),
    "an outlier": with_labels(lambda X, y, task: y + 1e6 * (np.arange(len(y)) == 3)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("word", STRUCTURES)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shared_noise": True, "fit_intercept": False, "learn_mean": False},
        {"each_task": True, "pseudo_tasks": 0.0},
    ],
    ids=["as it comes", "all but weights known", "no hyper-prior"],
)
def test_whatever_the_data_the_fit_is_finite(case, word, options):
    labels = CASES[case]()
    fit = learned(labels, word, **{"tol": 1e-6, "max_iter": 30, **options})
    numbers = (fit.tasks.mean, fit.tasks.covariance, fit.noise, fit.prior.covariance)
    assert all(np.isfinite(array).all() for array in (*numbers, fit.scores))
    assert (np.diff(fit.scores) >= 0).all()
    assert (np.linalg.eigvalsh(fit.tasks.covariance) > 0).all()


def test_a_thousand_tasks_of_few_labels_are_learned_together():
    X, y, task = related(n_tasks=1000, n=4, p=4, noise=1.0)
    fit = learned(own_rows(X, y, task), shared_noise=True, tol=1e-4)
    assert fit.converged
    there = fit.coordinates
    assert 0.5 < fit.noise[0] * there.y_scale[0] ** 2 < 2.0  # of variance 1, four labels a task


def test_labels_without_noise_are_met():
    X, _, task = related(n_tasks=6, n=30)
    y = X @ [1.0, 2.0, -1.0] + task
    near = predictions(learned(own_rows(X, y, task)), X)[np.arange(len(y)), task]
    # the hyper-prior leaves noise of 0.2 / 181 of the labels' variance, which moves few weights
    assert np.abs(near - y).max() < 0.02 * y.std()


def test_weights_that_do_not_differ_are_said_not_to():
    X, _, task = related(n_tasks=60, n=20)
    rng = np.random.default_rng(0)
    y = X[:, 0] * rng.standard_normal(60)[task] + X[:, 1] + 0.01 * rng.standard_normal(len(task))
    assert learned(own_rows(X, y, task), pseudo_tasks=0.0, tol=1e-8).n_singular == 2
    assert learned(own_rows(X, y, task), tol=1e-8).n_singular == 0
