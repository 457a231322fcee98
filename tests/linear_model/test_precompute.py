"""Statistics, rotated rows and rows themselves give one answer; a grid forms statistics once."""

import pickle

import numpy as np
import pandas as pd
import pytest
from linear_model._estimators import assert_same_fit
from linear_model._streams import NAMES, STREAMING, STREAMS, make_rows
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import MultiTaskLasso
from sklearn.model_selection import GridSearchCV

from sklearn_mtl import JointFeatureRegressor, LowRankRegressor, MeanRegularizedRegressor
from sklearn_mtl.convex import GramStats, GroupL21, MeanRegularization, NuclearNorm, Ridge
from sklearn_mtl.convex._reduce import FEW_FEATURES, WORTH, row_space
from sklearn_mtl.convex.datafits import DesignQuadratic
from sklearn_mtl.linear_model import MultiTaskLinearClassifier, MultiTaskLinearRegressor, _form

TIGHT = {"tol": 1e-13, "max_iter": 20_000}


def assert_forms_agree(model, X, y, weight=None, *, rtol=1e-8, forms=("auto", True, False)):
    """Fit in every form and compare; return the fits by form."""
    fits = {form: clone(model).set_params(precompute=form).fit(X, y, weight) for form in forms}
    first = fits[forms[0]]
    for other in fits.values():
        assert_same_fit(first, other, rtol=rtol)
        assert type(first.predict(X)) is type(other.predict(X))
    return fits


# -- statistics -------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", STREAMS)
def test_statistics_stand_for_the_rows_they_are_of(stream):
    made = STREAMS[stream]()
    model = MeanRegularizedRegressor(**made.options)
    stats = model.statistics(*made.whole)
    assert isinstance(stats, GramStats)
    given = clone(model).set_params(precompute=stats).fit(*made.whole)
    assert given.statistics_ is stats
    assert_same_fit(model.fit(*made.whole), given, rtol=1e-14)


@pytest.mark.parametrize("name", STREAMING)
def test_statistics_leave_an_estimator_as_it_was(name):
    X, Y = make_rows()
    model = STREAMING[name]()
    before = dict(vars(model))
    model.statistics(pd.DataFrame(X, columns=list("abcd")), Y)
    assert vars(model) == before
    with pytest.raises(NotFittedError):
        model.predict(X)
    model.fit(X, Y)
    before = dict(vars(model))
    model.statistics(X[:, :2], Y[:, 0])  # of other features and tasks
    assert vars(model) == before


@pytest.mark.parametrize("name", STREAMING)
def test_a_grid_forms_statistics_once(name, monkeypatch):
    X, Y = make_rows(missing=True)
    stats = STREAMING[name]().statistics(X, Y)
    strength = next(
        word
        for word in ("alpha", "alpha_specific", "penalty__alpha", "pseudo_tasks")
        if word in STREAMING[name](**_penalised(name)).get_params()
    )
    grid = (0.01, 0.1, 1.0)
    model = STREAMING[name](**_penalised(name))
    expected = [clone(model).set_params(**{strength: a}).fit(X, Y) for a in grid]

    def refuse(*_, **__):
        raise AssertionError("a Gram matrix was formed again")

    monkeypatch.setattr(GramStats, "from_data", refuse)
    for alpha, fit in zip(grid, expected, strict=True):
        given = clone(model).set_params(**{strength: alpha}, precompute=stats)
        assert_same_fit(fit, given.fit(X, Y), rtol=1e-14)
    with pytest.raises(AssertionError, match="formed again"):
        clone(model).fit(X, Y)


def _penalised(name):
    return {"penalty": NuclearNorm()} if name == "MultiTaskLinearRegressor" else {}


def test_statistics_serve_other_task_weights_and_no_intercept():
    X, Y = make_rows(offset=2.0, missing=True)
    stats = LowRankRegressor().statistics(X, Y)
    options = {"task_weight": "n_samples", "fit_intercept": False}
    given = LowRankRegressor(precompute=stats, **options).fit(X, Y)
    assert_same_fit(LowRankRegressor(**options).fit(X, Y), given, rtol=1e-14)


def test_clones_and_grids_share_statistics():
    X, Y = make_rows()
    stats = LowRankRegressor().statistics(X, Y)
    model = LowRankRegressor(precompute=stats)
    assert clone(model).precompute is stats  # a copy would take as much memory again
    same = [(np.arange(len(X)), np.arange(len(X)))]
    search = GridSearchCV(model, {"alpha": [0.01, 10.0]}, cv=same, error_score="raise").fit(X, Y)
    assert search.best_params_ == {"alpha": 0.01}
    with pytest.raises(ValueError, match="precompute holds statistics of other data"):
        GridSearchCV(model, {"alpha": [0.01]}, cv=3, error_score="raise").fit(X, Y)


