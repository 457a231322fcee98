"""What parameters say of each task, in fits to some of the tasks."""

import numpy as np
import pandas as pd
import pytest
from model_selection._families_of_tasks import make_families
from scipy.sparse import csr_array
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_mtl import (
    GraphRegressor,
    IndependentTasks,
    MultiTaskClassifier,
    MultiTaskLinearRegressor,
    MultiTaskRegressor,
    StackedTasks,
    TaskAffinity,
    TaskChain,
    TaskGrouping,
    TaskRelationshipRegressor,
    VotingTasks,
    task_affinity,
)
from sklearn_mtl.convex import GraphLaplacian
from sklearn_mtl.convex import Ridge as RidgePenalty
from sklearn_mtl.model_selection._counterpart import single_task_counterpart
from sklearn_mtl.neural_network import Cascade
from sklearn_mtl.tasks._chosen import ChosenTasks, parameters_for

NAMES = list("abcd")
CHOSEN = ChosenTasks(NAMES, [0, 2, 3], ["a", "c", "d"])
COVARIANCE = np.arange(16.0).reshape(4, 4)
EDGES = [("a", "b"), ("a", "c", 2.0), ("c", "d", 3.0)]
PART = [("a", "c", 2.0), ("c", "d", 3.0)]


def fits_to_some(estimator):
    return parameters_for(estimator, CHOSEN)


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (EDGES, PART),
        (tuple(EDGES), PART),
        ("complete", "complete"),
        ("chain", [("c", "d")]),
        ("ring", [("c", "d"), ("d", "a")]),
        (None, None),
        ([("a", "unknown")], [("a", "unknown")]),
    ],
    ids=str,
)
def test_graphs_keep_the_edges_among_the_tasks(graph, expected):
    assert fits_to_some(GraphRegressor(graph=graph))["graph"] == expected
    penalty = GraphLaplacian(graph) + RidgePenalty()
    found = fits_to_some(MultiTaskLinearRegressor(penalty))
    assert found["penalty__graphlaplacian__graph"] == expected


def test_matrices_of_tasks_are_cut_in_rows_and_columns():
    expected = COVARIANCE[np.ix_([0, 2, 3], [0, 2, 3])]
    frame = pd.DataFrame(COVARIANCE, NAMES, NAMES).iloc[::-1]
    for given in (COVARIANCE, csr_array(COVARIANCE), frame, frame.to_dict("index")):
        found = fits_to_some(TaskRelationshipRegressor(prior_covariance=given))["prior_covariance"]
        found = pd.DataFrame(found).T if isinstance(found, dict) else found
        found = found.toarray() if hasattr(found, "toarray") else found
        found = found.loc[list("acd"), list("acd")] if hasattr(found, "loc") else found
        np.testing.assert_array_equal(found, expected)
    networkx = pytest.importorskip("networkx")
    graph = networkx.Graph()
    graph.add_weighted_edges_from([(*edge, 1.0)[:3] for edge in EDGES])
    assert sorted(fits_to_some(GraphRegressor(graph=graph))["graph"]) == sorted(PART)


def test_every_estimator_says_which_of_its_parameters_are_of_tasks():
    models = {name: Ridge() for name in NAMES}
    kept = {name: models[name] for name in "acd"}
    kinds = dict.fromkeys(NAMES, "regression")
    independent = IndependentTasks(models, task_kinds=kinds)
    expected = {"estimator": kept, "task_kinds": dict.fromkeys("acd", "regression")}
    assert fits_to_some(independent) == expected
    inside = fits_to_some(make_pipeline(StandardScaler(), independent))
    assert inside == {f"independenttasks__{key}": value for key, value in expected.items()}
    voting = fits_to_some(VotingTasks([("one", independent), ("none", "drop")]))
    assert voting == {f"one__{key}": value for key, value in expected.items()}
    stacked = fits_to_some(StackedTasks(Ridge(), final_estimator=models))
    assert stacked["final_estimator"] == kept
    assert fits_to_some(TaskChain(Ridge(), order=list("dbca")))["order"] == list("dca")
    reads = Cascade({"a": ["b", "c"], "b": ["d"]})
    network = MultiTaskRegressor(
        sharing=reads, loss={"b": "l1", "c": "huber"}, task_weight=range(4)
    )
    found = fits_to_some(network)
    assert found["sharing__depends_on"] == {"a": ["c"]}
    assert found["loss"] == {"c": "huber"}
    assert found["task_weight"].tolist() == [0, 2, 3]
    affinity = TaskAffinity(COVARIANCE[::-1, ::-1], NAMES[::-1], "pairwise")
    cut = fits_to_some(TaskGrouping(independent, affinity=affinity))
    np.testing.assert_array_equal(
        cut["affinity"].matrix,
        fits_to_some(TaskRelationshipRegressor(prior_covariance=COVARIANCE))["prior_covariance"],
    )
    assert cut["estimator__estimator"] == kept


