"""The joint density of classes and all coefficients, row by row, and what follows from it."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_expit, log_softmax, softmax
from scipy.stats import multivariate_normal


@dataclass
class Joint:
    """``log p(labels, v_1, ..., v_T, m)`` as a function of all coefficients in one vector.

    Attributes
    ----------
    rows : (N, w), in standard coordinates, a label each
    labels, task, repeats : (N,)
    prior : Prior
        Of K * w coefficients; those of m whose variance is 0 are not in the vector.
    n_tasks : int
    n_outputs : int
        1 is the logistic likelihood.
    """

    rows: np.ndarray
    labels: np.ndarray
    task: np.ndarray
    repeats: np.ndarray
    prior: object
    n_tasks: int
    n_outputs: int

    @property
    def size(self):
        return self.n_tasks * self.d + self.free.sum()

    @property
    def d(self):
        return len(self.prior.center)

    @property
    def free(self):
        return self.prior.variance > 0

    def split(self, vector):
        v = vector[: self.n_tasks * self.d].reshape(self.n_tasks, self.d)
        m = self.prior.center.copy()
        m[self.free] = vector[self.n_tasks * self.d :]
        return v, m

    def predictors(self, v, i):
        return v[self.task[i]].reshape(self.n_outputs, -1) @ self.rows[i]

    def log_density(self, vector):
        v, m = self.split(vector)
        total = 0.0
        for i, label in enumerate(self.labels.astype(int)):
            a = self.predictors(v, i)
            if self.n_outputs == 1:
                total += self.repeats[i] * log_expit((2 * label - 1) * a[0])
            else:
                total += self.repeats[i] * log_softmax(a)[label]
        for row in v:
            total += multivariate_normal.logpdf(row, m, self.prior.covariance)
        free = self.free
        if free.any():
            total += multivariate_normal.logpdf(
                m[free], self.prior.center[free], np.diag(self.prior.variance[free])
            )
        return total

    def design(self, i):
        """Predictors of row i are this matrix times the vector, (K, size)."""
        matrix = np.zeros((self.n_outputs, self.size))
        width = len(self.rows[i])
        for k in range(self.n_outputs):
            start = self.task[i] * self.d + k * width
            matrix[k, start : start + width] = self.rows[i]
        return matrix

    def prior_precision(self):
        """Curvature of the prior's log-density in the vector, (size, size)."""
        T, d, free = self.n_tasks, self.d, self.free
        inverse = np.linalg.inv(self.prior.covariance)
        whole = np.zeros(((T + 1) * d, (T + 1) * d))
        for t in range(T):
            apart = np.zeros((d, (T + 1) * d))
            apart[:, t * d : (t + 1) * d] = np.eye(d)
            apart[:, T * d :] = -np.eye(d)
            whole += apart.T @ inverse @ apart
        kept = np.concatenate([np.ones(T * d, bool), free])
        whole = whole[np.ix_(kept, kept)]
        whole[T * d :, T * d :] += np.diag(1.0 / self.prior.variance[free])
        return whole

    def hessian(self, vector):
        """Curvature of the joint log-density, (size, size)."""
        v, _ = self.split(vector)
        total = self.prior_precision()
        for i, weight in enumerate(self.repeats):
            a = self.predictors(v, i)
            p = softmax(a) if self.n_outputs > 1 else softmax([0.0, a[0]])[1:]
            matrix = self.design(i)
            total += weight * matrix.T @ (np.diag(p) - np.outer(p, p)) @ matrix
        return total

    def mode(self):
        """The most likely vector: a quasi-Newton search, then Newton steps."""
        found = minimize(lambda vector: -self.log_density(vector), np.zeros(self.size)).x
        for _ in range(3):
            found = found + np.linalg.solve(self.hessian(found), self.slope(found))
        return found

    def slope(self, vector, step=1e-5):
        """Central differences, whose error is about 1e-10."""
        unit = np.eye(self.size) * step
        return np.array(
            [
                (self.log_density(vector + e) - self.log_density(vector - e)) / (2 * step)
                for e in unit
            ]
        )

    def laplace(self, mode):
        """Laplace's approximation of log p(labels)."""
        size = np.linalg.slogdet(self.hessian(mode))[1]
        return self.log_density(mode) + 0.5 * self.size * np.log(2 * np.pi) - 0.5 * size
