import numpy as np


def distinct_pairs(
    group: np.ndarray, scale: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the distinct pairs of a group and a scale, and which is each task's.

    Parameters
    ----------
    group : ndarray of shape (T,), int
    scale : ndarray of shape (T,)

    Returns
    -------
    groups, scales : ndarray of shape (J,)
        In increasing order.
    kind : ndarray of shape (T,)
    """
    order = np.lexsort((scale, group))
    groups, scales = group[order], scale[order]
    first = np.append(True, (np.diff(groups) != 0) | (np.diff(scales) != 0))
    kind = np.empty(len(group), dtype=np.intp)
    kind[order] = np.cumsum(first) - 1
    return groups[first], scales[first], kind


def multiply(matrices: np.ndarray, kind: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return ``matrices[kind_t] @ vectors_t`` for each t, without a matrix for each.

    Parameters
    ----------
    matrices : ndarray of shape (J, d, d)
        Symmetric.
    kind : ndarray of shape (T,), int
        Each of 0, ..., J - 1 at least once.
    vectors : ndarray of shape (T, d)
    """
    product = np.empty_like(vectors)
    order = np.argsort(kind, kind="stable")
    if len(matrices) == len(kind):
        product[order] = (matrices @ vectors[order, :, None])[..., 0]
        return product
    bounds = np.cumsum(np.bincount(kind))[:-1]
    for matrix, tasks in zip(matrices, np.split(order, bounds), strict=True):
        product[tasks] = vectors[tasks] @ matrix
    return product
