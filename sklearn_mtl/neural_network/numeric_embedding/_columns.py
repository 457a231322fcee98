import numpy as np


def varied_columns(X: np.ndarray, more_than: int) -> np.ndarray:
    """Return the numbers of the columns that have more than so many distinct values."""
    ordered = np.sort(X, axis=0)
    distinct = 1 + np.count_nonzero(np.diff(ordered, axis=0), axis=0)
    return np.flatnonzero(distinct > more_than)
