import numpy as np

from sklearn_mtl.bayes._class_rows import ClassRows
from sklearn_mtl.bayes._laplace import LaplaceFit, mean_and_spread
from sklearn_mtl.bayes._mode import Mode, approximate
from sklearn_mtl.bayes._posterior import Posterior
from sklearn_mtl.bayes._prior import Prior


def fit_new_class_tasks(fit: LaplaceFit, rows: ClassRows) -> Posterior:
    """Return the posterior of tasks that come after the fit, given its population.

    The population stays as it is, with all that is uncertain about it.

    Parameters
    ----------
    fit : LaplaceFit
    rows : ClassRows
        Of the new tasks, in the coordinates of the fit.
    """
    center = fit.tasks.unseen_mean
    prior = Prior(center, np.zeros(len(center)), fit.tasks.unseen_covariance)
    start = Mode(np.tile(center, (rows.n_tasks, 1)), center)
    return mean_and_spread(rows, approximate(rows, prior, start))
