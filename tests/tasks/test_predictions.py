"""Outputs become values, and values labels and probabilities."""

import numpy as np
import pytest
from scipy.special import expit, softmax

from sklearn_mtl.tasks._activations import ACTIVATIONS
from sklearn_mtl.tasks._outputs import LossFunction, OutputSpec, group_outputs
from sklearn_mtl.tasks._predictions import activate
from sklearn_mtl.tasks._spec import TaskSpec

TASKS = [
    TaskSpec("price", "regression"),
    TaskSpec("grade", "multiclass", np.arange(3)),
    TaskSpec("count", "regression"),
    TaskSpec("good", "binary", np.arange(2)),
    TaskSpec("colour", "multiclass", np.arange(3)),
    TaskSpec("share", "regression"),
]
SPECS = [
    OutputSpec("squared_error"),
    OutputSpec("log_loss"),
    OutputSpec("poisson", "exp"),
    OutputSpec("log_loss"),
    OutputSpec("log_loss"),
    OutputSpec("squared_error", "sigmoid"),
]
GROUPS = group_outputs(TASKS, SPECS)


def value_of(t, outputs):
    """Return the values (..., K) of task t, from its outputs."""
    if TASKS[t].kind == "multiclass":
        return softmax(outputs, axis=-1)
    if TASKS[t].kind == "binary":
        return expit(outputs)
    return ACTIVATIONS[SPECS[t].activation].function(outputs)


def columns():
    for group in GROUPS:
        for place, t in enumerate(group.tasks):
            first = group.start + place * group.width
            yield t, slice(first, first + group.width)


@pytest.mark.parametrize("leading", [(), (4,)])
def test_each_task_has_its_activation(leading):
    n_outputs = sum(len(group.tasks) * group.width for group in GROUPS)
    outputs = np.random.default_rng(0).normal(size=(*leading, 5, n_outputs))
    before = outputs.copy()
    values = activate(outputs, GROUPS)
    assert values.shape == outputs.shape
    for t, here in columns():
        np.testing.assert_allclose(values[..., here], value_of(t, outputs[..., here]), rtol=1e-14)
    np.testing.assert_array_equal(outputs, before)


@pytest.mark.parametrize("leading", [(), (4,)])
def test_where_a_row_has_one_task_so_have_its_values(leading):
    task_index = np.array([4, 0, 2, 3, 1, 5, 2])
    outputs = np.random.default_rng(0).normal(size=(*leading, len(task_index), 3))
    width = np.array([1, 3, 1, 1, 3, 1])[task_index]
    outputs[..., np.arange(3) >= width[:, None]] = np.nan
    values = activate(outputs, GROUPS, task_index)
    for row, t in enumerate(task_index):
        own = outputs[..., row, : width[row]]
        np.testing.assert_allclose(values[..., row, : width[row]], value_of(t, own), rtol=1e-14)
    np.testing.assert_array_equal(np.isnan(values), np.isnan(outputs))


def test_tasks_of_equal_specs_are_one_block_and_functions_are_for_one_task():
    assert [group.tasks.tolist() for group in GROUPS] == [[0], [1, 4], [2], [3], [5]]
    tasks = [TaskSpec(t, "regression") for t in "abcd"]
    specs = [
        OutputSpec("huber"), OutputSpec(LossFunction(print, "b")),
        OutputSpec(LossFunction(print, "c")), OutputSpec("huber"),
    ]  # fmt: skip
    assert [group.tasks.tolist() for group in group_outputs(tasks, specs)] == [[0, 3], [1], [2]]