def test_a_search_over_alpha_chooses_by_held_out_rows():
    X, Y = make_rows()
    search = GridSearchCV(LowRankRegressor(), {"alpha": [1e-3, 1e3]}, cv=3).fit(X, Y)
    assert search.best_params_ == {"alpha": 1e-3}
    by_hand = LowRankRegressor(alpha=1e-3).fit(X, Y)
    assert_same_fit(by_hand, search.best_estimator_, rtol=1e-14)


def test_partial_fit_goes_on_from_given_statistics():
    X, Y = make_rows(missing=True)
    stats = LowRankRegressor().statistics(X[:30], Y[:30])
    model = LowRankRegressor(precompute=stats).fit(X[:30], Y[:30]).partial_fit(X[30:], Y[30:])
    assert_same_fit(LowRankRegressor().fit(X, Y), model, rtol=1e-10)


X, Y = make_rows()
WEIGHT = np.linspace(0.5, 2.0, len(X))
SHIFTED = np.where(np.arange(len(X))[:, None] == 3, X + 1.0, X)
OTHER = {
    "tasks": (X, Y[:, :2], None, r"of 3 task\(s\), the data of 2"),
    "features": (X[:, :3], Y, None, r"of 4 feature\(s\), X has 3"),
    "rows": (X[1:], Y[1:], None, r"task 'task0' has 60 label\(s\) in the statistics and 59"),
    "labels": (X, Y + np.array([0, 0, 1]), None, "the labels of task 'task2' have mean"),
    "missing labels": (X, np.where(Y.max() > Y, Y, np.nan), None, r"label\(s\) in the stat"),
    "weights": (X, Y, WEIGHT, "the weights of task 'task0' sum to 60 in the statistics and to 75"),
    "X": (SHIFTED, Y, None, "feature 0 has mean"),
}


@pytest.mark.parametrize("case", OTHER)
def test_statistics_of_other_data_are_refused_by_what_differs(case):
    stats = LowRankRegressor().statistics(X, Y)
    rows, labels, weight, match = OTHER[case]
    with pytest.raises(ValueError, match=f"precompute holds statistics of other data.*{match}"):
        LowRankRegressor(precompute=stats).fit(rows, labels, weight)


def test_statistics_of_tasks_by_name_are_compared_by_name():
    named = dict(zip(NAMES, Y.T, strict=True))
    stats = LowRankRegressor().statistics(X, named)
    with pytest.raises(ValueError, match="the labels of task 'south' have mean"):
        LowRankRegressor(precompute=stats).fit(X, {**named, "south": -Y[:, 1]})


@pytest.mark.parametrize("precompute", ["always", None, 1.5, "True"])
def test_other_values_of_precompute_are_refused(precompute):
    with pytest.raises(ValueError, match="'precompute' parameter of LowRankRegressor must be"):
        LowRankRegressor(precompute=precompute).fit(X, Y)


def test_statistics_read_as_a_fit_does():
    with pytest.raises(ValueError, match="'task1' has no observed label"):
        LowRankRegressor().statistics(X, Y * [1, np.nan, 1])
    with pytest.raises(ValueError, match="Input X contains NaN"):
        LowRankRegressor().statistics(np.where(X > 1, np.nan, X), Y)


# -- wide rows ----------------------------------------------------------------------------------

WIDE = 2 * FEW_FEATURES


def make_wide(*, n=40, offset=0.0, rank=None, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, WIDE))
    if rank is not None:
        X = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, WIDE))
    Y = X[:, :20] @ rng.normal(size=(20, 2)) @ rng.normal(size=(2, 3)) + rng.normal(size=(n, 3))
    return X + offset, Y + 3.0


def hide(Y):
    return np.where(np.random.default_rng(1).random(Y.shape) < 0.3, np.nan, Y)


def own(X, Y):
    parts = {"north": slice(0, 12), "south": slice(12, 18), "east": slice(18, 40)}
    labels = {name: Y[part, t] for t, (name, part) in enumerate(parts.items())}
    return {name: X[part] for name, part in parts.items()}, labels


def long(X, Y):
    task = np.arange(len(X)) % 3
    return np.column_stack([task, X]), Y[np.arange(len(X)), task]


