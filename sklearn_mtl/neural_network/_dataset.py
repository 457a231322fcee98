"""A torch Dataset in place of X: what a pass over it collects."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.neural_network._backend import backend
from sklearn_mtl.tasks._column import as_array, is_frame, is_missing
from sklearn_mtl.tasks._layout import SHARED
from sklearn_mtl.tasks._streamed import StreamedRows

# read at a time while the shape of x is not known
FIRST_ROWS = 64
# rows kept for what must look at many at once, such as quantiles
SAMPLE_ROWS = 16_384


def is_dataset(X: Any) -> bool:
    """Return whether X is items to be read one by one, not numbers in memory."""
    if isinstance(X, (Sequence, Mapping)) or is_frame(X):
        return False
    if hasattr(X, "shape") or hasattr(X, "__array__"):
        return False
    if hasattr(X, "dataset"):  # a DataLoader, which the reader refuses in words
        return True
    return hasattr(X, "__getitem__") and (hasattr(X, "__len__") or hasattr(X, "__iter__"))


@contextmanager
def opened(
    X: Any,
    y: Any,
    estimator: Any,
    *,
    seed: int,
    weights: Any,
    going_on: bool,
) -> Iterator[tuple[Any, Any]]:
    """Give X and y to fit to; of a Dataset its rows, to be read later, and its labels, read here.

    Parameters
    ----------
    X, y : as in ``fit``; y None where X is a Dataset
    estimator : estimator
    seed : int
        Decides what the Dataset draws at random.
    weights : array-like of shape (n,) or None
        Weight of each item in the mean and the standard deviation of x.
    going_on : bool
        Whether the tasks and the shape of x are those of an earlier fit; a task that no item names
        then has no label.

    Yields
    ------
    X, y : as they are, or StreamedRows and a dict name -> labels
    """
    if not is_dataset(X):
        yield X, y
        return
    owner = type(estimator).__name__
    if y is not None:
        raise ValueError(
            "X is a Dataset, whose items (x, {task: label}) hold the labels, so y must be None; "
            f"found {type(y).__name__}."
        )
    if estimator.task_feature is not None:
        raise ValueError(
            f"X is a Dataset, but task_feature={estimator.task_feature!r} asks {owner} for a "
            "column of X that names each row's task; set task_feature=None and let each item name "
            "its tasks: (x, {task: label})."
        )
    names = estimator.layout_.names if going_on else ()
    shape = _input_shape(estimator) if going_on else None
    device = str(estimator.device)
    with backend().DatasetReader(X, estimator.num_workers, seed, device, shape) as reader:
        yield _read_all(reader, names, _item_weights(weights, reader.n_items))


@contextmanager
def readable(X: Any, estimator: Any, *, labelled: bool = False) -> Iterator[Any]:
    """Give X to predict from; of a Dataset its rows, to be read later.

    Parameters
    ----------
    X : as in ``predict``
    estimator : fitted estimator
    labelled : bool
        Whether the labels of a Dataset are collected as its rows are read.

    Yields
    ------
    X : as it is, or StreamedRows
    """
    if not is_dataset(X):
        yield X
        return
    layout = estimator.layout_
    if layout.rows != SHARED:
        raise ValueError(
            "X is a Dataset, whose rows belong to all tasks, but fit received rows that belong to "
            "one task each; pass X as fit received it."
        )
    shape, device = _input_shape(estimator), str(estimator.net_.device)
    with backend().DatasetReader(X, estimator.num_workers, 0, device, shape) as reader:
        columns = LabelColumns(layout.names) if labelled else None
        yield StreamedRows(reader, np.arange(reader.n_items), shape, columns=columns)


def _input_shape(estimator: Any) -> tuple[int, ...]:
    return tuple(estimator._network.settings["input_shape"])


def in_memory(rows: Any, numbers: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return those rows as an array, and their numbers; of a Dataset at most 16384 of them.

    Parameters
    ----------
    rows : ndarray of shape (n, ...) or StreamedRows
    numbers : ndarray
    seed : int
        Decides which rows of a Dataset are looked at.
    """
    if not isinstance(rows, StreamedRows):
        return rows[numbers], numbers
    if len(numbers) > SAMPLE_ROWS:
        chosen = np.random.default_rng(seed).choice(len(numbers), SAMPLE_ROWS, replace=False)
        numbers = numbers[np.sort(chosen)]
    with rows.reader.seeded():
        blocks = [block.numpy() for block in rows[numbers].blocks()]
    return np.concatenate(blocks), numbers


