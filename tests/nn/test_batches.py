"""Batches cover each row once, differ by a row at most, and carry labels with their rows."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_mtl.nn._batches import RowBatches, as_input, make_rows
from sklearn_mtl.tasks._outputs import group_outputs
from sklearn_mtl.tasks._spec import TaskSpec

SPECS = [
    TaskSpec("a", "regression"),
    TaskSpec("b", "binary", np.arange(2)),
    TaskSpec("c", "regression"),
    TaskSpec("d", "multiclass", np.arange(3)),
]
GROUPS = group_outputs(SPECS)


def rows_of(n, *, tagged=False, missing=True, weighted=True, seed=0):
    rng = np.random.default_rng(seed)
    shape = (n,) if tagged else (n, 4)
    labels = 100.0 * np.arange(n).reshape(-1, *[1] * (len(shape) - 1)) + np.zeros(shape)
    observed = rng.random(shape) < 0.7 if missing else np.ones(shape, bool)
    weights = rng.uniform(0.5, 1.5, shape) if weighted else None
    tags = rng.integers(4, size=n) if tagged else None
    X = np.arange(n, dtype=float)[:, None]
    arrays = (labels, observed, weights, tags)
    made = make_rows(X, *arrays, GROUPS, 4, torch.nn.Identity(), torch.float64, torch.device("cpu"))
    return made, arrays


@settings(deadline=None, max_examples=60)
@given(n=st.integers(1, 60), batch_size=st.integers(1, 70), shuffle=st.booleans())
def test_each_row_is_in_one_batch_and_batches_differ_by_a_row_at_most(n, batch_size, shuffle):
    rows, _ = rows_of(n)
    batches = RowBatches(rows, batch_size, shuffle)
    with torch.random.fork_rng():
        found = [batch.X[:, 0].tolist() for batch in batches]
    sizes = [len(batch) for batch in found]
    assert sizes == batches.sizes
    assert len(batches) == len(found) == -(-n // batch_size)
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1
    together = np.concatenate(found).astype(int).tolist()
    assert sorted(together) == list(range(n))
    if not shuffle:
        assert together == list(range(n))


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("tagged", [False, True])
def test_labels_masks_weights_and_places_go_with_their_rows(tagged, shuffle):
    rows, (labels, observed, weights, tags) = rows_of(23, tagged=tagged)
    for batch in RowBatches(rows, 5, shuffle):
        numbers = batch.X[:, 0].long().numpy()
        for g, group in enumerate(GROUPS):
            if tagged:
                mine = np.isin(tags[numbers], group.tasks)
                seen = (observed[numbers] & mine)[:, None]
                truth, mass = labels[numbers][:, None], weights[numbers][:, None]
                place = batch.places[g].numpy()
                assert (group.tasks[place] == tags[numbers])[mine].all()
                assert (place[~mine] == 0).all()
            else:
                assert batch.places is None
                seen = observed[numbers][:, group.tasks]
                truth, mass = labels[numbers][:, group.tasks], weights[numbers][:, group.tasks]
            hidden = batch.hidden[g]
            assert np.array_equal(~hidden.numpy(), seen)
            assert np.array_equal(batch.labels[g].numpy()[seen], truth[seen])
            assert np.array_equal(batch.weights[g].numpy(), np.where(seen, mass, 0.0))
            assert batch.labels[g].dtype == (
                torch.int64 if group.kind == "multiclass" else torch.float64
            )


@pytest.mark.parametrize("tagged", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_scale_is_rows_by_the_sum_of_weights(tagged, weighted):
    rows, (_, observed, weights, tags) = rows_of(23, tagged=tagged, weighted=weighted)
    mass = observed if weights is None else observed * weights
    if tagged:
        total = np.array([mass[tags == t].sum() for t in range(4)])
    else:
        total = mass.sum(axis=0)
    assert rows.present.all()
    for group, scale in zip(GROUPS, rows.scale, strict=True):
        # sums of 23 numbers in another order
        np.testing.assert_allclose(scale.numpy(), 23 / total[group.tasks], rtol=1e-14)


def test_a_task_without_labels_is_not_present():
    labels, observed = np.zeros((5, 4)), np.ones((5, 4), bool)
    observed[:, 2] = False
    rows = make_rows(
        np.zeros((5, 1)), labels, observed, None, None, GROUPS, 4,
        torch.nn.Identity(), torch.float32, torch.device("cpu"),
    )  # fmt: skip
    assert rows.present.tolist() == [True, True, False, True]
    assert rows.scale[0].tolist() == [1.0, 0.0]


def test_complete_labels_need_no_mask_and_no_weights():
    rows, _ = rows_of(5, missing=False, weighted=False)
    assert rows.rows.hidden == [None] * 3
    assert rows.rows.weights == [None] * 3


def test_rows_that_must_not_be_written_are_copied():
    X = np.arange(6.0).reshape(3, 2)
    assert as_input(X, torch.device("cpu")).data_ptr() == X.ctypes.data
    X.flags.writeable = False
    copied = as_input(X, torch.device("cpu"))
    assert copied.data_ptr() != X.ctypes.data
    assert copied.dtype == torch.float64
