"""Weighted first and second moments of rows, about a reference close to their mean."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg.blas import dsyrk

# numbers of a chunk of rows: 4 MB of float64, near what a core's cache holds
CHUNK = 2**19
# a moment about the mean keeps its digits while it is no less than this share of the moment about
# the reference: the difference of the two loses at most one digit
KEPT = 0.1
# rows that the reference is the mean of
_SAMPLE = 256
# sparse products take some 100 times as long per multiplication as dense ones, and do density^2 as
# many of them
_SPARSE_ENOUGH = 0.06

Labels = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of one group of tasks: T of them, on the same rows with the same weights.

    A mean is the unevaluated sum of two float64, ``x_mean + x_mean_low``, so that differences of
    means keep their digits where the offset is large against the spread.
    """

    mass: float
    x_mean: np.ndarray
    x_mean_low: np.ndarray
    gram: np.ndarray
    y_mean: np.ndarray
    y_mean_low: np.ndarray
    cross: np.ndarray
    energy: np.ndarray


def moments(X: Any, rows: np.ndarray, weight: np.ndarray | None, labels: Labels) -> Moments:
    """Return the moments of one group of tasks, reading each chunk of rows once.

    Deviations are from the mean of a sample of rows; the sums over all rows then say how far the
    mean is from it, ``G = sum d (x - c)(x - c)' - mass (mean - c)(mean - c)'``. Where the two terms
    nearly cancel (a sample that is far off), the rows are read again about their mean.

    A sparse X is multiplied as it is, c = 0, in the columns where that cancels little (a column
    with many zeros never does), and its other columns as dense chunks; an X that is not sparse
    enough goes the dense way, chunk by chunk.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n, p)
    rows : ndarray of shape (m,), ascending, m > 0
    weight : ndarray of shape (m,) or None
        Positive.
    labels : callable (rows) -> ndarray of shape (len(rows), T)
    """
    sample = spread(rows)
    y_reference = mean_of_few(labels(sample))
    x_reference = mean_of_few(take(X, sample))
    if is_thin(X):
        S = X if len(rows) == X.shape[0] else X[rows]
        dense = _columns_to_centre(S, weight)
        if is_thin(S, filled=dense):
            x_reference[np.setdiff1d(np.arange(X.shape[1]), dense)] = 0.0
            sums = _sparse_sums(S, dense, rows, weight, labels, x_reference, y_reference)
            result, accurate = sums.finish(x_reference, y_reference)
            if accurate:
                return result
            x_reference, y_reference = result.x_mean, result.y_mean
    result, accurate = _sums(X, rows, weight, labels, x_reference, y_reference).finish(
        x_reference, y_reference
    )
    if not accurate:
        x_reference, y_reference = result.x_mean, result.y_mean
        result, _ = _sums(X, rows, weight, labels, x_reference, y_reference).finish(
            x_reference, y_reference
        )
    return result


@dataclass(eq=False)
class Sums:
    """Sums over rows of products of deviations from references c and e.

    Attributes
    ----------
    mass : float
    square : ndarray of shape (p, p), Fortran order
        ``sum d (x - c)(x - c)'``, its upper triangle and zeros.
    x, y : ndarray of shape (p,), (T,)
        ``sum d (x - c)``, ``sum d (y - e)``.
    cross, energy : ndarray of shape (T, p), (T,)
        ``sum d (y - e)(x - c)``, ``sum d (y - e)^2``.
    """

    mass: float
    square: np.ndarray
    x: np.ndarray
    y: np.ndarray
    cross: np.ndarray
    energy: np.ndarray

    @classmethod
    def zeros(cls, n_features: int, n_tasks: int) -> "Sums":
        """Return the sums over no rows."""
        square = np.zeros((n_features, n_features), order="F")
        x, y = np.zeros(n_features), np.zeros(n_tasks)
        return cls(0.0, square, x, y, np.zeros((n_tasks, n_features)), np.zeros(n_tasks))

    def add(self, x: np.ndarray, y: np.ndarray, root: np.ndarray | None) -> None:
        """Add rows.

        Parameters
        ----------
        x : ndarray of shape (m, p), C order
            Deviations times the root of the weight.
        y : ndarray of shape (m, T)
            The same of the labels.
        root : ndarray of shape (m,) or None
            Roots of the weights.
        """
        self.mass += float(len(x) if root is None else root @ root)
        factor = np.ones(len(x)) if root is None else root
        self.square = dsyrk(1.0, x.T, beta=1.0, c=self.square, overwrite_c=True)
        self.x += factor @ x
        if y.shape[1]:
            self.y += factor @ y
            self.cross += y.T @ x
            self.energy += np.einsum("it,it->t", y, y)

    def finish(self, x_reference: np.ndarray, y_reference: np.ndarray) -> tuple[Moments, bool]:
        """Return moments about the means, and whether they keep their digits; ends the sums."""
        x_step, y_step = self.x / self.mass, self.y / self.mass
        before = self.square.diagonal().copy()
        gram = symmetric(
            dsyrk(-1.0 / self.mass, self.x[:, None], beta=1.0, c=self.square, overwrite_c=1)
        )
        energy = self.energy - self.y * y_step
        accurate = keeps_digits(gram.diagonal(), before) and keeps_digits(energy, self.energy)
        result = Moments(
            self.mass,
            *two_sum(x_reference, x_step),
            gram,
            *two_sum(y_reference, y_step),
            self.cross - np.outer(y_step, self.x),
            np.maximum(energy, 0.0),
        )
        return result, accurate


