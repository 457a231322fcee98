"""Reports on simulated tasks: no help is claimed where there is none, and found where there is.

A task that gains nothing is flagged "helped" with probability level / 2 = 0.025. Of 15 reports on
4 tasks, which have rows in common but noise of their own, more than 5 of 60 flags are "helped"
with probability 0.003; of one report on 8 tasks with rows of their own, more than 2 flags with
probability 0.0008, and the interval of their mean gain lies above 0 with probability 0.025.
"""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from sklearn_mtl import MeanRegularizedRegressor, transfer_report
from tests.linear_model._estimators import CLASSIFIERS, PLAIN

N_REPORTS, N_TASKS, N_FEATURES = 15, 4, 6
MOST_FALSE = 5
MOST_FALSE_OF_OWN = 2


def simulate(weights, n_rows, seed, estimator, baseline, noise=1.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, weights.shape[1]))
    y = X @ weights.T + noise * rng.normal(size=(n_rows, len(weights)))
    return transfer_report(estimator, X, y, baseline=baseline, n_repeats=1, random_state=seed)


def count_flags(reports):
    flags = np.array([report.flag for report in reports])
    return {flag: int((flags == flag).sum()) for flag in ("helped", "hurt")}


class OneFeatureLess(Ridge):
    """Ridge that does not see one feature: as good as any other that lacks an equal one."""

    def __init__(self, absent=0):
        super().__init__()
        self.absent = absent

    def fit(self, X, y):
        return super().fit(np.delete(X, self.absent, axis=1), y)

    def predict(self, X):
        return super().predict(np.delete(X, self.absent, axis=1))


def test_models_that_are_equally_good_are_seldom_told_apart():
    weights = np.ones((N_TASKS, N_FEATURES))
    sides = [OneFeatureLess(absent) for absent in (0, 1)]
    count = count_flags(simulate(weights, 30, seed, *sides) for seed in range(N_REPORTS))
    assert count["helped"] <= MOST_FALSE
    assert count["hurt"] <= MOST_FALSE


def test_unrelated_tasks_are_not_said_to_be_helped():
    # orthogonal weights pull a common mean nowhere
    weights = 2.0 * np.eye(N_TASKS, N_FEATURES)
    model = MeanRegularizedRegressor(alpha_shared=0.05, alpha_specific=0.3)
    reports = [simulate(weights, 30, seed, model, Ridge()) for seed in range(N_REPORTS)]
    assert count_flags(reports)["helped"] <= MOST_FALSE


@pytest.mark.parametrize("name", PLAIN)
def test_the_default_baseline_is_no_straw_man(name):
    # noise that a weaker penalty on tasks alone would fit: 24 features, 24 training rows
    rng = np.random.default_rng(0)
    X = {task: rng.normal(size=(30, 24)) for task in "abcdefgh"}
    y = {task: own @ rng.normal(size=24) + 6.0 * rng.normal(size=30) for task, own in X.items()}
    if name in CLASSIFIERS:
        y = {task: labels > 0 for task, labels in y.items()}
    report = transfer_report(PLAIN[name](), X, y, n_repeats=1, random_state=0)
    assert report.flag.count("helped") <= MOST_FALSE_OF_OWN
    assert report.delta_m_interval[0] <= 0


def test_related_tasks_with_few_rows_are_found_to_gain():
    # 24 features on 32 training rows, and noise that a mean over eight tasks takes out
    weights = np.ones((8, 24))
    model = MeanRegularizedRegressor(alpha_shared=0.01, alpha_specific=3.0)
    reports = [simulate(weights, 40, seed, model, Ridge(), noise=3.0) for seed in range(4)]
    assert np.mean([report.share_helped for report in reports]) > 0.2
    assert not any(report.share_hurt for report in reports)
    assert all(report.delta_m_interval[0] > 0 for report in reports)
