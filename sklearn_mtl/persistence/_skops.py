"""What a skops file of a model of this package may contain."""

# Each is a class that sets attributes when a file makes it, and runs nothing that the file brings:
# no function, no torch module, nothing that opens files. Listed by hand, so that a class is trusted
# only after somebody has looked at it.
_OWN = {
    "bayes._class_likelihood": ("Logistic", "Softmax"),
    "bayes._covariances": ("Matrices", "OneBasis"),
    "bayes._gaussian": ("GaussianFit",),
    "bayes._laplace": ("LaplaceFit",),
    "bayes._prior": ("Prior",),
    "bayes._standardization": ("Standardization",),
    "bayes._tasks": ("TaskPosteriors",),
    "compose._chain": ("TaskChain",),
    "compose._independent": ("IndependentTasks",),
    "compose._pooled": ("PooledTasks",),
    "compose._predicted_columns": ("PredictedColumns",),
    "compose._stacked": ("StackedTasks",),
    "compose._task_features": ("TaskFeatures",),
    "compose._voting": ("VotingTasks",),
    "convex._kernel": ("Comparison", "Kernel"),
    "convex._rows": ("CoefRows",),
    "convex._stats": ("GramStats",),
    "convex.penalties._graph_laplacian": ("GraphLaplacian",),
    "convex.penalties._group_l21": ("GroupL21",),
    "convex.penalties._l1": ("L1",),
    "convex.penalties._mean": ("MeanRegularization",),
    "convex.penalties._nuclear": ("NuclearNorm",),
    "convex.penalties._ridge": ("Ridge",),
    "convex.penalties._sum": ("PenaltySum",),
    "convex.penalties._task_relationship": ("TaskRelationship",),
    "linear_model._bayesian": ("BayesianMultiTaskRegressor",),
    "linear_model._bayesian_classifier": ("BayesianMultiTaskClassifier",),
    "linear_model._class_family": ("Family",),
    "linear_model._graph": ("GraphClassifier", "GraphRegressor"),
    "linear_model._graph_cv": ("GraphRegressorCV",),
    "linear_model._joint_feature": ("JointFeatureClassifier", "JointFeatureRegressor"),
    "linear_model._joint_feature_cv": ("JointFeatureRegressorCV",),
    "linear_model._linear": (
        "MultiTaskLinearClassifier",
        "MultiTaskLinearEstimator",
        "MultiTaskLinearRegressor",
    ),
    "linear_model._linear_cv": ("MultiTaskLinearRegressorCV",),
    "linear_model._low_rank": ("LowRankClassifier", "LowRankRegressor"),
    "linear_model._low_rank_cv": ("LowRankRegressorCV",),
    "linear_model._mean_regularized": ("MeanRegularizedClassifier", "MeanRegularizedRegressor"),
    "linear_model._mean_regularized_cv": ("MeanRegularizedRegressorCV",),
    "linear_model._task_relationship": ("TaskRelationshipClassifier", "TaskRelationshipRegressor"),
    "metrics._scorer": ("TaskScorer", "TaskVectorScorer"),
    "model_selection._affinity": ("TaskAffinity",),
    "model_selection._grouping": ("TaskGrouping",),
    "model_selection._shuffle_split": ("MultiTaskShuffleSplit",),
    "model_selection._split": ("MultiTaskKFold",),
    "neural_network._classifier": ("MultiTaskClassifier",),
    "neural_network._fitted": ("FittedNetwork",),
    "neural_network._mixed": ("MultiTaskEstimator",),
    "neural_network._regressor": ("MultiTaskRegressor",),
    "neural_network.balancing._aligned_mtl": ("AlignedMTL",),
    "neural_network.balancing._cagrad": ("CAGrad",),
    "neural_network.balancing._config": ("ConFIG",),
    "neural_network.balancing._dualproj": ("DualProj",),
    "neural_network.balancing._dynamic_weight_average": ("DynamicWeightAverage",),
    "neural_network.balancing._equal": ("EqualWeights",),
    "neural_network.balancing._fairgrad": ("FairGrad",),
    "neural_network.balancing._famo": ("FAMO",),
    "neural_network.balancing._geometric_mean": ("GeometricMean",),
    "neural_network.balancing._grad_norm": ("GradNorm",),
    "neural_network.balancing._graddrop": ("GradDrop",),
    "neural_network.balancing._gradvac": ("GradVac",),
    "neural_network.balancing._imtl_g": ("IMTLG",),
    "neural_network.balancing._imtl_l": ("IMTLL",),
    "neural_network.balancing._mgda": ("MGDA",),
    "neural_network.balancing._nash_mtl": ("NashMTL",),
    "neural_network.balancing._pcgrad": ("PCGrad",),
    "neural_network.balancing._random_loss_weights": ("RandomLossWeights",),
    "neural_network.balancing._smooth_tchebycheff": ("SmoothTchebycheff",),
    "neural_network.balancing._uncertainty": ("UncertaintyWeights",),
    "neural_network.balancing._upgrad": ("UPGrad",),
    "neural_network.numeric_embedding._periodic": ("PeriodicEmbedding",),
    "neural_network.numeric_embedding._piecewise_linear": ("PiecewiseLinearEmbedding",),
    "neural_network.sharing._cascade": ("Cascade",),
    "neural_network.sharing._cross_stitch": ("CrossStitch",),
    "neural_network.sharing._hard": ("HardSharing",),
    "neural_network.sharing._mmoe": ("MMoE",),
    "neural_network.sharing._ple": ("CGC", "PLE"),
    "neural_network.sharing._separate": ("SeparateNetworks",),
    "neural_network.sharing._soft": ("SoftSharing",),
    "tasks._layout": ("TaskLayout",),
    "tasks._outputs": ("LossFunction", "OutputGroup", "OutputSpec"),
    "tasks._spec": ("TaskSpec",),
    "tasks._target": ("MultiTaskTarget",),
}
# of scikit-learn: the splitters and the scorer of a search, and what holds the members of a vote
_OTHERS = (
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.utils._bunch.Bunch",
)


