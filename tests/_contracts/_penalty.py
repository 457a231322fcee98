"""What every entry of convex.penalties.PENALTIES must be."""

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_mtl.convex import (
    CoefRows,
    NormPenalty,
    Penalty,
    QuadraticPenalty,
    TaskRelationship,
)
from sklearn_mtl.convex.penalties._base import STRENGTH

# five tasks: two of one row, two of three classes alike, one of three other classes
BLOCK = np.array([0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6])
TASK = np.array([0, 1, 1, 1, 2, 3, 3, 3, 4, 4, 4])
MIXED = CoefRows(["a", "b", "c", "d", "e"], TASK, BLOCK)
PLAIN = CoefRows(["a", "b", "c", "d"], np.arange(4), np.zeros(4, int))
ALONE = CoefRows(["a"], np.zeros(1, int), np.zeros(1, int))


def strengths(penalty):
    """Return the parameters of a penalty that multiply it, or a part of it."""
    return [name for name, asked in penalty._parameter_constraints.items() if asked is STRENGTH]


def make(penalty, strength=0.7):
    return penalty(**{name: strength * (1 + i) for i, name in enumerate(strengths(penalty))})


def weights(seed, rows=PLAIN, p=3):
    return np.random.default_rng(seed).normal(size=(rows.n_rows, p))


def structured(seed, rows=PLAIN, p=6):
    """Weights of low rank, with columns and entries that are 0."""
    rng = np.random.default_rng(seed)
    W = rng.normal(size=(rows.n_rows, 2)) @ rng.normal(size=(2, p))
    W[:, ::3] = 0.0
    W[:, 1] *= rng.random(rows.n_rows) > 0.5
    return W


# -- all of them ---------------------------------------------------------------------------------


def assert_is_of_one_kind(penalty):
    assert issubclass(penalty, Penalty)
    kinds = (NormPenalty, QuadraticPenalty, TaskRelationship)
    assert sum(issubclass(penalty, kind) for kind in kinds) == 1
    assert strengths(penalty)
    penalty().check()
    assert "alpha" in strengths(penalty) or not issubclass(penalty, NormPenalty)


def assert_is_cloned_by_its_parameters(penalty):
    made = make(penalty)
    copy = clone(made)
    assert copy is not made
    assert copy.get_params() == made.get_params()
    for name in strengths(penalty):
        assert made.set_params(**{name: 5.0}).get_params()[name] == 5.0


def assert_is_zero_at_zero_and_never_negative(penalty):
    for rows in (PLAIN, MIXED, ALONE):
        assert make(penalty).value(np.zeros((rows.n_rows, 3)), rows) == 0
        for seed in range(5):
            assert make(penalty).value(weights(seed, rows), rows) >= 0


def assert_is_even_and_convex(penalty):
    made = make(penalty)
    for rows in (PLAIN, MIXED):
        for seed in range(5):
            W, V = weights(seed, rows), weights(seed + 100, rows)
            value, other = made.value(W, rows), made.value(V, rows)
            assert made.value(-W, rows) == pytest.approx(value, rel=1e-12)
            for share in (0.1, 0.5, 0.8):
                between = made.value(share * W + (1 - share) * V, rows)
                assert between <= share * value + (1 - share) * other + 1e-12


def assert_grows_as_a_norm_or_a_square(penalty):
    power = 1 if issubclass(penalty, NormPenalty) else 2
    for rows in (PLAIN, MIXED):
        W = weights(0, rows)
        value = make(penalty).value(W, rows)
        assert make(penalty).value(3.0 * W, rows) == pytest.approx(3.0**power * value, rel=1e-12)


def assert_scaled_is_a_multiple(penalty):
    made, W = make(penalty), weights(0)
    value, before = made.value(W, PLAIN), made.get_params()
    for factor in (0.0, 0.3, 7.0):
        scaled = made.scaled(factor)
        assert type(scaled) is penalty
        assert scaled.value(W, PLAIN) == pytest.approx(factor * value, rel=1e-12, abs=1e-15)
    assert made.get_params() == before


