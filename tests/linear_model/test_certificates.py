"""Gaps that stay honest where features differ in scale and where a method gives up."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso

from sklearn_mtl import (
    JointFeatureRegressor,
    LowRankRegressor,
    MultiTaskLinearClassifier,
    MultiTaskLinearEstimator,
    MultiTaskLinearRegressor,
)
from sklearn_mtl.convex import L1, MeanRegularization, NuclearNorm, Ridge


def badly_scaled(seed, n_features=60, decades=6.0):
    """Ten rows of features whose scales spread over many decades, a third of labels missing."""
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.uniform(-decades, decades, n_features)
    X = rng.standard_normal((10, n_features)) * scale
    Y = rng.standard_normal((10, 3))
    Y[rng.random(Y.shape) < 0.3] = np.nan
    Y[:3] = rng.standard_normal((3, 3))
    return X, Y


def objective_at_zero(Y):
    return 0.5 * np.nanvar(Y, axis=0).sum()


def objective_of(model, X, Y, alpha):
    """Return the objective of a low-rank fit from its coefficients, in extended precision."""
    rows, W = X.astype(np.longdouble), model.coef_.astype(np.longdouble)
    loss = 0.0
    for t in range(Y.shape[1]):
        known = ~np.isnan(Y[:, t])
        residual = Y[known, t] - rows[known] @ W[t]
        loss += 0.5 * float(np.square(residual - residual.mean()).mean())
    return loss + alpha * float(np.linalg.svd(model.coef_, compute_uv=False).sum())


@pytest.mark.parametrize("decades", [6.0, 8.0])
@pytest.mark.parametrize("seed", range(8, 16))
def test_rounding_that_spoils_the_loss_is_never_certified(seed, decades):
    X, Y = badly_scaled(seed, decades=decades)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # not converging is honest here
        model = LowRankRegressor(alpha=0.03).fit(X, Y)
    scale = objective_at_zero(Y)
    assert 0 <= model.dual_gap_ <= scale
    assert 0 <= model.objective_ <= scale * (1 + 1e-12)
    # W = 0 is within the scale of the minimum, so no bound allows more than this
    assert objective_of(model, X, Y, 0.03) <= scale * (1 + 1e-6)


def test_where_newton_steps_stall_accelerated_gradient_goes_on():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(28, 90))
    y = X[:, :3] @ rng.normal(size=3) + 0.1 * rng.normal(size=28)
    centred = X - X.mean(axis=0)
    alpha = 0.01 * np.abs(centred.T @ (y - y.mean())).max() / len(y)
    for alpha_share in (1.0, 0.3):
        model = JointFeatureRegressor(alpha_share * alpha, max_iter=20_000).fit(X, y)
        single = Lasso(alpha_share * alpha, tol=1e-12, max_iter=200_000).fit(X, y)
        # both are within 1e-6 of the least objective, relative to the objective at 0
        residual = y - single.predict(X)
        least = 0.5 * np.square(residual).mean() + alpha_share * alpha * np.abs(single.coef_).sum()
        assert model.objective_ - least <= 1e-6 * 0.5 * y.var()


@pytest.mark.parametrize("precompute", [True, "auto"])
def test_a_factor_that_rounding_spoils_is_no_crash(precompute):
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((4, 70)) + 1e6, rng.standard_normal((4, 3))
    model = MultiTaskLinearRegressor(
        L1(3e-6) + Ridge(5e-10), fit_intercept=False, precompute=precompute
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, Y)
    assert np.isfinite(model.coef_).all()
    assert 0 <= model.dual_gap_ <= 0.5 * np.square(Y).mean(axis=0).sum() * (1 + 1e-12)


def test_the_warning_says_what_can_help_where_no_iteration_can():
    X, Y = badly_scaled(12, decades=8.0)
    with pytest.warns(ConvergenceWarning, match="bring the features to one scale") as caught:
        model = LowRankRegressor(alpha=0.03, tol=1e-9).fit(X, Y)
    assert len(caught) == 1
    assert ("Raise max_iter" in str(caught[0].message)) == (model.n_iter_ >= model.max_iter)


@pytest.mark.parametrize("unit", [1.0, 30.0])
def test_the_units_of_a_number_do_not_decide_how_well_classes_are_learned(unit):
    X, progression = load_diabetes(return_X_y=True)
    X, severe = X / X.std(axis=0), progression > 140
    both = {"progression": progression * unit / progression.std(), "severe": severe}
    mixed = MultiTaskLinearEstimator(penalty=Ridge(0.01)).fit(X, both)
    alone = MultiTaskLinearClassifier(penalty=Ridge(0.01), tol=1e-12).fit(X, severe)
    # a ridge ties no tasks; the gap is at most 1e-6 of the log-loss at W = 0, about 0.7, and
    # bounds 0.01 / 2 times the squared distance: 1.2e-2
    np.testing.assert_allclose(mixed.coef_[1], alone.coef_[0], atol=1.2e-2)
    assert mixed.dual_gap_ <= 1.01e-6 * np.log(2)


def test_a_kind_of_task_that_weighs_next_to_nothing_is_reported():
    X, progression = load_diabetes(return_X_y=True)
    both = {"price": progression * 1000, "severe": progression > 140}
    with pytest.warns(UserWarning, match="One kind of task .* standardise regression labels"):
        MultiTaskLinearEstimator(penalty=Ridge(0.01)).fit(X, both)


def test_what_a_penalty_finds_is_there_whatever_the_estimator():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 4)), rng.normal(size=(40, 3))
    model = MultiTaskLinearRegressor(NuclearNorm(0.05) + MeanRegularization(0.1, 0.1)).fit(X, Y)
    assert model.rank_ == np.linalg.matrix_rank(model.coef_)
    np.testing.assert_allclose(model.shared_coef_ + model.specific_coef_, model.coef_, atol=1e-15)
    model.set_params(penalty=L1(0.1)).fit(X, Y)
    assert not hasattr(model, "rank_")
    assert not hasattr(model, "shared_coef_")