def skops_trusted_types() -> list[str]:
    """Return the types that a skops file of a model of this package may contain.

    A pickle runs what its author wrote as soon as it is loaded. A file of ``skops.io`` names types
    and their content instead, and is loaded only where every type is trusted. skops trusts those
    of numpy, scipy and scikit-learn that it knows; these are the ones of this package, for every
    estimator, penalty, scorer, sharing scheme, balancing method and embedding, and what
    scikit-learn keeps in searches and in votes.

    Types of your own are not among them, such as the class that a network was given as ``module=``,
    functions that are losses or kernels, and torchjd's aggregators: they are code that loading will
    run. Add their names, which ``skops.io.get_untrusted_types`` tells, if you know them.

    Returns
    -------
    names : list of str
        Full names of classes, sorted.

    Notes
    -----
    The list says what may be made, not that a model is any good: whoever wrote the file chose the
    weights. Compare a checksum that you got another way.

    skops writes no frames, so graphs and covariances that are parameters should be arrays or dicts,
    and no torch tensors, so ``module=`` should be a class with ``module_params``.

    Examples
    --------
    >>> import numpy as np
    >>> import skops.io
    >>> from sklearn_mtl import LowRankRegressor, skops_trusted_types
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> model = LowRankRegressor().fit(X, X @ np.ones((3, 2)))
    >>> file = skops.io.dumps(model)
    >>> loaded = skops.io.loads(file, trusted=skops_trusted_types())
    >>> np.array_equal(loaded.predict(X), model.predict(X))
    True
    """
    own = [f"sklearn_mtl.{module}.{name}" for module, names in _OWN.items() for name in names]
    return sorted([*own, *_OTHERS])
