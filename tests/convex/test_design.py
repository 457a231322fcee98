import numpy as np
import pytest
from convex._references_features import KINDS, both_datafits, make_data
from scipy.sparse import csr_array

from sklearn_mtl.convex import GramStats
from sklearn_mtl.convex.datafits import DesignQuadratic, prefers_design

SHAPES = [(40, 8, 3), (20, 30, 2), (15, 1, 4), (30, 5, 1)]


def assert_same_loss(one, other, rtol=1e-9):
    rng = np.random.default_rng(3)
    W = rng.normal(size=one.shape)
    W[:, ::2] = 0.0
    for coef in (np.zeros(one.shape), W, 0.1 * np.ones(one.shape)):
        here, there = one.at(coef), other.at(coef)
        assert here.value == pytest.approx(there.value, rel=rtol)
        size = np.abs(there.gradient).max()
        np.testing.assert_allclose(here.gradient, there.gradient, rtol=rtol, atol=rtol * size)
        assert here.dual(0.7) == pytest.approx(there.dual(0.7), rel=rtol, abs=rtol * there.value)
    np.testing.assert_allclose(one.linear, other.linear, rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "p", "n_tasks"), SHAPES)
def test_rows_say_what_gram_matrices_say(n, p, n_tasks, kind, fit_intercept):
    X, data = make_data(kind, n, p, n_tasks, offset=1.0)
    gram, design = both_datafits(X, data, np.linspace(0.0, 2.0, n_tasks) + 0.1, fit_intercept)
    assert_same_loss(design, gram)
    every = np.arange(p)
    np.testing.assert_allclose(
        design.gram_block(every, every[:2])[design.group],
        gram.gram_block(every, every[:2])[gram.group],
        atol=1e-10,
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_value_is_the_weighted_mean_of_squares(kind, fit_intercept):
    X, data = make_data(kind, 40, 6, 3)
    task_weight = np.array([1.0, 0.3, 2.0])
    design = DesignQuadratic(X, data, task_weight, fit_intercept=fit_intercept)
    W = np.random.default_rng(0).normal(size=(3, 6))
    intercept, expected = design.intercept(W), 0.0
    if not fit_intercept:
        np.testing.assert_array_equal(intercept, 0.0)
    for t in range(3):
        rows = data.rows(t)
        weight = np.ones(len(rows)) if data.weights is None else data.weights[rows, t]
        errors = data.column(data.labels, t, rows) - X[rows] @ W[t] - intercept[t]
        expected += task_weight[t] * weight @ errors**2 / weight.sum() / 2
        if fit_intercept:
            assert weight @ errors == pytest.approx(0.0, abs=1e-9)
    assert design.at(W).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_sparse_rows_equal_dense_ones(kind, fit_intercept):
    X, data = make_data(kind, 40, 10, 3)
    X[np.random.default_rng(0).random(X.shape) < 0.6] = 0.0
    X[:, 0] += 1e6  # a column without zeros may have an offset
    dense = DesignQuadratic(X, data, np.ones(3), fit_intercept=fit_intercept)
    sparse = DesignQuadratic(csr_array(X), data, np.ones(3), fit_intercept=fit_intercept)
    # without intercepts the values are 1e12, and their differences are compared
    assert_same_loss(sparse, dense, rtol=1e-8)
    features = np.array([0, 3, 7])
    np.testing.assert_allclose(
        sparse.gram_block(features, features), dense.gram_block(features, features), rtol=1e-8
    )
    if kind == "complete":
        np.testing.assert_allclose(sparse.root(features)[0], dense.root(features)[0], atol=1e-8)
    assert sparse.lipschitz() >= dense.lipschitz() * (1 - 1e-12) or kind != "complete"


@pytest.mark.parametrize("kind", KINDS)
def test_an_offset_of_a_million_loses_no_digits(kind):
    X, data = make_data(kind, 60, 8, 3)
    X = np.round(X * 2**20) / 2**20  # so that the offset itself rounds nothing away
    moved = DesignQuadratic(X + 2.0**20, data, np.ones(3))
    still = DesignQuadratic(X, data, np.ones(3))
    # moments of 1 from numbers of 1e6 would be off by 1e-4; means carry 1e-16 * 1e6
    assert_same_loss(moved, still, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "p"), [(40, 8), (20, 30)])
def test_lipschitz_bounds_the_largest_curvature(n, p, kind):
    X, data = make_data(kind, n, p, 3)
    design = DesignQuadratic(X, data, np.array([1.0, 0.5, 2.0]))
    every = np.arange(p)
    grams = design.gram_block(every, every)[design.group] * design.task_weight[:, None, None]
    largest = max(np.linalg.eigvalsh(gram)[-1] for gram in grams)
    assert largest <= design.lipschitz() * (1 + 1e-12)
    if kind in ("complete", "weighted", "own rows"):
        assert design.lipschitz() == pytest.approx(largest)


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_of_one_task_is_its_part_of_the_sum(kind):
    X, data = make_data(kind, 40, 6, 3)
    W = np.random.default_rng(0).normal(size=(3, 6))
    for whole in both_datafits(X, data, np.array([1.0, 0.5, 2.0])):
        ones = [whole.of_task(t).at(W[[t]]) for t in range(3)]
        assert sum(one.value for one in ones) == pytest.approx(whole.at(W).value, rel=1e-12)
        gradient = np.concatenate([one.gradient for one in ones])
        np.testing.assert_allclose(gradient, whole.at(W).gradient, atol=1e-12)


def test_rows_are_their_own_root():
    X, data = make_data("weighted", 30, 12, 4)
    design = DesignQuadratic(X, data, np.full(4, 0.5))
    features = np.array([1, 5, 11])
    matrix, targets = design.root(features)
    np.testing.assert_allclose(matrix.T @ matrix, design.gram_block(features, features)[0])
    np.testing.assert_allclose(0.5 * (matrix.T @ targets).T, design.linear[:, features])
    assert DesignQuadratic(*make_data("missing", 30, 12, 4), np.ones(4)).root(features) is None


def test_rows_of_weight_zero_do_not_count():
    X, data = make_data("complete", 30, 5, 2)
    weights = np.ones((30, 2))
    weights[10:] = 0.0
    part = data.with_labels(data.labels, weights > 0, weights)
    few = DesignQuadratic(X, part, np.ones(2))
    first = make_data("complete", 30, 5, 2)[1]
    first = first.with_labels(data.labels, np.arange(30)[:, None] < [10, 10])
    assert_same_loss(few, GramStats.from_data(X, first).datafit(np.ones(2)))
    assert len(few.rows.targets) == 10


def test_a_task_without_labels_has_no_part():
    X, data = make_data("missing", 30, 5, 3)
    observed = data.observed.copy()
    observed[:, 1] = False
    design = DesignQuadratic(X, data.with_labels(data.labels, observed), np.ones(3))
    point = design.at(np.ones((3, 5)))
    assert np.isfinite(point.value)
    np.testing.assert_array_equal(point.gradient[1], 0.0)


def test_rows_are_chosen_where_gram_matrices_cost_more():
    assert prefers_design(500, 2000, 20)
    assert prefers_design(200, 5000, 10)
    assert prefers_design(100, 3000, 300)
    assert not prefers_design(20_000, 200, 100)
    assert not prefers_design(10_000, 50, 1)
    assert not prefers_design(10_000, 1000, 5, n_fits=50)
    assert not prefers_design(5000, 2000, 5, density=0.01)
