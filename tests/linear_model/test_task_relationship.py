"""Linear estimators that learn how tasks covary: the covariance, its prior, its limits."""

import warnings

import numpy as np
import pandas as pd
import pytest
from convex._references_convex import Part, objective
from convex._references_covariance import alternate, best_covariance
from linear_model._estimators import make_data
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from sklearn_mtl import (
    GraphRegressor,
    MeanRegularizedRegressor,
    MultiTaskLinearRegressor,
    MultiTaskLinearRegressorCV,
    TaskLayoutError,
    TaskRelationshipClassifier,
    TaskRelationshipRegressor,
)
from sklearn_mtl.convex import NuclearNorm, TaskRelationship, _spectrum
from sklearn_mtl.convex.datafits._centred_columns import CentredColumns

BOTH = [TaskRelationshipRegressor, TaskRelationshipClassifier]
NAMES = list("abc")
PRIOR = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, -0.3], [0.0, -0.3, 1.0]])


def draw_tasks(covariance, *, n_features=40, n=60, noise=2.0, seed=0):
    """Return own rows and labels of tasks whose weights have that covariance."""
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(covariance)
    W = root @ rng.normal(size=(len(root), n_features))
    X = {t: rng.normal(size=(n, n_features)) for t in range(len(root))}
    return X, {t: X[t] @ w + noise * rng.normal(size=n) for t, w in enumerate(W)}, W


def as_correlation(covariance):
    deviation = np.sqrt(np.diag(covariance))
    return covariance / np.outer(deviation, deviation)


# -- the covariance --------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [0.0, 0.3, np.inf])
@pytest.mark.parametrize("estimator", BOTH)
def test_the_covariance_is_the_closed_form_at_the_weights(estimator, strength):
    X, y = make_data(estimator.__name__, n=60)
    model = estimator(prior_covariance=PRIOR, prior_strength=strength).fit(X, y)
    C, M = model.task_covariance_, len(model.coef_)
    prior = np.zeros((M, M))
    prior[:2, :2] = PRIOR[:2, :2]
    prior[2:, 2:] = PRIOR[2, 2] * np.eye(M - 2)
    if M == 3:  # one row a task; the third classification task has one for each class
        prior = PRIOR
    prior = prior / prior.trace()
    expected = prior if strength == np.inf else best_covariance(model.coef_, strength * prior)
    np.testing.assert_allclose(C, expected, atol=1e-7)  # half the digits of a singular root
    np.testing.assert_array_equal(C, C.T)
    assert C.trace() == pytest.approx(1.0, rel=1e-12)
    np.testing.assert_allclose(model.task_correlation_, as_correlation(C), atol=1e-12)
    assert model.rank_ == np.linalg.matrix_rank(model.coef_)


@pytest.mark.parametrize("strength", [0.1, 3.0])
def test_weights_are_stationary_under_the_covariance_they_have(strength):
    X, y = make_data("TaskRelationshipRegressor", missing=0.2)
    model = TaskRelationshipRegressor(
        0.2, alpha=0.1, prior_covariance=PRIOR, prior_strength=strength, tol=1e-14
    ).fit(X, y)
    slope = 0.1 * model.coef_ + 0.2 * np.linalg.solve(model.task_covariance_, model.coef_)
    for t, labels in enumerate(y.values()):
        seen = ~np.isnan(labels)
        residual = labels[seen] - X[seen] @ model.coef_[t] - model.intercept_[t]
        slope[t] -= X[seen].T @ residual / seen.sum()
    # the gap is quadratic in the error: 1e-14 leaves 1e-7
    np.testing.assert_allclose(slope, 0.0, atol=1e-5)


