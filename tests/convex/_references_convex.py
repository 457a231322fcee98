"""The convex problems said from their definition, and solved by cvxpy.

A task is a `Part`: its own rows, labels and weights. A penalty is a list of terms, each a tuple of
a word and its numbers:

    ("nuclear", alpha)  ("l21", alpha)  ("l1", alpha)  ("ridge", alpha)
    ("graph", edges, gamma)  with edges (s, t, weight) between task numbers
    ("mean", alpha_shared, alpha_specific)
    ("covariance", gamma, delta, prior)  with the prior covariance of the tasks, of trace 1, or None
"""

from dataclasses import dataclass
from warnings import catch_warnings, simplefilter

import cvxpy as cp
import numpy as np

# CLARABEL's own stopping rule; it reaches about 1e-9 of the objective
TIGHT = {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}


@dataclass
class Part:
    """One task: X (n, p), y (n,), weights (n,), and classes (K,) where y is classes."""

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    classes: np.ndarray | None = None

    @property
    def width(self):
        return 1 if self.classes is None or len(self.classes) == 2 else len(self.classes)


def rows_of(parts):
    """Return, for each task, the numbers of its rows in W."""
    ends = np.cumsum([part.width for part in parts])
    return [list(range(end - part.width, end)) for end, part in zip(ends, parts, strict=True)]


def blocks_of(parts):
    """Return the sets of rows that are the same output of different tasks."""
    blocks = {}
    for part, rows in zip(parts, rows_of(parts), strict=True):
        for k, row in enumerate(rows):
            key = "one" if part.width == 1 else (*part.classes, part.classes[k])
            blocks.setdefault(key, []).append(row)
    return list(blocks.values())


def prior_of_rows(prior, parts):
    """Return the covariance of the rows of W, of trace 1: rows of one output covary as tasks do."""
    size = sum(part.width for part in parts)
    covariance = np.eye(size)
    if prior is not None:
        task = [t for t, rows in enumerate(rows_of(parts)) for _ in rows]
        covariance = np.zeros((size, size))
        for block in blocks_of(parts):
            for i in block:
                for j in block:
                    covariance[i, j] = prior[task[i], task[j]]
    return covariance / covariance.trace()


# -- the value of the objective ------------------------------------------------------------------


def task_loss(part, W, b):
    """Return the weighted mean loss of one task, W (width, p) and b (width,)."""
    z = part.X @ W.T + b
    if part.classes is None:
        losses = (part.y - z[:, 0]) ** 2 / 2
    elif part.width == 1:
        sign = np.where(part.y == part.classes[1], 1.0, -1.0)
        losses = np.logaddexp(0.0, -sign * z[:, 0])
    else:
        code = np.searchsorted(part.classes, part.y)
        losses = np.logaddexp.reduce(z, axis=1) - z[np.arange(len(z)), code]
    return part.weight @ losses / part.weight.sum()


def penalty_value(terms, W, parts):
    """Return Omega(W), term by term from its definition."""
    total = 0.0
    rows = rows_of(parts)
    for word, *numbers in terms:
        if word == "nuclear":
            total += numbers[0] * np.linalg.svd(W, compute_uv=False).sum()
        elif word == "l21":
            total += numbers[0] * sum(np.sqrt((column**2).sum()) for column in W.T)
        elif word == "l1":
            total += numbers[0] * np.abs(W).sum()
        elif word == "ridge":
            total += numbers[0] / 2 * (W**2).sum()
        elif word == "graph":
            edges, gamma = numbers
            for s, t, weight in edges:
                total += gamma / 2 * weight * ((W[rows[s]] - W[rows[t]]) ** 2).sum()
        elif word == "covariance":
            gamma, delta, prior = numbers
            anchor = delta * prior_of_rows(prior, parts)
            size = np.linalg.svd(np.hstack([W, anchor]), compute_uv=False).sum()
            total += gamma / 2 * (size**2 - delta**2)
        else:
            shared, specific = numbers
            for block in blocks_of(parts):
                mine = W[block]
                stack = np.sqrt([shared] + [specific] * len(block))
                target = np.vstack([0 * mine[:1], mine]) * stack[:, None]
                best = np.linalg.lstsq(stack[:, None], target)[0]  # w_0, (1, p)
                total += shared / 2 * (best**2).sum() + specific / 2 * ((mine - best) ** 2).sum()
    return total


def objective(parts, task_weight, terms, W, b):
    """Return the objective at W (M, p) and b (M,), a loop over tasks."""
    losses = [
        task_loss(part, W[rows], b[rows]) for part, rows in zip(parts, rows_of(parts), strict=True)
    ]
    return float(np.dot(task_weight, losses) + penalty_value(terms, W, parts))


# -- its minimum by cvxpy ------------------------------------------------------------------------


