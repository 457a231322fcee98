"""Rows of a torch Dataset, read by workers as they are needed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pickle import PicklingError
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset

from sklearn_mtl.exceptions import TaskLayoutError
from sklearn_mtl.nn._device import resolve_device
from sklearn_mtl.nn._random import seeded
from sklearn_mtl.tasks._streamed import StreamedRows
from sklearn_mtl.utils._validation import plain

if TYPE_CHECKING:
    from sklearn_mtl.nn._batches import Batch

_FLOATS = (torch.float32, torch.float64)


@dataclass(frozen=True, eq=False)
class Block:
    """Items that were read together.

    Attributes
    ----------
    X : Tensor of shape (B, ...), float32 or float64
    labels : dict name -> list of B values, or None
        None, in a list, for a label that is missing; only where labels were asked for.
    """

    X: Tensor
    labels: dict[Any, list[Any]] | None

    def pin_memory(self) -> "Block":
        """Return the block with X in pinned memory; DataLoader calls this on the way to CUDA."""
        return replace(self, X=self.X.pin_memory())


class DatasetReader:
    """Reads items of a map-style Dataset, in this process or ahead of time in others.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        Has ``__len__`` and ``__getitem__``.
    num_workers : int
        Processes that read; they live until the reader is closed. 0 reads in this one.
    seed : int
        Decides what the dataset draws at random, with torch in this process, and in workers with
        Python's and numpy's generators too.
    device : str
        What the rows are read for: CUDA takes them from pinned memory.
    input_shape : tuple of int, default=None
        Shape that each x must have; None is that of the first one read.
    """

    def __init__(
        self,
        dataset: Any,
        num_workers: int,
        seed: int,
        device: str,
        input_shape: tuple[int, ...] | None = None,
    ) -> None:
        _check_map_style(dataset)
        self.n_items = len(dataset)
        self.seed = seed
        self.input_shape = input_shape
        self._requests: list[_Request] = []
        self._loader: DataLoader[Any] | None = DataLoader(
            _Items(dataset),
            batch_size=None,
            sampler=self._requests,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            collate_fn=_as_it_is,
            pin_memory=resolve_device(device).type == "cuda",
            # else DataLoader draws the seed of its workers from the caller's generator
            generator=torch.Generator().manual_seed(seed),
        )

    def __enter__(self) -> "DatasetReader":
        return self

    def __exit__(self, *raised: object) -> None:
        workers: Any = None if self._loader is None else self._loader._iterator
        self._loader = None
        if workers is not None:
            # torch's own way is to wait until they are collected, which the traceback of an error
            # puts off, and which then takes them seconds to notice
            workers._shutdown_workers()

    def seeded(self) -> AbstractContextManager[None]:
        """Return a block in which the dataset draws from the reader's seed, not the caller's."""
        return seeded(self.seed, torch.device("cpu"))

    def read(self, parts: Sequence[np.ndarray], *, labels: bool = False) -> Iterator[Block]:
        """Yield a block for each array of item numbers.

        Raises
        ------
        TaskLayoutError
            Labels were asked for, and an item is no pair (x, {task: label}).
        ValueError
            x of an item differs in shape from the others, or is not finite.
        """
        assert self._loader is not None, "the reader is closed"
        self._requests[:] = [_Request(part, labels) for part in parts]
        try:
            blocks = iter(self._loader)
        except (AttributeError, TypeError, PicklingError) as error:
            if self._loader.num_workers == 0:
                raise
            raise TypeError(
                f"The Dataset cannot be sent to the num_workers={self._loader.num_workers} "
                f"processes that are to read it ({type(error).__name__}: {error}). Define its "
                "class, and the functions it holds, at the top level of a module, or set "
                "num_workers=0."
            ) from error
        for part, block in zip(parts, blocks, strict=True):
            if isinstance(block, Exception):
                raise block
            self._check(block.X, part)
            yield block

    def _check(self, X: Tensor, numbers: np.ndarray) -> None:
        found = tuple(X.shape[1:])
        if self.input_shape is None:
            if not found:
                raise ValueError(
                    f"x of item {numbers[0]} of the Dataset is a single number, where a vector, or "
                    "an array of more axes, is expected; reshape it, for instance to (1,)."
                )
            self.input_shape = found
        if found != self.input_shape:
            raise _other_shape(numbers[0], found, self.input_shape)
        finite = torch.isfinite(X)
        if not finite.all():
            first = int((~finite.flatten(1).all(1)).nonzero()[0])
            raise ValueError(
                f"Input X contains NaN or infinity: x of item {numbers[first]} of the Dataset "
                "does; impute it, or leave the item out."
            )


class StreamedInputs:
    """Reads X of the batches of an epoch, standardised as rows in memory are.

    Parameters
    ----------
    rows : StreamedRows
    scaler : Module
        Standardises inputs.
    dtype, device : torch.dtype, torch.device
        Of the network.
    """

    def __init__(
        self, rows: StreamedRows, scaler: nn.Module, dtype: torch.dtype, device: torch.device
    ) -> None:
        self.rows = rows
        self.scaler = scaler
        self.dtype = dtype
        self.device = device

    def read(self, batches: Iterator["Batch"]) -> Iterator["Batch"]:
        """Yield the batches with inputs in the place of their row numbers."""
        waiting = list(batches)
        parts = [batch.X.cpu().numpy() for batch in waiting]
        for batch, X in zip(waiting, self.rows.read(parts), strict=True):
            with torch.no_grad():
                inputs = self.scaler(moved(X, self.device)).to(self.dtype)
            yield replace(batch, X=inputs)


def moved(X: Tensor, device: torch.device) -> Tensor:
    """Return rows on the device, in their own precision where the device has that."""
    if device.type == "mps" and X.dtype == torch.float64:
        X = X.float()
    return X.to(device, non_blocking=X.is_pinned() if device.type == "cuda" else False)


def _check_map_style(dataset: Any) -> None:
    if isinstance(dataset, DataLoader):
        raise TypeError(
            "X is a DataLoader, whose batches are drawn already; pass its Dataset, X.dataset, of "
            "pairs (x, {task: label}). The estimator makes the batches itself: batch_size and "
            "num_workers are parameters of it."
        )
    if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__len__"):
        raise TypeError(
            f"X is a {type(dataset).__name__}, which can only be gone through in its own order; "
            "shuffled batches need a map-style Dataset, with __len__ and __getitem__, that yields "
            "(x, {task: label})."
        )
    if len(dataset) == 0:
        raise ValueError(f"The Dataset ({type(dataset).__name__}) is empty: it has 0 items.")


@dataclass(frozen=True, eq=False)
class _Request:
    numbers: np.ndarray
    labels: bool


class _Items(Dataset[Any]):
    """A Dataset whose items are blocks of another's."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, request: _Request) -> Block | Exception:
        items = [self._item(number) for number in request.numbers.tolist()]
        try:
            labels = _labels(items, request.numbers) if request.labels else None
            return Block(_stacked([_input(item) for item in items], request.numbers), labels)
        except ValueError as error:
            return error  # raised in a worker it would be buried in a traceback

    def _item(self, number: int) -> Any:
        try:
            return self.dataset[number]
        except Exception as error:
            raise RuntimeError(
                f"Item {number} of the Dataset ({type(self.dataset).__name__}) cannot be read: "
                f"{type(error).__name__}: {error}"
            ) from error


