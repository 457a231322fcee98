from typing import Any, Self

from sklearn.base import RegressorMixin
from sklearn.callback import with_callbacks
from sklearn.utils._param_validation import StrOptions

from sklearn_mtl.neural_network._base import BaseMultiTaskNetwork


class MultiTaskRegressor(RegressorMixin, BaseMultiTaskNetwork):
    """Network that predicts several numbers.

    Minimises, over the network's weights,

        sum_t  λ_t / n_t  sum_{i: t observed in i}  w_ti loss_t(f_t(x_i), y_ti)  +  weight decay,

    with f_t a linear head on a trunk that all tasks share. loss_t is the squared error in units
    of the task's variance. Labels may be missing, tasks may have rows of their own, and
    predictions come back in the container of y.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(128, 128)
        Width of each layer of the shared trunk.
    activation : {"relu", "silu", "gelu", "tanh", "elu", "identity"}, default="relu"
    dropout : float in [0, 1), default=0.2
        Share of each hidden layer's units that a training step leaves out.
    sharing : {"hard"}, default="hard"
        Which part of the network tasks have in common: "hard" is one trunk for all.
    balancing : {"equal"}, default="equal"
        How the losses of the tasks become one step: "equal" minimises the objective above.
    task_weight : None, "n_samples", dict name -> float or array-like of shape (T,), default=None
        λ_t. None is 1 for each task, "n_samples" is n_t / mean(n): each label counts the same.
        Tasks that a dict leaves out have 1.
    task_feature : str or int, default=None
        Name or number of the column of X that says which task a row belongs to (long form).
    input_scaling : {"standard"} or None, default="standard"
        "standard" centres and scales X by the mean and standard deviation of the training rows,
        inside the network.
    target_scaling : {"standard"} or None, default="standard"
        "standard" trains on regression labels with mean 0 and standard deviation 1, each task by
        its own; predictions are in the units of y.
    optimizer : {"adamw", "adam", "sgd"}, torch.optim.Optimizer class or callable, default="adamw"
    lr : float, default=1e-3
        Learning rate.
    lr_schedule : {"constant", "cosine"} or callable (epoch, max_epochs) -> factor, default="cosine"
        What the rate is multiplied by in each epoch; "cosine" goes from 1 to 0.
    weight_decay : float, default=1e-2
        Decoupled from the gradient for "adamw".
    batch_size : int or "auto", default="auto"
        Most rows in a step. "auto" is a power of 2 near n / 50, at least 32 and at most 256.
    max_epochs : int, default=100
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
    callbacks : list of skorch callbacks, default=None
        Where no rows are held out they can read "train_loss", not "valid_loss"; an LRScheduler
        needs ``lr_schedule="constant"``. For scikit-learn's own callbacks use ``set_callbacks``.
    net_params : dict, default=None
        Further parameters of ``skorch.NeuralNet``, such as ``{"compile": True}``.
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
    net_ : skorch.NeuralNet
        The fitted net. It is built again when an unpickled estimator first needs it.
    history_ : dict
        "train" and "validation": dict name -> ndarray (n_epochs,), the mean loss of each task, on
        a scale on which 1 is no better than predicting the mean or the class frequencies;
        "train_loss" and "validation_loss": the objective; "lr" and "seconds".
    n_iter_ : int
        Epochs run.
    best_epoch_ : int
        The epoch whose weights were restored; only where rows were held out.
    target_mean_, target_scale_ : ndarray of shape (T,)
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where X has column names.

    Notes
    -----
    The loss of a batch is an unbiased estimate of the objective, whatever labels are missing: a
    task's labels are divided by its number of observed labels in all training rows, not in the
    batch. Rows without any label are left out. Heads start at zero weights and the base rates.

    See Also
    --------
    MultiTaskClassifier : Every task is classification.
    MultiTaskEstimator : Regression and classification tasks together.
    IndependentTasks : One model for each task, to compare with.

    References
    ----------
    Caruana, "Multitask Learning", Machine Learning 28, 1997.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import MultiTaskRegressor
    >>> X, y = load_linnerud(return_X_y=True, as_frame=True)
    >>> y = y.astype(float)
    >>> y.loc[:4, "Weight"] = np.nan  # nobody weighed the first five
    >>> model = MultiTaskRegressor(max_epochs=5, random_state=0).fit(X, y)
    >>> predicted = model.predict(X)
    >>> list(predicted.columns), predicted.shape
    (['Weight', 'Waist', 'Pulse'], (20, 3))
    >>> list(model.history_["train"])
    ['Weight', 'Waist', 'Pulse']
    """

    _family = "regression"

    # RegressorMixin knows neither names nor missing labels
    score = BaseMultiTaskNetwork.score

    _parameter_constraints: dict[str, list[Any]] = {
        **BaseMultiTaskNetwork._parameter_constraints,
        "target_scaling": [StrOptions({"standard"}), None],
    }

    def __init__(
        self,
        *,
        hidden_layer_sizes: Any = (128, 128),
        activation: Any = "relu",
        dropout: Any = 0.2,
        sharing: Any = "hard",
        balancing: Any = "equal",
        task_weight: Any = None,
        task_feature: Any = None,
        input_scaling: Any = "standard",
        target_scaling: Any = "standard",
        optimizer: Any = "adamw",
        lr: Any = 1e-3,
        lr_schedule: Any = "cosine",
        weight_decay: Any = 1e-2,
        batch_size: Any = "auto",
        max_epochs: Any = 100,
        early_stopping: Any = "auto",
        validation_fraction: Any = 0.1,
        patience: Any = 20,
        tol: Any = 1e-4,
        warm_start: Any = False,
        callbacks: Any = None,
        net_params: Any = None,
        device: Any = "cpu",
        dtype: Any = "float32",
        random_state: Any = None,
        verbose: Any = 0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.sharing = sharing
        self.balancing = balancing
        self.task_weight = task_weight
        self.task_feature = task_feature
        self.input_scaling = input_scaling
        self.target_scaling = target_scaling
        self.optimizer = optimizer
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.tol = tol
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.net_params = net_params
        self.device = device
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    @with_callbacks
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch on these rows.

        Tasks, scales and base rates are those of the first call (or of ``fit``). No rows are held
        out, and the learning rate is `lr`.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        self
        """
        self._partial_fit(X, y, sample_weight)
        return self
