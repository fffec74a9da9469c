"""The sales as a picture."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from database import Sales
from kapelle import task

COLOURS = ("#2f6fde", "#e07b1f", "#3a9d6e", "#9a5fc7")


@task(retries=3, retry_on=OSError)
def draw(path: Path, sales: list[Sales]) -> Path:
    """Sales by day, in a colour for each country, as a PNG."""
    days = sorted({each.day for each in sales})
    amounts = {(each.day, each.country): each.cents / 100_000 for each in sales}
    figure = Figure((9, 4.2), 150, layout="constrained")
    axes = figure.add_subplot()
    bottom = [0.0] * len(days)
    for place, country in enumerate(sorted({each.country for each in sales})):
        heights = [amounts.get((day, country), 0.0) for day in days]
        axes.bar(days, heights, 0.62, bottom, label=country, color=COLOURS[place % len(COLOURS)])
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    axes.set_ylabel("sales, thousand euros")
    axes.legend(frameon=False, ncols=4, loc="lower left", bbox_to_anchor=(0, 1))
    axes.grid(axis="y", linewidth=0.5, alpha=0.5)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    if len(days) > 7:
        axes.tick_params(axis="x", rotation=60)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    figure.savefig(path)
    return path
