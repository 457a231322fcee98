"""Plain, slow references of the sharing schemes: loops over tasks, experts, stages and rows."""

import torch


def mlp(trunk, copy, x):
    """Return what one copy of a stacked MLP with tanh layers gives, layer by layer."""
    for stage in trunk.stages:
        linear = stage[0]
        x = torch.tanh(x @ linear.weight[copy] + linear.bias[copy, 0])
    return x


def separate(module, x):
    return torch.stack([mlp(module.trunks, t, x) for t in range(module.n_tasks)])


def cross_stitch(module, x):
    n_tasks = module.n_tasks
    values = [x] * n_tasks
    for stage, unit in zip(module.stages, module.units, strict=True):
        linear = stage[0]
        after = [
            torch.tanh(values[t] @ linear.weight[t] + linear.bias[t, 0]) for t in range(n_tasks)
        ]
        values = [sum(unit[t, s] * after[s] for s in range(n_tasks)) for t in range(n_tasks)]
    return torch.stack(values)


def gated(weight, x, experts):
    """Return the mixture of the experts, row by row, under one gate (E, p)."""
    rows = []
    for i, row in enumerate(x):
        scores = torch.exp(weight @ row)
        rows.append(
            sum(
                share * expert[i]
                for share, expert in zip(scores / scores.sum(), experts, strict=True)
            )
        )
    return torch.stack(rows)


def mmoe(module, x):
    experts = [mlp(module.experts, e, x) for e in range(len(module.gates.weight[0]))]
    return torch.stack([gated(gate, x, experts) for gate in module.gates.weight])


def ple(module, x):
    n_tasks = module.levels[0].n_tasks
    own, common = [x] * n_tasks, x
    for level in module.levels:
        each = level.n_specific
        n_shared = level.gates.weight.shape[1] - each
        shared = [mlp(level.shared, e, common) for e in range(n_shared)]
        specific = [
            [mlp(level.specific, t * each + e, own[t]) for e in range(each)] for t in range(n_tasks)
        ]
        mixtures = [
            gated(level.gates.weight[t], own[t], specific[t] + shared) for t in range(n_tasks)
        ]
        if level.shared_gate is not None:
            everything = [expert for experts in specific for expert in experts] + shared
            common = gated(level.shared_gate.weight[0], common, everything)
        own = mixtures
    return torch.stack(own)


def soft_predictions(heads, task, values):
    """Return the prediction of one task from its representation (B, h), shape (B, K)."""
    columns = list(heads.columns[task])
    kind = next(group.kind for group in heads.groups if task in group.tasks)
    outputs = values @ heads.weight[columns].T + heads.bias[columns]
    if kind == "binary":
        return 1 / (1 + torch.exp(-outputs))
    if kind == "multiclass":
        return torch.exp(outputs) / torch.exp(outputs).sum(1, keepdim=True)
    return outputs


def cascade(module, x, heads, parents, reads):
    shared = module.trunk(x)
    place = {
        t: (towers, i)
        for step, towers in zip(module.steps, module.towers, strict=True)
        for i, t in enumerate(step)
    }
    values, remaining = {}, list(range(len(parents)))
    while remaining:
        task = next(t for t in remaining if all(s in values for s in parents[t]))
        remaining.remove(task)
        if task not in place:
            values[task] = shared
            continue
        towers, i = place[task]
        told = [
            values[s] if reads == "representation" else soft_predictions(heads, s, values[s])
            for s in parents[task]
        ]
        inputs = torch.cat([shared, *told], dim=1)
        inner = towers.inner[i][:, : inputs.shape[1]]
        hidden = torch.tanh(inputs @ inner.T + towers.bias[i, :, 0])
        values[task] = shared + hidden @ towers.outer[i]
    return torch.stack([values[t] for t in range(len(parents))])
