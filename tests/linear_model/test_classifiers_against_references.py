"""The linear classifiers and the mixed estimator against cvxpy, container by container."""

import numpy as np
import pytest
from linear_model._comparison import FAMILIES, compare
from linear_model._scenarios import SCENARIOS

from sklearn_mtl import MultiTaskLinearEstimator


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("penalty", FAMILIES)
def test_classifiers_reach_the_minimum_of_cvxpy_and_their_gap_bounds_the_rest(penalty, scenario):
    made = SCENARIOS[scenario](np.random.default_rng(0), "classification")
    # asked for; CLARABEL reaches 1e-9 of problems with exponential cones
    compare(made, FAMILIES[penalty][1], penalty, 0.03, relative=1e-7)


@pytest.mark.parametrize("scenario", ["missing", "weighted_labels", "own_rows", "long_form"])
@pytest.mark.parametrize("penalty", FAMILIES)
def test_numbers_and_classes_under_one_penalty_reach_the_minimum_of_cvxpy(penalty, scenario):
    made = SCENARIOS[scenario](np.random.default_rng(1), "mixed")

    def make(**params):
        return MultiTaskLinearEstimator(FAMILIES[penalty][0](**params)._penalty())

    compare(made, make, penalty, 0.05, relative=1e-7)
