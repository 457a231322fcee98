"""Every meta-estimator over tasks; one that is listed in `__all__` and not here fails a test."""

from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier

from sklearn_mtl import (
    IndependentTasks,
    PooledTasks,
    StackedTasks,
    TaskChain,
    TaskGrouping,
    VotingTasks,
)

MIXED_ESTIMATORS = {
    "good": LogisticRegression(),
    "price": Ridge(),
    "stars": DecisionTreeClassifier(max_depth=2, random_state=0),
}


def _voting(estimator, **parameters):
    members = [
        ("whole", IndependentTasks(estimator, **parameters)),
        ("chained", TaskChain(estimator, cv=2, **parameters)),
    ]
    return VotingTasks(members)


# name -> maker(estimator or dict of them by task, **parameters such as task_feature)
COMPOSITIONS = {
    "IndependentTasks": IndependentTasks,
    "PooledTasks": PooledTasks,
    "StackedTasks": lambda estimator, **more: StackedTasks(estimator, cv=2, **more),
    "TaskChain": lambda estimator, **more: TaskChain(estimator, cv=2, **more),
    "TaskGrouping": lambda estimator, **more: TaskGrouping(
        IndependentTasks(estimator, **more), n_groups=2, affinity="pairwise", cv=2
    ),
    "VotingTasks": _voting,
}
# those whose estimators may be a dict by task
TASKWISE = [name for name in COMPOSITIONS if name not in ("PooledTasks", "TaskGrouping")]
REGRESSOR, CLASSIFIER = LinearRegression(), DecisionTreeClassifier(max_depth=3, random_state=0)
