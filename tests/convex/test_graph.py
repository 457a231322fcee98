"""Every form a graph comes in, what it penalises, and errors that name what is wrong with it."""

import re
import subprocess
import sys

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone

from sklearn_mtl.convex import CoefRows, GraphLaplacian, coef_rows
from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.tasks import TaskSpec

NAMES = ["ash", "oak", "elm", "fir"]
EDGES = [("ash", "oak", 2.0), ("fir", "oak", 0.5), ("elm", "fir", 1.0)]
WEIGHTS = np.array([[0, 2, 0, 0], [2, 0, 0, 0.5], [0, 0, 0, 1], [0, 0.5, 1, 0]])


def scalar_rows(names):
    return CoefRows(list(names), np.arange(len(names)), np.zeros(len(names), int))


def network():
    graph = nx.Graph()
    graph.add_weighted_edges_from(EDGES[:2])
    graph.add_edge("elm", "fir")  # of no weight: 1
    return graph


FORMS = {
    "array": WEIGHTS,
    "csr": sparse.csr_array(WEIGHTS),
    "coo_matrix": sparse.coo_matrix(WEIGHTS),
    "frame in another order": pd.DataFrame(WEIGHTS, NAMES, NAMES).loc[NAMES[::-1], sorted(NAMES)],
    "edges": EDGES,
    "edges turned round": [(t, s, weight) for s, t, weight in EDGES],
    "edges without the weight that is 1": [*EDGES[:2], ("elm", "fir")],
    "networkx": network(),
}


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_of_one_graph_have_the_laplacian_of_its_edges(form):
    expected = 3.0 * (np.diag(WEIGHTS.sum(axis=1)) - WEIGHTS)
    found = GraphLaplacian(FORMS[form], gamma=3.0).task_matrix(scalar_rows(NAMES))
    assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("word", "n_tasks", "edges"),
    [
        ("complete", 4, [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]),
        ("chain", 4, [(0, 1), (1, 2), (2, 3)]),
        ("ring", 4, [(0, 1), (1, 2), (2, 3), (3, 0)]),
        ("ring", 2, [(0, 1)]),  # the last is the second: one edge, not two
        ("complete", 1, []),
        ("chain", 1, []),
        ("ring", 1, []),
    ],
)
def test_a_word_stands_for_its_edges(word, n_tasks, edges):
    rows = scalar_rows(NAMES[:n_tasks])
    by_name = [(NAMES[s], NAMES[t]) for s, t in edges]
    assert_array_equal(
        GraphLaplacian(word).task_matrix(rows), GraphLaplacian(by_name).task_matrix(rows)
    )


def test_each_edge_counts_once_with_its_weight():
    W = np.random.default_rng(0).normal(size=(4, 3))
    distances = [
        weight * ((W[NAMES.index(s)] - W[NAMES.index(t)]) ** 2).sum() for s, t, weight in EDGES
    ]
    value = GraphLaplacian(EDGES, gamma=0.7).value(W, scalar_rows(NAMES))
    assert_allclose(value, 0.7 / 2 * sum(distances), rtol=1e-14)  # rounding


def test_tasks_that_no_edge_names_are_not_penalised():
    matrix = GraphLaplacian([("ash", "elm")]).task_matrix(scalar_rows(NAMES))
    assert not matrix[[1, 3]].any()
    assert not matrix[:, [1, 3]].any()


def test_scaling_scales_gamma_alone():
    penalty = GraphLaplacian(WEIGHTS, gamma=0.5)
    assert clone(penalty).scaled(4.0).gamma == 2.0
    assert penalty.scaled(4.0).graph is WEIGHTS


# -- tasks of several classes ----------------------------------------------------------------------


KINDS = coef_rows(
    [
        TaskSpec("price", "regression"),
        TaskSpec("colour", "multiclass", np.array(["blue", "red", "tan"])),
        TaskSpec("good", "binary", np.array([0, 1])),
        TaskSpec("roof", "multiclass", np.array(["blue", "red", "tan"])),
        TaskSpec("wall", "multiclass", np.array([0, 1, 2])),
    ]
)


def test_an_edge_between_tasks_of_several_classes_joins_the_rows_of_each_class():
    W = np.random.default_rng(0).normal(size=(KINDS.n_rows, 2))
    value = GraphLaplacian([("colour", "roof", 2.0)], gamma=1.0).value(W, KINDS)
    difference = W[KINDS.of_task(1)] - W[KINDS.of_task(3)]
    assert_allclose(value, np.square(difference).sum(), rtol=1e-14)  # rounding


def test_a_complete_graph_joins_comparable_tasks_alone():
    explicit = [("price", "good"), ("colour", "roof")]
    assert_array_equal(
        GraphLaplacian("complete").task_matrix(KINDS), GraphLaplacian(explicit).task_matrix(KINDS)
    )


@pytest.mark.parametrize(
    ("graph", "first", "second"),
    [
        ([("good", "roof")], "good", "roof"),
        ([("colour", "wall")], "colour", "wall"),  # three classes each, of other names
        ("chain", "price", "colour"),
        ("ring", "price", "colour"),
        (np.eye(5)[::-1] * (1 - np.eye(5)), "price", "wall"),
    ],
)
def test_an_edge_between_outputs_that_cannot_be_compared_names_both_tasks(graph, first, second):
    with pytest.raises(TaskLayoutError, match=f"'{first}' and task '{second}'.*compared"):
        GraphLaplacian(graph).task_matrix(KINDS)