def _as_it_is(block: Any) -> Any:
    return block


def _is_pair(item: Any) -> bool:
    return isinstance(item, (tuple, list)) and len(item) == 2 and isinstance(item[1], Mapping)


def _input(item: Any) -> Any:
    """Return x of an item, which may come without labels where none are asked for."""
    return item[0] if isinstance(item, tuple) or _is_pair(item) else item


def _stacked(inputs: list[Any], numbers: np.ndarray) -> Tensor:
    arrays = [x.detach() if isinstance(x, Tensor) else _as_array(x) for x in inputs]
    shapes = [tuple(array.shape) for array in arrays]
    for number, shape in zip(numbers, shapes, strict=True):
        if shape != shapes[0]:
            raise _other_shape(number, shape, shapes[0])
    for number, array in zip(numbers, arrays, strict=True):
        if isinstance(array, np.ndarray) and array.dtype.kind not in "fiub":
            raise ValueError(
                f"x of item {number} of the Dataset has dtype {array.dtype}; it must be a tensor "
                "or an array of numbers."
            )
    if all(isinstance(array, np.ndarray) for array in arrays):
        whole = np.stack(arrays)
        # torch knows the machine's order of bytes alone
        whole = whole.astype(whole.dtype.newbyteorder("="), copy=False)
        return _as_floats(torch.from_numpy(whole))
    return _as_floats(torch.stack([torch.as_tensor(array) for array in arrays]))


def _as_floats(X: Tensor) -> Tensor:
    """Return X as floats of 32 bits, which hold numbers of 16 exactly, or of 64."""
    if X.dtype in _FLOATS:
        return X
    return X.float() if X.dtype.itemsize <= 2 else X.double()


def _as_array(x: Any) -> np.ndarray:
    try:
        return np.asarray(x)
    except ValueError:  # rows of different lengths
        return np.asarray(x, dtype=object)


def _other_shape(number: int, found: tuple[int, ...], expected: tuple[int, ...]) -> ValueError:
    return ValueError(
        f"x of item {number} of the Dataset has shape {found}, where {expected} is expected: every "
        "x must have the same shape."
    )


def _labels(items: list[Any], numbers: np.ndarray) -> dict[Any, list[Any]]:
    """Return the labels of each task, None where there is none."""
    for number, item in zip(numbers, items, strict=True):
        if not _is_pair(item):
            raise TaskLayoutError(
                f"Item {number} of the Dataset is {_described(item)}; each item must be a pair "
                "(x, {task: label}), the labels a dict by the names of the tasks."
            )
    names = dict.fromkeys(name for _, labels in items for name in labels)
    return {
        name: [
            _label(labels.get(name), name, number)
            for number, (_, labels) in zip(numbers, items, strict=True)
        ]
        for name in names
    }


def _described(item: Any) -> str:
    if isinstance(item, (tuple, list)) and len(item) == 2:
        return f"a pair with labels of type {type(item[1]).__name__}"
    if isinstance(item, (tuple, list)):
        return f"a {type(item).__name__} of {len(item)}"
    return f"of type {type(item).__name__}"


def _label(value: Any, name: Any, number: int) -> Any:
    """Return one label as a plain Python object."""
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        shape = tuple(value.shape)
        if np.prod(shape) != 1:
            raise TaskLayoutError(
                f"The label of task {plain(name)!r} in item {number} of the Dataset has shape "
                f"{shape}, where a single value is expected."
            )
        return value.item()
    return value
