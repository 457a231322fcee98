import numpy as np

from sklearn_mtl.nn.balancing._gramian_weights import GramianWeights, square_root
from sklearn_mtl.nn.balancing._mgda import shortest

# a combination this short, to the gradients' length, is zero: the losses cannot all be lowered
STATIONARY = 1e-4
MAX_ITERATIONS = 60  # of at least a bisection each


class CAGradWeights(GramianWeights):
    """The step near the mean gradient that lowers the loss it lowers least the most.

    Parameters
    ----------
    c : float
        Radius of the ball around the mean gradient g_0, in units of its length.
    """

    def __init__(self, c: float) -> None:
        super().__init__()
        self.c = c

    def weigh(self, gramian: np.ndarray, tasks: np.ndarray) -> np.ndarray:
        """Return the weights of g_0 + c |g_0| g_w / |g_w|."""
        n = len(gramian)
        mean_length = np.sqrt(max(gramian.sum(), 0.0)) / n
        if self.c * mean_length == 0.0:
            return np.full(n, 1.0 / n)
        problem = _Dual(gramian, mean_length, self.c * mean_length)
        weights, length = problem.by_dropping() or problem.by_lengths()
        return np.zeros(n) if length == 0.0 else 1.0 / n + problem.radius / length * weights


class _Dual:
    """min_w g_w'g_0 + radius |g_w| over the simplex.

    Parameters
    ----------
    gramian : ndarray of shape (S, S)
    mean_length : float
        |g_0|.
    radius : float
    """

    def __init__(self, gramian: np.ndarray, mean_length: float, radius: float) -> None:
        self.gramian = gramian
        self.mean_length = mean_length
        self.radius = radius
        self.products = gramian.sum(axis=1) / len(gramian)  # with g_0
        self.sides = np.ones((len(gramian), 2))
        self.sides[:, 1] = self.products
        lengths = np.sqrt(gramian.diagonal())
        self.longest, self.shortest = lengths.max(), STATIONARY * np.sqrt(lengths @ lengths)

    def by_dropping(self) -> tuple[np.ndarray, float] | None:
        """Return w and |g_w|, found by dropping tasks whose weights come out negative.

        None if that is not the solution, or if a combination may be zero.
        """
        tasks = np.arange(len(self.gramian))
        while True:
            length, among = self._among(tasks)
            if not among.min() < 0.0:  # or there is none
                break
            tasks = tasks[among > 0.0]
        weights = np.zeros(len(self.gramian))
        weights[tasks] = among
        slope = self.products + self.radius / length * (self.gramian @ weights)
        value = slope @ weights
        # the shortest combination makes the minimum at most its length times |g_0| + radius
        if not value > self.shortest * (self.mean_length + self.radius):
            return None
        is_minimum = slope.min() >= value - 1e-9 * self.radius * self.longest
        return (weights, length) if is_minimum else None

    def by_lengths(self) -> tuple[np.ndarray, float]:
        """Return w and |g_w|, found by a search for |g_w|; 0 where a combination is zero."""
        # |g_w| = min_t (|g_w|^2 / t + t) / 2. For a given t the best w gives the shortest
        # combination of g_i + (t / radius) g_0; the t looked for is the length of its g_w
        vectors = square_root(self.gramian)
        mean = vectors.mean(axis=1, keepdims=True)
        t, low, high = 0.0, 0.0, self.longest * (1 + 1e-9)
        for _ in range(MAX_ITERATIONS):
            weights = shortest(vectors + t / self.radius * mean)
            length = float(np.linalg.norm(vectors @ weights))
            if t == 0.0 and length <= self.shortest:
                return weights, 0.0
            if abs(length - t) <= 1e-8 * high:
                break
            low, high = (t, high) if length > t else (low, t)
            t, _ = self._among(np.flatnonzero(weights))
            if not low < t < high:
                t = (low + high) / 2
        return weights, length

    def _among(self, tasks: np.ndarray) -> tuple[float, np.ndarray]:
        """Return |g_w| and w where these tasks alone may have weights, of any sign; NaN if none."""
        # stationary where b + (radius / t) G w = v 1, with b the products with g_0 and t = |g_w|;
        # with sum(w) = 1 and w'G w = t^2 that is a quadratic equation of v
        sides = self.sides[tasks]
        try:
            solved = np.linalg.solve(self.gramian[tasks][:, tasks], sides)
        except np.linalg.LinAlgError:
            return np.nan, np.full(len(tasks), np.nan)
        (one, mixed), (_, product) = (sides.T @ solved).tolist()
        rate = np.sqrt(max(mixed * mixed - one * (product - self.radius**2), 0.0))
        if rate == 0.0:
            return np.nan, np.full(len(tasks), np.nan)
        return self.radius / rate, solved @ [(rate + mixed) / (rate * one), -1.0 / rate]