class RunningMoments:
    """Mean and standard deviation of rows that are seen a block at a time.

    One number for each feature, or for each channel (the first axis of x) where x has more axes
    than one. Blocks are merged by

        mean = mean_a + (mean_b - mean_a) W_b / (W_a + W_b)
        M    = M_a + M_b + (mean_b - mean_a)² W_a W_b / (W_a + W_b)

    with W the sum of weights and M that of weighted squares about the mean, which cancels no
    digits, whatever the mean (Chan, Golub & LeVeque, "Algorithms for computing the sample
    variance: analysis and recommendations", The American Statistician 37, 1983).
    """

    def __init__(self) -> None:
        self.weight = 0.0

    def add(self, X: np.ndarray, mass: np.ndarray) -> None:
        """Take in rows X (B, ...) of weights (B,)."""
        here = mass > 0
        if not here.any():
            return
        values = X[here].reshape(here.sum(), X.shape[1], -1).astype(np.float64)
        if self.weight == 0:
            # seen from a value of theirs constants are zeros, however many rows are added up
            self.origin = values[0, :, 0].copy()
            self.mean, self.squares = np.zeros_like(self.origin), np.zeros_like(self.origin)
            self.input_shape = X.shape[1:]
        weight = float(mass[here].sum()) * values.shape[2]
        share = mass[here][:, None, None] / weight
        values -= self.origin[:, None]
        mean = (share * values).sum(axis=(0, 2))
        values -= mean[:, None]
        step, whole = mean - self.mean, self.weight + weight
        self.squares += weight * (share * values**2).sum(axis=(0, 2))
        self.squares += step**2 * (self.weight * weight / whole)
        self.mean += step * (weight / whole)
        self.weight = whole

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation, in a shape that broadcasts against x."""
        shape = (len(self.origin), *[1] * (len(self.input_shape) - 1))
        deviation = np.sqrt(self.squares / self.weight)
        return (self.origin + self.mean).reshape(shape), deviation.reshape(shape)


class LabelColumns:
    """Labels that come a block at a time, joined into a column for each task.

    Parameters
    ----------
    names : sequence
        Tasks known before the first block.
    """

    def __init__(self, names: Sequence[Hashable] = ()) -> None:
        self.n_rows = 0
        self.blocks: dict[Hashable, list[Any]] = {name: [] for name in names}

    def add(self, labels: Mapping[Hashable, list[Any]], n_rows: int) -> None:
        """Take in the labels of `n_rows` further rows, None where missing."""
        for name in labels:
            self.blocks.setdefault(name, [np.full(self.n_rows, np.nan)])
        for name, blocks in self.blocks.items():
            blocks.append(_compact(labels[name]) if name in labels else np.full(n_rows, np.nan))
        self.n_rows += n_rows

    def result(self) -> dict[Hashable, np.ndarray]:
        """Return a column for each task, as MultiTaskTarget would read the labels in a list."""
        if not self.blocks:
            raise TaskLayoutError(
                f"None of the {self.n_rows} items of the Dataset names a task: their dicts of "
                "labels are empty; each item must be a pair (x, {task: label})."
            )
        return {name: _joined(blocks) for name, blocks in self.blocks.items()}


def _read_all(
    reader: Any, names: Sequence[Hashable], weights: np.ndarray
) -> tuple[StreamedRows, dict[Hashable, np.ndarray]]:
    numbers = np.arange(reader.n_items)
    parts = np.split(numbers, range(FIRST_ROWS, len(numbers), FIRST_ROWS))
    columns, moments = LabelColumns(names), RunningMoments()
    with reader.seeded(), np.errstate(over="ignore", invalid="ignore"):  # told of in words
        for part, block in zip(parts, reader.read(parts, labels=True), strict=True):
            columns.add(block.labels, len(part))
            labelled = np.zeros(len(part), bool)
            for values in block.labels.values():
                labelled |= [not is_missing(value) for value in values]
            moments.add(block.X.numpy(), weights[part] * labelled)
    rows = StreamedRows(
        reader, numbers, reader.input_shape, moments.result() if moments.weight else None
    )
    return rows, columns.result()


def _item_weights(weights: Any, n_items: int) -> np.ndarray:
    if weights is None:
        return np.ones(n_items)
    values = np.asarray(weights)
    if values.shape != (n_items,):
        raise ValueError(
            f"sample_weight must have shape ({n_items},), one weight for each item of the "
            f"Dataset, found {values.shape or type(weights).__name__}."
        )
    return values.astype(np.float64)


def _compact(values: list[Any]) -> Any:
    """Return floats as an array, NaN where missing, and other labels as they are."""
    if all(value is None or type(value) is float for value in values):
        return np.array(values, dtype=np.float64)  # None becomes NaN
    return values


def _joined(blocks: list[Any]) -> np.ndarray:
    if all(isinstance(block, np.ndarray) for block in blocks):
        return np.concatenate([np.empty(0), *blocks])
    return as_array([value for block in blocks for value in _listed(block)])


def _listed(block: Any) -> list[Any]:
    return block.tolist() if isinstance(block, np.ndarray) else block
