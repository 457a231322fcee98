from collections.abc import Sequence
from functools import cached_property

import numpy as np

from sklearn_mtl.convex.datafits._predictor_loss import Curvature, CurvedDatafit, CurvedPoint


class Mixed(CurvedDatafit):
    """The sum of losses of disjoint rows of W; rows that no loss has are not observed.

    Parameters
    ----------
    parts : sequence of CurvedDatafit
    rows : sequence of ndarray
        The rows of W of each part.
    n_rows : int
        M.
    """

    def __init__(
        self, parts: Sequence[CurvedDatafit], rows: Sequence[np.ndarray], n_rows: int
    ) -> None:
        self.parts, self.rows = list(parts), list(rows)
        self.shape = (n_rows, parts[0].shape[1])

    @cached_property
    def least_share(self) -> float:
        """The least share of the value at W = 0 that a kind of loss has, of those that have any."""
        values = np.array([part.at(np.zeros(part.shape)).value for part in self.parts])
        kept = values[values > 0]
        return float(kept.min() / kept.sum()) if len(kept) else 1.0

    def forward(self, W: np.ndarray) -> list[np.ndarray]:
        """Return the predictors of each part."""
        return [part.forward(W[rows]) for part, rows in zip(self.parts, self.rows, strict=True)]

    def moved(
        self, predictor: list[np.ndarray], direction: list[np.ndarray], step: float
    ) -> list[np.ndarray]:
        """Return ``predictor + step * direction``."""
        return [base + step * move for base, move in zip(predictor, direction, strict=True)]

    def value_of(self, predictor: list[np.ndarray]) -> float:
        """Return f, given the predictors."""
        pairs = zip(self.parts, predictor, strict=True)
        return sum(part.value_of(Z) for part, Z in pairs)

    def point_of(self, predictor: list[np.ndarray]) -> CurvedPoint:
        """Return value, gradient, dual and curvature, given the predictors."""
        points = [part.point_of(Z) for part, Z in zip(self.parts, predictor, strict=True)]
        gradient = np.zeros(self.shape)
        for rows, point in zip(self.rows, points, strict=True):
            gradient[rows] = point.gradient

        def dual(kappa: float) -> float:
            return sum(point.dual(kappa) for point in points)

        value = sum(point.value for point in points)
        return CurvedPoint(value, gradient, dual, predictor, lambda: _MixedCurvature(self, points))

    def intercept(self, W: np.ndarray) -> np.ndarray:
        """Return the best intercepts for W, 0 for rows that are not observed."""
        intercept = np.zeros(len(W))
        for part, rows in zip(self.parts, self.rows, strict=True):
            intercept[rows] = part.intercept(W[rows])
        return intercept

    def columns(self, features: np.ndarray) -> "Mixed":
        """Return the loss as a function of the weights of these features, the others 0."""
        parts = [part.columns(features) for part in self.parts]
        return Mixed(parts, self.rows, self.shape[0])

    @property
    def tied_rows(self) -> int:
        """The most rows that a part ties."""
        return max(part.tied_rows for part in self.parts)

    def pooled_gram(self) -> np.ndarray:
        """Return the mean over rows of W of their second moments of X."""
        grams = [part.pooled_gram() for part in self.parts]
        return np.average(grams, axis=0, weights=[len(rows) for rows in self.rows])

    def pooled_moments(self) -> np.ndarray:
        """Return the diagonal of ``pooled_gram()``, shape (p,)."""
        moments = [part.pooled_moments() for part in self.parts]
        return np.average(moments, axis=0, weights=[len(rows) for rows in self.rows])

    def lipschitz(self) -> float:
        """Return an upper bound on the largest curvature of a part."""
        return max(part.lipschitz() for part in self.parts)


class _MixedCurvature(Curvature):
    def __init__(self, loss: Mixed, points: Sequence[CurvedPoint]) -> None:
        self.loss, self.points = loss, points

    @cached_property
    def _curvatures(self) -> list[Curvature]:
        return [point.curvature() for point in self.points]

    def product(self, D: np.ndarray) -> np.ndarray:
        out = np.zeros(self.loss.shape)
        for rows, curvature in zip(self.loss.rows, self._curvatures, strict=True):
            out[rows] = curvature.product(D[rows])
        return out

    def blocks(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        sets, blocks = list[np.ndarray](), list[np.ndarray]()
        for rows, curvature in zip(self.loss.rows, self._curvatures, strict=True):
            inner_sets, inner_blocks = curvature.blocks()
            sets += [rows[inner] for inner in inner_sets]
            blocks += inner_blocks
        m, p = self.loss.shape
        for row in np.setdiff1d(np.arange(m), np.concatenate(self.loss.rows)):
            sets.append(np.array([row]))
            blocks.append(np.zeros((p, p)))
        return sets, blocks

    @property
    def row_scale(self) -> np.ndarray:
        out = np.zeros(self.loss.shape[0])
        for rows, curvature in zip(self.loss.rows, self._curvatures, strict=True):
            out[rows] = curvature.row_scale
        return out
