"""Kernel machines with a quadratic penalty, from the dual: one dense system over all labels."""

import numpy as np


def complete_graph_inverse(n_tasks, gamma, alpha):
    """Return the inverse of ``gamma L + alpha I``, L the Laplacian of the complete graph."""
    laplacian = n_tasks * np.eye(n_tasks) - np.ones((n_tasks, n_tasks))
    return np.linalg.inv(gamma * laplacian + alpha * np.eye(n_tasks))


def shared_part_inverse(n_tasks, alpha_shared, alpha_specific):
    """Return the covariance of ``w_0 + v_t`` where theirs are the inverse strengths."""
    return np.eye(n_tasks) / alpha_specific + np.ones((n_tasks, n_tasks)) / alpha_shared


def dual_functions(kernel, parts, task_weight, inverse, *, fit_intercept):
    """Return a function (rows) -> (n, T), from the stationarity of every label and intercept.

        f_s(x) = sum_(t, i) M_st k(x, x_ti) a_ti + b_s
        a_ti = lambda_t d_ti / mass_t (y_ti - f_t(x_ti))

    Parameters
    ----------
    kernel : callable (X, Z) -> (n, m)
    parts : list of Part
    task_weight : sequence of T floats
    inverse : ndarray of shape (T, T)
        M, the inverse of the penalty's matrix.
    fit_intercept : bool
        With it, the a of each task sum to 0.
    """
    X = np.concatenate([part.X for part in parts])
    y = np.concatenate([part.y for part in parts])
    task = np.repeat(np.arange(len(parts)), [len(part.y) for part in parts])
    each = np.concatenate(
        [
            weight * part.weight / part.weight.sum()
            for weight, part in zip(task_weight, parts, strict=True)
        ]
    )
    system = kernel(X, X) * inverse[np.ix_(task, task)] + np.diag(1.0 / each)
    ones = (task[:, None] == np.arange(len(parts))).astype(float)
    if fit_intercept:
        corner = np.zeros((len(parts), len(parts)))
        found = np.linalg.solve(
            np.block([[system, ones], [ones.T, corner]]), np.append(y, np.zeros(len(parts)))
        )
        dual, bias = found[: len(y)], found[len(y) :]
    else:
        dual, bias = np.linalg.solve(system, y), np.zeros(len(parts))
    return lambda rows: kernel(rows, X) @ (dual[:, None] * inverse[task]) + bias
