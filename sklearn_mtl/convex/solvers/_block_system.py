from sklearn_mtl.convex.solvers._banded import Banded, task_order
from sklearn_mtl.convex.solvers._conjugate_gradient import ConjugateGradient
from sklearn_mtl.convex.solvers._elimination import Elimination
from sklearn_mtl.convex.solvers._inverse import Inverse, System
from sklearn_mtl.convex.solvers._task_spectrum import TaskSpectrum

MOST_OPERATIONS = 4e9  # of a banded factor, before iterations cost less
MOST_ENTRIES = 5e7


def component_inverse(system: System, *, max_iter: int) -> Inverse:
    """Return H^+ for tasks that A ties, by the method that costs least.

    * A = diag(d) - f f' (mean regularisation, the complete graph): eliminate the tasks.
    * One Gram matrix for all tasks: eigenvectors in both spaces.
    * A banded Cholesky factor, where it has few operations: chains, rings, trees with short
      branches, and any graph where m p is small.
    * Conjugate gradients.
    """
    rank_one = system.component.rank_one
    if rank_one is not None:
        return Elimination(system.spectrum, system.weight, system.component.sums, *rank_one)
    if len(system.gram) == 1:
        return TaskSpectrum(system)
    m, p = len(system.group), system.gram.shape[1]
    order, reach = task_order(system.matrix)
    width = (reach + 1) * p
    if m * p * width**2 <= MOST_OPERATIONS and m * p * width <= MOST_ENTRIES:
        return Banded(system, order, reach)
    return ConjugateGradient(system, max_iter=max_iter)