# -- refusals ------------------------------------------------------------------------------------


def changed(s, t, weight, *, both=True):
    weights = WEIGHTS.copy()
    weights[s, t] = weight
    if both:
        weights[t, s] = weight
    return weights


REFUSALS = {
    "a negative weight": (changed(0, 2, -1.0), ValueError, ["'ash'", "'elm'", "-1.0"]),
    "a missing weight": (changed(1, 3, np.nan), ValueError, ["'oak'", "'fir'", "nan"]),
    "an infinite weight": (changed(1, 3, np.inf), ValueError, ["'oak'", "'fir'", "inf"]),
    "two directions": (
        changed(0, 1, 7.0, both=False),
        ValueError,
        ["not symmetric", "'ash'", "'oak'", "7.0", "2.0"],
    ),
    "a sparse matrix with two directions": (
        sparse.csr_array(changed(0, 2, 7.0, both=False)),
        ValueError,
        ["not symmetric", "'ash'", "'elm'", "7.0", "0.0"],
    ),
    "a diagonal": (changed(2, 2, 1.0), ValueError, ["'elm' to itself", "diagonal"]),
    "a wrong size": (WEIGHTS[:3, :3], TaskLayoutError, ["(3, 3)", "(4, 4)", "'ash'"]),
    "one dimension": (WEIGHTS[0], TaskLayoutError, ["(4,)", "(4, 4)"]),
    "words for weights": (np.full((4, 4), "x"), ValueError, ["real numbers"]),
    "complex weights": (WEIGHTS * 1j, ValueError, ["real numbers", "complex"]),
    "a node that is no task": (
        [("ash", "oka")],
        TaskLayoutError,
        ["'oka'", "no task", "did you mean 'oak'"],
    ),
    "an edge to itself": ([("ash", "ash")], ValueError, ["'ash' to itself"]),
    "an edge twice": (
        [("ash", "oak"), ("oak", "ash", 3)],
        ValueError,
        ["two edges", "'oak'", "'ash'", "1.0", "3.0"],
    ),
    "a negative edge": ([("ash", "oak", -2)], ValueError, ["'ash'", "'oak'", "-2.0"]),
    "an edge of weight nan": ([("ash", "oak", np.nan)], ValueError, ["'ash'", "'oak'", "nan"]),
    "a word for a weight": ([("ash", "oak", "big")], ValueError, ["'big'", "a number"]),
    "no pair": ([("ash",)], ValueError, ["('ash',)", "(task, task, weight)"]),
    "names alone": (["ab", "cd"], ValueError, ["'ab'", "(task, task)"]),
    "a nested list": (WEIGHTS.tolist(), ValueError, ["numpy array"]),
    "a number": (3, ValueError, ["found 3", "'complete'"]),
    "nothing": (None, ValueError, ["found None", "'complete'"]),
    "a word nobody knows": ("rign", ValueError, ["'rign'", "did you mean 'ring'"]),
    "directions": (nx.DiGraph([("ash", "oak")]), ValueError, ["directed", "to_undirected"]),
    "a networkx node that is no task": (nx.Graph([("ash", "yew")]), TaskLayoutError, ["'yew'"]),
    "a lone networkx node that is no task": (
        nx.compose(network(), nx.empty_graph(["yew"])),
        TaskLayoutError,
        ["'yew'"],
    ),
    "parallel edges": (
        nx.MultiGraph([("ash", "oak"), ("ash", "oak")]),
        ValueError,
        ["two edges", "'ash'", "'oak'"],
    ),
    "a frame without names": (pd.DataFrame(WEIGHTS), TaskLayoutError, ["index", "0, which is no"]),
    "a frame without a task": (
        pd.DataFrame(WEIGHTS[:3, :3], NAMES[:3], NAMES[:3]),
        TaskLayoutError,
        ["index", "none for 'fir'"],
    ),
    "a frame that names a task twice": (
        pd.DataFrame(np.zeros((5, 4)), [*NAMES, "ash"], NAMES),
        TaskLayoutError,
        ["index", "5 names for 4 tasks"],
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_names_what_is_wrong(case):
    graph, error, words = REFUSALS[case]
    with pytest.raises(error) as caught:
        GraphLaplacian(graph).task_matrix(scalar_rows(NAMES))
    for word in words:
        assert re.search(re.escape(word), str(caught.value)), str(caught.value)


def test_a_matrix_symmetric_up_to_rounding_is_symmetric():
    # 1 ulp apart, as kernels and correlations computed entry by entry are
    matrix = GraphLaplacian(changed(0, 1, np.nextafter(2.0, 3.0), both=False)).task_matrix(
        scalar_rows(NAMES)
    )
    assert_array_equal(matrix, matrix.T)


def test_networkx_is_not_imported():
    code = "import sys; import sklearn_mtl.convex; assert 'networkx' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_graph_that_one_fit_would_use_up_is_refused():
    with pytest.raises(ValueError, match=r"iterator.*pass list\(graph\)"):
        GraphLaplacian(iter([("a", "b")])).task_matrix(scalar_rows("abc"))


def test_an_adjacency_as_lists_is_told_from_edges():
    with pytest.raises(ValueError, match="3 lists of 3 numbers: pass an adjacency as a numpy"):
        GraphLaplacian([[0, 1, 0], [1, 0, 1], [0, 1, 0]]).task_matrix(scalar_rows("abc"))
