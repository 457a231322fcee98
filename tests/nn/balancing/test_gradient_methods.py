"""What each method makes of a Jacobian: its paper's formula, torchjd's object, its properties."""

import itertools

import cvxpy as cp
import numpy as np
import pytest
import torch
import torchjd.aggregation as torchjd

from sklearn_mtl.neural_network import (
    IMTLG,
    MGDA,
    AlignedMTL,
    CAGrad,
    ConFIG,
    DualProj,
    FairGrad,
    GradDrop,
    GradVac,
    NashMTL,
    PCGrad,
    UPGrad,
)
from sklearn_mtl.nn import GramianWeights, MGDAWeights, NNLSProjector
from sklearn_mtl.nn.balancing._bargaining import fair_weights

WEIGHING = [
    MGDA, PCGrad, GradVac, CAGrad, IMTLG, NashMTL, AlignedMTL, FairGrad, ConFIG, UPGrad, DualProj,
]  # fmt: skip
DETERMINISTIC = [method for method in WEIGHING if method not in (PCGrad, GradVac)]


def weights_of(balancing, jacobian):
    """Return the weights that a method gives to the rows of a Jacobian (T, n)."""
    method = balancing.build(torch.ones(len(jacobian), dtype=torch.float64)).method
    assert isinstance(method, GramianWeights)
    gramian = torch.from_numpy(jacobian @ jacobian.T)
    return method(gramian, np.arange(len(jacobian))).numpy()


def random_jacobian(seed, n_tasks=4, n=6, shift=0.0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n_tasks, n)) + shift) * rng.uniform(0.3, 3, size=(n_tasks, 1))


jacobians = pytest.mark.parametrize(
    "jacobian", [random_jacobian(0), random_jacobian(1, shift=0.5), random_jacobian(2, 7, 40)]
)


# -- the formulas ---------------------------------------------------------------------------------


def quadratic_program(gramian, constraints):
    """Return argmin_v v'G v under constraints on v, by an interior-point method."""
    v = cp.Variable(len(gramian))
    root = np.linalg.cholesky(gramian).T
    cp.Problem(cp.Minimize(cp.sum_squares(root @ v)), constraints(v)).solve(cp.CLARABEL)
    return v.value


@jacobians
def test_mgda_gives_the_shortest_convex_combination(jacobian):
    gramian = jacobian @ jacobian.T
    expected = quadratic_program(gramian, lambda w: [w >= 0, cp.sum(w) == 1])
    # the solver stops near 1e-8 of the objective: near its root of the weights
    np.testing.assert_allclose(weights_of(MGDA(), jacobian), expected, atol=1e-4)


@jacobians
def test_mgda_is_where_frank_and_wolfe_go(jacobian):
    theirs = torchjd.MGDA(epsilon=1e-9, max_iters=20_000)(torch.from_numpy(jacobian)).numpy()
    ours = weights_of(MGDA(), jacobian) @ jacobian
    assert np.linalg.norm(ours) <= np.linalg.norm(theirs) * (1 + 1e-9)  # theirs is feasible
    # their steps go down as 1 / n
    np.testing.assert_allclose(ours, theirs, atol=1e-2)


@jacobians
def test_upgrad_and_dualproj_project_onto_the_dual_cone(jacobian):
    gramian, n_tasks = jacobian @ jacobian.T, len(jacobian)

    def project(u):
        return quadratic_program(gramian, lambda v: [v >= u])

    mean = np.full(n_tasks, 1 / n_tasks)
    # as far as the interior-point method goes
    np.testing.assert_allclose(weights_of(DualProj(), jacobian), project(mean), atol=1e-4)
    each = sum(project(row) for row in np.diag(mean))
    np.testing.assert_allclose(weights_of(UPGrad(), jacobian), each, atol=1e-4)


def test_a_projection_onto_the_dual_cone_is_the_nearest_point():
    jacobian = random_jacobian(3)
    u = np.array([1.0, 0.0, 0.5, -1.0])
    projected = NNLSProjector()(torch.from_numpy(u), torch.from_numpy(jacobian @ jacobian.T))
    d = projected.numpy() @ jacobian
    x = cp.Variable(jacobian.shape[1])
    distance = cp.sum_squares(x - u @ jacobian)
    cp.Problem(cp.Minimize(distance), [jacobian @ x >= 0]).solve(cp.CLARABEL)
    np.testing.assert_allclose(d, x.value, atol=1e-5)  # the interior-point method's


