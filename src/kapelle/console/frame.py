"""One picture of a run at work: header, tree, totals, as rows that fit a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kapelle.console.pace import Pace
from kapelle.console.rows import Row, Span, cells, clean, cut, pad, row, width
from kapelle.console.tree import Node, Shown, calls_in, lines_of, tree_of
from kapelle.console.words import WORD_CELLS, coarse, count, duration, look, rate, short_id
from kapelle.ports.progress import GroupProgress, Progress

ROWS_MAX = 60
ROWS_LEAST = 5
BARS = ((130, 20), (100, 16), (60, 8), (0, 0))
"""Columns of a terminal, and how long a bar is there: the same in every picture, so that nothing jumps."""
SEPARATOR = Span(" · ", "dim")
SOON_US = 500_000
BEHIND_BYTES = 8_000_000
MARKS = ("running", "retrying", "failed", "skipped", "cancelled", "reused", "cached", "replayed")


@dataclass(slots=True)
class View:
    """What a picture is made of beside the snapshot.

    room     width and height of the terminal
    over     the run has ended: nothing is at work any more
    resumed  the attempt goes on with what an earlier one began
    asked    why and with how much grace a cancel was asked for, as text, or ""
    """

    room: tuple[int, int]
    pace: Pace = field(default_factory=Pace)
    over: bool = False
    resumed: bool = False
    asked: str = ""


class Columns(NamedTuple):
    """The grid of a tree: cells for rails and names, for bars, for tallies, and for a row as a whole."""

    label: int
    bar: int
    tally: int
    room: int


def frame(progress: Progress, view: View) -> list[Row]:
    """The rows of the picture: at most 60, and never more than the terminal is high."""
    columns, lines = view.room
    budget = max(ROWS_LEAST, min(ROWS_MAX, lines - 1))
    foot = [*_notes(progress, view), *_totals(progress, view)]
    root = tree_of(calls_in(progress), progress.flow, over=view.over)
    shown = lines_of(root, max(1, budget - 1 - len(foot)))
    body = tree_rows(shown, columns, now_us=progress.now_us, pace=view.pace)
    return [cut(made, columns) for made in (header(progress, view), *body, *foot)]


def header(progress: Progress, view: View) -> Row:
    """State, flow, elapsed time, name and id in one row."""
    state = look(progress.state)
    elapsed = max(0, progress.now_us - progress.started_us) if progress.started_us else 0
    parts: list[Span] = [Span(duration(elapsed) if view.over else coarse(elapsed))]
    parts.append(Span(short_id(progress.run_id), "cyan"))
    if progress.generation > 1:
        parts.append(Span(f"generation {progress.generation}"))
    if view.resumed and not view.over:
        parts.append(Span("going on where it was", "yellow"))
    if progress.name:
        parts.append(Span(clean(progress.name)))
    flow = progress.flow.rsplit(".", 1)[-1]
    return row((f"{state.symbol} {state.word}", state.colour), "  ", (flow, "bold"), "  ", *joined(parts))


def tree_rows(shown: Sequence[Shown], columns: int, *, now_us: int, pace: Pace | None = None) -> list[Row]:
    """The lines of a tree as rows, their columns aligned."""
    lines = [(line, line.node) for line in shown if line.node is not None]
    names = max((cells(line.rails) + 2 + cells(node.name) for line, node in lines), default=0)
    label = min(names, max(16, columns * 2 // 5))
    tally = max((len(_tally(node.group)) for _, node in lines), default=0)
    bar = next(wide for least, wide in BARS if columns >= least)
    grid = Columns(label, bar, tally, columns)
    rows: list[Row] = []
    for line in shown:
        rows.append(_line(line, line.node, grid, now_us, pace) if line.node is not None else _folded(line))
        rows += [row((line.error_rails, "dim"), ("✖ ", "red"), (clean(error), "red")) for error in line.errors]
    return rows


def details(group: GroupProgress, state: str, now_us: int, pace: Pace | None) -> list[Span]:
    """What is said of a group behind its state: counts, pace, estimate, time. Parts of one kind share a span."""
    parts: list[Span] = []
    active = state in ("running", "retrying")
    begun = group.ended + group.running + group.retrying + group.waiting
    many = begun > 1 or (group.expected or 0) > 1
    if many and group.expected is None and group.ended:
        parts.append(Span(count(group.ended, "call")))
    if many and state == "cut off":
        parts.append(Span(f"{begun - group.ended:,} cut off", look(state).colour))
    if active and many and pace is not None:
        speed, left = pace.per_second(group, now_us), pace.left_us(group, now_us)
        parts += [Span(rate(speed))] if speed > 0 else []
        parts += [Span(f"ETA {coarse(left)}")] if left and left >= SOON_US else []
    until = now_us if active else group.last_ended_us
    if not group.first_started_us:
        parts += [Span(duration(group.duration_us) + (" of work" if many else ""))] if group.duration_us else []
    elif until > group.first_started_us and (not active or not many or group.expected is None):
        took = until - group.first_started_us
        parts.append(Span(coarse(took) if active else duration(took)))
    return parts


def joined(parts: Sequence[Span]) -> list[Span]:
    """Parts with dots between them."""
    spans: list[Span] = []
    for part in parts:
        spans += [SEPARATOR, part] if spans else [part]
    return spans


def _line(line: Shown, node: Node, grid: Columns, now_us: int, pace: Pace | None) -> Row:
    state = look(node.state)
    name = pad(node.name, grid.label - cells(line.rails) - 2)
    word = Span("  " + pad(state.word, WORD_CELLS) if grid.room >= 60 else "", state.colour)
    start = row((line.rails, "dim"), (state.symbol + " ", state.colour), (name, _name_style(node)), word)
    if node.group is None:
        return start
    marks = _marks(node.group, node.state)
    parts = details(node.group, node.state, now_us, pace)
    while True:
        between = [SEPARATOR] if marks and parts else []
        made = row(*start, "  ", *_bar(node.group, grid), *marks, *between, *joined(parts))
        if not parts or width(made) <= grid.room:
            return made
        parts.pop(0)


def _tally(group: GroupProgress | None) -> str:
    return f"{group.ended:,}/{group.expected:,}" if group and (group.expected or 0) > 1 else ""


def _bar(group: GroupProgress, grid: Columns) -> list[Span]:
    tally, expected = _tally(group), group.expected
    if not tally or not expected:
        return []
    full = min(grid.bar, grid.bar * group.ended // expected)
    bad = min(full, -(-grid.bar * group.failed // expected))
    bars = [Span("█" * bad, "red"), Span("█" * (full - bad), "green"), Span("░" * (grid.bar - full), "dim")]
    return [*bars, Span(f"{' ' if grid.bar else ''}{tally:>{grid.tally}}  ")]


def _marks(group: GroupProgress, state: str) -> list[Span]:
    """Counts that a state alone does not tell: of a single call none."""
    counts = {name: int(getattr(group, name)) for name in MARKS}
    if state not in ("running", "retrying"):  # what is still open in a run that is over is told by the state
        counts |= {"running": 0, "retrying": 0}
    telling = [name for name in MARKS if counts[name] and (counts[name] != group.ended or name != state)]
    if max(group.ended + group.running + group.retrying, group.expected or 0) < 2:
        telling = []
    spans: list[Span] = []
    for name in telling:
        spans.append(Span(f"{' ' if spans else ''}{look(name).symbol} {counts[name]:,}", look(name).colour))
    return spans


def _name_style(node: Node) -> str:
    return "dim" if node.state == "pending" else "bold" if node.state in ("running", "failed") else ""


def _folded(line: Shown) -> Row:
    """The count of nodes that are not shown: how many in each state, and their calls."""
    states: dict[str, int] = {}
    for node in line.folded:
        states[node.state] = states.get(node.state, 0) + 1
    spans: list[Span] = []
    for state, number in states.items():
        spans.append(Span(f"{look(state).symbol} {number:,} {look(state).word}", look(state).colour))
    ended = sum(node.group.ended for node in line.folded if node.group)
    return row((line.rails, "dim"), *joined(spans), (f" · {count(ended, 'call')}" if ended else "", "dim"))


def _totals(progress: Progress, view: View) -> list[Row]:
    groups = calls_in(progress)
    totals = {name: sum(int(getattr(group, name)) for group in groups) for name in ("succeeded", *MARKS)}
    ahead = sum(max(group.waiting, (group.expected or 0) - group.ended - group.running) for group in groups)
    totals["pending"] = max(0, ahead)
    open_states = () if view.over else ("running", "retrying", "pending")
    ended = ("succeeded", "reused", "cached", "replayed", "skipped", "cancelled")
    told = [name for name in ("failed", *open_states, *ended) if totals[name]]
    if not told:
        return []
    for shown in (told, [name for name in told if name not in ("reused", "cached", "replayed")]):
        whole = row(*_spaced([_total(name, totals[name]) for name in shown]))
        if width(whole) <= view.room[0]:
            return [whole]
    return [row(*_spaced([_total(name, totals[name], brief=True) for name in told]))]


def _total(name: str, number: int, *, brief: bool = False) -> Row:
    state = look(name)
    return row((f"{state.symbol} {number:,}{'' if brief else ' ' + state.word}", state.colour))


def _spaced(parts: Sequence[Row]) -> list[Span]:
    spans: list[Span] = []
    for part in parts:
        spans += [Span("  "), *part] if spans else part
    return spans


def _notes(progress: Progress, view: View) -> list[Row]:
    rows = [row(("! ", "yellow"), clean(note)) for note in progress.notes[-2:]]
    if progress.unrecorded_bytes > BEHIND_BYTES and not view.over:
        rows.append(row(("! ", "yellow"), f"recording is {progress.unrecorded_bytes / 1e6:,.0f} MB behind"))
    if view.asked and not view.over:
        rows.append(row(("■ ", "yellow"), (view.asked, "yellow")))
    return rows
