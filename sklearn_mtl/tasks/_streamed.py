from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

# numbers read at a time: 8 MB of float64
BLOCK_NUMBERS = 2**20
BLOCK_ROWS = 1024


@dataclass(frozen=True, eq=False)
class StreamedRows:
    """Rows of a Dataset, which are read when they are asked for and not kept.

    Stands where the numbers of X stand: it has their shape, and ``rows[numbers]`` are rows too.

    Attributes
    ----------
    reader : DatasetReader
        Reads items by their number.
    numbers : ndarray of shape (n,), int64
        The item that each row is.
    input_shape : tuple of int
        Shape of one x.
    moments : tuple (mean, deviation) of ndarray, or None
        Of the labelled items, where a pass over all of them has been made. Each has shape (p,), or
        (C, 1, ...) for inputs with more axes than one: one number a channel.
    columns : LabelColumns or None
        Takes in the labels of rows that are read; None where they are not asked for.
    """

    reader: Any
    numbers: np.ndarray
    input_shape: tuple[int, ...]
    moments: tuple[np.ndarray, np.ndarray] | None = None
    columns: Any = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array of all x, (n, ...)."""
        return (len(self.numbers), *self.input_shape)

    @property
    def ndim(self) -> int:
        """Number of axes of the array of all x."""
        return 1 + len(self.input_shape)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, rows: np.ndarray) -> "StreamedRows":
        return replace(self, numbers=self.numbers[rows])

    @property
    def block_rows(self) -> int:
        """Rows that are few enough to be held at a time."""
        numbers = max(1, int(np.prod(self.input_shape)))
        return max(1, min(BLOCK_ROWS, BLOCK_NUMBERS // numbers))

    def read(self, parts: Sequence[np.ndarray]) -> Iterator[Any]:
        """Yield a tensor (B, ...) for each part, an array of B places among these rows."""
        labelled = self.columns is not None
        for block in self.reader.read([self.numbers[part] for part in parts], labels=labelled):
            if labelled:
                self.columns.add(block.labels, len(block.X))
            yield block.X

    def blocks(self) -> Iterator[Any]:
        """Yield all rows in order, a tensor (B, ...) at a time."""
        places = np.arange(len(self))
        return self.read(np.split(places, range(self.block_rows, len(self), self.block_rows)))
