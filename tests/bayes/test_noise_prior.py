"""How alike the noise of tasks is, from what is left of their labels."""

import numpy as np
import pytest

from sklearn_mtl.bayes._noise_prior import LEAST_PSEUDO_LABELS, MOST_A_TASK, pseudo_labels


def sums_of_squares(nu, *, n_tasks, freedom, seed=0):
    """Draw noise variances of nu degrees of freedom, and sums of squared errors of each."""
    rng = np.random.default_rng(seed)
    variance = nu / rng.chisquare(nu, size=n_tasks)
    d = np.full(n_tasks, float(freedom))
    return variance * rng.chisquare(d), d


@pytest.mark.parametrize("nu", [4.0, 10.0, 40.0])
def test_draws_of_a_hyper_prior_tell_its_degrees_of_freedom(nu):
    found = [
        pseudo_labels(*sums_of_squares(nu, n_tasks=2000, freedom=30, seed=seed))
        for seed in range(5)
    ]
    # of 2000 tasks, the variance of logarithms is known to 3 %; chance makes up to a half of it
    np.testing.assert_allclose(np.mean(found), nu, rtol=0.1)


def test_tasks_of_one_noise_count_as_much_as_tasks_may():
    rng = np.random.default_rng(0)
    freedom = rng.integers(5, 50, size=30).astype(float)
    # less than chance: each sum is its mean
    assert pseudo_labels(freedom, freedom) == MOST_A_TASK * 30


def test_tasks_in_different_units_share_next_to_nothing():
    errors, freedom = sums_of_squares(1e9, n_tasks=5, freedom=20)
    units = np.array([1e-6, 1e-3, 1.0, 1e3, 1e6])
    assert pseudo_labels(errors * units, freedom) == LEAST_PSEUDO_LABELS


def test_the_unit_of_labels_does_not_matter():
    errors, freedom = sums_of_squares(6.0, n_tasks=50, freedom=10)
    found = pseudo_labels(errors, freedom)
    assert LEAST_PSEUDO_LABELS < found < MOST_A_TASK * 50
    assert pseudo_labels(1e8 * errors, freedom) == pytest.approx(found, rel=1e-9)


@pytest.mark.parametrize(
    ("errors", "freedom"),
    [([1.0], [5.0]), ([1.0, 2.0, 3.0], [0.5, 0.9, 5.0]), ([0.0, 0.0], [9, 9])],
)
def test_too_little_to_compare_is_the_least(errors, freedom):
    assert pseudo_labels(np.array(errors), np.array(freedom, float)) == LEAST_PSEUDO_LABELS