def _loss_expression(part, W, b):
    z = part.X @ W.T + np.ones((len(part.X), 1)) @ cp.reshape(b, (1, part.width), order="C")
    share = part.weight / part.weight.sum()
    if part.classes is None:
        return cp.sum_squares(cp.multiply(np.sqrt(share / 2), part.y - z[:, 0]))
    if part.width == 1:
        sign = np.where(part.y == part.classes[1], 1.0, -1.0)
        return share @ cp.logistic(cp.multiply(-sign, z[:, 0]))
    code = np.searchsorted(part.classes, part.y)
    right = (code[:, None] == np.arange(part.width)).astype(float)
    return share @ (cp.log_sum_exp(z, axis=1) - cp.sum(cp.multiply(right, z), axis=1))


def _penalty_expression(terms, W, parts):
    total, rows = 0.0, rows_of(parts)
    for word, *numbers in terms:
        if word == "nuclear":
            total += numbers[0] * cp.normNuc(W)
        elif word == "l21":
            total += numbers[0] * cp.sum(cp.norm(W, 2, axis=0))
        elif word == "l1":
            total += numbers[0] * cp.sum(cp.abs(W))
        elif word == "ridge":
            total += numbers[0] / 2 * cp.sum_squares(W)
        elif word == "graph":
            edges, gamma = numbers
            for s, t, weight in edges:
                total += gamma / 2 * weight * cp.sum_squares(W[rows[s]] - W[rows[t]])
        elif word == "covariance":
            gamma, delta, prior = numbers
            stacked = W
            if delta > 0:
                stacked = cp.hstack([W, delta * prior_of_rows(prior, parts)])
            total += gamma / 2 * (cp.square(cp.normNuc(stacked)) - delta**2)
        else:
            shared, specific = numbers
            for block in blocks_of(parts):
                common = cp.Variable((1, W.shape[1]))
                own = W[block] - np.ones((len(block), 1)) @ common
                total += shared / 2 * cp.sum_squares(common) + specific / 2 * cp.sum_squares(own)
    return total


def minimise(parts, task_weight, terms, *, fit_intercept=True):
    """Return W (M, p) and b (M,) that cvxpy finds.

    X is centred first, task by task, which only moves the intercepts, because a cone solver
    cannot see digits behind an offset of 1e6; so is y of regression tasks.
    """
    size, p = sum(part.width for part in parts), parts[0].X.shape[1]
    W, b = cp.Variable((size, p)), cp.Variable(size)
    loss, centres = 0.0, []
    for weight, part, rows in zip(task_weight, parts, rows_of(parts), strict=True):
        x_mean, y_mean = np.zeros(p), 0.0
        if fit_intercept:
            x_mean = part.weight @ part.X / part.weight.sum()
            if part.classes is None:
                y_mean = part.weight @ part.y / part.weight.sum()
        labels = part.y - y_mean if part.classes is None else part.y
        centred = Part(part.X - x_mean, labels, part.weight, part.classes)
        loss += weight * _loss_expression(centred, W[rows], b[rows])
        centres.append((x_mean, y_mean))
    problem = cp.Problem(
        cp.Minimize(loss + _penalty_expression(terms, W, parts)), [] if fit_intercept else [b == 0]
    )
    with catch_warnings():
        # where rounding stops CLARABEL short of its rule it says so; who compares with the
        # objective at this point, which is feasible, sees how far it came
        simplefilter("ignore", UserWarning)
        problem.solve(solver=cp.CLARABEL, **TIGHT)
    assert problem.status in ("optimal", "optimal_inaccurate"), problem.status
    intercept = b.value.copy() if fit_intercept else np.zeros(size)
    for rows, (x_mean, y_mean) in zip(rows_of(parts), centres, strict=True):
        intercept[rows] += y_mean - W.value[rows] @ x_mean
    return W.value, intercept


def solve_kronecker(parts, task_weight, A, *, fit_intercept=True):
    """Return W (T, p) that minimises the squared loss + tr(W' A W) / 2, by one dense solve.

    The normal equations for all weights at once, shape (T p, T p).
    """
    n_tasks, p = len(parts), parts[0].X.shape[1]
    system, right = np.kron(A, np.eye(p)), np.zeros(n_tasks * p)
    for t, part in enumerate(parts):
        share = part.weight / part.weight.sum()
        x_mean, y_mean = (share @ part.X, share @ part.y) if fit_intercept else (0.0, 0.0)
        centred = part.X - x_mean
        here = slice(t * p, (t + 1) * p)
        system[here, here] += task_weight[t] * (centred.T * share) @ centred
        right[here] += task_weight[t] * (centred.T * share) @ (part.y - y_mean)
    return np.linalg.solve(system, right).reshape(n_tasks, p)
