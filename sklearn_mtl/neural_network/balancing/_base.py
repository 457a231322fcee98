from typing import Any

from sklearn.base import BaseEstimator


class Balancing(BaseEstimator):
    """How the losses of the tasks become one step; the base class of every method.

    A method holds parameters, which ``get_params`` lists and a grid searches as
    ``balancing__temperature``, and makes the ``sklearn_mtl.nn.Balancer`` that does the work.

    Examples
    --------
    >>> from sklearn_mtl.neural_network import Balancing, EqualWeights
    >>> issubclass(EqualWeights, Balancing)
    True
    """

    def build(self, task_weight: Any) -> Any:
        """Return the balancer.

        Parameters
        ----------
        task_weight : torch.Tensor of shape (T,)
            λ_t.

        Returns
        -------
        balancer : sklearn_mtl.nn.Balancer
        """
        raise TypeError(f"{type(self).__name__} must define build(task_weight).")
