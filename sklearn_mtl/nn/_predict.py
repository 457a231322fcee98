from collections.abc import Iterator
from contextlib import nullcontext

import numpy as np
import torch

from sklearn_mtl.nn._batches import as_input, rows_at_once
from sklearn_mtl.nn._members import Members
from sklearn_mtl.nn._module import MultiTaskModule
from sklearn_mtl.nn._net import MultiTaskNet
from sklearn_mtl.nn._stream import moved
from sklearn_mtl.nn.trunks import Backbone
from sklearn_mtl.tasks._streamed import StreamedRows


def predict_outputs(
    net: MultiTaskNet, X: np.ndarray | StreamedRows, task_index: np.ndarray | None = None
) -> np.ndarray:
    """Return raw outputs of the network.

    Parameters
    ----------
    X : ndarray of shape (n, p) or StreamedRows
    task_index : ndarray of shape (n,), default=None
        The task of each row, if each row has one.

    Returns
    -------
    outputs : ndarray of shape (M, n, n_outputs), in group order, of each of the M members; with
        `task_index` of shape (M, n, widest task), a row's own outputs first and NaN after them.

    Notes
    -----
    On the CPU the network runs in X's precision: rows alone and in a batch agree to 1e-15 in
    float64. On accelerators, and with a module of the user's, which may know one precision alone,
    it runs in the precision it was trained in.
    """
    where = torch.device(net.device)
    # a Dataset may draw at random, from generators that are the caller's
    apart = X.reader.seeded() if isinstance(X, StreamedRows) else nullcontext()
    with apart, torch.inference_mode():
        parts = []
        start = 0
        for inputs in _chunks(X, where):
            module = net.inference_module(inference_dtype(net, inputs.dtype))
            if task_index is None:
                outputs = module(inputs)
            else:
                outputs = _own(module, inputs, task_index[start : start + len(inputs)])
            members = outputs if isinstance(module, Members) else outputs[None]
            parts.append(members.cpu().numpy())
            start += len(inputs)
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def inference_dtype(net: MultiTaskNet, dtype: torch.dtype) -> torch.dtype:
    """Return the precision in which the network predicts rows of `dtype`; see the Notes above."""
    own = any(isinstance(part, Backbone) for part in net.module_.modules())
    any_precision = torch.device(net.device).type == "cpu" and not own
    return dtype if any_precision else net.module_.dtype


def _chunks(X: np.ndarray | StreamedRows, device: torch.device) -> Iterator[torch.Tensor]:
    """Yield rows on the device, a part at a time."""
    if isinstance(X, StreamedRows):
        for block in X.blocks():
            yield moved(block, device)
        return
    step = rows_at_once(X.shape[1:])
    for start in range(0, max(len(X), 1), step):
        yield as_input(X[start : start + step], device)


def _own(
    module: MultiTaskModule | Members, inputs: torch.Tensor, task_index: np.ndarray
) -> torch.Tensor:
    groups = module.heads.groups
    n_tasks = sum(len(group.tasks) for group in groups)
    numbers, places = [], []
    for group in groups:
        number = np.full(n_tasks, -1)
        number[group.tasks] = np.arange(len(group.tasks))
        numbers.append(number[task_index])
        places.append(torch.as_tensor(np.maximum(numbers[-1], 0), device=inputs.device))
    task = torch.tensor(task_index, device=inputs.device)
    blocks = module.own_outputs(inputs, task, places)
    widest = max(group.width for group in groups)
    own_blocks = [
        block if group.width == 1 else block.squeeze(-2)
        for group, block in zip(groups, blocks, strict=True)
    ]
    result = own_blocks[0].new_full((*own_blocks[0].shape[:-1], widest), torch.nan)
    for number, own in zip(numbers, own_blocks, strict=True):
        here = torch.as_tensor(np.flatnonzero(number >= 0), device=inputs.device)
        result[..., here, : own.shape[-1]] = own[..., here, :]
    return result
