from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class QuadraticLikelihood:
    """``log p(y_t | v) = constant_t + linear_t . v - scale_t / 2 * v' G_t v`` for each task.

    Attributes
    ----------
    gram : ndarray of shape (K, d, d)
        G of each group of tasks.
    group : ndarray of shape (T,)
        The group of each task.
    scale : ndarray of shape (T,)
    linear : ndarray of shape (T, d)
    constant : ndarray of shape (T,)
    """

    gram: np.ndarray
    group: np.ndarray
    scale: np.ndarray
    linear: np.ndarray
    constant: np.ndarray

    @property
    def n_tasks(self) -> int:
        """Number of tasks, T."""
        return len(self.group)
