"""Kernels are the linear estimators on features that nobody names."""

import pickle

import dask.array
import numpy as np
import pandas as pd
import pytest
from linear_model._references_kernels import (
    complete_graph_inverse,
    dual_functions,
    shared_part_inverse,
)
from linear_model._scenarios import SCENARIOS
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.gaussian_process.kernels import RBF
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted

from sklearn_mtl import MultiTaskKFold, TaskLayoutError
from sklearn_mtl.convex.solvers import _row_system
from sklearn_mtl.linear_model import (
    GraphClassifier,
    GraphRegressor,
    GraphRegressorCV,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    TaskRelationshipClassifier,
    TaskRelationshipRegressor,
    _kernel,
)

REGRESSORS = [GraphRegressor, MeanRegularizedRegressor]
CLASSIFIERS = [GraphClassifier, MeanRegularizedClassifier]
PATHS = [GraphRegressorCV, MeanRegularizedRegressorCV]
EVERY = [*REGRESSORS, *CLASSIFIERS, *PATHS, TaskRelationshipRegressor, TaskRelationshipClassifier]
GAMMA = {"gamma": 0.3}

# rows at 1e6 have inner products of 1e12, of which float64 keeps four decimals
WHOLE = {name: made for name, made in SCENARIOS.items() if name != "offset"}
# whose rows a kernel of all with each other stands for
OWN = ["own_rows", "weighted_own_rows", "long_form"]
SHARED = {name: made for name, made in WHOLE.items() if name not in OWN}


def dot(x, z):
    return float(x @ z)


def rbf(X, Z):
    return rbf_kernel(X, Z, **GAMMA)


def dense(X):
    return X.toarray() if sparse.issparse(X) else np.asarray(X, dtype=float)


