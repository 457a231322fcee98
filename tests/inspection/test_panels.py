import numpy as np
import pytest
from inspection._overlap import assert_legible, overlapping_texts, visible_texts
from matplotlib import pyplot

from sklearn_mtl.inspection._panels import axes_grid, has_panel_per_task, panels_of
from sklearn_mtl.inspection._task_labels import label_tasks, short_names, title_panels


def shown_names(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


@pytest.mark.parametrize("n_tasks", [1, 2, 14, 139])
@pytest.mark.parametrize("side", ["xaxis", "yaxis"])
def test_names_along_an_axis_never_overlap(n_tasks, side):
    figure, axes = axes_grid(1, panel_size=(6, 5))
    panel = axes.flat[0]
    panel.set(xlim=(-0.5, n_tasks - 0.5), ylim=(-0.5, n_tasks - 0.5))
    other = panel.yaxis if side == "xaxis" else panel.xaxis
    other.set_ticks([])
    names = [f"the school with number {t} of the county" for t in range(n_tasks)]
    shown = label_tasks(getattr(panel, side), names, title="school")
    assert_legible(figure)
    assert len(shown_names(getattr(panel, side))) == len(shown)
    assert (len(shown) == n_tasks) == (n_tasks < 100)


def test_an_axis_that_names_some_tasks_says_so():
    _, axes = axes_grid(1, panel_size=(6, 4))
    panel = axes.flat[0]
    panel.set_ylim(-0.5, 138.5)
    shown = label_tasks(panel.yaxis, [f"s{t}" for t in range(139)], title="task")
    assert panel.get_ylabel() == f"task ({len(shown)} of 139 named)"
    assert shown_names(panel.yaxis) == [f"s{t}" for t in shown]


def test_names_stand_where_they_are_put():
    _, axes = axes_grid(1)
    panel = axes.flat[0]
    panel.set_ylim(0, 10)
    label_tasks(panel.yaxis, ["low", "high"], [2.0, 8.0])
    assert list(panel.get_yticks()) == [2.0, 8.0]


def test_long_names_are_cut_in_the_middle():
    assert short_names(["short", "abcdefghijklmnop"], 9) == ["short", "abcd…mnop"]


def test_names_that_a_cut_would_make_alike_lose_what_they_share():
    names = [f"household number {t} in the north of the country" for t in range(3)]
    assert short_names(names, 12) == ["…0 in the n…", "…1 in the n…", "…2 in the n…"]


def test_names_are_shown_literally():
    figure, axes = axes_grid(2)
    title_panels(panels_of(axes), ["cost in $ and $", "_private"], ["", "n = 3"])
    words = [text for text, _ in visible_texts(figure)]
    assert r"cost in \$ and \$" in words
    assert "_private\nn = 3" in words


@pytest.mark.parametrize("n_panels", [1, 2, 5, 16])
def test_a_grid_has_as_many_panels_as_it_is_asked_for(n_panels):
    figure, axes = axes_grid(n_panels)
    assert len(panels_of(axes)) == len(figure.axes) == n_panels
    assert axes.shape[1] <= 4


def test_panels_take_the_place_of_an_axes():
    figure, (left, right) = pyplot.subplots(1, 2)
    found, axes = axes_grid(3, right)
    assert found is figure
    assert left.axison
    assert not right.axison
    place = right.get_position()
    for panel in panels_of(axes):
        assert place.x0 - 1e-9 <= panel.get_position().x0  # 1e-9: sums of widths round
        assert panel.get_position().x1 <= place.x1 + 1e-9
    with pytest.raises(ValueError, match=r"ax=display\.axes_"):
        axes_grid(3, right)


def test_panels_take_the_place_of_axes_outside_any_grid():
    figure = pyplot.figure()
    ax = figure.add_axes((0.5, 0.5, 0.4, 0.4))
    _, axes = axes_grid(2, ax)
    assert min(panel.get_position().x0 for panel in panels_of(axes)) >= 0.5 - 1e-9


def test_one_panel_is_the_axes_itself():
    _, ax = pyplot.subplots()
    assert axes_grid(1, ax)[1][0, 0] is ax


def test_given_axes_are_used_as_they_are():
    figure, given = pyplot.subplots(2, 2)
    found, axes = axes_grid(4, given)
    assert found is figure
    assert (axes == given).all()
    with pytest.raises(ValueError, match=r"ax holds 4 Axes, but 3 panel"):
        axes_grid(3, given)


@pytest.mark.parametrize("most", [-1, 2.5, "all"])
def test_a_number_of_panels_is_a_number(most):
    with pytest.raises(ValueError, match=r"'max_panels' parameter of Some\.plot .* got"):
        has_panel_per_task(3, most, "Some.plot")


def test_the_measure_of_overlap_sees_words_that_overlap():
    figure, ax = pyplot.subplots()
    ax.set(xticks=[0.0, 0.01], xticklabels=["first", "second"], xlim=(0, 1))
    assert ("first", "second") in overlapping_texts(figure)
    ax.set(xticks=[0.0, 0.5], xticklabels=["first", "second"])
    assert overlapping_texts(figure) == []


def test_the_measure_of_overlap_sees_words_outside_the_figure():
    figure, ax = pyplot.subplots()
    ax.set(yticks=[0.5], yticklabels=["a name that is longer than the margin beside the axes"])
    with pytest.raises(AssertionError, match="leaves the figure"):
        assert_legible(figure)


def test_the_measure_of_overlap_leaves_out_what_is_not_drawn():
    figure, ax = pyplot.subplots()
    ax.plot(np.arange(3))
    before = len(visible_texts(figure))
    ax.set_title("shown")
    assert len(visible_texts(figure)) == before + 1
    ax.set_axis_off()
    assert [text for text, _ in visible_texts(figure)] == ["shown"]