def pcgrad_by_loops(jacobian, orders):
    total = np.zeros(jacobian.shape[1])
    for i, order in enumerate(orders):
        g = jacobian[i].copy()
        for j in order:
            if j != i and g @ jacobian[j] < 0:
                g -= (g @ jacobian[j]) / (jacobian[j] @ jacobian[j]) * jacobian[j]
        total += g
    return total


def gradvac_by_loops(jacobian, orders, average, beta):
    total = np.zeros(jacobian.shape[1])
    for i, order in enumerate(orders):
        g = jacobian[i].copy()
        for j in order:
            if j == i:
                continue
            other = jacobian[j]
            cosine = g @ other / np.linalg.norm(g) / np.linalg.norm(other)
            goal = average[i, j]
            if cosine < goal:
                g = g + other * (
                    np.linalg.norm(g)
                    * (goal * np.sqrt(1 - cosine**2) - cosine * np.sqrt(1 - goal**2))
                    / (np.linalg.norm(other) * np.sqrt(1 - goal**2))
                )
            average[i, j] = (1 - beta) * goal + beta * cosine
        total += g
    return total


def drawn_orders(n_tasks):
    return torch.rand(n_tasks, n_tasks).argsort(dim=1).tolist()


@jacobians
def test_pcgrad_is_its_algorithm(jacobian):
    torch.manual_seed(5)
    expected = pcgrad_by_loops(jacobian, drawn_orders(len(jacobian)))
    torch.manual_seed(5)
    # float64 sums in another order
    np.testing.assert_allclose(weights_of(PCGrad(), jacobian) @ jacobian, expected, atol=1e-12)


@jacobians
def test_pcgrad_is_torchjds(jacobian, monkeypatch):
    torch.manual_seed(5)
    orders = iter(torch.tensor(drawn_orders(len(jacobian))))
    monkeypatch.setattr(torch, "randperm", lambda n: next(orders))
    theirs = torchjd.PCGrad()(torch.from_numpy(jacobian)).numpy()
    torch.manual_seed(5)
    np.testing.assert_allclose(weights_of(PCGrad(), jacobian) @ jacobian, theirs, atol=1e-12)


@jacobians
def test_gradvac_is_its_algorithm_over_several_steps(jacobian):
    n_tasks = len(jacobian)
    method = GradVac(beta=0.3).build(torch.ones(n_tasks, dtype=torch.float64)).method
    average = np.zeros((n_tasks, n_tasks))
    for step in range(4):
        moved = jacobian + random_jacobian(step, *jacobian.shape)
        torch.manual_seed(step)
        expected = gradvac_by_loops(moved, drawn_orders(n_tasks), average, 0.3)
        torch.manual_seed(step)
        weights = method(torch.from_numpy(moved @ moved.T), np.arange(n_tasks)).numpy()
        # 1e-8 in the quotients keeps those of zero gradients finite
        np.testing.assert_allclose(weights @ moved, expected, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(method.cosines, average, atol=1e-6)


def test_gradvac_of_two_tasks_is_torchjds():
    ours = GradVac(beta=0.3).build(torch.ones(2, dtype=torch.float64)).method
    theirs = torchjd.GradVac(beta=0.3)
    for seed in range(5):
        jacobian = torch.from_numpy(random_jacobian(seed, 2))
        weights = ours(jacobian @ jacobian.T, np.arange(2))
        torch.testing.assert_close(weights @ jacobian, theirs(jacobian), rtol=1e-7, atol=1e-9)


@jacobians
@pytest.mark.parametrize("c", [0.0, 0.2, 0.5, 1.5])
def test_cagrad_is_the_best_step_in_its_ball(jacobian, c):
    mean = jacobian.mean(axis=0)
    d = cp.Variable(len(mean))
    worst = cp.min(jacobian @ d)
    ball = [cp.norm(d - mean) <= c * np.linalg.norm(mean)]
    cp.Problem(cp.Maximize(worst), ball).solve(cp.CLARABEL)
    ours = weights_of(CAGrad(c=c), jacobian) @ jacobian
    # as far as the interior-point method goes
    np.testing.assert_allclose((jacobian @ ours).min(), worst.value, atol=1e-6)
    np.testing.assert_allclose(ours, d.value, atol=1e-3)


@jacobians
def test_cagrad_is_torchjds(jacobian):
    theirs = torchjd.CAGrad(c=0.5)(torch.from_numpy(jacobian)).numpy()
    ours = weights_of(CAGrad(c=0.5), jacobian) @ jacobian
    np.testing.assert_allclose(ours, theirs, atol=1e-3)  # where CLARABEL stops


@jacobians
@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 5.0])
def test_fairgrad_solves_its_equation(jacobian, alpha):
    gramian = jacobian @ jacobian.T
    a = weights_of(FairGrad(alpha=alpha), jacobian)
    assert (a > 0).all()
    np.testing.assert_allclose(gramian @ a, a ** (-1 / alpha), rtol=1e-8)  # Newton's last step
    theirs = torchjd.FairGrad(alpha)(torch.from_numpy(jacobian)).numpy()
    np.testing.assert_allclose(a @ jacobian, theirs, rtol=1e-2, atol=1e-3)  # least squares stop


