"""Features of kernels, and the direct solution on rows that they call for."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.metrics.pairwise import rbf_kernel

from sklearn_mtl.convex import GraphLaplacian, MeanRegularization, Ridge, coef_rows, make_problem
from sklearn_mtl.convex._kernel import Comparison, Kernel
from sklearn_mtl.convex._kernel_features import kernel_features, row_share
from sklearn_mtl.convex.datafits import DesignQuadratic, GramQuadratic
from sklearn_mtl.convex.datafits._design_rows import MaskedRows
from sklearn_mtl.convex.solvers import SOLVERS, _row_system
from sklearn_mtl.tasks import infer_layout

RBF = Kernel.of("rbf", {"gamma": 0.3})


def make(n=20, p=3, n_tasks=3, missing=0.0, weighted=False, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    Y = X @ rng.normal(size=(p, n_tasks)) + rng.normal(size=(n, n_tasks))
    Y[rng.random(Y.shape) < missing] = np.nan
    layout = infer_layout(X, Y, family="regression")
    weight = rng.uniform(0.1, 3.0, size=Y.shape) if weighted else None
    return X, layout.encode(X, Y, weight), layout


def features(X, data, kernel=RBF, *, centre=True, n_landmarks=None):
    return kernel_features(
        X,
        data,
        kernel,
        centre=centre,
        n_landmarks=n_landmarks,
        random_state=np.random.RandomState(0),
    )


def centred(K, share):
    pull = np.eye(len(K)) - share
    return pull @ K @ pull.T


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_inner_products_of_features_are_the_kernel_about_the_mean_of_the_rows(missing, weighted):
    X, data, _ = make(missing=missing, weighted=weighted)
    share = row_share(data)
    assert share.sum() == pytest.approx(1.0)
    found = features(X, data)
    K = rbf_kernel(X, gamma=0.3)
    labelled = share > 0
    # rounding of an eigendecomposition, and of the roots of its smallest eigenvalues
    rows = found.rows[labelled]
    expected = centred(K, share)[np.ix_(labelled, labelled)]
    np.testing.assert_allclose(rows @ rows.T, expected, atol=1e-10)
    raw = features(X, data, centre=False)
    rows = raw.rows[labelled]
    np.testing.assert_allclose(rows @ rows.T, K[np.ix_(labelled, labelled)], atol=1e-10)
    assert raw.centre is None


@pytest.mark.parametrize("n_landmarks", [None, 8])
@pytest.mark.parametrize("centre", [True, False])
def test_features_are_orthogonal_under_the_weights_of_the_rows(centre, n_landmarks):
    X, data, _ = make(missing=0.3, weighted=True)
    rows = features(X, data, centre=centre, n_landmarks=n_landmarks).rows
    gram = (rows * row_share(data)[:, None]).T @ rows
    size = np.sqrt(gram.diagonal())
    apart = np.abs(gram - np.diag(gram.diagonal()))
    # those of landmarks are rotated together, the smallest to the digits of the largest
    limit = 1e-12 * size[:, None] * size if n_landmarks is None else 1e-14 * gram.max()
    assert (apart <= limit).all()
    if centre:
        np.testing.assert_allclose(row_share(data) @ rows, 0.0, atol=1e-12)


@pytest.mark.parametrize("n_landmarks", [None, 8])
@pytest.mark.parametrize("centre", [True, False])
def test_coefficients_of_kernels_give_the_values_of_weights(centre, n_landmarks):
    X, data, _ = make(missing=0.3)
    space = features(X, data, centre=centre, n_landmarks=n_landmarks)
    W = np.random.default_rng(1).normal(size=(2, space.rows.shape[1]))
    coef = space.outward(W)
    assert coef.shape == (2, 20 if n_landmarks is None else 8)
    offset = space.intercept(lambda W: np.zeros(len(W)))(W)
    # weights along the smallest eigenvalues are large coefficients, whose sums cancel
    np.testing.assert_allclose(space.compare(X) @ coef.T + offset, space.rows @ W.T, atol=1e-5)
    np.testing.assert_allclose(space.inward(coef), W, atol=1e-5)
    if centre and n_landmarks is None:
        np.testing.assert_allclose(coef.sum(axis=1), 0.0, atol=1e-12 * np.abs(coef).max())


def test_landmarks_give_the_kernel_of_rows_with_them_exactly():
    X, data, _ = make()
    space = features(X, data, centre=False, n_landmarks=8)
    chosen = [np.flatnonzero((z == X).all(axis=1))[0] for z in space.compare.reference]
    expected = rbf_kernel(X, X[chosen], gamma=0.3)
    np.testing.assert_allclose(space.rows @ space.rows[chosen].T, expected, atol=1e-8)
    # and the Nystrom form for the others
    between = np.linalg.pinv(expected[chosen])
    np.testing.assert_allclose(
        space.rows @ space.rows.T, expected @ between @ expected.T, atol=1e-7
    )


def test_rows_of_a_kernel_that_is_given_are_compared_with_all():
    X, data, _ = make()
    K = rbf_kernel(X, gamma=0.3)
    given = features(K, data, Kernel.of("precomputed", None), n_landmarks=8)
    other = features(X, data, n_landmarks=8)
    np.testing.assert_allclose(np.abs(given.rows), np.abs(other.rows), atol=1e-6)
    assert given.basis.shape == (20, other.basis.shape[1])
    assert given.compare(K) is K


def test_conditionally_positive_kernels_serve_with_intercepts_alone():
    X, data, _ = make()
    distance = Kernel.of("precomputed", {})
    K = -np.square(X[:, None] - X).sum(axis=-1)
    np.testing.assert_allclose(
        features(K, data, distance).rows @ features(K, data, distance).rows.T,
        2.0 * centred(X @ X.T, row_share(data)),
        atol=1e-10,
    )
    with pytest.raises(ValueError, match=r"not positive semi-definite.*20 x 20.* -\d"):
        features(K, data, distance, centre=False)


def test_a_kernel_knows_its_parameters():
    with pytest.raises(ValueError, match=r"'gama', but kernel='rbf' takes 'gamma' \(did you mean"):
        Kernel.of("rbf", {"gama": 1.0})
    with pytest.raises(ValueError, match=r"'gamma', but kernel='cosine' takes none"):
        Kernel.of("cosine", {"gamma": 1.0})
    X = np.arange(6.0).reshape(3, 2)
    own = Kernel.of(lambda x, z, power: float(x @ z) ** power, {"power": 2})
    np.testing.assert_allclose(own(X, X[:2]), np.square(X @ X[:2].T))
    np.testing.assert_allclose(Comparison(own, X[:2])(X), np.square(X @ X[:2].T))


# -- the squared loss on rows ---------------------------------------------------------------------


def stationarity(problem, W):
    return problem.datafit.at(W).gradient + problem.matrix @ W


@pytest.mark.parametrize(
    "penalty", [GraphLaplacian("chain", 0.3) + Ridge(0.02), MeanRegularization(0.01, 0.2)]
)
@pytest.mark.parametrize("case", ["complete", "tall", "missing", "own"])
@pytest.mark.parametrize("most", [1000, 0], ids=["direct", "iterative"])
def test_the_closed_form_on_rows_is_stationary(case, penalty, most, monkeypatch):
    monkeypatch.setattr(_row_system, "MOST_LABELS", most)
    monkeypatch.setattr(_row_system, "MOST_SIDE", most)
    X, data, layout = make(n=30, p=5 if case == "tall" else 40, missing=0.3 * (case == "missing"))
    if case == "own":
        X = {"a": X[:5], "b": X[5:18], "c": X[18:]}
        y = {name: np.sin(rows[:, 0] + rows[:, 1]) for name, rows in X.items()}
        layout = infer_layout(X, y, family="regression")
        data, X = layout.encode(X, y), np.concatenate(list(X.values()))
    loss = DesignQuadratic(X, data, np.array([1.0, 0.3, 2.0]))
    problem = make_problem(loss, penalty, coef_rows(layout.tasks))
    found = SOLVERS["closed_form"].solve(problem, None, tol=1e-20, max_iter=500)
    left = stationarity(problem, found.coef)
    scale = np.abs(stationarity(problem, np.zeros(loss.shape))).max()
    # direct solves to rounding times the condition; a gap of 1e-20 is 1e-10 in the gradient
    assert np.abs(left).max() <= (1e-12 if most else 1e-9) * scale
    assert (found.n_iter == 1) == bool(most)
    assert 0 <= found.gap <= 1e-18 * problem.scale


def test_conjugate_gradients_on_rows_go_on_from_a_start(monkeypatch):
    monkeypatch.setattr(_row_system, "MOST_LABELS", 0)
    X, data, layout = make(n=30, p=40, missing=0.3)
    loss = DesignQuadratic(X, data, np.ones(3))
    rows, tol = coef_rows(layout.tasks), 1e-10

    def solve(alpha, start):
        problem = make_problem(loss, GraphLaplacian("chain", 0.3) + Ridge(alpha), rows)
        return SOLVERS["closed_form"].solve(problem, start, tol=tol, max_iter=500)

    cold = solve(0.1, None)
    assert solve(0.1, cold.coef).n_iter == 0
    assert 0 < solve(0.11, cold.coef).n_iter < solve(0.11, None).n_iter
    far = solve(0.1, 1e6 * np.ones(loss.shape))  # worse than W = 0
    np.testing.assert_array_equal(far.coef, cold.coef)


def test_the_closed_form_on_rows_needs_a_definite_penalty():
    X, data, layout = make()
    loss = DesignQuadratic(X, data, np.ones(3))
    problem = make_problem(loss, GraphLaplacian("chain", 1.0), coef_rows(layout.tasks))
    assert "no direction of the weights free" in SOLVERS["closed_form"].refusal(problem)


@pytest.mark.parametrize("missing", [0.0, 0.4])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("centre", [False, True])
def test_stacked_rows_and_moments_are_those_of_the_linear_map(missing, sparse, centre):
    X, data, _ = make(missing=missing, weighted=missing > 0)
    X = np.where(np.abs(X) > 0.5, X, 0.0)
    X = csr_array(X) if sparse else X
    rows = DesignQuadratic(X, data, np.ones(3), fit_intercept=centre).rows
    W = np.random.default_rng(1).normal(size=(3, 3))
    B, targets, task = rows.stacked()
    assert len(B) == len(targets) == len(task) == rows.n_labels
    np.testing.assert_allclose(B @ W.T, rows_of_all(rows, W), atol=1e-12)
    every = np.arange(3)
    diagonal = np.diagonal(rows.gram_block(every, every), axis1=1, axis2=2)
    np.testing.assert_allclose(rows.moments(), diagonal, atol=1e-12)


def rows_of_all(rows, W):
    """Return the fitted values of each label under the weights of every task, one at a time."""
    _, _, task = rows.stacked()
    values = np.empty((len(task), len(W)))
    for s, weights in enumerate(W):
        fitted = rows.fitted(np.tile(weights, (len(W), 1)))  # each task with these weights
        for t in range(len(W)):
            kept = rows.task_share[:, t] > 0 if isinstance(rows, MaskedRows) else slice(None)
            values[task == t, s] = fitted[kept, t]
    return values


def test_a_diagonal_gram_matrix_has_the_spectrum_that_any_other_has():
    X, data, _ = make(n=30)
    loss = DesignQuadratic(features(X, data).rows, data, np.ones(3)).on_gram_matrix()
    found = loss.spectrum
    values, vectors = found.values[0], found.vectors[0]
    assert (np.diff(values) >= 0).all()
    np.testing.assert_allclose(loss.lipschitz(), values[-1], rtol=1e-12)
    scale = np.sqrt(loss.gram[0].diagonal())
    # to the digits of each entry, which are those of the smallest eigenvalue too
    rebuilt = (vectors * values) @ vectors.T / np.outer(scale, scale)
    np.testing.assert_allclose(rebuilt, loss.gram[0] / np.outer(scale, scale), atol=1e-13)
    assert 0 < found.doubt[0] < 1e-12
    np.testing.assert_allclose(values, np.linalg.eigvalsh(loss.gram[0]), atol=1e-15)


def test_a_gram_matrix_that_is_all_but_diagonal_is_decomposed():
    gram = np.diag([1.0, 2.0, 3.0])
    gram[1, 2] = gram[2, 1] = 1e-6
    loss = GramQuadratic(gram[None], np.zeros(2, int), np.ones((2, 3)), np.ones(2), np.ones(2))
    values, vectors = loss.spectrum.values[0], loss.spectrum.vectors[0]
    np.testing.assert_allclose((vectors * values) @ vectors.T, gram, atol=1e-15)
    assert abs(vectors[1, 2]) == pytest.approx(1e-6, rel=1e-3)
