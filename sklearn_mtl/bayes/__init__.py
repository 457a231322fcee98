"""Hierarchical Gaussian models: the weights of tasks have one prior, which is learned with them.

Each task has a vector v_t of d coefficients: p weights and, where there are intercepts, one
intercept, for each of its outputs. Tasks are draws of one population,

    v_t ~ N(m, S),    m ~ N(center, diag(variance)),

and m is integrated out with them, so that few tasks leave the population as uncertain as it is.
Given S, a likelihood that is quadratic in v_t has an exact posterior (`infer`); S, ``variance``
and what the likelihood has to learn are chosen by their evidence. Everything is in standardised
coordinates (`Standardization`).
"""

from sklearn_mtl.bayes._class_likelihood import ClassLikelihood, Logistic, Softmax
from sklearn_mtl.bayes._class_rows import ClassRows, predictor_covariance
from sklearn_mtl.bayes._gaussian import GaussianFit, fit_gaussian
from sklearn_mtl.bayes._laplace import LaplaceFit, fit_laplace
from sklearn_mtl.bayes._learn import learn
from sklearn_mtl.bayes._learn_classes import learn_classes
from sklearn_mtl.bayes._likelihood import QuadraticLikelihood
from sklearn_mtl.bayes._new_class_tasks import fit_new_class_tasks
from sklearn_mtl.bayes._new_tasks import NewTasks, fit_new_tasks
from sklearn_mtl.bayes._population import Population
from sklearn_mtl.bayes._posterior import Posterior, infer
from sklearn_mtl.bayes._predictive import expected_sigmoid, expected_softmax, normal_scales
from sklearn_mtl.bayes._prior import Prior
from sklearn_mtl.bayes._standardization import Standardization
from sklearn_mtl.bayes._structure import STRUCTURES, Structure
from sklearn_mtl.bayes._tasks import TaskPosteriors

__all__ = [
    "STRUCTURES",
    "ClassLikelihood",
    "ClassRows",
    "GaussianFit",
    "LaplaceFit",
    "Logistic",
    "NewTasks",
    "Population",
    "Posterior",
    "Prior",
    "QuadraticLikelihood",
    "Softmax",
    "Standardization",
    "Structure",
    "TaskPosteriors",
    "expected_sigmoid",
    "expected_softmax",
    "fit_gaussian",
    "fit_laplace",
    "fit_new_class_tasks",
    "fit_new_tasks",
    "infer",
    "learn",
    "learn_classes",
    "normal_scales",
    "predictor_covariance",
]