@jacobians
def test_nash_mtl_is_the_bargaining_solution(jacobian):
    a = weights_of(NashMTL(max_norm=0), jacobian)
    np.testing.assert_allclose(jacobian @ (a @ jacobian), 1 / a, rtol=1e-8)  # Newton's last step
    best = np.log(jacobian @ (a @ jacobian)).sum()
    rng = np.random.default_rng(0)
    length = np.linalg.norm(a @ jacobian)
    assert length == pytest.approx(np.sqrt(len(jacobian)))  # a'G a = a'(1 / a)
    for _ in range(200):
        other = a @ jacobian + 0.1 * rng.normal(size=jacobian.shape[1])
        gains = jacobian @ (other * length / np.linalg.norm(other))
        assert gains.min() <= 0 or np.log(gains).sum() <= best + 1e-12


def test_nash_mtl_is_torchjds():
    pytest.importorskip("ecos")
    jacobian = random_jacobian(1, shift=0.5)
    theirs = torchjd.NashMTL(len(jacobian), optim_niter=100)(torch.from_numpy(jacobian)).numpy()
    np.testing.assert_allclose(weights_of(NashMTL(), jacobian) @ jacobian, theirs, atol=1e-2)


def test_nash_mtl_keeps_a_solution_for_some_steps_and_no_step_is_too_long():
    method = NashMTL(update_weights_every=2, max_norm=0.5).build(torch.ones(4)).method
    first, second, third = (random_jacobian(seed) for seed in range(3))
    tasks = np.arange(4)

    def step(jacobian):
        return method(torch.from_numpy(jacobian @ jacobian.T), tasks).numpy() @ jacobian

    assert np.linalg.norm(step(first)) == pytest.approx(0.5)
    kept = method.weights.copy()
    step(second)
    np.testing.assert_array_equal(method.weights, kept)
    step(third)
    assert not np.allclose(method.weights, kept)


@jacobians
def test_imtl_g_has_equal_projections(jacobian):
    weights = weights_of(IMTLG(), jacobian)
    units = jacobian / np.linalg.norm(jacobian, axis=1, keepdims=True)
    projections = units @ (weights @ jacobian)
    np.testing.assert_allclose(projections, projections[0], rtol=1e-6)  # a Gramian's inverse
    assert weights.sum() == pytest.approx(1.0)


@jacobians
def test_config_has_equal_cosines_and_is_torchjds(jacobian):
    step = weights_of(ConFIG(), jacobian) @ jacobian
    cosines = jacobian @ step / np.linalg.norm(jacobian, axis=1)
    np.testing.assert_allclose(cosines, cosines[0], rtol=1e-6)  # a Gramian's inverse
    theirs = torchjd.ConFIG()(torch.from_numpy(jacobian)).numpy()
    np.testing.assert_allclose(step, theirs, rtol=1e-6, atol=1e-9)