def test_the_covariance_that_tasks_were_drawn_with_is_recovered():
    covariance = np.kron([[1.0, -0.5], [-0.5, 1.0]], 0.2 * np.eye(4) + 0.8)
    off = ~np.eye(8, dtype=bool)
    X, y, W = draw_tasks(covariance)
    model = TaskRelationshipRegressor(0.01).fit(X, y)
    true = as_correlation(covariance)
    # 40 features say each correlation to about 0.16; the closed form takes a square root
    assert np.corrcoef(model.task_correlation_[off], true[off])[0, 1] > 0.9
    # each task by itself, at the strength that happens to be best for it
    alone = [
        min(np.square(Ridge(60 * a).fit(X[t], y[t]).coef_ - W[t]).sum() for a in (0.01, 0.1, 0.3))
        for t in X
    ]
    assert np.square(model.coef_ - W).sum() < 0.8 * sum(alone)


def test_tasks_that_go_against_each_other_help_each_other():
    rng = np.random.default_rng(0)
    w = rng.normal(size=20)
    X, signs = rng.normal(size=(6, 25, 20)), (-1.0) ** np.arange(6)
    rows = dict(enumerate(X))
    y = {t: signs[t] * X[t] @ w + 2.0 * rng.normal(size=25) for t in rows}
    model = TaskRelationshipRegressor(0.3).fit(rows, y)
    assert (model.task_correlation_ * np.outer(signs, signs) > 0.5).all()
    # the mean of these tasks is nothing: what they share in it misleads
    mean = MeanRegularizedRegressor().fit(rows, y)
    error, other = (np.linalg.norm(m.coef_ - np.outer(signs, w)) for m in (model, mean))
    assert error < 0.7 * other


def test_more_tasks_than_features_make_a_singular_covariance_of_that_rank():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    Y = X @ rng.normal(size=(3, 9)) + 0.1 * rng.normal(size=(50, 9))
    model = TaskRelationshipRegressor(1e-3).fit(X, Y)
    values = np.linalg.eigvalsh(model.task_covariance_)
    assert model.rank_ == 3
    assert (values[:6] < 1e-14).all()
    assert values[6] > 1e-3
    assert np.isfinite(model.task_correlation_).all()


def test_a_task_without_weights_has_no_correlation_with_others():
    X, y = make_data("TaskRelationshipRegressor")
    y["b"] = np.full(len(X), 7.0)
    model = TaskRelationshipRegressor().fit(X, y)
    assert (model.coef_[1] == 0).all()
    np.testing.assert_array_equal(model.task_correlation_[1], [0.0, 1.0, 0.0])
    np.testing.assert_array_equal(model.predict(X)["b"], 7.0)


def test_labels_that_never_vary_leave_the_prior():
    X, _ = make_data("TaskRelationshipRegressor")
    for strength in (0.0, 1.0, np.inf):
        model = TaskRelationshipRegressor(prior_covariance=PRIOR, prior_strength=strength)
        model.fit(X, np.ones((len(X), 3)))
        assert (model.coef_ == 0).all()
        np.testing.assert_allclose(model.task_covariance_, PRIOR / 4.0, atol=1e-15)
        assert model.rank_ == 0


def test_the_order_of_tasks_is_that_of_the_covariance():
    X, y = make_data("TaskRelationshipRegressor", missing=0.2)
    model = TaskRelationshipRegressor(tol=1e-12).fit(X, y)
    turned = TaskRelationshipRegressor(tol=1e-12).fit(X, {name: y[name] for name in "cab"})
    order = [2, 0, 1]
    np.testing.assert_allclose(
        turned.task_covariance_, model.task_covariance_[np.ix_(order, order)], atol=1e-6
    )


@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_alternating_between_weights_and_covariance_creeps_to_the_same_minimum(strength):
    X, y = make_data("TaskRelationshipRegressor", missing=0.2)
    seen = [~np.isnan(labels) for labels in y.values()]
    parts = [
        Part(X[known], labels[known], np.ones(known.sum()))
        for known, labels in zip(seen, y.values(), strict=True)
    ]
    prior = PRIOR / PRIOR.trace()
    model = TaskRelationshipRegressor(
        0.2, alpha=0.05, prior_covariance=PRIOR, prior_strength=strength, tol=1e-12
    ).fit(X, y)
    terms = [("covariance", 0.2, strength, PRIOR), ("ridge", 0.05)]
    reached = []
    for n_rounds in (2, 10, 400):
        W = alternate(parts, 0.2, 0.05, strength * prior, n_rounds)
        fitted = [part.X.mean(axis=0) @ w for part, w in zip(parts, W, strict=True)]
        b = np.array([part.y.mean() for part in parts]) - fitted
        reached.append(objective(parts, np.ones(3), terms, W, b) - model.objective_)
    assert reached[0] > reached[1] > reached[2] - 1e-12
    assert -1e-11 < reached[2] < 1e-9


