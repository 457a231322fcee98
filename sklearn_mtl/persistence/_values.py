"""From features to values, as nodes of a graph: predicted numbers and class probabilities."""

from collections.abc import Callable, Sequence
from math import sqrt

import numpy as np

from sklearn_mtl.persistence._graph import DOUBLE, SINGLE, Graph
from sklearn_mtl.tasks._exported import AveragedLogistic, Exported, LinearOutputs, NetworkOutputs
from sklearn_mtl.tasks._outputs import OutputGroup
from sklearn_mtl.tasks._spec import BINARY, REGRESSION

ONE = np.array(1.0)


def values_of(
    graph: Graph, rows: str, exported: Exported, dtype: np.dtype, opset: int
) -> list[str]:
    """Return the values of each group of tasks, (n, T_g) or, if wider than 1, (n, T_g, K).

    In double precision, but for what a network computes.

    Parameters
    ----------
    graph : Graph
    rows : str
        The value that holds the features, (n, ...), in `dtype`.
    exported : Exported
    dtype : numpy dtype
    opset : int
    """
    outputs = exported.outputs
    if isinstance(outputs, NetworkOutputs):
        return _network(graph, rows, outputs, exported, dtype, opset)
    # weights of features with large means make large numbers that cancel
    exact = graph.cast(rows, DOUBLE)
    if isinstance(outputs, AveragedLogistic):
        return [_averaged(graph, exact, outputs)]
    return _linear(graph, exact, outputs, exported.groups)


def _linear(
    graph: Graph, rows: str, outputs: LinearOutputs, groups: Sequence[OutputGroup]
) -> list[str]:
    product = graph.apply("MatMul", rows, outputs.coef.T.astype(DOUBLE))
    made = graph.apply("Add", product, outputs.intercept.astype(DOUBLE))
    return _activated(graph, made, groups, n_members=1)


def _network(
    graph: Graph,
    rows: str,
    outputs: NetworkOutputs,
    exported: Exported,
    dtype: np.dtype,
    opset: int,
) -> list[str]:
    from sklearn_mtl.nn import onnx_graph

    with outputs.network.turn:
        network, n_members = onnx_graph(outputs.network.net, exported.input_shape, dtype, opset)
    (made,) = graph.append(network, "network", rows)
    blocks = _activated(graph, graph.cast(made, DOUBLE), exported.groups, n_members)
    if n_members == 1:
        return blocks
    first = np.array([0])
    return [graph.apply("ReduceMean", block, first, keepdims=0) for block in blocks]


def _activated(
    graph: Graph, outputs: str, groups: Sequence[OutputGroup], n_members: int
) -> list[str]:
    """Return what outputs (n, n_outputs) or (M, n, n_outputs) stand for, a block a group."""
    lead = [-1] if n_members == 1 else [n_members, -1]
    blocks = []
    for group in groups:
        columns = np.arange(group.columns.start, group.columns.stop)
        block = graph.apply("Gather", outputs, columns, axis=len(lead))
        if group.kind == REGRESSION:
            blocks.append(ACTIVATED[group.spec.activation](graph, block))
        elif group.kind == BINARY:
            blocks.append(graph.apply("Sigmoid", block))
        else:
            shape = np.array([*lead, len(group.tasks), group.width])
            by_class = graph.apply("Reshape", block, shape)
            blocks.append(graph.apply("Softmax", by_class, axis=-1))
    return blocks


def _averaged(graph: Graph, rows: str, outputs: AveragedLogistic) -> str:
    """Return the probabilities of the second class, (n, T); see AveragedLogistic."""
    z = graph.apply("Div", graph.apply("Sub", rows, outputs.x_mean), outputs.x_scale)
    if outputs.fit_intercept:
        z = graph.apply("Pad", z, np.array([0, 0, 0, 1]), ONE)
    mean = graph.apply("MatMul", z, outputs.mean.T)
    of_kinds = []
    for covariance in outputs.covariance:
        moved = graph.apply("Mul", graph.apply("MatMul", z, covariance), z)
        of_kinds.append(graph.apply("ReduceSum", moved, np.array([1])))  # (n, 1)
    variance = graph.apply("Concat", *of_kinds, axis=1)
    variance = graph.apply("Gather", variance, outputs.kind.astype(np.int64), axis=1)
    # a last axis for the normal distributions of the mixture
    mean, variance = (graph.apply("Unsqueeze", part, np.array([2])) for part in (mean, variance))
    deviation = graph.apply("Sqrt", graph.apply("Add", variance, np.square(outputs.scale)))
    # Phi(a) = (1 + erf(a / √2)) / 2, and the shares have the sum 1
    halved = graph.apply("Div", graph.apply("Div", mean, deviation), np.array(sqrt(2.0)))
    # onnxruntime has erf in single precision alone, which leaves errors of 1e-7
    erf = graph.cast(graph.apply("Erf", graph.cast(halved, SINGLE)), DOUBLE)
    weighted = graph.apply("MatMul", erf, outputs.share[:, None] / 2)  # (n, T, 1)
    centred = graph.apply("Squeeze", weighted, np.array([2]))
    return graph.apply("Add", centred, np.array(0.5))


def _identity(graph: Graph, values: str) -> str:
    return values


def _exp(graph: Graph, values: str) -> str:
    return graph.apply("Exp", values)


def _softplus(graph: Graph, values: str) -> str:
    # log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)), which does not overflow
    small = graph.apply("Exp", graph.apply("Neg", graph.apply("Abs", values)))
    rest = graph.apply("Log", graph.apply("Add", small, ONE))
    return graph.apply("Add", graph.apply("Relu", values), rest)


def _sigmoid(graph: Graph, values: str) -> str:
    return graph.apply("Sigmoid", values)


# the keys are those of sklearn_mtl.tasks._activations.ACTIVATIONS
ACTIVATED: dict[str, Callable[[Graph, str], str]] = {
    "identity": _identity,
    "exp": _exp,
    "softplus": _softplus,
    "sigmoid": _sigmoid,
}