def assert_bad_strengths_are_refused_by_name(penalty):
    for name in strengths(penalty):
        for value in (-1e-9, np.nan, np.inf, "0.1", None, [0.1]):
            with pytest.raises(ValueError, match=f"'{name}' parameter of {penalty.__name__}"):
                penalty(**{name: value}).check()
        penalty(**{name: 0}).check()


def assert_adds_up_with_a_quadratic_penalty(penalty):
    from sklearn_mtl.convex import Ridge

    W = weights(0)
    total = make(penalty) + Ridge(0.4)
    total.check()
    expected = make(penalty).value(W, PLAIN) + 0.2 * (W**2).sum()
    assert total.value(W, PLAIN) == pytest.approx(expected, rel=1e-12)
    assert total.scaled(2.0).value(W, PLAIN) == pytest.approx(2 * expected, rel=1e-12)
    name = penalty.__name__.lower()
    for strength in strengths(penalty):
        assert f"{name}__{strength}" in total.get_params()


# -- norms ---------------------------------------------------------------------------------------


def norm_assert_triangle_inequality(penalty):
    for seed in range(5):
        W, V = weights(seed), structured(seed, p=3)
        norm = penalty().norm
        assert norm(W + V) <= norm(W) + norm(V) + 1e-12
        assert norm(W) > 0


def norm_assert_the_prox_is_the_argmin(penalty):
    made = make(penalty)
    rng = np.random.default_rng(0)
    for seed in range(5):
        for W in (weights(seed), 10 * weights(seed), structured(seed)):
            for step in (0.01, 0.5, 3.0):

                def value(V, W=W, step=step):
                    return 0.5 * ((V - W) ** 2).sum() + step * made.value(V, PLAIN)

                minimum = made.prox(W, step)
                least = value(minimum)
                for size in (1e-3, 0.1, 1.0):
                    V = minimum + size * rng.normal(size=W.shape)
                    # strong convexity: the argmin and no other point has this, for every V
                    assert value(V) >= least + 0.5 * ((V - minimum) ** 2).sum() - 1e-10
                for V in (np.zeros_like(W), W, 0.5 * minimum, 1.5 * minimum):
                    assert value(V) >= least + 0.5 * ((V - minimum) ** 2).sum() - 1e-10


def norm_assert_the_prox_is_firmly_non_expansive(penalty):
    made = make(penalty)
    for seed in range(10):
        W, V = weights(seed), weights(seed + 50)
        moved = made.prox(W, 0.5) - made.prox(V, 0.5)
        assert (moved**2).sum() <= np.vdot(moved, W - V) + 1e-12


def norm_assert_the_prox_leaves_its_argument_alone(penalty):
    W = weights(0)
    before = W.copy()
    made = make(penalty)
    assert made.prox(W, 0.1) is not W
    assert np.array_equal(W, before)
    np.testing.assert_allclose(made.prox(W, 0.0), W, atol=1e-14)
    assert (made.prox(np.zeros((3, 2)), 1.0) == 0).all()
    large = 1e100 * W
    assert np.isfinite(made.prox(large, 1.0)).all()


def norm_assert_the_dual_norm_is_dual(penalty):
    made = make(penalty, 1.0)
    for seed in range(5):
        for V in (weights(seed), structured(seed)):
            size = made.dual_norm(V)
            for other in range(5):
                W = weights(other, p=V.shape[1])
                assert np.vdot(V, W) <= size * made.norm(W) * (1 + 1e-12)
            # just below the step that shrinks V to 0, what is left points where <V, W> is largest
            W = made.prox(V, (1 - 1e-7) * size)
            assert made.norm(W) > 0
            assert np.vdot(V, W) / made.norm(W) >= size * (1 - 1e-6)


def norm_assert_the_dual_norm_bounds_what_the_prox_takes(penalty):
    made = make(penalty)
    for seed in range(5):
        for W in (weights(seed), structured(seed)):
            for step in (0.1, 1.0, 100.0):
                # Moreau: W - prox(W) is the projection on the ball of the dual norm
                taken = made.dual_norm(W - made.prox(W, step))
                assert taken <= step * made.alpha * (1 + 1e-12)