# -- limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [0.0, 0.5, np.inf])
def test_one_task_is_a_ridge_regression_of_both_strengths(strength):
    X, y = make_data("TaskRelationshipRegressor", n_tasks=1)
    model = TaskRelationshipRegressor(0.3, alpha=0.2, prior_strength=strength, tol=1e-15)
    model.fit(X, y)
    assert model.task_covariance_.tolist() == [[1.0]]
    # C = 1 whatever the prior
    peer = Ridge(alpha=0.5 * len(X)).fit(X, y["a"])
    np.testing.assert_allclose(model.coef_[0], peer.coef_, atol=1e-6)


def test_one_binary_task_is_a_logistic_regression_of_both_strengths():
    X, y = make_data("TaskRelationshipClassifier", n_tasks=1)
    model = TaskRelationshipClassifier(0.03, alpha=0.02, tol=1e-13).fit(X, y)
    peer = LogisticRegression(C=1 / (0.05 * len(X)), tol=1e-10).fit(X, y["a"])
    np.testing.assert_allclose(model.coef_, peer.coef_, atol=1e-5)


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_a_fixed_covariance_equals_the_graph_and_the_mean_it_is_the_inverse_of(missing):
    X, y = make_data("TaskRelationshipRegressor", missing=missing)
    degree = np.diag([2.5, 2.0, 0.5])
    graph = GraphRegressor([("a", "b", 2.0), ("a", "c", 0.5)], gamma=0.4, alpha=0.05, tol=1e-20)
    laplacian = degree - np.array([[0.0, 2.0, 0.5], [2.0, 0.0, 0.0], [0.5, 0.0, 0.0]])
    inverse = np.linalg.inv(0.4 * laplacian + 0.05 * np.eye(3))
    # C has trace 1: what it was divided by multiplies gamma
    settings = {"alpha": 0.0, "prior_strength": np.inf, "tol": 1e-20}
    fixed = TaskRelationshipRegressor(1 / inverse.trace(), prior_covariance=inverse, **settings)
    graph.fit(X, y)
    fixed.fit(X, y)
    np.testing.assert_allclose(fixed.coef_, graph.coef_, rtol=1e-8, atol=1e-8)
    assert fixed.objective_ == pytest.approx(graph.objective_, rel=1e-9)

    mean = MeanRegularizedRegressor(0.02, alpha_specific=0.3, tol=1e-20).fit(X, y)
    covariance = np.eye(3) / 0.3 + 1 / 0.02
    fixed.set_params(gamma=1 / covariance.trace(), prior_covariance=covariance).fit(X, y)
    np.testing.assert_allclose(fixed.coef_, mean.coef_, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("estimator", BOTH)
def test_a_stronger_prior_leads_from_no_prior_to_a_fixed_covariance(estimator):
    X, y = make_data(estimator.__name__, n_tasks=2)
    y["c"] = y["a"]

    def fit(strength):
        return estimator(prior_covariance=PRIOR, prior_strength=strength, tol=1e-11).fit(X, y)

    free, fixed = fit(0.0), fit(np.inf)
    ways = [fit(strength) for strength in (1e-6, 0.1, 1.0, 10.0, 1e6)]
    off = [np.linalg.norm(m.task_covariance_ - fixed.task_covariance_) for m in ways]
    assert (np.diff(off) < 0).all()
    assert off[-1] < 1e-10
    np.testing.assert_allclose(ways[0].coef_, free.coef_, atol=1e-4)
    np.testing.assert_allclose(ways[-1].coef_, fixed.coef_, atol=1e-4)
    assert ways[-1].objective_ == pytest.approx(fixed.objective_, rel=1e-8)


def test_without_strength_a_prior_does_nothing():
    X, y = make_data("TaskRelationshipRegressor")
    free = TaskRelationshipRegressor().fit(X, y)
    asked = TaskRelationshipRegressor(prior_covariance=PRIOR).fit(X, y)
    np.testing.assert_array_equal(asked.coef_, free.coef_)


def test_without_gamma_each_task_is_a_ridge_regression():
    X, y = make_data("TaskRelationshipRegressor")
    model = TaskRelationshipRegressor(0.0, alpha=0.2).fit(X, y)
    for t, labels in enumerate(y.values()):
        peer = Ridge(alpha=0.2 * len(X)).fit(X, labels)
        np.testing.assert_allclose(model.coef_[t], peer.coef_, rtol=1e-8)


# -- priors ----------------------------------------------------------------------------------------


def forms():
    frame = pd.DataFrame(3.0 * PRIOR, index=NAMES, columns=NAMES)
    return {
        "list": PRIOR.tolist(),
        "frame": frame,
        "frame in another order": frame.loc[list("cab"), list("bca")],
        "dict": {s: {t: PRIOR[i, j] for j, t in enumerate(NAMES)} for i, s in enumerate(NAMES)},
    }


@pytest.mark.parametrize("form", forms())
@pytest.mark.parametrize("strength", [0.5, np.inf])
def test_a_prior_is_given_by_position_or_by_name_and_in_any_scale(form, strength):
    X, y = make_data("TaskRelationshipRegressor")
    model = TaskRelationshipRegressor(prior_covariance=PRIOR, prior_strength=strength).fit(X, y)
    other = TaskRelationshipRegressor(prior_covariance=forms()[form], prior_strength=strength)
    np.testing.assert_allclose(other.fit(X, y).coef_, model.coef_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("strength", [0.5, np.inf])
def test_a_singular_prior_is_regularised_and_reported(strength):
    X, y = make_data("TaskRelationshipRegressor")
    model = TaskRelationshipRegressor(prior_covariance=np.ones((3, 3)), prior_strength=strength)
    with pytest.warns(UserWarning, match="prior_covariance .* is singular, of rank 1 for 3 rows"):
        model.fit(X, y)
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.objective_)
    if strength == np.inf:  # tasks in full agreement have one w
        assert np.ptp(model.coef_, axis=0).max() < 1e-4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.set_params(prior_strength=0.0).fit(X, y)


BAD = {
    "too few tasks": (np.eye(2), TaskLayoutError, r"shape \(2, 2\), but there are 3 tasks"),
    "a vector": (np.ones(3), TaskLayoutError, r"shape \(3,\), but there are 3 tasks"),
    "a word": ("identity", ValueError, "prior_covariance must hold real numbers"),
    "complex": (1j * np.eye(3), ValueError, "prior_covariance must hold real numbers"),
    "missing": (
        np.where(np.eye(3) > 0, 1.0, np.nan),
        ValueError,
        "prior_covariance of task 'a' and task 'b' is nan",
    ),
    "infinite": (np.diag([1.0, np.inf, 1.0]), ValueError, "of task 'b' and task 'b' is inf"),
    "uneven": (
        np.array([[1.0, 0.5, 0.0], [0.4, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        ValueError,
        "not symmetric: of task 'a' and task 'b' it is 0.5, the other way round 0.4",
    ),
    "indefinite": (
        np.array([[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        ValueError,
        "positive semi-definite and not 0, but its eigenvalues go from -1 to 3",
    ),
    "nothing": (np.zeros((3, 3)), ValueError, "positive semi-definite and not 0"),
    "unknown names": (
        pd.DataFrame(np.eye(3), index=NAMES, columns=["a", "b", "cc"]),
        TaskLayoutError,
        r"columns of prior_covariance names 'cc', which is no task",
    ),
    "a name missing": (
        {"a": {}, "b": {}},
        TaskLayoutError,
        "2 names for 3 tasks, and none for 'c'",
    ),
    "a row missing a name": (
        {name: {"a": 1.0, "b": 0.0} for name in NAMES},
        TaskLayoutError,
        "The row of task 'a' in prior_covariance must name every task once",
    ),
    "no rows": (dict.fromkeys(NAMES, 1.0), ValueError, "float for task 'a'; a dict must hold"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_a_prior_that_is_no_covariance_of_the_tasks_is_refused_in_words(case, strength):
    prior, error, message = BAD[case]
    X, y = make_data("TaskRelationshipRegressor")
    with pytest.raises(error, match=message):
        TaskRelationshipRegressor(prior_covariance=prior, prior_strength=strength).fit(X, y)


@pytest.mark.parametrize("strength", [-1.0, np.nan, "strong", None])
def test_a_strength_out_of_range_is_refused(strength):
    X, y = make_data("TaskRelationshipRegressor")
    with pytest.raises(ValueError, match="'prior_strength' parameter of TaskRelationshipReg"):
        TaskRelationshipRegressor(prior_strength=strength).fit(X, y)


# -- in the family ---------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_too_few_iterations_are_reported_with_an_honest_gap(strength):
    X, y = make_data("TaskRelationshipRegressor", missing=0.2)
    exact = TaskRelationshipRegressor(0.01, prior_strength=strength, tol=1e-12).fit(X, y)
    model = TaskRelationshipRegressor(0.01, prior_strength=strength, max_iter=2, tol=1e-12)
    with pytest.warns(ConvergenceWarning, match="stopped after 2 iterations"):
        model.fit(X, y)
    assert 0 < model.objective_ - exact.objective_ <= model.dual_gap_


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_a_warm_start_goes_on_from_the_weights_at_hand(estimator, strength):
    X, y = make_data(estimator.__name__)
    model = estimator(prior_strength=strength, warm_start=True).fit(X, y)
    cold = model.n_iter_
    assert model.fit(X, y).n_iter_ == 0 < cold
    before = model.coef_
    model.set_params(gamma=1.1 * model.gamma).fit(X, y)
    again = estimator(gamma=model.gamma, prior_strength=strength).fit(X, y)
    assert not np.array_equal(model.coef_, before)
    assert abs(model.objective_ - again.objective_) <= model.dual_gap_ + again.dual_gap_


@pytest.mark.parametrize("estimator", BOTH)
def test_a_kernel_of_inner_products_learns_the_same_covariance(estimator):
    X, y = make_data(estimator.__name__)
    linear = estimator(prior_strength=0.2, tol=1e-10).fit(X, y)
    model = estimator(prior_strength=0.2, tol=1e-10, kernel="precomputed").fit(X @ X.T, y)
    assert not hasattr(model, "coef_")
    # gaps of 1e-10 leave errors of 1e-5
    np.testing.assert_allclose(model.task_covariance_, linear.task_covariance_, atol=1e-4)
    np.testing.assert_allclose(model.dual_coef_ @ X, linear.coef_, atol=1e-4)
    assert model.objective_ == pytest.approx(linear.objective_, rel=1e-8)
    assert model.rank_ == linear.rank_


@pytest.mark.parametrize("unit", [1e-6, 1.0])
def test_a_path_of_strengths_starts_where_weights_are_next_to_nothing(unit):
    X, y = make_data("TaskRelationshipRegressor")
    model = MultiTaskLinearRegressorCV(TaskRelationship(unit), alphas=8, cv=3).fit(X, y)
    strongest = TaskRelationshipRegressor(model.alphas_[0] * unit, alpha=0.0).fit(X, y)
    free = TaskRelationshipRegressor(0.0, alpha=0.0).fit(X, y)
    assert 0 < np.linalg.norm(strongest.coef_) < 0.05 * np.linalg.norm(free.coef_)
    assert model.alphas_[-1] < model.alpha_ < model.alphas_[0]
    assert model.task_covariance_.shape == (3, 3)


def test_the_penalty_leaves_its_covariance_under_any_estimator_and_only_there():
    X, y = make_data("TaskRelationshipRegressor")
    own = TaskRelationshipRegressor(0.1, alpha=0.0).fit(X, y)
    model = MultiTaskLinearRegressor(TaskRelationship(0.1)).fit(X, y)
    np.testing.assert_array_equal(model.task_covariance_, own.task_covariance_)
    np.testing.assert_array_equal(model.task_correlation_, own.task_correlation_)
    model.set_params(penalty=NuclearNorm(0.1)).fit(X, y)
    assert not hasattr(model, "task_covariance_")
    assert not hasattr(model, "task_correlation_")


@pytest.mark.parametrize("gamma", [0.1, 1e60])
@pytest.mark.parametrize("estimator", BOTH)
def test_strengths_whose_squares_overflow_hold_the_prior(estimator, gamma):
    X, y = make_data(estimator.__name__)
    fixed, strong = (
        estimator(gamma, prior_covariance=PRIOR, prior_strength=strength).fit(X, y)
        for strength in (np.inf, 1e160)
    )
    np.testing.assert_array_equal(strong.coef_, fixed.coef_)
    np.testing.assert_array_equal(strong.task_covariance_, fixed.task_covariance_)


@pytest.mark.parametrize("strength", [0.0, 0.3, np.inf])
def test_one_task_is_a_ridge_whatever_the_prior(strength):
    X, y = make_data("TaskRelationshipRegressor")
    model = TaskRelationshipRegressor(0.2, alpha=0.1, prior_strength=strength).fit(X, y["a"])
    peer = Ridge(0.3 * len(X)).fit(X, y["a"])
    # closed forms both
    np.testing.assert_allclose(model.coef_, peer.coef_[None], rtol=1e-10)
    np.testing.assert_array_equal(model.task_covariance_, [[1.0]])
    binary = TaskRelationshipClassifier(0.02, alpha=0.01, prior_strength=strength, tol=1e-12)
    binary.fit(X, y["a"] > 0)
    logistic = LogisticRegression(C=1 / (0.03 * len(X)), tol=1e-10).fit(X, y["a"] > 0)
    np.testing.assert_allclose(binary.coef_, logistic.coef_, rtol=1e-5)  # a gap of 1e-12


# -- cost ------------------------------------------------------------------------------------------


@pytest.fixture
def decompositions(monkeypatch):
    """Return the sides of the matrices that Gram spectra were computed of, as they come."""
    sides = []

    def counted(decompose):
        def run(matrix, *args, **kwargs):
            sides.append(matrix.shape[-1])
            return decompose(matrix, *args, **kwargs)

        return run

    monkeypatch.setattr(np.linalg, "eigh", counted(np.linalg.eigh))
    monkeypatch.setattr(_spectrum, "_graded_eigh", counted(_spectrum._graded_eigh))
    return sides


def test_one_gram_matrix_is_decomposed_once_for_all_strengths(decompositions):
    X, y = make_data("TaskRelationshipRegressor", n=60)
    model = TaskRelationshipRegressor(tol=1e-12).fit(X, y)
    assert model.n_iter_ > 2
    assert decompositions.count(X.shape[1]) == 1


def test_curvature_of_rows_is_bounded_once_for_all_strengths(monkeypatch):
    calls, bound = [], CentredColumns.largest_moment
    monkeypatch.setattr(
        CentredColumns, "largest_moment", lambda rows: calls.append(rows) or bound(rows)
    )
    X, y = make_data("TaskRelationshipRegressor", n=60, missing=0.2)
    model = TaskRelationshipRegressor(1e-3, kernel="rbf", tol=1e-9).fit(X, y)
    assert model.n_iter_ > 2
    assert len(calls) == 1


def test_coordinates_of_a_kernel_are_not_decomposed_again(decompositions):
    X, y = make_data("TaskRelationshipRegressor", n=60)
    model = TaskRelationshipRegressor(1e-3, kernel="rbf", tol=1e-12).fit(X, y)
    assert model.n_iter_ > 2
    assert all(side <= 3 for side in decompositions)  # in task space alone