@jacobians
@pytest.mark.parametrize("scale", ["min", "median", "rmse"])
def test_aligned_mtl_is_the_mean_of_orthogonal_rows(jacobian, scale):
    left, sigma, right = np.linalg.svd(jacobian, full_matrices=False)
    middle = np.sort(sigma)[(len(sigma) - 1) // 2]  # torch's median: the lower of two
    length = {"min": sigma.min(), "median": middle, "rmse": np.sqrt(np.mean(sigma**2))}[scale]
    expected = length * (left @ right).mean(axis=0)
    np.testing.assert_allclose(
        weights_of(AlignedMTL(scale=scale), jacobian) @ jacobian, expected, rtol=1e-6, atol=1e-9
    )


@pytest.mark.parametrize("leak", [0.0, 0.3, 1.0])
def test_graddrop_is_its_algorithm_and_torchjds(leak):
    jacobian = random_jacobian(0, 5, 200)
    jacobian[:, 0] = 0.0  # no gradient in this coordinate
    ours = GradDrop(leak=leak).build(torch.ones(5)).method
    torch.manual_seed(3)
    step = ours(torch.from_numpy(jacobian)).numpy()
    torch.manual_seed(3)
    draws = torch.rand(200, dtype=torch.float64).numpy()
    expected = np.zeros(200)
    for k in range(1, 200):
        column = jacobian[:, k]
        purity = 0.5 * (1 + column.sum() / np.abs(column).sum())
        for g in column:
            kept = g > 0 if purity > draws[k] else g < 0
            expected[k] += (leak + (1 - leak) * kept) * g
    np.testing.assert_allclose(step, expected, atol=1e-12)  # float64 sums in another order
    torch.manual_seed(3)
    leaks = torch.full((5,), leak, dtype=torch.float64)
    theirs = torchjd.GradDrop(leak=leaks)(torch.from_numpy(jacobian)).numpy()
    np.testing.assert_allclose(step, theirs, atol=1e-12)


# -- the properties -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", DETERMINISTIC)
def test_permuted_tasks_have_permuted_weights(method):
    jacobian = random_jacobian(1, shift=0.3)
    weights = weights_of(method(), jacobian)
    for order in itertools.islice(itertools.permutations(range(4)), 1, None, 5):
        permuted = weights_of(method(), jacobian[list(order)])
        # as far as iterations go on; inverses of Gramians
        np.testing.assert_allclose(permuted, weights[list(order)], rtol=1e-5, atol=1e-7)


@jacobians
@pytest.mark.parametrize("method", [MGDA, UPGrad, DualProj, NashMTL, FairGrad])
def test_a_step_raises_no_loss(method, jacobian):
    gains = jacobian @ (weights_of(method(), jacobian) @ jacobian)
    assert gains.min() >= -1e-10 * np.abs(gains).max()  # rounding
    assert gains.max() > 0


@pytest.mark.parametrize("method", WEIGHING)
def test_equal_gradients_give_the_direction_of_equal_weights(method):
    gradient = random_jacobian(4, 1)[0]
    jacobian = np.tile(gradient, (3, 1))
    step = weights_of(method(), jacobian) @ jacobian
    cosine = step @ gradient / np.linalg.norm(step) / np.linalg.norm(gradient)
    assert cosine == pytest.approx(1.0)


@pytest.mark.parametrize("method", WEIGHING)
def test_orthogonal_gradients_of_one_length_count_alike(method):
    weights = weights_of(method(), 2 * np.eye(3, 5))
    np.testing.assert_allclose(weights, weights[0], rtol=1e-6)  # as far as iterations go on
    assert weights[0] > 0


@pytest.mark.parametrize("method", [PCGrad, GradVac])
def test_what_does_not_conflict_is_summed(method):
    jacobian = np.abs(random_jacobian(0))
    np.testing.assert_allclose(weights_of(method(), jacobian), 1.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", WEIGHING)
def test_opposite_and_vanishing_gradients_give_a_finite_step(method, dtype):
    gradient = random_jacobian(5, 1)[0]
    zero = np.zeros_like(gradient)
    for rows in ([gradient, -gradient], [gradient, zero], [gradient, -gradient, zero, gradient]):
        jacobian = np.array(rows, dtype)
        step = weights_of(method(), jacobian) @ jacobian
        assert np.isfinite(step).all()
        assert np.linalg.norm(step) < 100 * np.linalg.norm(gradient)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("method", DETERMINISTIC)
def test_the_unit_of_the_losses_does_not_turn_the_step(method, scale):
    jacobian = random_jacobian(1, shift=0.3)
    step, scaled = (weights_of(method(), J) @ J for J in (jacobian, scale * jacobian))
    cosine = step @ scaled / np.linalg.norm(step) / np.linalg.norm(scaled)
    assert cosine == pytest.approx(1.0, abs=1e-6)


def test_hard_problems_are_solved_too():
    rng = np.random.default_rng(0)
    for _ in range(50):
        n_tasks = int(rng.integers(2, 12))
        jacobian = rng.normal(size=(n_tasks, 4)) * 10 ** rng.uniform(-3, 3, size=(n_tasks, 1))
        gramian = jacobian @ jacobian.T
        w = MGDAWeights().weigh(gramian, np.arange(n_tasks))
        squared = w @ gramian @ w
        assert w.min() >= 0
        # every gradient is at least as far as the shortest point: the optimality conditions
        assert (gramian @ w).min() >= squared - 1e-9 * gramian.diagonal().mean()
        a = fair_weights(np.eye(n_tasks) * gramian.diagonal(), 1.0)
        lengths = np.linalg.norm(jacobian, axis=1)
        shown = lengths > 2e-3 * np.sqrt(gramian.diagonal().mean())  # shorter ones count as longer
        np.testing.assert_allclose(a[shown], 1 / lengths[shown], rtol=1e-6)
