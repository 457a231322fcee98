"""scikit-learn's own contract, with no expected failure."""

import pytest
from linear_model._estimators import CLASSIFIERS, ESTIMATORS, MIXED, PATHS, REGRESSORS, small
from sklearn.utils.estimator_checks import parametrize_with_checks


# those that search have a few strengths, as some checks fit them a hundred times
@parametrize_with_checks([small(name) for name in ESTIMATORS])
def test_scikit_learn_finds_nothing_to_object_to(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_is_a_regressor_a_classifier_or_the_mixed_one(name):
    kinds = [name in REGRESSORS, name in CLASSIFIERS, name in MIXED]
    assert sum(kinds) == 1
    word = name.removesuffix("CV")
    assert word.endswith(("Regressor", "Classifier", "Estimator")[kinds.index(True)])
    assert (name in PATHS) == name.endswith("CV")
