"""scikit-learn's own contract, for every kind of estimator inside."""

from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_mtl import IndependentTasks


class Neither(BaseEstimator):
    """A regressor in all but its tags."""

    def fit(self, X, y, sample_weight=None):
        self.inner_ = Ridge().fit(X, y, sample_weight)
        return self

    def predict(self, X):
        return self.inner_.predict(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


@parametrize_with_checks(
    [
        IndependentTasks(Ridge()),
        IndependentTasks(LinearRegression(), n_jobs=1),
        IndependentTasks(LogisticRegression()),
        IndependentTasks(DecisionTreeClassifier(random_state=0)),
        IndependentTasks(Neither(), task_kinds={"task0": "regression"}),
    ]
)
def test_scikit_learn_finds_nothing_to_object_to(estimator, check):
    check(estimator)
