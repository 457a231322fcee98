"""Probabilities that know how uncertain weights are, of tasks seen, never seen and seen later."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from sklearn_mtl import (
    BayesianMultiTaskClassifier,
    MultiTaskKFold,
    MultiTaskTarget,
    TaskLayoutError,
    stack_tasks,
)
from sklearn_mtl.bayes import expected_sigmoid

FORMS = ["full", "diagonal", "spherical", "low_rank"]
CLASSES = np.array(["ill", "well"])


def draw(scores, rng):
    return CLASSES[(scores + rng.logistic(size=len(scores)) > 0).astype(int)]


def clinics(n_tasks=12, n=20, p=3, seed=0, spread=0.5):
    """Tasks with rows of their own, whose weights are draws of one population."""
    rng = np.random.default_rng(seed)
    X = {f"c{t:02d}": rng.normal(size=(n, p)) + 0.5 for t in range(n_tasks)}
    W = {name: np.arange(1.0, p + 1) - 1.5 + spread * rng.normal(size=p) for name in X}
    b = {name: 0.5 * rng.normal() for name in X}
    y = {name: draw(rows @ W[name] + b[name], rng) for name, rows in X.items()}
    return X, y, W, b


def in_long_form(X, y):
    frames = {name: (pd.DataFrame(rows, columns=list("uvw")), y[name]) for name, rows in X.items()}
    return stack_tasks(frames, task_feature="clinic")


# -- probabilities --------------------------------------------------------------------------------


def test_probabilities_are_as_frequent_as_they_say_in_tasks_seen_and_never_seen():
    X, y, W, b = clinics(n_tasks=200, n=25, spread=0.7)
    seen = dict(list(X.items())[:80])
    model = BayesianMultiTaskClassifier(unseen_task="prior", tol=1e-5)
    model.fit(seen, {name: y[name] for name in seen})
    rng = np.random.default_rng(9)
    fresh = {name: rng.normal(size=(100, 3)) + 0.5 for name in X}
    found = model.predict_proba(fresh)
    for names in (list(seen), [name for name in X if name not in seen]):
        told = np.concatenate([found[name][:, 1] for name in names])
        true = np.concatenate([expit(fresh[name] @ W[name] + b[name]) for name in names])
        well = rng.random(len(true)) < true
        for low in np.arange(0.0, 1.0, 0.2):
            mine = (told >= low) & (told < low + 0.2)
            # labels have a binomial error; rows of a task have a part of theirs in common, 0.2 at
            # most; and the population's mean is known to 0.7 / sqrt(80) = 0.08, a 50th of a
            # probability
            error = np.sqrt(0.25 / mine.sum() + 0.2**2 / len(names)) + 0.02
            assert abs(well[mine].mean() - told[mine].mean()) < 2.0 * error


def test_sharing_and_averaging_lose_less_than_a_model_for_each_task():
    X, y, W, b = clinics(n_tasks=20, n=25)
    rng = np.random.default_rng(9)
    fresh = {name: rng.normal(size=(100, 3)) + 0.5 for name in X}
    later = {name: draw(fresh[name] @ W[name] + b[name], rng) for name in X}
    truth = np.concatenate(list(later.values()))

    def loss(probabilities):
        return log_loss(truth, np.concatenate([p[:, 1] for p in probabilities]))

    shared = loss(BayesianMultiTaskClassifier().fit(X, y).predict_proba(fresh).values())
    alone = {name: LogisticRegression().fit(X[name], y[name]) for name in X}
    assert shared < loss([alone[name].predict_proba(fresh[name]) for name in X]) - 0.01
    rows = np.concatenate(list(X.values()))
    pooled = LogisticRegression().fit(rows, np.concatenate(list(y.values())))
    assert shared < loss([pooled.predict_proba(fresh[name]) for name in X]) - 0.01


@pytest.mark.parametrize("form", FORMS)
def test_without_intercepts_probabilities_are_averages_over_the_weights(form):
    X, y, *_ = clinics()
    model = BayesianMultiTaskClassifier(form, fit_intercept=False).fit(X, y)
    found = model.predict_proba(X)
    for t, (name, rows) in enumerate(X.items()):
        variance = np.einsum("ni,ij,nj->n", rows, model.coef_covariance_[t], rows)
        mean = rows @ model.coef_[t]
        assert_allclose(found[name][:, 1], expected_sigmoid(mean, variance), atol=1e-10)
        # what is uncertain is nearer to one half than the mean weights say
        assert (np.abs(found[name][:, 1] - 0.5) <= np.abs(expit(mean) - 0.5)).all()


def test_a_prediction_is_the_most_probable_class():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    levels = np.array(["high", "low", "mid"])
    y = {name: levels[(X @ rng.normal(size=(3, 3))).argmax(axis=1)] for name in "ab"}
    model = BayesianMultiTaskClassifier().fit(X, y)
    fresh = rng.normal(size=(500, 3))
    for name, block in model.predict_proba(fresh).items():
        assert_allclose(block.sum(axis=1), 1.0, rtol=1e-12)
        assert np.array_equal(model.predict(fresh)[name], levels[block.argmax(axis=1)])


# -- what labels may be ---------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("long", [False, True])
def test_tasks_of_one_class_are_held_by_the_population(form, long):
    X, y, *_ = clinics()
    y["c03"][:] = "well"
    y["c07"][:] = "ill"
    if long:
        rows, labels = in_long_form(X, y)
        model = BayesianMultiTaskClassifier(form, task_feature="clinic").fit(rows, labels)
        found = dict(zip(X, np.split(model.predict_proba(rows), len(X)), strict=True))
    else:
        model = BayesianMultiTaskClassifier(form).fit(X, y)
        found = model.predict_proba(X)
    assert np.isfinite(model.coef_).all()
    assert np.abs(model.intercept_).max() < 20.0
    assert 0.6 < found["c03"][:, 1].mean() < 1.0
    assert 0.0 < found["c07"][:, 1].mean() < 0.4
    # the slopes of others are theirs, too
    assert (found["c03"][:, 1].max() - found["c03"][:, 1].min()) > 0.02


@pytest.mark.parametrize("n_tasks", [1, 2, 3])
@pytest.mark.parametrize("form", FORMS)
def test_separable_classes_of_few_tasks_and_many_features_stay_finite(form, n_tasks):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 20))
    y = {f"t{t}": X[:, t] > np.median(X[:, t]) for t in range(n_tasks)}
    model = BayesianMultiTaskClassifier(form).fit(X, y)
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.scores_).all()
    assert np.abs(model.coef_).max() < 100.0
    for name, block in model.predict_proba(X).items():
        assert ((block > 0) & (block < 1)).all()
        assert (model.predict(X)[name] == y[name]).mean() > 0.8


def test_labels_that_nothing_tells_about_have_their_frequencies():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    y = {name: rng.random(200) < share for name, share in (("a", 0.2), ("b", 0.7), ("c", 0.5))}
    found = BayesianMultiTaskClassifier().fit(X, y).predict_proba(X)
    for name, labels in y.items():
        # weights of 200 labels have standard errors of 0.15, or 0.04 in probability
        assert found[name][:, 1].std() < 0.08
        assert found[name][:, 1].mean() == pytest.approx(labels.mean(), abs=0.02)


@pytest.mark.parametrize("form", ["full", "diagonal", "low_rank"])
def test_units_of_features_change_nothing(form):
    X, y, *_ = clinics()
    units, zero = np.array([1e3, 1.0, 1e-3]), np.array([5.0, -2.0, 0.1])
    model = BayesianMultiTaskClassifier(form).fit(X, y)
    moved = {name: (rows + zero) * units for name, rows in X.items()}
    other = BayesianMultiTaskClassifier(form).fit(moved, y)
    # sums of other numbers, from which the search takes other steps, to tol
    assert_allclose(other.coef_ * units, model.coef_, rtol=1e-5, atol=1e-6)
    assert_allclose(
        other.prior_covariance_ * np.outer(units, units),
        model.prior_covariance_,
        rtol=1e-4,
        atol=1e-6,
    )
    for name in X:
        assert_allclose(other.predict_proba(moved)[name], model.predict_proba(X)[name], atol=1e-5)


def test_weights_are_rounded_to_the_precision_of_x_and_found_in_float64():
    X, y, *_ = clinics()
    single = {name: rows.astype(np.float32) for name, rows in X.items()}
    model = BayesianMultiTaskClassifier().fit(single, y)
    exact = {name: rows.astype(np.float64) for name, rows in single.items()}
    double = BayesianMultiTaskClassifier().fit(exact, y)
    assert model.coef_.dtype == model.intercept_.dtype == np.float32
    assert_allclose(model.coef_, double.coef_, rtol=1e-6)
    for name in X:
        found = model.predict_proba(single)[name]
        assert found.dtype == np.float64
        assert_allclose(found, double.predict_proba(exact)[name], rtol=1e-9)


# -- populations ----------------------------------------------------------------------------------


def test_a_population_of_binary_tasks_has_one_mean_and_one_covariance():
    X, y, *_ = clinics()
    model = BayesianMultiTaskClassifier().fit(X, y)
    assert model.coef_.shape == (12, 3)
    assert model.coef_covariance_.shape == (12, 3, 3)
    assert model.prior_mean_.shape == (3,)
    assert model.prior_covariance_.shape == model.prior_mean_covariance_.shape == (3, 3)
    assert np.ndim(model.prior_intercept_mean_) == np.ndim(model.prior_intercept_variance_) == 0
    # the mean of the population is that of its tasks, but for what pulls it to 0
    assert_allclose(model.prior_mean_, model.coef_.mean(axis=0), atol=0.1)
    assert_allclose(model.prior_intercept_mean_, model.intercept_.mean(), atol=0.1)
    assert 2 <= len(model.scores_) <= model.n_iter_ + 1
    assert (np.diff(model.scores_) >= 0).all()
    assert model.log_evidence_ < 0


def test_tasks_of_other_classes_have_populations_of_their_own():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    levels = np.array(["high", "low", "mid"])
    y = {
        "late": X[:, 0] + rng.normal(size=50) > 0,
        "size": levels[(X + rng.gumbel(size=(50, 3))).argmax(axis=1)],
        "good": CLASSES[(X[:, 1] + rng.normal(size=50) > 0).astype(int)],
        "price": levels[(X + rng.gumbel(size=(50, 3))).argmax(axis=1)],
    }
    model = BayesianMultiTaskClassifier().fit(X, y)
    assert model.coef_.shape == (8, 3)
    assert model.coef_covariance_.shape == (8, 3, 3)
    assert model.prior_mean_.shape == (4, 3)
    assert model.prior_covariance_.shape == (4, 3, 3)
    assert model.prior_intercept_mean_.shape == model.prior_intercept_variance_.shape == (4,)
    assert 2 <= len(model.scores_) <= model.n_iter_ + 1
    assert (np.diff(model.scores_) >= 0).all()
    for names, own in ((("late", "good"), [0, 4]), (("size", "price"), [1, 2, 3, 5, 6, 7])):
        part = BayesianMultiTaskClassifier().fit(X, {name: y[name] for name in names})
        assert_allclose(part.coef_, model.coef_[own], rtol=1e-9)
        assert_allclose(part.coef_covariance_, model.coef_covariance_[own], rtol=1e-9)


def test_a_known_mean_of_the_population_is_0():
    X, y, *_ = clinics()
    model = BayesianMultiTaskClassifier(prior_mean="zero").fit(X, y)
    assert np.array_equal(model.prior_mean_, np.zeros(3))
    assert np.array_equal(model.prior_mean_covariance_, np.zeros((3, 3)))
    learned = BayesianMultiTaskClassifier().fit(X, y)
    assert np.trace(model.prior_covariance_) > np.trace(learned.prior_covariance_)


def test_a_fit_that_stops_early_says_so():
    X, y, *_ = clinics()
    with pytest.warns(ConvergenceWarning, match=r"stopped after 1 iterations.*max_iter \(now 1\)"):
        BayesianMultiTaskClassifier(max_iter=1).fit(X, y)


# -- tasks never seen, and tasks that come later ---------------------------------------------------


def test_a_task_never_seen_is_the_average_over_the_population():
    X, y, *_ = clinics()
    model = BayesianMultiTaskClassifier(unseen_task="prior", fit_intercept=False).fit(X, y)
    rows = np.random.default_rng(1).normal(size=(5, 3))
    found = model.predict_proba({"new": rows})["new"][:, 1]
    spread = model.prior_covariance_ + model.prior_mean_covariance_
    draws = np.random.default_rng(2).multivariate_normal(model.prior_mean_, spread, size=100_000)
    # 100 000 draws err by 0.5 / sqrt(100 000) = 0.0016
    assert_allclose(found, expit(rows @ draws.T).mean(axis=1), atol=6e-3)
    assert model.task_names_ == list(X)  # predictions change nothing
    with pytest.raises(TaskLayoutError, match="'new'"):
        BayesianMultiTaskClassifier().fit(X, y).predict({"new": rows})


def test_tasks_never_seen_are_known_by_name_in_long_form():
    X, y, *_ = clinics()
    rows, labels = in_long_form(X, y)
    model = BayesianMultiTaskClassifier(unseen_task="prior", task_feature="clinic")
    model.fit(rows, labels)
    other = rows.assign(clinic="new")
    own = BayesianMultiTaskClassifier(unseen_task="prior").fit(X, y)
    expected = own.predict_proba({"new": rows.drop(columns="clinic").to_numpy()})["new"]
    assert_allclose(model.predict_proba(other), expected, rtol=1e-9)
    assert model.predict(other).shape == (240,)
    assert 0.4 < model.score(other, labels) <= 1.0


def test_several_classes_may_be_expected_of_a_task_never_seen():
    rng = np.random.default_rng(0)
    X = {name: rng.normal(size=(40, 3)) for name in "abcd"}
    levels = np.array(["high", "low", "mid"])
    y = {name: levels[(2 * r + rng.gumbel(size=r.shape)).argmax(axis=1)] for name, r in X.items()}
    model = BayesianMultiTaskClassifier(unseen_task="prior").fit(X, y)
    fresh = 3.0 * np.eye(3)
    assert model.predict({"new": fresh})["new"].tolist() == levels.tolist()
    model.add_task({"new": X["a"]}, {"new": y["a"]})
    assert model.coef_.shape == (15, 3)
    assert model.predict({"new": fresh})["new"].tolist() == levels.tolist()


def test_what_a_task_never_seen_is_must_be_clear():
    rng = np.random.default_rng(0)
    X = {name: rng.normal(size=(30, 2)) for name in ("late", "size")}
    y = {"late": X["late"][:, 0] > 0, "size": np.digitize(X["size"][:, 0], [-0.5, 0.5])}
    model = BayesianMultiTaskClassifier(unseen_task="prior").fit(X, y)
    with pytest.raises(TaskLayoutError, match=r"'new' was not in fit.*differ in kind or classes"):
        model.predict({"new": X["late"]})


def test_labels_move_a_new_task_from_the_population_to_its_own():
    X, y, W, b = clinics(n_tasks=15, n=60)
    *old, new = X
    model = BayesianMultiTaskClassifier(unseen_task="prior")
    model.fit({name: X[name] for name in old}, {name: y[name] for name in old})
    before, coef = model.predict_proba({new: X[new]})[new], model.coef_.copy()
    told = model.add_task({new: X[new]}, {new: y[new]})
    assert told is model
    assert model.task_names_ == list(X)
    assert np.array_equal(model.coef_[:-1], coef)
    after = model.predict_proba(X)[new]
    assert log_loss(y[new], after[:, 1]) < log_loss(y[new], before[:, 1])
    # a fit on all of them differs by what one task of fifteen tells of the population
    together = BayesianMultiTaskClassifier().fit(X, y)
    assert_allclose(after, together.predict_proba(X)[new], atol=0.06)
    assert model.coef_covariance_.shape == (15, 3, 3)


def test_new_tasks_may_have_seen_one_class():
    X, y, *_ = clinics()
    rows = X["c00"][:4]
    model = BayesianMultiTaskClassifier(unseen_task="prior").fit(X, y)
    before = model.predict_proba({"new": rows})["new"]
    after = model.add_task({"new": rows}, {"new": ["well"] * 4}).predict_proba({"new": rows})
    assert (after["new"][:, 1] > before[:, 1]).all()
    long, labels = in_long_form(X, y)
    model = BayesianMultiTaskClassifier(task_feature="clinic").fit(long, labels)
    model.add_task(long.iloc[:4].assign(clinic="new"), ["well"] * 4)
    assert_allclose(
        model.predict_proba(long.iloc[:4].assign(clinic="new")), after["new"], rtol=1e-6
    )


def test_columns_are_added_to_an_array_of_tasks():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    Y = (X @ rng.normal(size=(3, 5)) + rng.logistic(size=(40, 5)) > 0).astype(int)
    model = BayesianMultiTaskClassifier().fit(X, Y[:, :4]).add_task(X, Y[:, 4])
    assert model.predict(X).shape == (40, 5)
    assert len(model.predict_proba(X)) == 5
    assert model.score(X, Y) > 0.5


def test_a_new_task_of_other_classes_is_refused():
    X, y, *_ = clinics()
    model = BayesianMultiTaskClassifier().fit(X, y)
    with pytest.raises(TaskLayoutError, match=r"'new' has the classes .*'dead'.*\('ill', 'well'\)"):
        model.add_task({"new": X["c00"]}, {"new": np.where(X["c00"][:, 0] > 0, "dead", "well")})
    with pytest.raises(TaskLayoutError, match="known already"):
        model.add_task({"c00": X["c00"]}, {"c00": y["c00"]})


# -- searches -------------------------------------------------------------------------------------


def test_forms_of_the_covariance_are_searched_by_the_probabilities_they_give():
    X, y, *_ = clinics()
    rows, labels = in_long_form(X, y)
    search = GridSearchCV(
        BayesianMultiTaskClassifier(task_feature="clinic", tol=1e-4),
        {"prior_covariance": ["spherical", "full"]},
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
        scoring="neg_log_loss",
    ).fit(rows, labels)
    assert -0.7 < search.best_score_ < 0
    rng = np.random.default_rng(0)
    X = rng.normal(size=(45, 3))
    named = {name: draw(X @ rng.normal(size=3), rng) for name in "ab"}
    search = GridSearchCV(
        BayesianMultiTaskClassifier(tol=1e-4),
        {"prior_mean": ["zero", "learned"]},
        cv=MultiTaskKFold(3),
    ).fit(X, MultiTaskTarget(named))
    assert search.best_score_ > 0.4