def make(n=30, p=3, n_tasks=3, missing=0.0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    Y = np.sin(X @ rng.normal(size=(p, n_tasks))) + 0.1 * rng.normal(size=(n, n_tasks)) + 2.0
    Y[rng.random(Y.shape) < missing] = np.nan
    return X, Y


def few(kind):
    """Return the estimator, with few strengths and folds where it searches."""
    if kind is TaskRelationshipRegressor:
        # iterative, where checks compare two fits to 1e-7; a kernel of size 1 wants less strength
        return kind(gamma=0.01, tol=1e-14)
    if kind not in PATHS:
        return kind()
    asked = [name for name in kind().get_params() if name.startswith(("alphas", "gammas"))]
    return kind(cv=3, **dict.fromkeys(asked, 2))


# -- a linear kernel ------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", WHOLE)
@pytest.mark.parametrize("kind", REGRESSORS)
def test_inner_products_of_rows_give_the_linear_regressor(kind, scenario):
    made = WHOLE[scenario](np.random.default_rng(0), "regression")
    dense_X = sparse.issparse(made.X)  # a callable takes rows as arrays
    made.X = made.X.toarray() if dense_X else made.X
    # this solver alone: "auto" would let another one finish what it left
    linear, kernel = made.fit(kind()), made.fit(kind(kernel=dot, solver="closed_form"))
    scale = np.abs(linear.coef_).max()
    coef = kernel.dual_coef_ @ kernel.X_fit_
    # closed forms both, to rounding
    np.testing.assert_allclose(coef, linear.coef_, rtol=1e-8, atol=1e-8 * scale)
    np.testing.assert_allclose(kernel.intercept_, linear.intercept_, rtol=1e-8, atol=1e-8)
    assert kernel.objective_ == pytest.approx(linear.objective_, rel=1e-8)
    assert kernel.dual_gap_ <= 1e-12 * max(kernel.objective_, 1.0)


@pytest.mark.parametrize("scenario", SHARED)
@pytest.mark.parametrize("kind", REGRESSORS + CLASSIFIERS)
def test_a_kernel_of_inner_products_gives_the_linear_estimator(kind, scenario):
    classify = kind in CLASSIFIERS
    rng = np.random.default_rng(1)
    made = SHARED[scenario](rng, "classification" if classify else "regression")
    linear = made.fit(kind(tol=1e-12))
    X = dense(made.X)
    made.X = X @ X.T
    solver = "newton_cg" if classify else "closed_form"  # alone: "auto" lets others finish
    kernel = made.fit(kind(tol=1e-12, kernel="precomputed", solver=solver))
    coef = kernel.dual_coef_ @ X
    # gaps of 1e-12: weights go as their root over that of the least strength, 1e-3
    tol = 1e-4 if classify else 1e-8
    scale = np.abs(linear.coef_).max()
    np.testing.assert_allclose(coef, linear.coef_, rtol=tol, atol=tol * scale)
    assert kernel.objective_ == pytest.approx(linear.objective_, rel=1e-8)
    assert not hasattr(kernel, "X_fit_")


@pytest.mark.parametrize("scenario", OWN)
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_inner_products_of_own_rows_give_the_linear_classifier(kind, scenario):
    made = WHOLE[scenario](np.random.default_rng(2), "classification")
    linear = made.fit(kind(tol=1e-12))
    kernel = made.fit(kind(tol=1e-12, kernel=dot))
    coef = kernel.dual_coef_ @ kernel.X_fit_
    np.testing.assert_allclose(coef, linear.coef_, atol=1e-4 * np.abs(linear.coef_).max())
    assert kernel.objective_ == pytest.approx(linear.objective_, rel=1e-8)


# -- other kernels, against references ------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [GraphRegressor(alpha=0.02), TaskRelationshipRegressor(0.005, alpha=0.015)]
)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_one_task_is_kernel_ridge(kind, fit_intercept):
    X, Y = make(n_tasks=1)
    model = clone(kind).set_params(kernel="rbf", kernel_params=GAMMA, fit_intercept=fit_intercept)
    model.fit(X, Y[:, 0])
    K, target, centre = rbf(X, X), Y[:, 0], 0.0
    if fit_intercept:  # KernelRidge has none: centred features and labels
        centring = np.eye(30) - 1 / 30
        K, centre = centring @ K @ centring, target.mean()
    peer = KernelRidge(alpha=0.02 * 30, kernel="precomputed").fit(K, target - centre)
    # two Cholesky factors of a well-conditioned system
    np.testing.assert_allclose(model.predict(X), peer.predict(K) + centre, rtol=1e-9)


