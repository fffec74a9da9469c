"""The pictures of a report, as PNG: transparent, so that they stand on a light page as well as on a dark one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

INK, FAINT = "#1f2933", "#c5ccd6"
BLUE, ORANGE = "#2f6fde", "#e07b1f"
SIZE, DOTS_PER_INCH = (5.6, 3.1), 160


def bars(
    names: Sequence[str], values: Sequence[float], label: str, *, digits: int = 3, best: int | None = None
) -> bytes:
    """Horizontal bars with their values, the first on top; `best` is drawn in another colour."""
    figure, axes = _figure(grid=False)
    colours = [ORANGE if place == best else BLUE for place in range(len(values))]
    drawn = axes.barh(range(len(values)), values, color=colours, height=0.62)
    axes.bar_label(drawn, [f"{value:.{digits}f}" for value in values], padding=4, color=INK, fontsize=8.5)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel(label)
    axes.set_xticks([])
    axes.margins(x=0.14)
    axes.spines["bottom"].set_visible(False)
    return _png(figure)


def histogram(values: Any, threshold: float, label: str) -> bytes:
    """How values are spread, those above the threshold in another colour."""
    figure, axes = _figure(grid=True)
    edges = np.histogram_bin_edges(values, 32)
    axes.hist(values[values <= threshold], edges, color=BLUE)
    axes.hist(values[values > threshold], edges, color=ORANGE)
    axes.axvline(threshold, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate(
        "threshold", (threshold, 1), (5, -3), xycoords=("data", "axes fraction"), textcoords="offset points",
        va="top", color=INK, fontsize=8.5,
    )  # fmt: skip
    axes.set_xlabel(label)
    axes.set_ylabel("rows")
    axes.yaxis.get_major_locator().set_params(integer=True)
    return _png(figure)


def confusion(truth: Any, prediction: Any, labels: Sequence[str]) -> bytes:
    """How often each class was taken for which."""
    figure, axes = _figure(grid=False)
    place = {label: number for number, label in enumerate(labels)}
    counts: Any = np.zeros((len(labels), len(labels)), int)
    np.add.at(counts, ([place[each] for each in truth], [place[each] for each in prediction]), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(np.ma.masked_equal(shares, 0), cmap="Blues", vmin=-0.15, vmax=1.15, aspect="auto")
    for row, column in np.argwhere(counts):
        colour = "white" if shares[row, column] > 0.55 else INK
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour, fontsize=8.5)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    return _png(figure)


def _figure(grid: bool) -> tuple[Figure, Any]:
    figure = Figure(SIZE, DOTS_PER_INCH, layout="constrained")
    axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.tick_params(length=0, colors=INK, labelsize=8.5)
    axes.xaxis.label.set(color=INK, size=9)
    axes.yaxis.label.set(color=INK, size=9)
    if grid:
        axes.grid(axis="y", color=FAINT, linewidth=0.6, alpha=0.7)
        axes.set_axisbelow(True)
    return figure, axes


def _png(figure: Figure) -> bytes:
    sink = io.BytesIO()
    figure.savefig(sink, format="png", transparent=True)
    return sink.getvalue()
