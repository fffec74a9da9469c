"""One recorded run as rows: the answer first, then its calls, then what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kapelle.console.failures import failure_rows
from kapelle.console.frame import tree_rows
from kapelle.console.output import recorded_row
from kapelle.console.rows import Row, Span, clean, row
from kapelle.console.summary import next_command
from kapelle.console.tree import lines_of, tree_of
from kapelle.console.words import ago, count, duration, look, moment
from kapelle.model.calls import CallRow
from kapelle.model.failures import Failure
from kapelle.model.journal import OutputLine
from kapelle.model.runs import ABANDONED, Run, RunState
from kapelle.ports.progress import GroupProgress

GROUPS_SHOWN = 40
FACT = 12
NOTABLY_SLOWER = 1.15


@dataclass(frozen=True, slots=True)
class FailedCall:
    """A call that failed, how many calls of its task failed alike, and the last lines that it said."""

    call: CallRow
    alike: int
    lines: tuple[OutputLine, ...]


@dataclass(frozen=True, slots=True)
class Dossier:
    """What is known of one run. `usual_us` is 0 and `result` is "" where nothing is known."""

    run: Run
    now_us: int
    home: str
    usual_us: int
    groups: Sequence[GroupProgress]
    failed: Sequence[FailedCall]
    last_lines: Sequence[OutputLine]
    result: str

    @property
    def alive(self) -> bool:
        """Whether a process is at work."""
        return self.run.state in (RunState.RUNNING, RunState.CANCELLING)


def report_rows(found: Dossier, columns: int | None) -> list[Row]:
    """The whole page."""
    run = found.run
    state = look(run.state.value)
    flow = run.flow.rsplit(".", 1)[-1]
    rows = [
        row(
            (f"{state.symbol} {state.word}", state.colour),
            "  ",
            (flow, "bold"),
            f"  {clean(run.name)}  ",
            (run.id, "cyan"),
        )
    ]
    rows += _why(run)
    rows += _fact("time", _time(found))
    rows += _fact("parameters", clean(run.parameters_text) or "none")
    if run.tags:
        rows += _fact("tags", clean(", ".join(run.tags)))
    if run.generation > 1 or run.attempt.number > 1:
        rows += _fact("history", _history(run))
    rows += _fact("code", run.entry.file or "no file")
    rows += _fact("recorded", found.home)
    rows += _groups(found, columns)
    for failed in found.failed:
        rows += _failed(failed, run.failure)
    if found.last_lines:
        rows += [row(), row(("last lines", "bold")), *(_said(line) for line in found.last_lines)]
    if found.result:
        rows += [row(), *_fact("result", clean(found.result), "bold")]
    if next_command(run):
        rows += [row(), *_fact("next", next_command(run), "bold")]
    return rows


def _why(run: Run) -> list[Row]:
    rows: list[Row] = []
    if run.state is RunState.FAILED and run.failure is not None:
        first, *more = failure_rows(run.failure)
        rows = [(*_fact("why", "")[0], *first), *((Span(" " * FACT), *told) for told in more)]
    elif run.reason == ABANDONED:
        rows = _fact("why", "its process is gone; what it had done is recorded")
    if run.reason and run.reason != ABANDONED:
        rows += _fact("reason", clean(run.reason))
    return rows


def _time(found: Dossier) -> str:
    run = found.run
    if run.started_at_us is None:
        return f"created {moment(run.created_at_us)}, not started"
    began = f"started {moment(run.started_at_us)} ({ago(run.started_at_us, found.now_us)})"
    until = run.ended_at_us if run.ended_at_us is not None else found.now_us if found.alive else None
    if until is None:
        return began
    took = until - run.started_at_us
    usual = f", usually {duration(found.usual_us)}" if found.usual_us else ""
    if found.usual_us and took > found.usual_us * NOTABLY_SLOWER and took - found.usual_us > 1_000_000:
        usual += f" ({took / found.usual_us:.1f} times as long)"
    return f"{duration(took)}{' so far' if found.alive else ''}{usual} · {began}"


def _history(run: Run) -> str:
    ends = [
        f"generation {end.generation} {end.state.value}{f' ({end.reason})' if end.reason else ''}"
        for end in run.previous
    ]
    now = f"now generation {run.generation}" if run.previous else ""
    attempts = f"attempt {run.attempt.number}" if run.attempt.number > 1 else ""
    return ", ".join(filter(None, (*ends, now, attempts)))


def _groups(found: Dossier, columns: int | None) -> list[Row]:
    if not found.groups:
        return []
    root = tree_of(found.groups, found.run.flow, over=not found.alive)
    lines = lines_of(root, GROUPS_SHOWN)
    return [row(), *tree_rows(lines, columns or 120, now_us=found.now_us)] if lines else []


def _failed(one: FailedCall, told: Failure | None) -> list[Row]:
    call = one.call
    name = call.task.rsplit(".", 1)[-1]
    tries = f", attempt {call.attempts}" if call.attempts > 1 else ""
    alike = f", {count(one.alike, 'call')} like this" if one.alike > 1 else ""
    rows = [
        row(),
        row(("✖ failed", "red"), "  ", (clean(name), "bold"), f"({clean(call.inputs)})", (tries + alike, "dim")),
    ]
    if call.failure is not None and (told is None or call.failure.headline != told.headline):
        rows += failure_rows(call.failure, "  ")
    return [*rows, *(_said(line) for line in one.lines)]


def _said(line: OutputLine) -> Row:
    return (Span("  │ ", "dim"), *recorded_row(line))


def _fact(name: str, text: str, style: str = "") -> list[Row]:
    return [row((f"{name:<{FACT}}", "dim"), (text, style))]
