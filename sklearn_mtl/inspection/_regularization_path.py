from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from sklearn_mtl.inspection._matplotlib import require_matplotlib
from sklearn_mtl.inspection._palette import GREY, SEQUENTIAL, VERMILION, category_color
from sklearn_mtl.inspection._panels import axes_grid, is_laid_out
from sklearn_mtl.inspection._searched_strengths import (
    MSE,
    check_shapes,
    read_search,
    standard_errors,
)
from sklearn_mtl.inspection._task_labels import CHARACTER, POINTS, AxisNames, label_axes

MOST_CURVES = 3  # values of the shorter axis that are curves; of more, both make a heat map
MARKERS = ("o", "s", "D")
LEGEND_SIZE, KEY = 8.0, 5.0  # points, and the room of a line with space around in font sizes


class RegularizationPathDisplay:
    """Errors on held-out rows along strengths of penalties, and the strength chosen.

    One strength: the mean over splits, with one standard error up and down, and each split as a
    thin line. Two: a heat map of means; of up to three values of one of them, a curve for each.

    It is recommended to use `from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    strengths : list of one or two array-likes, of shapes (n_1,) and (n_2,)
        The second of shape (n_1, n_2) where it differs with the first.
    results : array-like of shape (n_1, n_splits) or (n_1, n_2, n_splits)
        Errors or scores.
    chosen : sequence of one or two floats
    names : sequence of one or two str, default=('alpha',)
        Of the strengths.
    measure : str, default="Mean squared error on held-out rows"
        What `results` are.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        Means, one for each curve; empty where there is a heat map.
    bands_ : list of matplotlib PolyCollection
        Standard errors.
    chosen_ : matplotlib Line2D
        Where the strength chosen is.
    image_ : matplotlib AxesImage or None
    colorbar_ : matplotlib Colorbar or None
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Raises
    ------
    ValueError
        Shapes that do not fit.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_linnerud
    >>> from sklearn_mtl import LowRankRegressorCV, RegularizationPathDisplay
    >>> X, y = load_linnerud(return_X_y=True)
    >>> RegularizationPathDisplay.from_estimator(LowRankRegressorCV(alphas=20).fit(X, y))
    <...>
    >>> plt.show()
    """

    def __init__(
        self,
        strengths: Sequence[Any],
        results: Any,
        *,
        chosen: Sequence[float],
        names: Sequence[str] = ("alpha",),
        measure: str = MSE,
    ) -> None:
        self.strengths = strengths
        self.results = results
        self.chosen = chosen
        self.names = names
        self.measure = measure

    def plot(self, ax: Any = None) -> Self:
        """Draw the path, or the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        self : RegularizationPathDisplay
        """
        require_matplotlib("RegularizationPathDisplay.plot")
        strengths = [np.asarray(values, dtype=np.float64) for values in self.strengths]
        results = np.asarray(self.results, dtype=np.float64)
        chosen, names = list(self.chosen), list(self.names)
        check_shapes(strengths, results, chosen)
        if len(names) != len(strengths):
            raise ValueError(f"names has {len(names)} words for {len(strengths)} strengths.")
        self.figure_, grid = axes_grid(1, ax, panel_size=(6.4, 4.4))
        self.ax_ = grid[0, 0]
        self.lines_: list[Any] = []
        self.bands_: list[Any] = []
        self.image_ = self.colorbar_ = None
        if results.ndim == 2:
            self._draw_curves(strengths, results[None], chosen, names)
        elif strengths[1].ndim == 2 or len(strengths[0]) <= MOST_CURVES:
            self._draw_curves(strengths, results, chosen, names)
        elif len(strengths[1]) <= MOST_CURVES:
            self._draw_curves(
                strengths[::-1], np.swapaxes(results, 0, 1), chosen[::-1], names[::-1]
            )
        else:
            self._draw_map(strengths, results, chosen, names)
        return self

    def _draw_curves(
        self,
        strengths: list[np.ndarray],
        results: np.ndarray,
        chosen: list[float],
        names: list[str],
    ) -> None:
        """Draw a curve for each value of the first strength, or the one curve of one strength."""
        ax, several = self.ax_, len(strengths) > 1
        along = np.broadcast_to(strengths[-1], results.shape[:2])
        self.chosen_ = ax.axvline(
            chosen[-1], color=VERMILION, linestyle="--", label=f"chosen: {_shown(names, chosen)}"
        )
        for place, (values, of_splits) in enumerate(zip(along, results, strict=True)):
            order = np.argsort(values)
            values, of_splits = values[order], of_splits[order]
            color = category_color(place)
            mean, error = of_splits.mean(axis=1), standard_errors(of_splits)
            label = f"{names[0]} = {strengths[0][place]:.3g}" if several else "mean of splits"
            if not several:
                ax.plot(values, of_splits, color=GREY, linewidth=0.6, alpha=0.6)
            self.bands_.append(
                ax.fill_between(values, mean - error, mean + error, color=color, alpha=0.2, lw=0)
            )
            self.lines_ += ax.plot(
                values,
                mean,
                color=color,
                marker=MARKERS[place % len(MARKERS)],
                markersize=3,
                label=label,
            )
        _scale_x(ax, along)
        ax.set_xlabel(names[-1])
        ax.set_ylabel(self.measure)
        ax.spines[["top", "right"]].set_visible(False)
        _write_legend(ax)

    def _draw_map(
        self,
        strengths: list[np.ndarray],
        results: np.ndarray,
        chosen: list[float],
        names: list[str],
    ) -> None:
        """Draw the mean over splits as colours, weak strengths at the lower left."""
        ax = self.ax_
        orders = [np.argsort(values) for values in strengths]
        first, second = (v[order] for v, order in zip(strengths, orders, strict=True))
        means = results.mean(axis=2)[np.ix_(*orders)]
        # ranks of errors are spread evenly: a few bad corners must not hide the valley
        from matplotlib.colors import BoundaryNorm

        edges = np.unique(np.quantile(means[np.isfinite(means)], np.linspace(0, 1, 13)))
        norm = BoundaryNorm(edges, 256) if len(edges) > 2 else None
        self.image_ = ax.imshow(
            np.ma.masked_invalid(means),
            cmap=SEQUENTIAL,
            norm=norm,
            origin="lower",
            aspect="auto",
            interpolation="nearest",
        )
        colorbar = self.figure_.colorbar(self.image_, ax=ax, label=self.measure, format="%.3g")
        self.colorbar_ = colorbar
        row = int(np.argmin(np.abs(first - chosen[0])))
        column = int(np.argmin(np.abs(second - chosen[1])))
        (self.chosen_,) = ax.plot(
            column,
            row,
            marker="*",
            markersize=14,
            color="white",
            markeredgecolor="black",
            linestyle="none",
            label=f"chosen: {_shown(names, chosen)}",
        )
        _write_legend(ax)
        ax.tick_params(length=0)
        words = [[f"{value:.2g}" for value in values] for values in (first, second)]
        label_axes(
            [
                AxisNames(ax.yaxis, words[0], title=names[0]),
                AxisNames(ax.xaxis, words[1], title=names[1]),
            ],
            [[ax, colorbar.ax]],
        )

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> Self:
        """Show the search of a fitted estimator that chooses its strengths.

        Parameters
        ----------
        estimator : fitted estimator
            With ``mse_path_``: the ``...CV`` regressors of this package, and scikit-learn's
            `MultiTaskLassoCV` and its like. A `GridSearchCV` over one or two numbers, whose scores
            are shown. Also a pipeline that ends with one.
        ax : matplotlib Axes, default=None

        Returns
        -------
        display : RegularizationPathDisplay

        Raises
        ------
        NotFittedError
            Before ``fit``.
        TypeError
            An estimator that has not searched.
        ValueError
            A search over words, or over more than two numbers.
        """
        require_matplotlib("RegularizationPathDisplay.from_estimator")
        found = read_search(estimator, cls.__name__)
        return cls(
            found.strengths,
            found.results,
            chosen=found.chosen,
            names=found.names,
            measure=found.measure,
        ).plot(ax)


def _shown(names: Sequence[str], values: Sequence[float]) -> str:
    # a line each: side by side they would be wider than the axes
    return ",\n".join(f"{name} = {value:.3g}" for name, value in zip(names, values, strict=True))


def _write_legend(ax: Any) -> None:
    """Write a legend above the axes where a layout makes room, else inside."""
    if not is_laid_out(ax):
        ax.legend(loc="best", fontsize=LEGEND_SIZE)
        return
    _, words = ax.get_legend_handles_labels()
    longest = max(len(line) for word in words for line in word.split("\n"))
    width = (longest * CHARACTER + KEY) * LEGEND_SIZE
    room = ax.get_window_extent().width * POINTS / ax.figure.dpi
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=2 if 2 * width <= room else 1,
        frameon=False,
        fontsize=LEGEND_SIZE,
    )


def _scale_x(ax: Any, values: np.ndarray) -> None:
    """Make the axis logarithmic where strengths are apart by factors, with room for 0."""
    positive = values[values > 0]
    if not len(positive) or positive.max() < 10 * positive.min():
        return
    if (values <= 0).any():
        ax.set_xscale("symlog", linthresh=positive.min())
    else:
        ax.set_xscale("log")
