"""X as losses use it: products with its rows, mean taken out."""

from copy import copy
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

EXACT_SIDE = 1500  # the smaller side of X up to which eigenvalues come from a dense matrix
DENSE_SHARE = 0.25  # sparse storage is slower than dense where more entries than this are not 0
LANCZOS_STEPS = 60
FAILURE = 1e-12  # probability that the bound of a large matrix is too small


class CentredRows:
    """Rows of X less a constant vector, which an intercept absorbs.

    Dense rows are centred when they come in, so that features far from 0 keep their digits;
    sparse ones stay sparse, and the mean is taken out of each product.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, p)
    weight : ndarray of shape (n,) or None
        The mean is the weighted one.
    centre : bool
        False leaves X as it is.
    """

    def __init__(self, X: Any, weight: np.ndarray | None, *, centre: bool) -> None:
        if issparse(X) and X.nnz > DENSE_SHARE * np.prod(X.shape, dtype=float):
            X = X.toarray()
        n, p = X.shape
        share = np.full(n, 1.0 / n) if weight is None else weight / weight.sum()
        self.centre = centre
        self.sparse = issparse(X)
        self.shape = (n, p)
        self.mean = np.zeros(p)
        if self.sparse:
            self.X: Any = csr_array(X, dtype=np.float64)
            if centre:
                self.mean = np.asarray(self.X.T @ share)
            return
        self.X = np.asarray(X, dtype=np.float64)
        if centre:
            self.mean = share @ self.X
            self.X = self.X - self.mean
            # a mean near 1e6 is known to 1e-10: what is left of it goes in a second round
            rest = share @ self.X
            self.X -= rest
            self.mean = self.mean + rest

    def forward(self, W: np.ndarray) -> np.ndarray:
        """Return ``W (X - mean)'``, shape (m, n)."""
        if not self.sparse:
            return W @ self.X.T
        product = np.ascontiguousarray(np.asarray(self.X @ W.T).T)
        return product - (W @ self.mean)[:, None] if self.centre else product

    def adjoint(self, R: np.ndarray) -> np.ndarray:
        """Return ``R (X - mean)``, shape (m, p)."""
        if not self.sparse:
            return R @ self.X
        product = np.asarray(self.X.T @ R.T).T
        return product - R.sum(axis=1)[:, None] * self.mean if self.centre else product

    def columns(self, features: np.ndarray) -> "CentredRows":
        """Return the same rows with these features alone."""
        part = copy(self)
        part.X, part.mean = self.X[:, features], self.mean[features]
        part.shape = part.X.shape
        return part

    def gram(self, weight: np.ndarray, *, centre: bool = True) -> np.ndarray:
        """Return ``sum_i s_i (x_i - m)(x_i - m)'``, m the mean with weights s where centred.

        With ``centre=False``, m is what was taken out of the rows at first.
        """
        mass = weight.sum()
        if self.sparse:
            gram = np.asarray((self.X.T @ (self.X * weight[:, None])).todense())
            if self.centre and mass > 0:
                mean = self.X.T @ weight / mass
                gram = gram - mass * np.outer(mean, mean)
                if not centre:
                    gram = gram + mass * np.outer(mean - self.mean, mean - self.mean)
            return gram
        scaled = self.X * np.sqrt(weight)[:, None]
        gram = scaled.T @ scaled
        if self.centre and centre and mass > 0:
            moment = weight @ self.X  # near 0 already: X is centred
            gram -= np.outer(moment, moment / mass)
        return gram

    def second_moments(self, weight: np.ndarray) -> np.ndarray:
        """Return the diagonal of ``gram(weight)``, shape (p,)."""
        mass = weight.sum()
        squares = np.asarray((self.X * self.X).T @ weight)
        if self.centre and mass > 0:
            squares = squares - np.square(self.X.T @ weight) / mass
        return np.maximum(squares, 0.0)

    def trace(self, weight: np.ndarray) -> float:
        """Return ``sum_i s_i ||x_i - mean||^2``, which no eigenvalue of the Gram exceeds."""
        if self.sparse:
            squares = np.asarray((self.X * self.X).sum(axis=1)).ravel()
            squares = squares - 2 * (self.X @ self.mean) + self.mean @ self.mean
        else:
            squares = np.einsum("ij,ij->i", self.X, self.X)
        return float(weight @ squares)

    def largest_eigenvalue(self, weight: np.ndarray) -> float:
        """Return an upper bound on the largest eigenvalue of ``gram(weight)``, tight to 8 %.

        From the smaller side of X where that is short; else from Lanczos steps.
        """
        n, p = self.shape
        slack = 1.0 + 1e-10
        if p <= EXACT_SIDE and p <= n:
            return slack * max(float(np.linalg.eigvalsh(self.gram(weight))[-1]), 0.0)
        if n <= EXACT_SIDE:
            X = self.X.toarray() - self.mean if self.sparse else self.X
            if self.centre and weight.sum() > 0:
                X = X - weight @ X / weight.sum()
            scaled = X * np.sqrt(weight)[:, None]
            return slack * max(float(np.linalg.eigvalsh(scaled @ scaled.T)[-1]), 0.0)
        return self._lanczos_bound(weight)

    def _lanczos_bound(self, weight: np.ndarray) -> float:
        # From a random start, the largest Ritz value theta of k steps has
        # P(largest > theta / (1 - eps)) <= 1.648 sqrt(p) exp(-sqrt(eps) (2k - 1))
        # (Kuczynski & Wozniakowski, "Estimating the largest eigenvalue by the power and Lanczos
        # algorithms with a random start", SIAM J. Matrix Analysis 13, 1992, Theorem 4.2)
        p, mass = self.shape[1], weight.sum()
        vector = np.random.default_rng(0).standard_normal(p)
        basis = [vector / np.linalg.norm(vector)]
        diagonal, beside = [], []
        for _ in range(LANCZOS_STEPS):
            z = self.forward(basis[-1][None])
            r = weight * z
            if self.centre and mass > 0:
                r = r - weight * (r.sum() / mass)
            image = self.adjoint(r)[0]
            diagonal.append(float(image @ basis[-1]))
            known = np.array(basis)
            for _ in range(2):  # twice is enough for orthogonality
                image -= (known @ image) @ known
            size = float(np.linalg.norm(image))
            if size <= 1e-12 * abs(diagonal[0]):
                break
            beside.append(size)
            basis.append(image / size)
        k = len(diagonal)
        ritz = np.diag(diagonal) + np.diag(beside[: k - 1], 1) + np.diag(beside[: k - 1], -1)
        share = (np.log(1.648 * np.sqrt(p) / FAILURE) / (2 * LANCZOS_STEPS - 1)) ** 2
        return float(np.linalg.eigvalsh(ritz)[-1]) / (1.0 - min(share, 0.5))
