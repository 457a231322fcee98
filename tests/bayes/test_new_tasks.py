"""Tasks that come after the fit: as if they had been there, except that nothing else changes."""

import numpy as np
import pytest
from bayes._task_data import own_rows, related
from bayes.test_evidence import learned
from numpy.testing import assert_allclose
from scipy.optimize import minimize_scalar

from sklearn_mtl.bayes import fit_new_tasks, infer
from sklearn_mtl.bayes._standardization import Standardization
from sklearn_mtl.convex import GramStats
from sklearn_mtl.tasks import TaskData


def parts(n_old=5):
    """Return labels of the first tasks, and of the others."""
    X, y, task = related(n_tasks=7)
    old = task < n_old
    return own_rows(X[old], y[old], task[old]), own_rows(X[~old], y[~old], task[~old] - n_old)


@pytest.mark.parametrize("new", [5, 6])
def test_the_posterior_is_that_given_all_labels_under_the_same_hyper_parameters(new):
    old, later = parts()
    fit = learned(old, shared_noise=True)
    found = fit_new_tasks(fit, later.stats, shared_noise=True, each_task=False)
    X, y, task = related(n_tasks=7)
    present = (task < 5) | (task == new)
    six = own_rows(X[present], y[present], np.minimum(task[present], 5))
    noise, there = np.full(6, fit.noise[0]), fit.coordinates
    mean, scale = np.full(6, there.y_mean[0]), np.full(6, there.y_scale[0])
    units = Standardization(there.x_mean, there.x_scale, mean, scale, True)
    joint = infer(units.moments(six.stats).likelihood(noise), fit.prior)
    # exact but for rounding: labels of old tasks tell of a new one through the mean alone
    mine, theirs = found.covariances.dense()[found.kind[new - 5]], joint.covariance[joint.kind[5]]
    assert_allclose(found.mean[new - 5], joint.mean[5], rtol=1e-8, atol=1e-10)
    assert_allclose(mine, theirs, rtol=1e-8, atol=1e-10)
    assert_allclose(found.noise, noise[:2])


@pytest.mark.parametrize("shared_noise", [True, False])
def test_a_task_without_labels_is_one_never_seen(shared_noise):
    old, _ = parts()
    fit = learned(old, shared_noise=shared_noise)
    nothing = TaskData(None, 1, 1, None, None, np.zeros((1, 1)), np.zeros((1, 1), bool), None)
    stats = GramStats.from_data(np.ones((1, 3)), nothing)
    found = fit_new_tasks(fit, stats, shared_noise=shared_noise, each_task=False)
    assert_allclose(found.mean[0], fit.population_mean)
    spread = fit.prior.covariance + fit.population_covariance
    assert_allclose(found.covariances.dense()[0], spread, rtol=1e-8, atol=1e-12)
    assert_allclose(found.noise, fit.typical_noise)


def test_noise_of_a_new_task_is_its_most_likely():
    old, new = parts()
    fit = learned(old)
    found = fit_new_tasks(fit, new.stats, shared_noise=False, each_task=False)
    there = fit.coordinates
    for t in range(2):
        mine = new.task == t
        z = there.rows(new.X[mine])
        y = (new.y[mine] - there.y_mean[0]) / there.y_scale[0]
        away = y - z @ fit.population_mean
        spread = z @ (fit.prior.covariance + fit.population_covariance) @ z.T

        def loss(log_noise, away=away, spread=spread):
            noise = np.exp(log_noise)
            whole = spread + noise * np.eye(len(away))
            evidence = np.linalg.slogdet(whole)[1] + away @ np.linalg.solve(whole, away)
            return evidence + fit.pseudo_labels * (log_noise + fit.typical_noise / noise)

        best = minimize_scalar(loss, bounds=(-12, 3), options={"xatol": 1e-10}, method="bounded")
        # the search ends at gains of 1e-10 a label: noise has half of these digits
        assert_allclose(found.noise[t], np.exp(best.x), rtol=1e-4)


def test_new_tasks_come_one_by_one_or_together():
    old, new = parts()
    fit = learned(old)
    both = fit_new_tasks(fit, new.stats, shared_noise=False, each_task=False)
    for t in range(2):
        mine = new.task == t
        stats = own_rows(new.X[mine], new.y[mine], new.task[mine] * 0).stats
        one = fit_new_tasks(fit, stats, shared_noise=False, each_task=False)
        assert_allclose(one.mean[0], both.mean[t], rtol=1e-4)  # as the noise above
        assert_allclose(one.noise[0], both.noise[t], rtol=1e-4)


def test_a_new_task_has_units_of_its_own_where_each_task_has():
    old, new = parts()
    fit = learned(old, each_task=True)
    plain = fit_new_tasks(fit, new.stats, shared_noise=False, each_task=True)
    larger = own_rows(new.X, 1000.0 * new.y - 7.0, new.task)
    other = fit_new_tasks(fit, larger.stats, shared_noise=False, each_task=True)
    assert_allclose(other.mean, plain.mean, rtol=1e-6)
    assert_allclose(other.y_scale, 1000.0 * plain.y_scale)


def with_units(labels, factor):
    """Return labels of tasks in units that differ, about `factor`."""
    units = factor * np.array([1.0, 2.0, 4.0, 8.0, 16.0])[labels.task % 5]
    return own_rows(labels.X, labels.y * units, labels.task)


@pytest.mark.parametrize("of_labels", ["one", "equal"])
def test_labels_that_do_not_differ_are_in_units_typical_of_the_fit(of_labels):
    old, _ = parts()
    old = with_units(old, 1e6)
    fit = learned(old, each_task=True)
    typical = np.exp(np.log(fit.coordinates.y_scale).mean())
    n = 1 if of_labels == "one" else 4
    X, y, task = np.ones((n, 3)), np.full(n, 5e6 + 0.1), np.zeros(n, int)
    alone = fit_new_tasks(fit, own_rows(X, y, task).stats, shared_noise=False, each_task=True)
    assert_allclose(alone.y_scale, typical)
    # whatever comes with it
    both = own_rows(np.vstack([X, old.X[:12]]), np.append(y, old.y[:12]), np.append(task, [1] * 12))
    together = fit_new_tasks(fit, both.stats, shared_noise=False, each_task=True)
    assert_allclose(together.y_scale[0], typical)
    assert_allclose(together.y_scale[1], fit.coordinates.y_scale[0])


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n", [1, 4])
def test_labels_of_fit_that_do_not_differ_are_in_units_typical_of_the_others(n, fit_intercept):
    old, _ = parts()
    old = with_units(old, 1e6)
    alone = learned(old, each_task=True, fit_intercept=fit_intercept)
    value = 5e6 + 0.1 if fit_intercept else 0.0  # labels of 0 have no second moment
    more = own_rows(
        np.vstack([old.X, np.ones((n, 3))]),
        np.append(old.y, np.full(n, value)),
        np.append(old.task, np.full(n, 5)),
    )
    fit = learned(more, each_task=True, fit_intercept=fit_intercept)
    typical = np.exp(np.log(alone.coordinates.y_scale).mean())
    assert_allclose(fit.coordinates.y_scale[5], typical)