WIDE_DATA = {
    "complete": (lambda X, Y: (X, Y), {}),
    "missing labels": (lambda X, Y: (X, hide(Y)), {}),
    "weights": (lambda X, Y: (X, hide(Y), np.linspace(0.1, 2.0, len(X))), {}),
    "frame": (lambda X, Y: (pd.DataFrame(X).add_prefix("x"), pd.DataFrame(Y)), {}),
    "own rows": (own, {}),
    "long form": (long, {"task_feature": 0}),
    "no intercept": (lambda X, Y: (X, hide(Y)), {"fit_intercept": False}),
    "task weights": (lambda X, Y: (X, Y), {"task_weight": [0.2, 1.0, 3.0]}),
    "sparse": (lambda X, Y: (sparse.csr_array(np.where(X > 1, X, 0)), hide(Y)), {}),
}
INVARIANT = {
    "nuclear": LowRankRegressor(alpha=0.5),
    "mean": MeanRegularizedRegressor(alpha_shared=0.1, alpha_specific=0.5),
    "nuclear and ridge": MultiTaskLinearRegressor(NuclearNorm(0.3) + Ridge(0.1)),
}


@pytest.mark.parametrize("data", WIDE_DATA)
@pytest.mark.parametrize("penalty", INVARIANT)
def test_rotated_rows_give_the_fit_of_gram_matrices(penalty, data):
    make, options = WIDE_DATA[data]
    rows = make(*make_wide())
    model = clone(INVARIANT[penalty]).set_params(**options, **TIGHT)
    fits = assert_forms_agree(model, *rows)  # asked for: 1e-8
    assert fits["auto"].statistics_ is None  # which tells that rows were rotated
    assert fits[True].statistics_.n_features == WIDE


@pytest.mark.parametrize("penalty", INVARIANT)
def test_rows_of_low_rank_are_rotated_as_well(penalty):
    rows = make_wide(rank=5)
    fits = assert_forms_agree(clone(INVARIANT[penalty]).set_params(**TIGHT), *rows)
    assert fits["auto"].statistics_ is None


def test_rotations_lose_no_digits_to_an_offset():
    X, Y = make_wide(offset=1e6)
    near, far = MeanRegularizedRegressor().fit(X - 1e6, Y), MeanRegularizedRegressor().fit(X, Y)
    assert far.statistics_ is None
    # X - 1e6 is exact; rows not centred before they are rotated would be off by 3e-10
    np.testing.assert_allclose(far.coef_, near.coef_, atol=1e-12)
    # predictions are differences of numbers of 1e6 times the weights
    np.testing.assert_allclose(far.predict(X), near.predict(X - 1e6), atol=1e-7)


def test_classifiers_rotate_wide_rows_about_their_mean():
    X, Y = make_wide(offset=100.0)
    labels = (np.median(Y, axis=0) < Y).astype(int)
    model = MultiTaskLinearClassifier(NuclearNorm(0.1), **TIGHT)
    wide = clone(model).fit(X, labels)
    # with features of 0 the rows are as many, but rotated by another matrix
    more = clone(model).fit(np.hstack([np.zeros_like(X), X]), labels)
    np.testing.assert_allclose(more.coef_[:, WIDE:], wide.coef_, atol=1e-6)
    np.testing.assert_array_equal(more.coef_[:, :WIDE] < 1e-12, True)
    np.testing.assert_allclose(more.intercept_, wide.intercept_, rtol=1e-6)


@pytest.mark.parametrize(
    ("n", "p", "rotates"),
    [
        (int(WORTH * WIDE), WIDE, True),
        (int(WORTH * WIDE) + 1, WIDE, False),  # the decomposition costs more than it saves
        (WIDE, WIDE, False),
        (5, FEW_FEATURES - 1, False),  # nothing to save
        (5, FEW_FEATURES, True),
    ],
)
def test_rows_are_rotated_where_that_is_worth_it(n, p, rotates):
    X = np.random.default_rng(0).normal(size=(n, p)) + 5.0
    for centre in (True, False):
        space = row_space(X, centre=centre)
        assert (space.basis is not None) == rotates
        if not rotates:
            assert space.rows is X
            continue
        np.testing.assert_allclose(space.basis.T @ space.basis, np.eye(n), atol=1e-13)
        shift = X.mean(axis=0) if centre else 0.0
        np.testing.assert_allclose(space.rows @ space.basis.T + shift, X, atol=1e-12)
        W = np.ones((2, n))
        expected = W @ (space.basis.T @ (shift * np.ones(p)))
        np.testing.assert_allclose(space.intercept(lambda W: W.sum(axis=1))(W), n - expected)


# -- rows themselves ------------------------------------------------------------------------------


