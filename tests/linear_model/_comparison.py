"""Each penalty as an estimator and as the reference says it, and the comparison of the two."""

import numpy as np
import pytest
from convex._references_convex import minimise, objective

from sklearn_mtl.convex import (
    L1,
    GraphLaplacian,
    GroupL21,
    MeanRegularization,
    NuclearNorm,
    Ridge,
)
from sklearn_mtl.linear_model import (
    GraphClassifier,
    GraphRegressor,
    JointFeatureClassifier,
    JointFeatureRegressor,
    LowRankClassifier,
    LowRankRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    MultiTaskLinearClassifier,
    MultiTaskLinearRegressor,
    TaskRelationshipClassifier,
    TaskRelationshipRegressor,
)

ITERATIONS = 100_000  # enough for any method to reach the tolerances below

FAMILIES = {
    "nuclear": (LowRankRegressor, LowRankClassifier),
    "l21": (JointFeatureRegressor, JointFeatureClassifier),
    "l21 and ridge": (JointFeatureRegressor, JointFeatureClassifier),
    "graph": (GraphRegressor, GraphClassifier),
    "mean": (MeanRegularizedRegressor, MeanRegularizedClassifier),
    "l1": (MultiTaskLinearRegressor, MultiTaskLinearClassifier),
    "ridge": (MultiTaskLinearRegressor, MultiTaskLinearClassifier),
    "nuclear and graph": (MultiTaskLinearRegressor, MultiTaskLinearClassifier),
    "l21 and mean": (MultiTaskLinearRegressor, MultiTaskLinearClassifier),
    "relationship": (TaskRelationshipRegressor, TaskRelationshipClassifier),
    "relationship and prior": (TaskRelationshipRegressor, TaskRelationshipClassifier),
}


def configure(penalty, a, edges, names):
    """Return the estimator's parameters and the reference's terms for strength a.

    Edges are (s, t, weight) between task numbers, names those of the tasks.
    """
    graph = [(names[s], names[t], weight) for s, t, weight in edges]
    sides = (-1.0) ** np.arange(len(names))  # tasks go along with every other one
    prior = np.eye(len(names)) + np.outer(sides, sides)
    return {
        "nuclear": ({"alpha": a}, [("nuclear", a)]),
        "l21": ({"alpha": a}, [("l21", a)]),
        "l21 and ridge": (
            {"alpha": a, "l1_ratio": 0.6},
            [("l21", 0.6 * a), ("ridge", 0.4 * a)],
        ),
        "graph": (
            {"graph": graph, "gamma": 2 * a, "alpha": 0.3 * a},
            [("graph", edges, 2 * a), ("ridge", 0.3 * a)],
        ),
        "mean": ({"alpha_shared": 0.2 * a, "alpha_specific": a}, [("mean", 0.2 * a, a)]),
        "l1": ({"penalty": L1(a)}, [("l1", a)]),
        "ridge": ({"penalty": Ridge(a)}, [("ridge", a)]),
        "nuclear and graph": (
            {"penalty": NuclearNorm(a) + GraphLaplacian(graph, a)},
            [("nuclear", a), ("graph", edges, a)],
        ),
        "l21 and mean": (
            {"penalty": GroupL21(a) + MeanRegularization(0.1 * a, a)},
            [("l21", a), ("mean", 0.1 * a, a)],
        ),
        "relationship": (
            {"gamma": a, "alpha": 0.1 * a},
            [("covariance", a, 0.0, None), ("ridge", 0.1 * a)],
        ),
        "relationship and prior": (
            {
                "gamma": a,
                "alpha": 0.1 * a,
                "prior_strength": 0.4,
                "prior_covariance": {
                    s: dict(zip(names, row, strict=True))
                    for s, row in zip(names, prior.tolist(), strict=True)
                },
            },
            [("covariance", a, 0.4, prior), ("ridge", 0.1 * a)],
        ),
    }[penalty]


def comparable(parts):
    """Return an edge for each pair of tasks that an edge may join."""
    kinds = [None if part.width == 1 else tuple(part.classes) for part in parts]
    pairs = [(s, t) for s in range(len(parts)) for t in range(s) if kinds[s] == kinds[t]]
    return [(s, t, 0.5 + s) for s, t in pairs]


def compare(made, make, penalty, strength, *, relative):
    """Fit twice, to the default tolerance and tightly, and compare both with cvxpy.

    Parameters
    ----------
    made : Scenario
    make : callable (**parameters of the estimator of that penalty) -> estimator
    penalty : str
    strength : float
    relative : float
        How far the objective of the tight fit may be from cvxpy's.
    """
    names = list(made.parts)
    if "task_feature" in made.options:
        names = sorted(names)  # long form sorts the names that a column holds
    parts = [made.parts[name] for name in names]
    params, terms = configure(penalty, strength, comparable(parts), names)
    loose = made.fit(make(**params).set_params(max_iter=ITERATIONS))
    tight = made.fit(make(**params).set_params(max_iter=ITERATIONS, tol=1e-10))
    assert loose.task_names_ == tight.task_names_ == names
    assert tight.coef_.shape == (sum(part.width for part in parts), parts[0].X.shape[1])
    task_weight = made.task_weight(loose)
    W, b = minimise(parts, task_weight, terms, fit_intercept=made.fit_intercept)
    reference = objective(parts, task_weight, terms, W, b)
    # z = x.w + b cancels the offset of X, which leaves its rounding in z
    largest = max(np.abs(part.X).max() for part in parts)
    rounding = 1e-12 * reference + np.finfo(float).eps * largest
    for model in (loose, tight):
        reached = objective(parts, task_weight, terms, model.coef_, model.intercept_)
        # the same sum in another order
        assert model.objective_ == pytest.approx(reached, rel=1e-9)
        # cvxpy's W is feasible: its objective is no less than the minimum, so that what lies
        # above it lies as far above the minimum at least, and no error of cvxpy's is to add
        assert reached - reference <= model.dual_gap_ + rounding
    assert abs(reached - reference) <= relative * reference
