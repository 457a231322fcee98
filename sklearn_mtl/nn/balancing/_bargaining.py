import numpy as np

from sklearn_mtl.nn.balancing._gramian_weights import GramianWeights

# least eigenvalue, to the mean squared length of the gradients: where a loss has no gradient or
# some combination vanishes, the solution would be infinite
LEAST_EIGENVALUE = 1e-6
MAX_ITERATIONS = 100


class FairGradWeights(GramianWeights):
    """Weights a with G a = a^(-1/α).

    Parameters
    ----------
    alpha : float
    """

    def __init__(self, alpha: float) -> None:
        super().__init__()
        self.alpha = alpha

    def weigh(self, gramian: np.ndarray, tasks: np.ndarray) -> np.ndarray:
        """Return the weights."""
        return fair_weights(gramian, 1.0 / self.alpha)


class NashMTLWeights(GramianWeights):
    """Nash's bargaining solution, weights a with G a = 1 / a.

    Parameters
    ----------
    n_tasks : int
    max_norm : float
        Longest step; 0 for any.
    update_weights_every : int
        Calls that a solution is used for.

    Attributes
    ----------
    weights : ndarray of shape (T,)
        The last solution.
    n_calls : int
    """

    def __init__(self, n_tasks: int, max_norm: float, update_weights_every: int) -> None:
        super().__init__()
        self.max_norm = max_norm
        self.update_weights_every = update_weights_every
        self.weights = np.ones(n_tasks)
        self.n_calls = 0

    def weigh(self, gramian: np.ndarray, tasks: np.ndarray) -> np.ndarray:
        """Return the weights, shortened to a step of `max_norm`."""
        if self.n_calls % self.update_weights_every == 0:
            self.weights[tasks] = fair_weights(gramian, 1.0)
        self.n_calls += 1
        weights = self.weights[tasks]
        length = np.sqrt(max(weights @ gramian @ weights, 0.0))
        if self.max_norm > 0 and length > self.max_norm:
            weights = weights * (self.max_norm / length)
        return weights


def fair_weights(gramian: np.ndarray, power: float) -> np.ndarray:
    """Return a > 0 with G a = a^-power, by Newton's method.

    It is the minimum of a'G a / 2 - sum_t phi(a_t), strictly convex, where phi is the logarithm for
    power 1 and a^(1 - power) / (1 - power) else.

    Parameters
    ----------
    gramian : ndarray of shape (S, S)
    power : float
    """
    # G -> G / unit makes a -> unit^(1 / (1 + power)) a
    unit = gramian.trace() / len(gramian)
    matrix = gramian / unit
    try:
        np.linalg.cholesky(matrix - LEAST_EIGENVALUE * np.eye(len(matrix)))
    except np.linalg.LinAlgError:  # an eigenvalue is less
        values, vectors = np.linalg.eigh(matrix)
        matrix = (vectors * np.maximum(values, LEAST_EIGENVALUE)) @ vectors.T

    def objective(a: np.ndarray) -> float:
        gain = np.log(a) if power == 1.0 else a ** (1.0 - power) / (1.0 - power)
        return 0.5 * a @ matrix @ a - gain.sum()

    a = np.diagonal(matrix) ** (-1.0 / (1.0 + power))  # the solution for orthogonal gradients
    value = objective(a)
    for _ in range(MAX_ITERATIONS):
        gain_slope = a**-power
        slope = matrix @ a - gain_slope
        curvature = matrix.copy()
        curvature.flat[:: len(a) + 1] += power * gain_slope / a
        step = -np.linalg.solve(curvature, slope)
        descent = slope @ step
        size = min(1.0, 0.9 / max((-step / a).max(), 1e-300))  # stays where a > 0
        if descent > -1e-12:  # a last step, for each doubles the digits
            return (a + size * step) * unit ** (-1.0 / (1.0 + power))
        while size > 1e-10:
            trial = objective(a + size * step)
            if trial <= value + 1e-4 * size * descent:
                break
            size *= 0.5
        else:
            break  # no further in float64
        a, value = a + size * step, trial
    return a * unit ** (-1.0 / (1.0 + power))