@pytest.mark.parametrize("data", WIDE_DATA)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_rows_give_the_sparse_fit_of_gram_matrices(data, l1_ratio):
    make, options = WIDE_DATA[data]
    rows = make(*make_wide())
    model = JointFeatureRegressor(alpha=0.3, l1_ratio=l1_ratio, **options, **TIGHT)
    fits = assert_forms_agree(model, *rows, rtol=1e-7)
    assert fits[False].statistics_ is None
    assert fits[True].statistics_.n_features == WIDE


def test_auto_works_on_rows_where_the_cost_rule_prefers_them(monkeypatch):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(60, 300)), rng.normal(size=(60, 2))
    model = JointFeatureRegressor(alpha=0.1, **TIGHT)
    fits = assert_forms_agree(model, X, Y, rtol=1e-7)
    assert fits["auto"].statistics_ is None
    assert clone(model).fit(X[:, :20], Y).statistics_ is not None
    # own rows: of a task, on average; sparse rows: their density
    asked = []

    def record(*sizes, **options):
        asked.append((*sizes, *options.values()))
        return False

    monkeypatch.setattr(_form, "prefers_design", record)
    X = np.where(X[:, :20] > 0, X[:, :20], 0.0)
    clone(model).fit(X, Y)
    clone(model).fit(sparse.csr_array(X), np.where(Y > 1, np.nan, Y))
    clone(model).fit({"a": X[:11], "b": X}, {"a": Y[:11, 0], "b": Y[:, 1]})
    share = (X > 0).mean()
    assert asked == [(60, 20, 2, 1, 1.0, 1), (60, 20, 2, 2, share, 1), (36, 20, 2, 2, 1.0, 1)]
    # of norms that rotations leave as they are, and of first-order methods, it knows nothing
    LowRankRegressor().fit(X, Y)
    tied = MultiTaskLinearRegressor(GroupL21() + MeanRegularization())
    assert clone(tied).fit(X, Y).statistics_ is not None
    assert clone(tied).fit(X[:9], Y[:9]).statistics_ is None
    assert len(asked) == 3


@pytest.mark.parametrize("share", [0.3, 0.003])  # few features at work, and most
def test_tall_rows_of_few_tasks_give_the_weights_of_multi_task_lasso(share, monkeypatch):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(300, 100)) + 3.0, rng.normal(size=(300, 1))
    Y += X[:, :60] @ rng.normal(size=(60, 1))
    slope = (X - X.mean(axis=0)).T @ (Y - Y.mean(axis=0))
    alpha = share * np.linalg.norm(slope, axis=1).max() / 300
    switched, form = [], DesignQuadratic.on_gram_matrix

    def record(loss):
        switched.append(form(loss))
        return switched[-1]

    monkeypatch.setattr(DesignQuadratic, "on_gram_matrix", record)
    model = JointFeatureRegressor(alpha=alpha, tol=1e-13).fit(X, Y)
    assert model.statistics_ is None
    assert len(switched) == (share < 0.1)
    assert None not in switched
    peer = MultiTaskLasso(alpha=alpha, tol=1e-13, max_iter=10_000).fit(X, Y)
    # both gaps are at most 1e-12 of the objective; the weights go as their root
    np.testing.assert_allclose(model.coef_, peer.coef_, atol=1e-6)
    np.testing.assert_allclose(model.intercept_, peer.intercept_, atol=1e-5)


def test_gram_matrices_that_would_fill_memory_are_not_formed(monkeypatch):
    X, Y = make_wide(n=WIDE)  # nothing to rotate
    monkeypatch.setattr(_form, "MOST_NUMBERS", 3 * WIDE**2 - 1)
    for kind in (MeanRegularizedRegressor, LowRankRegressor):
        model = kind(max_iter=20_000)
        with monkeypatch.context() as patch:
            patch.setattr(GramStats, "from_data", None)
            on_rows = clone(model).fit(X, hide(Y))
        assert on_rows.statistics_ is None
        on_gram = clone(model).set_params(precompute=True).fit(X, hide(Y))
        bound = on_rows.dual_gap_ + on_gram.dual_gap_
        bound += 1e-13 * on_gram.objective_  # the rounding of sums over rows, where both are exact
        assert abs(on_rows.objective_ - on_gram.objective_) <= bound
        assert clone(model).fit(X, Y).statistics_ is not None  # one Gram matrix does fit


def test_fits_on_rows_are_pickled_without_them():
    X, Y = make_wide()
    model = JointFeatureRegressor(alpha=0.3, precompute=False).fit(X, Y)
    assert len(pickle.dumps(model)) < X.nbytes / 2
