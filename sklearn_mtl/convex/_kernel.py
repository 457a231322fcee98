from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse
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
        for word, of_matrices in PAIRWISE_KERNEL_FUNCTIONS.items():
            if function is of_matrices:
                raise ValueError(
                    f"kernel={function.__name__} compares matrices, and a callable is to compare "
                    f"two rows. Pass the word: kernel={word!r}."
                )
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
        try:
            values = self._values(X, Z)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{self} fails on {'sparse' if issparse(X) else 'dense'} rows of {X.shape[1]} "
                f"features: {str(error).rstrip('.')}.{self._demand}"
                + (" If it needs dense rows, pass X.toarray()." if issparse(X) else "")
            ) from error
        values = np.asarray(values.toarray() if issparse(values) else values)
        if not np.isfinite(values).all():
            raise ValueError(
                f"{self} is infinite or NaN for some pairs of rows; bring the features to one "
                "scale, or choose other kernel_params."
            )
        return values

    def __str__(self) -> str:
        return f"kernel={self.function!r} with kernel_params={dict(self.parameters)!r}"

    def _values(self, X: Any, Z: Any) -> Any:
        if isinstance(self.function, str):
            # by itself it checks its parameters, which `pairwise_kernels` does not
            return PAIRWISE_KERNEL_FUNCTIONS[self.function](X, Z, **self.parameters)
        return pairwise_kernels(X, Z, metric=self.function, **self.parameters)

    @property
    def _demand(self) -> str:
        if isinstance(self.function, str):
            return ""
        return " A callable takes two rows of X, and kernel_params, and returns a number."


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
