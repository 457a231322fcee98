import numpy as np
import torch

from sklearn_mtl.nn._batches import as_input
from sklearn_mtl.nn._module import MultiTaskModule
from sklearn_mtl.nn._net import MultiTaskNet

CHUNK = 16_384  # rows at a time: bounds the memory of hidden layers


def predict_outputs(
    net: MultiTaskNet, X: np.ndarray, task_index: np.ndarray | None = None
) -> np.ndarray:
    """Return raw outputs of the network.

    Parameters
    ----------
    X : ndarray of shape (n, p)
    task_index : ndarray of shape (n,), default=None
        The task of each row, if each row has one.

    Returns
    -------
    outputs : ndarray of shape (n, n_outputs), in group order; with `task_index` of shape
        (n, widest task), a row's own outputs first and NaN after them.

    Notes
    -----
    On the CPU the network runs in X's precision: rows alone and in a batch agree to 1e-15 in
    float64. On accelerators it runs in the precision it was trained in.
    """
    where = torch.device(net.device)
    precision = net.module_.dtype
    if where.type == "cpu":
        precision = torch.float64 if X.dtype == np.float64 else torch.float32
    module = net.inference_module(precision)
    with torch.inference_mode():
        parts = []
        for start in range(0, max(len(X), 1), CHUNK):
            stop = start + CHUNK
            inputs = as_input(X[start:stop], where)
            if task_index is None:
                outputs = module(inputs)
            else:
                outputs = _own(module, inputs, task_index[start:stop])
            parts.append(outputs.cpu().numpy())
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _own(module: MultiTaskModule, inputs: torch.Tensor, task_index: np.ndarray) -> torch.Tensor:
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
    result = inputs.new_full((len(inputs), widest), torch.nan, dtype=blocks[0].dtype)
    for number, block in zip(numbers, blocks, strict=True):
        here = torch.as_tensor(np.flatnonzero(number >= 0), device=inputs.device)
        own = block if block.ndim == 2 else block[:, 0]
        result[here, : own.shape[1]] = own[here]
    return result
