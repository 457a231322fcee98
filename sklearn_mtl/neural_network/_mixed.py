from typing import Any, Self

from sklearn.callback import with_callbacks
from sklearn.utils.metaestimators import available_if

from sklearn_mtl.neural_network._base import BaseMultiTaskNetwork
from sklearn_mtl.neural_network._parameters import CLASS_CONSTRAINTS, NUMBER_CONSTRAINTS
from sklearn_mtl.tasks._predictions import has_classes


class MultiTaskEstimator(BaseMultiTaskNetwork):
    """Network that predicts numbers and classes together.

    Minimises, over the network's weights,

        sum_t  λ_t / n_t  sum_{i: t observed in i}  w_ti loss_t(f_t(x_i), y_ti)  +  weight decay,

    with f_t a linear head on a trunk that all tasks share. loss_t is the squared error in units
    of the task's variance, or minus the log-likelihood divided by the entropy of the task's class
    frequencies: for both 1 is the base rate. Labels may be missing, tasks may have rows of their
    own, and predictions come back in the container of y.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(128, 128)
        Width of each layer of the built-in trunk. `activation`, `dropout` and `input_dropout` are
        of these layers too: with a `module` none of the four does anything.
    activation : {"relu", "silu", "gelu", "tanh", "elu", "identity"}, default="relu"
    dropout : float in [0, 1), default=0.2
        Share of each hidden layer's units that a training step leaves out.
    input_dropout : float in [0, 1), default=0.2
        Share of the first layer's inputs that a training step leaves out.
    numeric_embedding : str, NumericEmbedding or None, default="auto"
        How the first layer reads numbers: "periodic" also as sines and cosines of learned
        frequencies, "piecewise_linear" as their place among quantiles; None as they are. "auto" is
        "periodic" for up to 500 features, and None beyond and with `module`.
    module : torch.nn.Module class, instance, or callable that returns one, default=None
        The trunk, in place of the built-in layers: inputs (B, ...) to (B, h). X may then have any
        shape, such as (n, channels, height, width). A class or callable makes each trunk of a
        sharing scheme anew; an instance is copied with its weights, so that several trunks start
        equal, and is itself left as it is (several networks of it would stay equal, and are
        refused). The module gets floats in `dtype`, to which it is cast, and predicts in that
        precision. What is to be pickled must not hold a lambda.
    module_params : dict, default=None
        Arguments that `module`, a class or callable, is called with.
    sharing : str or Sharing, default="hard"
        Which part of the network tasks have in common: "hard" is one trunk for all. See the README
        for the other words, and ``sklearn_mtl.neural_network`` for the objects with parameters.
    balancing : str, Balancing, or torchjd scalarizer or aggregator, default="equal"
        How the losses of the tasks become one step: "equal" minimises the objective above. See the
        README for the other words, and ``sklearn_mtl.neural_network`` for the objects with
        parameters.
    loss : str, callable, torch.nn.Module, or dict name -> one of these, default=None
        Loss of each task: "squared_error", "absolute_error", "huber" (beyond a standard deviation
        errors count in proportion) or "poisson" (counts) for numbers, "log_loss" for classes. None,
        and tasks that a dict leaves out, are "squared_error" and "log_loss". A function is given
        the predictions and labels of the rows where the task is observed, standardised numbers
        (B,), or logits (B,) or (B, K) and class numbers (B,), and returns a value for each row. A
        module is copied, and its parameters are learned. Losses are divided by that of the best
        constant prediction, a function's by that of the mean or the class frequencies.
    output_activation : str, or dict name -> str, default=None
        What predictions of numbers pass through: "identity", "exp" or "softplus" (positive),
        "sigmoid" (between 0 and 1). None is what the loss asks for: "exp" for "poisson", else
        "identity".
    class_weight : "balanced", dict class -> float, or dict name -> one of these, default=None
        What multiplies the weights of the labels of each class, 1 for classes left out. "balanced"
        gives every class of a task the same sum: n / (K n_k) for class k, counted in the first
        call. Of tasks that a dict leaves out classes count alike.
    label_smoothing : float in [0, 1), or dict name -> float, default=0.0
        Share of each label that is spread evenly over the task's classes.
    task_weight : None, "n_samples", dict name -> float or array-like of shape (T,), default=None
        λ_t. None is 1 for each task, "n_samples" is n_t / mean(n): each label counts the same.
        Tasks that a dict leaves out have 1.
    task_kinds : dict name -> {"regression", "classification"}, default=None
        Overrides the kind inferred from labels: floats are regression; booleans, integers, strings
        and categories are classification.
    task_feature : str or int, default=None
        Name or number of the column of X that says which task a row belongs to (long form).
    task_sampling : {"proportional", "uniform", "temperature"} or float, default="proportional"
        How often each task is drawn where every row has one task: "proportional" takes each row
        once an epoch, "uniform" as many rows of each task, "temperature" in between: task t with
        probability proportional to n_t ** (1 / 2), a float τ to n_t ** (1 / τ). The objective stays
        what it is: labels drawn more often count less each.
    input_scaling : {"standard", "smooth_clip"} or None, default="smooth_clip"
        "standard" centres and scales X by the mean and standard deviation of the training rows,
        inside the network: of each column, or of each channel of X (n, channels, ...). Of a
        Dataset, which is read once for them, they are those of all items, held-out ones included.
        "smooth_clip" then bends values z to z / sqrt(1 + (z / 3)²), so that outliers stay within
        three standard deviations. None leaves X as it is, as a `module` that reads tokens needs.
    target_scaling : {"standard"} or None, default="standard"
        "standard" trains on regression labels with mean 0 and standard deviation 1, each task by
        its own; where an activation bounds predictions, on labels divided by their mean ("exp",
        "softplus") or as they are ("sigmoid"). None leaves labels and their losses as they are.
        Predictions are in the units of y.
    optimizer : {"adamw", "adam", "sgd"}, torch.optim.Optimizer class or callable, default="adamw"
    lr : float, default=2e-3
        Learning rate.
    lr_schedule : {"constant", "cosine"} or callable (epoch, max_epochs) -> factor, default="cosine"
        What the rate is multiplied by in each epoch; "cosine" goes from 1 to 0.
    weight_decay : float, default=1e-2
        Decoupled from the gradient for "adamw".
    module_lr : float, default=None
        Learning rate of the sharing scheme (trunks, gates, units), where the heads and all else
        have `lr`. None is `lr`. `lr_schedule` multiplies both.
    module_weight_decay : float, default=None
        Weight decay of the sharing scheme, where the heads have `weight_decay`. None is
        `weight_decay`.
    freeze_epochs : int, default=0
        For so many first epochs of the network's life, over all calls, the sharing scheme is left
        as it is, statistics of BatchNorm too, and the heads alone learn. Epochs of early stopping's
        `patience` are counted from there.
    batch_size : int or "auto", default="auto"
        Most rows in a step. "auto" is a power of 2 near n / 50, at least 32 and at most 256.
    accumulation_steps : int, default=1
        Batches whose gradients are averaged for one step.
    max_grad_norm : float, default=None
        Longest gradient of a step, of each network its own; a longer one is shortened to it.
    max_epochs : int or "auto", default="auto"
        "auto" is 100 where rows are held out to stop early; else as many as make 400 steps, and at
        least 20.
    early_stopping : bool or "auto", default="auto"
        Hold out `validation_fraction` of the training rows, stop when their loss has not improved
        for `patience` epochs, and restore the best weights. "auto" does so from 700 labelled rows.
    validation_fraction : float in (0, 1), default=0.1
    patience : int, default=20
    tol : float, default=1e-4
        Relative fall of the validation loss that counts as improvement.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the last fit's weights. The network and the tasks must be the
        same.
    n_estimators : int or "auto", default="auto"
        Networks, each with its own random start, trained side by side in batched matrix products
        (one after another where they run a `module` or a loss of the caller's own). They see the
        same batches, and weights that `balancing` learns serve all. Predictions are their average,
        class probabilities too. "auto" is 4 for up to 10,000 rows, and 1 beyond, with `module` and
        with `compile`.
    gradient_cosines : bool, default=False
        Whether ``history_`` records the cosines between the tasks' gradients in each epoch.
    task_affinity_every : int, default=None
        Record in ``history_["task_affinity"]``, for each epoch, how much a step for one task
        lowers the losses of the others, by every so many steps; see :func:`task_affinity`.
    callbacks : list of skorch callbacks, default=None
        Where no rows are held out they can read "train_loss", not "valid_loss"; an LRScheduler
        needs ``lr_schedule="constant"``. For scikit-learn's own callbacks use ``set_callbacks``.
    net_params : dict, default=None
        Further parameters of ``skorch.NeuralNet``, such as ``{"torch_load_kwargs": {}}``.
    num_workers : int, default=0
        Processes that read a torch Dataset given in place of X; 0 reads it in this one.
    precision : {"32", "bf16", "16"}, default="32"
        Mixed precision: "bf16" and "16" train with matrix products (of several networks: with all
        layers) in 16 bits, and keep weights and predict in float32; "32" computes in `dtype` alone.
    compile : bool, default=False
        Whether torch.compile translates the network; the first epoch then takes long. Not for
        several networks.
    device : str, default="cpu"
        "cpu", "cuda", "cuda:1", "mps", or "auto" for the fastest that is present.
    dtype : {"float32", "float64"}, default="float32"
        Precision of training.
    random_state : int, RandomState, Generator or None, default=None
        Decides initial weights, order of rows, dropout and the held-out part. With an int two fits
        on the CPU are equal bit by bit. None draws fresh entropy; no global state is touched.
    verbose : int, default=0
        1 prints the losses of each epoch.

    Attributes
    ----------
    layout_ : TaskLayout
        The tasks, and the containers they came in.
    task_names_ : list
    classes_ : ndarray of shape (n_classes,), or list
        Classes of the one task; for several tasks a list with an array for each classification
        task and None for each regression task. In long form the union over tasks.
    net_ : skorch.NeuralNet
        The fitted net. It is built again when an unpickled estimator first needs it.
    history_ : dict
        "train" and "validation": dict name -> ndarray (n_epochs,), the mean loss of each task, on
        a scale on which 1 is no better than predicting the mean or the class frequencies;
        "train_loss" and "validation_loss": the objective; "weight": dict name -> ndarray, what
        balancing multiplied each task's loss by, λ_t included; "lr" and "seconds"; "module_lr"
        where it differs from "lr".
    n_iter_ : int
        Epochs run.
    best_epoch_ : int
        The epoch whose weights were restored; only where rows were held out.
    target_mean_, target_scale_ : ndarray of shape (T,)
    n_features_in_ : int
        Columns of X, or channels of X (n, channels, ...).
    feature_names_in_ : ndarray of str
        Only where X has column names.

    Notes
    -----
    The loss of a batch is an unbiased estimate of the objective, whatever labels are missing: a
    task's labels are divided by its number of observed labels in all training rows, not in the
    batch. Rows without any label are left out. Heads start at zero weights and the base rates.

    See Also
    --------
    MultiTaskRegressor : Every task is regression.
    MultiTaskClassifier : Every task is classification.
    IndependentTasks : One model for each task, to compare with.

    References
    ----------
    Caruana, "Multitask Learning", Machine Learning 28, 1997.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_mtl import MultiTaskEstimator
    >>> X, progression = load_diabetes(return_X_y=True)
    >>> severe = np.where(progression > 140, "yes", "no")
    >>> y = {"progression": progression, "severe": severe}
    >>> model = MultiTaskEstimator(random_state=0).fit(X, y)
    >>> [(task.name, task.kind) for task in model.layout_.tasks]
    [('progression', 'regression'), ('severe', 'binary')]
    >>> model.predict(X[:2])["severe"]
    array(['yes', 'no'], dtype='<U3')
    """

    _family = "mixed"

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseMultiTaskNetwork._parameter_constraints,
        **NUMBER_CONSTRAINTS,
        **CLASS_CONSTRAINTS,
        "task_kinds": [None, dict],
    }

    def __init__(
        self,
        *,
        hidden_layer_sizes: Any = (128, 128),
        activation: Any = "relu",
        dropout: Any = 0.2,
        input_dropout: Any = 0.2,
        numeric_embedding: Any = "auto",
        module: Any = None,
        module_params: Any = None,
        sharing: Any = "hard",
        balancing: Any = "equal",
        loss: Any = None,
        output_activation: Any = None,
        class_weight: Any = None,
        label_smoothing: Any = 0.0,
        task_weight: Any = None,
        task_kinds: Any = None,
        task_feature: Any = None,
        task_sampling: Any = "proportional",
        input_scaling: Any = "smooth_clip",
        target_scaling: Any = "standard",
        optimizer: Any = "adamw",
        lr: Any = 2e-3,
        lr_schedule: Any = "cosine",
        weight_decay: Any = 1e-2,
        module_lr: Any = None,
        module_weight_decay: Any = None,
        freeze_epochs: Any = 0,
        batch_size: Any = "auto",
        accumulation_steps: Any = 1,
        max_grad_norm: Any = None,
        max_epochs: Any = "auto",
        early_stopping: Any = "auto",
        validation_fraction: Any = 0.1,
        patience: Any = 20,
        tol: Any = 1e-4,
        warm_start: Any = False,
        n_estimators: Any = "auto",
        gradient_cosines: Any = False,
        task_affinity_every: Any = None,
        callbacks: Any = None,
        net_params: Any = None,
        num_workers: Any = 0,
        precision: Any = "32",
        compile: Any = False,
        device: Any = "cpu",
        dtype: Any = "float32",
        random_state: Any = None,
        verbose: Any = 0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.input_dropout = input_dropout
        self.numeric_embedding = numeric_embedding
        self.module = module
        self.module_params = module_params
        self.sharing = sharing
        self.balancing = balancing
        self.loss = loss
        self.output_activation = output_activation
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.task_weight = task_weight
        self.task_kinds = task_kinds
        self.task_feature = task_feature
        self.task_sampling = task_sampling
        self.input_scaling = input_scaling
        self.target_scaling = target_scaling
        self.optimizer = optimizer
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.weight_decay = weight_decay
        self.module_lr = module_lr
        self.module_weight_decay = module_weight_decay
        self.freeze_epochs = freeze_epochs
        self.batch_size = batch_size
        self.accumulation_steps = accumulation_steps
        self.max_grad_norm = max_grad_norm
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.tol = tol
        self.warm_start = warm_start
        self.n_estimators = n_estimators
        self.gradient_cosines = gradient_cosines
        self.task_affinity_every = task_affinity_every
        self.callbacks = callbacks
        self.net_params = net_params
        self.num_workers = num_workers
        self.precision = precision
        self.compile = compile
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predict every task.

        Parameters
        ----------
        X : array-like of shape (n, p), dict name -> array-like of shape (n_t, p), or Dataset
            As in ``fit``; the items of a Dataset may be x alone.
        return_std : bool, default=False
            Whether to return the spread of the predictions over the members too; needs
            ``n_estimators`` of 2 or more.

        Returns
        -------
        y : the container that ``fit`` received
        std : the same container, only with ``return_std=True``
            Standard deviation over the members (of a sample: ddof 1), in the units of y; missing
            for classes.

        Raises
        ------
        ValueError
            ``return_std=True`` with ``n_estimators=1``.
        """
        return self._predict_with_std(X) if return_std else super().predict(X)

    @with_callbacks
    def partial_fit(
        self, X: Any, y: Any = None, classes: Any = None, sample_weight: Any = None
    ) -> Self:
        """Train for one epoch on these rows.

        Tasks, scales and base rates are those of the first call (or of ``fit``). No rows are held
        out, and the learning rate is `lr`.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``
        classes : ndarray, list over tasks of ndarray, or dict name -> ndarray, default=None
            Classes to expect beyond those in the first call's y.

        Returns
        -------
        self
        """
        self._partial_fit(X, y, sample_weight, classes)
        return self

    @available_if(has_classes)
    def predict_proba(self, X: Any) -> Any:
        """Return class probabilities.

        Parameters
        ----------
        X : as in ``predict``

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes) for one task, a list of them over the
            columns of an array, or a dict name -> ndarray for named tasks. In long form the
            columns are those of ``classes_``. Regression tasks are left out of a dict, and are None
            in a list.
        """
        return self._predict_proba(X)

    @property
    def classes_(self) -> Any:
        """Classes of each task."""
        self._fitted("classes_")
        return self.layout_.classes
