import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np
import torch

from sklearn_mtl.nn._members import Members
from sklearn_mtl.nn._net import MultiTaskNet
from sklearn_mtl.nn._predict import inference_dtype
from sklearn_mtl.nn._random import seeded

ROWS = 3  # of the example that is traced; the graph takes any number


def onnx_graph(
    net: MultiTaskNet, input_shape: tuple[int, ...], dtype: np.dtype, opset: int
) -> tuple[Any, int]:
    """Return the ONNX graph of a network in evaluation mode, and its number of members, M.

    Parameters
    ----------
    net : MultiTaskNet
    input_shape : tuple of int
        Shape of one input.
    dtype : numpy dtype
        Of the input.
    opset : int
        Version of ONNX's operators.

    Returns
    -------
    graph : onnx.GraphProto
        From rows (n, ...) to outputs (n, n_outputs), or (M, n, n_outputs) of M > 1 members.
    n_members : int

    Raises
    ------
    ValueError
        A module that torch cannot export, or whose graph would take one number of rows alone.
    """
    from onnx import inliner

    rows = torch.zeros(ROWS, *input_shape, dtype=getattr(torch, dtype.name))
    precision = inference_dtype(net, rows.dtype)
    module = deepcopy(net.inference_module(precision)).to("cpu")
    if isinstance(module, Members):
        module.batched = False  # one after another: ONNX knows no vmap
    # a module that draws random numbers while it is traced draws none of the caller's
    with seeded(0, torch.device("cpu")), _quiet(), torch.no_grad():
        try:
            program = torch.export.export(
                module, (rows,), dynamic_shapes=({0: torch.export.Dim("n")},), strict=False
            )
            exported = torch.onnx.export(
                program, dynamo=True, opset_version=opset, verbose=False, optimize=True
            )
        except Exception as error:
            told = str(error).strip().splitlines() or [type(error).__name__]
            raise ValueError(
                f"torch cannot export this network to ONNX: {told[0]} What a module= or sharing= "
                "of your own does must be made of tensor operations, for any number of rows: "
                "x.shape[0] instead of len(x), no branch on values."
            ) from error
    n_members = module.n_members if isinstance(module, Members) else 1
    model = inliner.inline_local_functions(exported.model_proto)  # type: ignore[union-attr]
    return model.graph, n_members


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back the exporter's remarks on packages that it does not find, and on itself."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
