"""Slow, obvious solvers that tests compare with."""

import numpy as np
import torch
from torch import nn


def task_loss(kind, outputs, labels):
    """Return the loss of each row of one task, from its definition.

    Parameters
    ----------
    kind : {"regression", "binary", "multiclass"}
    outputs : Tensor of shape (n,), or (n, K) for "multiclass"
    labels : Tensor of shape (n,)
    """
    if kind == "regression":
        return (outputs - labels) ** 2
    if kind == "binary":
        probability = 1 / (1 + torch.exp(-outputs))
        return -torch.where(labels == 1, probability, 1 - probability).log()
    share = outputs.exp() / outputs.exp().sum(dim=1, keepdim=True)
    rows = torch.arange(len(labels))
    return -share[rows, labels.long()].log()


def mean_task_losses(kinds, outputs, labels, observed, weights=None, units=None):
    """Return each task's weighted mean loss over its observed rows: a loop over tasks.

    Parameters
    ----------
    kinds : list of T kinds
    outputs : list of T Tensors (n,) or (n, K)
    labels, observed, weights : ndarray of shape (n, T)
    units : sequence of T floats
        What each task's loss is divided by.
    """
    result = []
    for t, kind in enumerate(kinds):
        rows = np.flatnonzero(observed[:, t])
        truth = torch.as_tensor(labels[rows, t])
        element = task_loss(kind, outputs[t][rows], truth.to(outputs[t].dtype))
        mass = np.ones(len(rows)) if weights is None else weights[rows, t]
        mass = torch.as_tensor(mass, dtype=element.dtype)
        mean = (mass * element).sum() / mass.sum()
        result.append(mean if units is None else mean / units[t])
    return torch.stack(result)


def train_plain_network(X, y, hidden_weights, *, epochs, lr, schedule, make_optimizer):
    """Train one regression network on one task by full batches, and predict X.

    Standardised X and y, hidden layers of tanh with biases at zero, a head of zeros.

    Parameters
    ----------
    X, y : ndarray of shape (n, p), (n,)
    hidden_weights : list of ndarray (width, width before)
    schedule : callable (epoch, epochs) -> factor
    make_optimizer : callable (parameters, lr=) -> torch.optim.Optimizer
    """
    layers = []
    for weight in hidden_weights:
        linear = nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64)
        linear.weight.data = torch.tensor(weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.Tanh()]
    width = hidden_weights[-1].shape[0] if hidden_weights else X.shape[1]
    head = nn.Linear(width, 1, dtype=torch.float64)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    network = nn.Sequential(*layers, head)
    inputs = torch.tensor((X - X.mean(axis=0)) / X.std(axis=0))
    target = torch.tensor((y - y.mean()) / y.std())
    optimizer = make_optimizer(network.parameters(), lr=lr)
    for epoch in range(epochs):
        optimizer.param_groups[0]["lr"] = lr * schedule(epoch, epochs)
        optimizer.zero_grad()
        ((network(inputs)[:, 0] - target) ** 2).mean().backward()
        optimizer.step()
    with torch.no_grad():
        return network(inputs)[:, 0].numpy() * y.std() + y.mean()
