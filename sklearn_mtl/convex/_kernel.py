from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics.pairwise import KERNEL_PARAMS, PAIRWISE_KERNEL_FUNCTIONS, pairwise_kernels

from sklearn_mtl.utils._validation import did_you_mean, listing

PRECOMPUTED = "precomputed"
WORDS = {*PAIRWISE_KERNEL_FUNCTIONS, PRECOMPUTED}


@dataclass(frozen=True, eq=False)
class Kernel:
    """k(x, z): the inner product of two rows in a space of features that none need to name.

    Attributes
    ----------
    function : str or callable (x, z, **parameters) -> float
        A word of scikit-learn's `pairwise_kernels`, or "precomputed": rows are kernel values.
    parameters : mapping of str
    """

    function: str | Callable
    parameters: Mapping[str, Any]

    @classmethod
    def of(cls, function: str | Callable, parameters: Mapping[str, Any] | None) -> "Kernel":
        """Return the kernel; a ValueError names the parameters that a word takes."""
        given = dict(parameters or {})
        if isinstance(function, str):
            allowed = KERNEL_PARAMS.get(function, frozenset())
            for key in given:
                if key not in allowed:
                    takes = f"takes {listing(sorted(allowed))}" if allowed else "takes none"
                    raise ValueError(
                        f"kernel_params has {key!r}, but kernel={function!r} {takes}"
                        f"{did_you_mean(key, allowed)}."
                    )
        return cls(function, given)

    @property
    def is_precomputed(self) -> bool:
        """Whether rows are kernel values already."""
        return self.function == PRECOMPUTED

    def __call__(self, X: Any, Z: Any) -> np.ndarray:
        """Return k(x, z) for the rows of X and of Z, shape (n, m)."""
        values = pairwise_kernels(X, Z, metric=self.function, **self.parameters)
        values = np.asarray(values.toarray() if hasattr(values, "toarray") else values)
        if not np.isfinite(values).all():
            raise ValueError(
                f"kernel={self.function!r} is infinite or NaN for some pairs of rows; bring the "
                "features to one scale, or choose other kernel_params."
            )
        return values


@dataclass(frozen=True, eq=False)
class Comparison:
    """What prediction does to rows first: k(x, z) for the rows z that a fit keeps.

    Attributes
    ----------
    kernel : Kernel
    reference : ndarray or sparse matrix of shape (m, p), or None
        None where rows are kernel values already.
    """

    kernel: Kernel
    reference: Any = None

    def __call__(self, rows: Any) -> Any:
        """Return the kernel values of `rows`, shape (n, m)."""
        return rows if self.reference is None else self.kernel(rows, self.reference)