def test_weights_of_classes_are_not_of_tasks_that_have_the_names_of_classes():
    tasks = ChosenTasks([0, 1, 2], [1], [1])
    weight = {0: 1.0, 1: 5.0}
    single = IndependentTasks(LogisticRegression(class_weight=weight))
    assert "estimator__class_weight" not in parameters_for(single, tasks)
    assert "class_weight" not in parameters_for(MultiTaskClassifier(class_weight=weight), tasks)
    by_task = MultiTaskClassifier(class_weight={0: "balanced", 1: weight})
    assert parameters_for(by_task, tasks)["class_weight"] == {1: weight}
    # parameters of one task's own estimator are its own, whatever their names
    own = IndependentTasks({0: LogisticRegression(class_weight=weight), 1: LogisticRegression()})
    assert list(parameters_for(own, tasks)["estimator"]) == [1]


def test_the_class_weight_of_a_single_estimator_counts_in_every_subset():
    X, Y = make_families(n=60)
    y = pd.DataFrame((Y[:, :3] > 0.5).astype(int))
    weighed = IndependentTasks(LogisticRegression(class_weight={0: 1, 1: 5}))
    found = task_affinity(weighed, X, y, cv=2, random_state=0).matrix
    # nothing is shared, so nothing is gained
    np.testing.assert_array_equal(found[~np.eye(3, dtype=bool)], 0.0)


def test_a_graph_and_a_dict_of_estimators_are_grouped():
    X, Y = make_families(n=40)
    y = dict(zip(NAMES, Y.T, strict=True))
    graph = GraphRegressor(graph=[("a", "c"), ("b", "d")], gamma=10.0)
    grouping = TaskGrouping(graph, n_groups=2, cv=2, random_state=0).fit(X, y)
    assert grouping.groups_ == [["a", "c"], ["b", "d"]]
    models = {name: Lasso(alpha) for name, alpha in zip(NAMES, [0.1, 0.2, 0.3, 0.4], strict=True)}
    grouping = TaskGrouping(IndependentTasks(models), n_groups=2, cv=2, random_state=0).fit(X, y)
    whole = IndependentTasks(models).fit(X, y)
    for name, predicted in grouping.predict(X).items():
        np.testing.assert_allclose(predicted, whole.predict(X)[name])


def test_a_frame_of_affinities_goes_by_its_labels():
    X, Y = make_families(n=40)
    y = dict(zip(NAMES, Y.T, strict=True))
    matrix = np.zeros((4, 4))
    matrix[[0, 3, 1, 2], [3, 0, 2, 1]] = 1.0
    frame = TaskAffinity(matrix, NAMES, "pairwise").to_frame()
    model = IndependentTasks(Ridge())
    for given in (matrix, frame, frame.loc[list("cabd"), list("dbca")]):
        grouping = TaskGrouping(model, n_groups=2, affinity=given).fit(X, y)
        assert grouping.groups_ == [["a", "d"], ["b", "c"]]
    other = frame.rename(index={"a": "e"})
    with pytest.raises(ValueError, match=r"The index of affinity names the tasks .*'e'"):
        TaskGrouping(model, n_groups=2, affinity=other).fit(X, y)


def test_a_counterpart_is_refused_what_is_of_tasks_and_keeps_what_is_of_classes():
    schemes = {"sharing": ["hard", "separate"]}  # a search over them is made by each task
    weighed = GridSearchCV(MultiTaskClassifier(class_weight={0: 1, 1: 5}), schemes)
    single = single_task_counterpart(weighed, [0, 1, 2], np.full(3, 20))
    assert single.estimator.estimator.class_weight == {0: 1, 1: 5}
    network = GridSearchCV(MultiTaskRegressor(loss={"b": "l1"}), schemes)
    with pytest.raises(ValueError, match="counterpart: 'loss' says something of several tasks"):
        single_task_counterpart(network, NAMES, np.full(4, 20))