def deviations(
    X: Any, rows: np.ndarray, reference: np.ndarray, root: np.ndarray | None, out: np.ndarray
) -> np.ndarray:
    """Return ``root * (X[rows] - reference)``, dense float64, written to the start of `out`."""
    x = np.subtract(take(X, rows), reference, out=out[: len(rows)])
    if root is not None:
        x *= root[:, None]
    return x


def chunk_rows(width: int) -> int:
    """Return how many rows of so many numbers to take at once."""
    return max(CHUNK // width, 256)


def take(X: Any, rows: np.ndarray) -> np.ndarray:
    """Return these ascending rows as a dense array, without a copy where they are consecutive."""
    consecutive = len(rows) and rows[-1] - rows[0] + 1 == len(rows)
    part = X[slice(rows[0], rows[-1] + 1) if consecutive else rows]
    return part.toarray() if sparse.issparse(part) else part


def is_thin(X: Any, filled: np.ndarray | None = None) -> bool:
    """Whether X is sparse enough for sparse products to be faster, if some columns are filled."""
    if not sparse.issparse(X):
        return False
    stored = X.nnz
    if filled is not None:
        stored += int((X.shape[0] - np.bincount(X.indices, minlength=X.shape[1])[filled]).sum())
    return stored <= _SPARSE_ENOUGH * X.shape[0] * X.shape[1]


def spread(rows: np.ndarray) -> np.ndarray:
    """Return a few of these rows, evenly spaced."""
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLE)).astype(np.intp)]


def mean_of_few(values: np.ndarray) -> np.ndarray:
    """Return the mean of the rows; exactly the value itself where a column is constant."""
    first = values[0].astype(np.float64)
    return first + (values - first).mean(axis=0)


def two_sum(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a + b, and what rounding took off (Knuth's TwoSum)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def symmetric(upper: np.ndarray) -> np.ndarray:
    """Return the symmetric matrix of an upper triangle with zeros below it."""
    full = np.add(upper, upper.T, order="C")
    np.fill_diagonal(full, upper.diagonal())
    return full


def keeps_digits(after: np.ndarray, before: np.ndarray) -> bool:
    """Whether a subtraction that led from `before` to `after` left enough of every number."""
    return bool((after >= KEPT * before).all())


def _sums(
    X: Any,
    rows: np.ndarray,
    weight: np.ndarray | None,
    labels: Labels,
    x_reference: np.ndarray,
    y_reference: np.ndarray,
) -> Sums:
    sums = Sums.zeros(len(x_reference), len(y_reference))
    step = min(chunk_rows(len(x_reference) + len(y_reference)), len(rows))
    buffer, y_buffer = np.empty((step, len(x_reference))), np.empty((step, len(y_reference)))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        root = None if weight is None else np.sqrt(weight[start : start + step])
        y = np.subtract(labels(part), y_reference, out=y_buffer[: len(part)])
        if root is not None:
            y *= root[:, None]
        sums.add(deviations(X, part, x_reference, root, buffer), y, root)
    return sums


def _columns_to_centre(S: Any, weight: np.ndarray | None) -> np.ndarray:
    """Return the columns of a CSR matrix whose moment about 0 is far above that about the mean."""
    d = np.ones(S.shape[0]) if weight is None else weight
    total, energy = S.T @ d, S.power(2).T @ d
    return np.flatnonzero(energy - total**2 / d.sum() < KEPT * energy)


def _sparse_sums(
    S: Any,
    dense: np.ndarray,
    rows: np.ndarray,
    weight: np.ndarray | None,
    labels: Labels,
    x_reference: np.ndarray,
    y_reference: np.ndarray,
) -> Sums:
    """Return sums over CSR rows, about a reference that is 0 but in the columns `dense`."""
    n_features, n_tasks = len(x_reference), len(y_reference)
    sums = Sums.zeros(n_features, n_tasks)
    thin = np.setdiff1d(np.arange(n_features), dense)
    filled, S = S[:, dense], S[:, thin] if len(dense) else S
    roots = np.ones(len(rows)) if weight is None else np.sqrt(weight)
    if weight is not None:
        S = sparse.diags_array(roots).tocsr() @ S
    square = (S.T @ S).toarray()
    if len(dense):
        thin_square, square = square, np.zeros((n_features, n_features))
        square[np.ix_(thin, thin)] = thin_square
    step = chunk_rows(len(dense) + n_tasks)
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        root = roots[part]
        y = (labels(rows[part]) - y_reference) * root[:, None]
        x = (filled[part].toarray() - x_reference[dense]) * root[:, None]
        thin_x = S[part].T
        sums.mass += float(root @ root)
        square[np.ix_(dense, dense)] += x.T @ x
        mixed = thin_x @ x
        square[np.ix_(thin, dense)] += mixed
        square[np.ix_(dense, thin)] += mixed.T
        sums.x[dense] += root @ x
        sums.x[thin] += thin_x @ root
        sums.y += root @ y
        sums.cross[:, dense] += y.T @ x
        sums.cross[:, thin] += (thin_x @ y).T
        sums.energy += np.einsum("it,it->t", y, y)
    sums.square = np.asfortranarray(np.triu(square))
    return sums
