"""The linear regressors against cvxpy, dense solves and scikit-learn, container by container."""

import numpy as np
import pytest
from convex._references_convex import solve_kronecker
from linear_model._comparison import FAMILIES, comparable, compare, configure
from linear_model._scenarios import SCENARIOS
from sklearn.linear_model import MultiTaskElasticNet, MultiTaskLasso

from sklearn_mtl import JointFeatureRegressor


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("penalty", FAMILIES)
def test_regressors_reach_the_minimum_of_cvxpy_and_their_gap_bounds_the_rest(penalty, scenario):
    estimator = FAMILIES[penalty][0]
    # between "next to none" and "most weights 0" for labels of variance near 1
    for seed, strength in enumerate((0.03, 0.3)):
        made = SCENARIOS[scenario](np.random.default_rng(seed), "regression")
        # asked for; tol=1e-10 and CLARABEL at 1e-11 leave a factor of 100 at least
        compare(made, estimator, penalty, strength, relative=1e-7)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("penalty", ["graph", "mean", "ridge"])
def test_quadratic_penalties_equal_one_dense_solve_for_all_weights(penalty, scenario):
    made = SCENARIOS[scenario](np.random.default_rng(2), "regression")
    names = sorted(made.parts) if "task_feature" in made.options else list(made.parts)
    parts, n_tasks = [made.parts[name] for name in names], len(names)
    edges = comparable(parts)
    params, _ = configure(penalty, 0.1, edges, names)
    # the gap is quadratic in the error of W, and has no rounding to speak of near 0
    model = made.fit(FAMILIES[penalty][0](**params).set_params(tol=1e-22, max_iter=100_000))
    A = 0.1 * np.eye(n_tasks)  # "ridge"
    if penalty == "graph":
        A = 0.03 * np.eye(n_tasks)
        for s, t, weight in edges:
            step = np.eye(n_tasks)[s] - np.eye(n_tasks)[t]
            A += 0.2 * weight * np.outer(step, step)
    elif penalty == "mean":
        # min over w_0 of shared/2 w_0^2 + specific/2 sum_t (w_t - w_0)^2, for shared = 0.02
        A = 0.1 * (np.eye(n_tasks) - np.full((n_tasks,) * 2, 0.1 / (0.02 + 0.1 * n_tasks)))
    W = solve_kronecker(parts, made.task_weight(model), A, fit_intercept=made.fit_intercept)
    # asked for; the offset of 1e6 alone costs 1e-10 of each entry of X
    np.testing.assert_allclose(model.coef_, W, rtol=1e-9, atol=1e-9 * np.abs(W).max())


def make_regular(seed, n=40, p=5, n_tasks=3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + rng.normal(size=p)
    return X, X @ rng.normal(size=(p, n_tasks)) + rng.normal(size=(n, n_tasks)) + 3.0


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.05])
@pytest.mark.parametrize("alpha", [0.01, 0.3])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_joint_features_equal_scikit_learns_multi_task_models(l1_ratio, alpha, fit_intercept):
    X, Y = make_regular(seed=0)
    common = {"alpha": alpha, "fit_intercept": fit_intercept, "max_iter": 100_000, "tol": 1e-14}
    model = JointFeatureRegressor(**common, l1_ratio=l1_ratio)
    peer = MultiTaskLasso(**common)
    if l1_ratio < 1:
        peer = MultiTaskElasticNet(**common, l1_ratio=l1_ratio)
    # the curvature is near 1, so that a gap of 1e-14 is an error of 1e-7 in W
    np.testing.assert_allclose(model.fit(X, Y).coef_, peer.fit(X, Y).coef_, atol=1e-6)
    np.testing.assert_allclose(model.intercept_, peer.intercept_, atol=1e-6)

    times = np.random.default_rng(1).integers(0, 4, size=len(X))
    model.fit(X, Y, sample_weight=times)
    peer.fit(np.repeat(X, times, axis=0), np.repeat(Y, times, axis=0))
    np.testing.assert_allclose(model.coef_, peer.coef_, atol=1e-6)
    np.testing.assert_allclose(model.intercept_, peer.intercept_, atol=1e-6)