def norm_assert_the_subdifferential_is_reached_at_the_prox(penalty):
    made = make(penalty)
    for seed in range(5):
        for V in (weights(seed), structured(seed), 0.1 * weights(seed)):
            W = made.prox(V, 1.0)
            # W minimises |W - V|^2 / 2 + Omega(W), and V - W is the gradient there
            assert made.subdiff_distance(W, W - V) <= 1e-10
            off = made.subdiff_distance(W, W - V + 0.1 * weights(seed, p=V.shape[1]))
            assert off <= np.linalg.norm(0.1 * weights(seed, p=V.shape[1])) + 1e-10


def norm_assert_the_distance_is_the_length_of_a_short_prox_step(penalty):
    made = make(penalty)
    for seed in range(5):
        for W in (weights(seed), structured(seed), np.zeros((4, 6))):
            gradient = 2.0 * weights(seed + 20, p=W.shape[1])
            # (W - prox(W - t g, t)) / t is the slope of the envelope of Omega + <g, .>, which
            # tends to the shortest subgradient (Bauschke & Combettes 2017, proposition 23.43)
            step = 1e-7
            moved = np.linalg.norm(W - made.prox(W - step * gradient, step)) / step
            assert made.subdiff_distance(W, gradient) == pytest.approx(moved, rel=1e-5, abs=1e-6)


def norm_assert_alpha_max_is_the_least_that_keeps_zero(penalty):
    for seed in range(5):
        gradient = weights(seed)
        least = penalty().alpha_max(gradient)
        zero = np.zeros_like(gradient)
        assert penalty(least * (1 + 1e-12)).subdiff_distance(zero, gradient) <= 1e-10
        assert penalty(0.99 * least).subdiff_distance(zero, gradient) > 1e-3 * least
        assert (penalty(least * (1 + 1e-12)).prox(-gradient, 1.0) == 0).all()
        assert (penalty(0.99 * least).prox(-gradient, 1.0) != 0).any()


def norm_assert_says_whether_rotations_change_it(penalty):
    rng = np.random.default_rng(0)
    W = structured(0)
    turn = np.linalg.qr(rng.normal(size=(9, 6)))[0]  # orthonormal columns
    norm = penalty().norm
    same = norm(W @ turn.T) == pytest.approx(norm(W), rel=1e-12)
    assert penalty.is_rotation_invariant == same


# -- quadratic penalties -------------------------------------------------------------------------


def quadratic_assert_the_matrix_is_symmetric_and_positive_semi_definite(penalty):
    for rows in (PLAIN, MIXED, ALONE):
        matrix = make(penalty).task_matrix(rows)
        assert matrix.shape == (rows.n_rows, rows.n_rows)
        assert matrix.dtype == np.float64
        assert np.array_equal(matrix, matrix.T)
        assert np.linalg.eigvalsh(matrix)[0] >= -1e-14 * np.abs(matrix).max()


def quadratic_assert_the_value_is_the_form_of_the_matrix(penalty):
    for rows in (PLAIN, MIXED, ALONE):
        W = weights(0, rows)
        expected = 0.5 * sum(column @ make(penalty).task_matrix(rows) @ column for column in W.T)
        assert make(penalty).value(W, rows) == pytest.approx(expected, rel=1e-12, abs=1e-14)


def quadratic_assert_rows_of_other_outputs_are_not_tied(penalty):
    matrix = make(penalty).task_matrix(MIXED)
    assert (matrix[BLOCK[:, None] != BLOCK[None, :]] == 0).all()


def quadratic_assert_strength_zero_is_no_penalty(penalty):
    nothing = penalty(**dict.fromkeys(strengths(penalty), 0.0))
    for rows in (PLAIN, MIXED, ALONE):
        assert (nothing.task_matrix(rows) == 0).all()
