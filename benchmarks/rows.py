"""Rows: what was measured, how often, beside which floor, against which budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of the table.

    samples  one number for each repetition; the median counts
    floor    the same of the least that could do the job, taken in turn with the samples
    budget   the most that the median may be; None where DESIGN sets none
    """

    what: str
    unit: str
    samples: tuple[float, ...]
    floor: tuple[float, ...] = ()
    budget: float | None = None
    note: str = ""

    @property
    def measured(self) -> float | None:
        """The median, or None if it could not be measured."""
        return median(self.samples) if self.samples else None

    @property
    def floor_measured(self) -> float | None:
        """The median of the floor."""
        return median(self.floor) if self.floor else None

    @property
    def ratio(self) -> float | None:
        """How many times its floor it is."""
        measured, floor = self.measured, self.floor_measured
        return measured / floor if measured is not None and floor else None

    @property
    def met(self) -> bool | None:
        """Whether it keeps within the budget; None without one."""
        measured = self.measured
        return None if measured is None or self.budget is None else measured <= self.budget

    def as_json(self) -> dict[str, Any]:
        """The row for programs."""
        return {
            "what": self.what,
            "unit": self.unit,
            "measured": self.measured,
            "floor": self.floor_measured,
            "ratio": self.ratio,
            "budget": self.budget,
            "met": self.met,
            "samples": list(self.samples),
            "floor_samples": list(self.floor),
            "note": self.note,
        }


def row(
    what: str,
    unit: str,
    samples: Iterable[float],
    floor: Iterable[float] = (),
    *,
    budget: float | None = None,
    note: str = "",
) -> Row:
    """A row from any collections of numbers."""
    return Row(what, unit, tuple(samples), tuple(floor), budget, note)


def in_turn(times: int, *measures: Callable[[], Any]) -> list[list[Any]]:
    """Call the measures A B A B …, so that what disturbs the machine for a while disturbs all of them alike."""
    found: list[list[Any]] = [[] for _ in measures]
    for _ in range(times):
        for results, measure in zip(found, measures, strict=True):
            results.append(measure())
    return found


def at(samples: list[float], share: float) -> float:
    """The percentile of `share` (0.99 for the 99th)."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
