import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from sklearn_mtl.convex.solvers._factor_model import FactorModel, FactorPoint

SETTLING = 5  # rounds of solving for U and balancing before the first Newton step
PRODUCTS = 100  # Hessian products in one go, each of about the cost of a proximal step
REFUSALS = 12  # dampings tried for one step


def minimise_factors(
    model: FactorModel, V: np.ndarray, *, target: float, max_iter: int
) -> tuple[FactorPoint, int]:
    """Return a point with a small gradient of phi, and the number of Newton steps.

    The rank r of V may exceed the rank of the solution: spare columns shrink to zero, as fast as
    the rest converges where the spare singular values of the gradient are below alpha.

    Parameters
    ----------
    model : FactorModel
    V : ndarray of shape (p, r)
    target : float
        What ``||grad phi|| ||V||``, which is about the duality gap that V leaves, should reach.
    max_iter : int
    """
    rounds = 1 if model.datafit.is_shared else SETTLING
    point = _settled(_scaled(model, V), rounds=rounds)
    dense = model.is_dense(point.V.shape[1])
    damping, n_iter, products = 0.0, 0, PRODUCTS
    while n_iter < max_iter and products > 0 and _residual(point) > target:
        n_iter += 1
        hessian = point.hessian() if dense else None
        size = float(point.curvature.mean())
        for _ in range(REFUSALS):
            if hessian is None:
                step, n_products = _conjugate_gradients(point, damping, target, products)
                used, products = damping, products - n_products
                if products <= 0:
                    return point, n_iter
            else:
                step, used = _damped_solve(hessian, point.gradient, damping, size)
            moved = FactorPoint(model, point.V + step)
            if _improves(moved, point):
                break
            damping = max(10.0 * used, 1e-6 * size)
        else:
            return point, n_iter  # phi is at its minimum up to rounding
        damping = used / 30.0 if used > 1e-12 * size else 0.0
        point = moved.balanced()
    return point, n_iter


def _residual(point: FactorPoint) -> float:
    return float(np.linalg.norm(point.gradient) * np.linalg.norm(point.V))


def _improves(moved: FactorPoint, point: FactorPoint) -> bool:
    rounding = 1e-14 * abs(point.value)
    if moved.value < point.value - rounding:
        return True
    return moved.value <= point.value + rounding and _residual(moved) < _residual(point)


def _scaled(model: FactorModel, V: np.ndarray) -> FactorPoint:
    """Return phi at the best power of ten times V.

    A short step from W = 0 finds the directions of V long before their lengths.
    """
    point = FactorPoint(model, V)
    while True:
        longer = FactorPoint(model, np.sqrt(10.0) * point.V)
        if not longer.value < point.value:
            return point
        point = longer


def _settled(point: FactorPoint, *, rounds: int) -> FactorPoint:
    for _ in range(rounds):
        before, point = point.value, point.balanced()
        if not point.value < before - 1e-6 * abs(before):
            break
    return point


def _damped_solve(
    hessian: np.ndarray, gradient: np.ndarray, damping: float, size: float
) -> tuple[np.ndarray, float]:
    """Return ``-(H + mu I)^-1 g`` and mu, at least `damping` and so large that H + mu I > 0."""
    # phi is the same at V and V R, so H is singular at a minimum: a touch of damping always
    mu = max(damping, 1e-13 * size)
    for _ in range(60):
        shifted = hessian.copy()
        shifted[np.diag_indices(len(shifted))] += mu
        try:
            factor = cho_factor(shifted, lower=True, overwrite_a=True, check_finite=False)
        except LinAlgError:
            mu = max(10.0 * mu, 1e-6 * size)
            continue
        return cho_solve(factor, -gradient.ravel(), check_finite=False).reshape(gradient.shape), mu
    return -gradient / mu, mu  # entries of H overflow


def _conjugate_gradients(
    point: FactorPoint, damping: float, target: float, max_products: int
) -> tuple[np.ndarray, int]:
    """Return an approximate ``-(H + mu I)^-1 g`` and how many products with H it took.

    It stops where the curvature is not positive.
    """
    curvature = point.curvature + damping
    residual = -point.gradient
    step, preconditioned = np.zeros_like(residual), residual / curvature
    direction, inner = preconditioned, float(np.vdot(residual, preconditioned))
    size = float(np.linalg.norm(residual))
    # forcing term of Eisenstat & Walker: the closer, the more exact, and no more than is asked
    relative = _residual(point) / abs(point.value)
    enough = size * max(min(0.1, np.sqrt(relative)), 0.1 * target / _residual(point))
    for n_products in range(1, max_products + 1):
        product = point.hessian_product(direction) + damping * direction
        curved = float(np.vdot(direction, product))
        if curved <= 0:
            return (step if step.any() else direction), n_products
        length = inner / curved
        step = step + length * direction
        residual = residual - length * product
        if np.linalg.norm(residual) <= enough:
            break
        preconditioned = residual / curvature
        following = float(np.vdot(residual, preconditioned))
        direction = preconditioned + (following / inner) * direction
        inner = following
    return step, n_products