@pytest.mark.parametrize(
    "scenario",
    [
        "complete", "missing", "weighted_rows", "weighted_labels", "task_weights",
        "weights_by_count", "no_intercept", "own_rows", "weighted_own_rows", "long_form",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", REGRESSORS)
@pytest.mark.parametrize("most", [1000, 0], ids=["direct", "iterative"])
def test_fits_equal_a_dense_dual_system(kind, scenario, most, monkeypatch):
    monkeypatch.setattr(_row_system, "MOST_LABELS", most)
    made = SCENARIOS[scenario](np.random.default_rng(3), "regression")
    model = kind(kernel="rbf", kernel_params=GAMMA, tol=1e-16, solver="closed_form")
    made.fit(model)
    parts = made.in_order_of(model)
    T = len(parts)
    inverse = (
        complete_graph_inverse(T, model.gamma, model.alpha)
        if kind is GraphRegressor
        else shared_part_inverse(T, model.alpha_shared, model.alpha_specific)
    )
    functions = dual_functions(
        rbf, parts, made.task_weight(model), inverse, fit_intercept=made.fit_intercept
    )
    rows = np.random.default_rng(4).normal(size=(9, parts[0].X.shape[1]))
    found = rbf(rows, model.X_fit_) @ model.dual_coef_.T + model.intercept_
    # the iterative one stops at a gap of 1e-16: 1e-8 of the objective, in the norm of functions
    np.testing.assert_allclose(found, functions(rows), rtol=1e-9 if most else 1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", REGRESSORS)
def test_the_iterative_solver_stops_at_the_tolerance_and_says_when_it_does_not(kind, monkeypatch):
    monkeypatch.setattr(_row_system, "MOST_LABELS", 0)
    X, Y = make(missing=0.3)
    model = kind(kernel="rbf", kernel_params=GAMMA, solver="closed_form").fit(X, Y)
    assert 0 < model.n_iter_ < 30  # as many as labels a task at the very most
    assert model.dual_gap_ <= 1e-6 * model.objective_ * 100  # objective >= 1 % of that at W = 0
    hurried = clone(model).set_params(tol=1e-14, max_iter=1)
    with pytest.warns(UserWarning, match="Raise max_iter"):
        hurried.fit(X, Y)


@pytest.mark.parametrize("kind", EVERY)
def test_predictions_are_sums_of_kernels_of_the_rows_of_fit(kind):
    X, Y = make(missing=0.2)
    if is_classifier(kind()):
        Y = np.where(np.isnan(Y), None, np.where(Y > 2.0, "high", "low"))
    model = few(kind).set_params(kernel="rbf", kernel_params=GAMMA).fit(X, Y)
    new = make(seed=1)[0]
    outputs = rbf(new, X) @ model.dual_coef_.T + model.intercept_
    predicted = model.predict(new)
    if is_classifier(model):
        assert (predicted == np.where(outputs > 0, "low", "high")).all()
    else:
        np.testing.assert_allclose(predicted, outputs)
    assert model.X_fit_.shape == X.shape
    assert not hasattr(model, "coef_")
    check_is_fitted(model)


# -- landmarks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_all_rows_as_landmarks_are_the_exact_kernel(missing, monkeypatch):
    X, Y = make(missing=missing)
    exact = GraphRegressor(kernel="rbf", kernel_params=GAMMA, n_components=None).fit(X, Y)
    # n landmarks are the exact form by definition: one row is left out of the landmarks, and
    # repeated, so that the landmarks span all
    twice, labels = np.vstack([X, X]), np.vstack([Y, np.full_like(Y, np.nan)])
    seed = next(s for s in range(50) if _all_drawn(s, 30, 55))
    landmarks = GraphRegressor(
        kernel="rbf", kernel_params=GAMMA, n_components=55, random_state=seed
    ).fit(twice, labels)
    assert landmarks.dual_coef_.shape == (3, 55)
    assert landmarks.n_components_ == 55
    new = make(seed=1)[0]
    # eigenvalues of K_zz within rounding of 0, 1e-14 of the largest, are dropped: their roots
    np.testing.assert_allclose(landmarks.predict(new), exact.predict(new), atol=1e-6)


def _all_drawn(seed, n, size):
    """Return whether `size` of 2 n rows, drawn as estimators do, hold each of n or its copy."""
    drawn = np.random.RandomState(seed).choice(2 * n, size, replace=False)
    return len(np.unique(drawn % n)) == n


def test_landmarks_are_drawn_by_the_random_state_and_span_what_is_predicted():
    X, Y = make(missing=0.2)
    model = GraphRegressor(kernel="rbf", kernel_params=GAMMA, n_components=8)
    first, again, other = (
        clone(model).set_params(random_state=seed).fit(X, Y) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.dual_coef_, again.dual_coef_)
    assert not np.array_equal(first.X_fit_, other.X_fit_)
    assert first.X_fit_.shape == (8, 3)
    assert {tuple(row) for row in first.X_fit_} <= {tuple(row) for row in X}
    # the same rows of a kernel that is given
    given = clone(model).set_params(random_state=0, kernel="precomputed", kernel_params=None)
    given.fit(rbf(X, X), Y)
    np.testing.assert_allclose(given.predict(rbf(X, X)), first.predict(X), rtol=1e-8)
    assert np.count_nonzero(given.dual_coef_.any(axis=0)) == 8


def test_many_rows_take_landmarks_by_themselves(monkeypatch):
    monkeypatch.setattr(_kernel, "EXACT_ROWS", 29)
    monkeypatch.setattr(_kernel, "LANDMARKS", 12)
    X, Y = make()
    model = MeanRegularizedRegressor(kernel="rbf")
    assert model.fit(X, Y).n_components_ == 12
    assert model.fit(X[:29], Y[:29]).n_components_ == 29
    assert model.set_params(n_components=None).fit(X, Y).n_components_ == 30


# -- cross-validation -----------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [0.0, 0.25])
def test_a_path_over_kernels_is_a_search_over_fits(missing):
    X, Y = make(missing=missing)
    folds = KFold(3)
    strengths = {"gammas": [0.1], "alphas": [0.1, 0.001]}
    path = GraphRegressorCV(kernel="rbf", kernel_params=GAMMA, cv=folds, **strengths).fit(X, Y)
    for a, alpha in enumerate([0.1, 0.001]):
        model = GraphRegressor(gamma=0.1, alpha=alpha, kernel="rbf", kernel_params=GAMMA)
        for k, (train, test) in enumerate(folds.split(X)):
            square = np.square(Y[test] - clone(model).fit(X[train], Y[train]).predict(X[test]))
            expected = np.nanmean(square, axis=0).mean()
            assert path.mse_path_[0, a, k] == pytest.approx(expected, rel=1e-8)
    chosen = clone(model).set_params(alpha=path.alpha_).fit(X, Y)
    np.testing.assert_allclose(path.dual_coef_, chosen.dual_coef_, rtol=1e-6, atol=1e-9)


def test_a_search_over_kernel_parameters_and_over_a_given_kernel():
    X, Y = make(missing=0.1)
    grid = {"kernel_params": [{"gamma": gamma} for gamma in (1e-4, 0.3, 1e4)]}
    search = GridSearchCV(GraphRegressor(kernel="rbf", alpha=1e-3), grid, cv=3).fit(X, Y)
    assert search.best_params_ == {"kernel_params": GAMMA}
    # a kernel is cut along both sides
    model = GraphRegressor(kernel="precomputed", alpha=1e-3)
    given = cross_val_predict(model, rbf(X, X), Y, cv=3)
    again = cross_val_predict(search.best_estimator_, X, Y, cv=3)
    np.testing.assert_allclose(given, again, rtol=1e-8)


def test_a_search_over_kernels_of_classifiers_with_missing_labels():
    X, Y = make(missing=0.2)
    Y = pd.DataFrame(np.where(np.isnan(Y), None, np.where(Y > 2, "high", "low")))
    grid = {"kernel": ["linear", "rbf"]}
    search = GridSearchCV(MeanRegularizedClassifier(), grid, cv=MultiTaskKFold(3)).fit(X, Y)
    assert search.cv_results_["mean_test_score"].max() > 0.5


# -- as scikit-learn estimators -------------------------------------------------------------------


def failing(estimator):
    if estimator.kernel == "precomputed":
        return {"check_estimators_dtypes": "cuts kernel values to integers, which is no kernel"}
    return {}


@parametrize_with_checks(
    [few(kind).set_params(kernel="rbf") for kind in EVERY]
    + [kind(kernel="precomputed") for kind in REGRESSORS + CLASSIFIERS],
    expected_failed_checks=failing,
)
def test_scikit_learn_finds_nothing_to_object_to(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", EVERY)
def test_a_pickle_predicts_the_same_and_later_parameters_change_nothing(kind):
    X, Y = make()
    Y = np.where(Y > 2, "high", "low") if is_classifier(kind()) else Y
    model = few(kind).set_params(kernel="rbf", kernel_params=GAMMA).fit(X, Y)
    expected = model.predict(X)
    model.set_params(kernel="poly", kernel_params={"degree": 2})
    predicted = pickle.loads(pickle.dumps(model)).predict(X)
    if is_classifier(model):
        assert (predicted == expected).all()
    else:  # sums in another order, as arrays are aligned otherwise
        np.testing.assert_allclose(predicted, expected, rtol=1e-12)


@pytest.mark.parametrize("kind", REGRESSORS + CLASSIFIERS)
def test_a_fit_leaves_nothing_of_an_earlier_kernel(kind):
    X, Y = make()
    Y = np.where(Y > 2, "high", "low") if kind in CLASSIFIERS else Y
    linear = set(vars(kind().fit(X, Y)))
    kernel = set(vars(kind(kernel="rbf").fit(X, Y)))
    model = kind(kernel="rbf").fit(X, Y).set_params(kernel="linear").fit(X, Y)
    assert set(vars(model)) == linear
    assert set(vars(model.set_params(kernel="rbf").fit(X, Y))) == kernel
    assert not {"coef_", "shared_coef_", "specific_coef_"} & kernel


def test_single_precision_sparse_rows_frames_and_kernel_objects_are_taken():
    X, Y = make()
    model = GraphRegressor(kernel="rbf", kernel_params=GAMMA).fit(X, Y)
    expected = model.predict(X)
    single = clone(model).fit(X.astype(np.float32), Y)
    # rows are known to 6e-8, and alpha = 0.01 magnifies that
    np.testing.assert_allclose(single.predict(X.astype(np.float32)), expected, rtol=1e-4)
    frame = pd.DataFrame(X, columns=list("abc"))
    np.testing.assert_allclose(clone(model).fit(frame, Y).predict(frame), expected, rtol=1e-12)
    rows = sparse.csr_array(X)
    np.testing.assert_allclose(clone(model).fit(rows, Y).predict(rows), expected, rtol=1e-8)
    scale = (2 * 0.3) ** -0.5  # exp(-|x - z|^2 / (2 l^2))
    gaussian = GraphRegressor(kernel=RBF(scale)).fit(X, Y)
    np.testing.assert_allclose(gaussian.predict(X), expected, rtol=1e-8)
    chunks = dask.array.from_array(X, chunks=(7, 3))
    np.testing.assert_allclose(model.predict(chunks).compute(), expected)


def test_repeated_rows_and_constant_kernels_leave_means():
    X, Y = make(n=20)
    model = GraphRegressor(kernel="rbf").fit(np.zeros_like(X), Y)
    np.testing.assert_allclose(model.predict(X), np.tile(Y.mean(axis=0), (20, 1)))


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_a_warm_start_goes_on_from_the_functions_at_hand(kind):
    X, Y = make(n=60)
    model = kind(kernel="rbf", warm_start=True, tol=1e-10).fit(X, np.where(Y > 2, "high", "low"))
    cold = model.n_iter_
    model.fit(X, np.where(Y > 2, "high", "low"))
    assert model.n_iter_ < cold


@pytest.mark.parametrize("kind", EVERY)
def test_predictions_do_not_follow_what_becomes_of_the_rows_of_fit(kind):
    X, Y = make()
    Y = np.where(Y > 2, "high", "low") if is_classifier(kind()) else Y
    model = few(kind).set_params(kernel="rbf", kernel_params=GAMMA).fit(X, Y)
    new = make(seed=1)[0]
    before = model.predict(new)
    X *= 0.0
    np.testing.assert_array_equal(model.predict(new), before)


@pytest.mark.parametrize(
    ("moved", "parameters"),
    [
        (lambda X: np.ones_like(X), {"kernel": "rbf"}),
        (lambda X: X, {"kernel": "rbf", "kernel_params": {"gamma": 1e-16}}),
        (lambda X: 1e-8 * X, {"kernel": "poly"}),
        (lambda X: X + 1e8, {"kernel": "cosine"}),
        (lambda X: np.full((30, 30), 0.7), {"kernel": "precomputed"}),
    ],
    ids=["rbf", "broad rbf", "poly", "cosine", "precomputed"],
)
@pytest.mark.parametrize("kind", EVERY)
def test_a_kernel_that_is_constant_but_for_rounding_leaves_means(kind, moved, parameters):
    X, Y = make(missing=0.2)
    X = moved(X)
    if is_classifier(kind()):
        Y = np.where(np.isnan(Y), None, np.where(Y > 2, "high", "low"))
        found = kind(**parameters).fit(X, Y).predict_proba(X)
        for probabilities, labels in zip(found, Y.T, strict=True):
            low = np.mean(pd.Series(labels).dropna() == "low")
            # intercepts are best to a gap of 1e-6, the square of their error
            np.testing.assert_allclose(probabilities[:, 1], low, atol=1e-3)
        return
    expected = np.tile(np.nanmean(Y, axis=0), (30, 1))
    # weights of up to 1e3 on features of 1e-8, which are what rounding leaves of the kernel
    np.testing.assert_allclose(few(kind).set_params(**parameters).fit(X, Y).predict(X), expected)


@pytest.mark.parametrize("n_components", [None, 20])
def test_a_large_constant_in_a_kernel_takes_digits_alone(n_components):
    X, Y = make(missing=0.2)
    model = GraphRegressor(kernel="poly", kernel_params={"degree": 1, "gamma": 1.0})
    model.set_params(n_components=n_components)
    expected = GraphRegressor().fit(X, Y).predict(X)
    # inner products of 3e8 and 3e12 have eight and four digits of what is beside them
    for offset, atol in [(1e4, 1e-6), (1e6, 1e-2)]:
        found = clone(model).fit(X + offset, Y).predict(X + offset)
        np.testing.assert_allclose(found, expected, atol=atol)


# -- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"kernel": "rfb"}, "'kernel' parameter of .* must be"),
        ({"kernel": "rbf", "kernel_params": {"gama": 1}}, r"'gama', but .*'gamma'.*did you mean"),
        ({"kernel_params": {"gamma": 1}}, "kernel='linear' takes none"),
        ({"kernel": "rbf", "n_components": 31}, "31 asks for more landmarks than the 30 rows"),
        ({"kernel": "rbf", "n_components": 0}, "'n_components' parameter"),
        ({"kernel": "sigmoid", "kernel_params": {"gamma": 9}}, "not positive semi-definite.* -"),
        ({"kernel": lambda x, z: np.nan}, "infinite or NaN"),
        ({"kernel": lambda x, z: x * z}, r"kernel=<function .*two rows of X.* returns a number"),
        ({"kernel": lambda x: 1.0}, "kernel=<function .* but 2 were given.* two rows of X"),
        ({"kernel": rbf_kernel}, r"kernel=rbf_kernel compares matrices.*Pass .*kernel='rbf'"),
        ({"kernel": "rbf", "kernel_params": {"gamma": "x"}}, r"'gamma': 'x'\}.* Got 'x'"),
        ({"kernel": "rbf", "kernel_params": {"gamma": -1}}, r"'gamma': -1\}.* float in .* Got -1"),
        ({"kernel": "chi2"}, "kernel='chi2' .* fails on dense rows of 3 features: .*negative"),
        ({"kernel": "precomputed"}, r"must be square\); found \(30, 3\)"),
    ],
)
def test_kernels_that_are_none_are_refused_in_words(kind, parameters, message):
    X, Y = make()
    Y = np.where(Y > 2, "high", "low") if is_classifier(kind()) else Y
    with pytest.raises(ValueError, match=message):
        few(kind).set_params(**parameters).fit(X, Y)


@pytest.mark.parametrize("kernel", [dot, "chi2"])
def test_sparse_rows_are_refused_where_a_kernel_needs_dense_ones(kernel):
    X, Y = make()
    with pytest.raises(ValueError, match=r"(?s)fails on sparse rows .*pass X\.toarray\(\)"):
        GraphRegressor(kernel=kernel).fit(sparse.csr_array(np.abs(X)), Y)


def test_no_constant_hides_an_indefinite_kernel():
    K = rbf(*[make()[0]] * 2) - 0.5 * np.eye(30)
    for constant in (0.0, 1e3, 1e6):
        with pytest.raises(ValueError, match=r"not positive semi-definite.* eigenvalue -0\.0"):
            GraphRegressor(kernel="precomputed").fit(K + constant, make()[1])


@pytest.mark.parametrize(
    ("model", "strengths"),
    [
        (GraphRegressor(alpha=0.0), "alpha"),
        (MeanRegularizedRegressor(0.0), "alpha_shared and alpha_specific"),
        (MeanRegularizedRegressor(alpha_specific=0.0), "alpha_shared and alpha_specific"),
        (TaskRelationshipRegressor(0.0, alpha=0.0), "gamma or alpha"),
        (GraphRegressorCV(alphas=[0.0, 0.1]), "all of alphas"),
        (MeanRegularizedRegressorCV(alphas_shared=[0.0]), "all of alphas_shared and alphas_specif"),
    ],
)
def test_strengths_that_a_kernel_needs_are_named(model, strengths):
    X, Y = make()
    with pytest.raises(ValueError, match=f"for a kernel's features.* Set {strengths}.* above 0.$"):
        model.set_params(kernel="rbf").fit(X, Y)


def test_a_given_kernel_must_be_symmetric():
    X, Y = make()
    with pytest.raises(ValueError, match=r"k\(x, z\) and k\(z, x\) differ by up to 0\.5"):
        GraphRegressor(kernel="precomputed").fit(np.eye(30) + 0.5 * np.eye(30, k=1), Y)


def test_the_most_negative_eigenvalue_is_told():
    K = np.diag([3.0, 1.0, -0.25])
    with pytest.raises(ValueError, match=r"has the eigenvalue -0\.0833 beside 1\b"):  # over 3 rows
        GraphRegressor(kernel="precomputed", fit_intercept=False).fit(K, [1.0, 2.0, 3.0])


@pytest.mark.parametrize("kind", REGRESSORS + CLASSIFIERS)
def test_a_given_kernel_is_of_rows_that_tasks_share(kind):
    rows = np.eye(4)
    y = ["u", "v", "u", "v"] if kind in CLASSIFIERS else [1.0, 2.0, 3.0, 5.0]
    with pytest.raises(TaskLayoutError, match="tasks must share rows"):
        kind(kernel="precomputed").fit({"a": rows, "b": rows}, {"a": y, "b": y})
    with pytest.raises(TaskLayoutError, match="tasks must share rows"):
        kind(kernel="precomputed", task_feature=0).fit(np.column_stack([[0, 0, 1, 1], rows]), y)


@pytest.mark.parametrize("kind", REGRESSORS)
def test_statistics_are_refused_as_rows_do_not_share_them(kind):
    X, Y = make()
    stats = kind().statistics(X, Y)
    for method in ("partial_fit", "statistics"):
        assert hasattr(kind(), method)
        assert not hasattr(kind(kernel="rbf"), method)
        with pytest.raises(AttributeError) as refused:
            getattr(kind(kernel="rbf"), method)
        assert f"{method} needs statistics of features" in str(refused.value.__cause__)
    for call in (
        lambda model: model.set_params(precompute=True).fit(X, Y),
        lambda model: model.set_params(precompute=stats).fit(X, Y),
        lambda model: model.fit(dask.array.from_array(X, chunks=(7, 3)), Y),
    ):
        with pytest.raises(ValueError, match=r"statistics of features .* kernel='rbf' has not"):
            call(kind(kernel="rbf"))


@pytest.mark.parametrize("kind", [GraphRegressor, GraphClassifier])
def test_a_kernel_needs_a_penalty_on_every_function(kind):
    X, Y = make()
    Y = np.where(Y > 2, "high", "low") if kind is GraphClassifier else Y
    with pytest.raises(ValueError, match="alpha"):
        kind(kernel="rbf", alpha=0.0).fit(X, Y)
