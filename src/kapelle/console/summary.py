"""The end of a run in a few rows: how it ended, what took longest, what failed, what to do now."""

from __future__ import annotations

from kapelle.console.failures import failure_rows
from kapelle.console.rows import Row, Span, clean, row
from kapelle.console.tree import calls_in
from kapelle.console.words import count, duration, look, short_id
from kapelle.model.runs import Run, RunState
from kapelle.ports.progress import GroupProgress, Progress

SLOWEST = 3
FAILED_GROUPS = 5
WORTH_TELLING_US = 100_000


def summary(progress: Progress | None, run: Run, home: str = "") -> list[Row]:
    """What is to be said of a run that ended, below its state. `home` is the folder with the store."""
    rows: list[Row] = []
    groups = calls_in(progress) if progress else []
    failure = run.failure if run.state is RunState.FAILED else None
    if failure is not None:
        first, *more = failure_rows(failure)
        rows += [(*_fact("failure", ""), *first), *((Span(" " * 12), *told) for told in more)]
    for group in [group for group in groups if group.failed][:FAILED_GROUPS]:
        rows.append(_fact("failed", f"{_name(group)}: {group.failed:,} of {count(group.ended, 'call')}"))
        told = failure.headline if failure else ""
        rows += [row(" " * 12, (clean(error), "red")) for error in group.errors[-1:] if error != told]
    slow = _slowest(groups)
    if slow and run.state.is_end:
        texts = [f"{_name(group)} {duration(_took(group))}" for group in slow]
        rows.append(_fact("slowest", " · ".join(texts)))
    rows.append(_fact("recorded", f"run {short_id(run.id)}" + (f" in {home}" if home else "")))
    if next_command(run):
        rows.append(_fact("next", next_command(run), "bold"))
    return rows


def ending(run: Run) -> Row:
    """Flow, state, time and reason in one row: "daily failed after 1m 14s"."""
    state = look(run.state.value)
    took = ""
    if run.started_at_us is not None and run.ended_at_us is not None:
        took = f" after {duration(run.ended_at_us - run.started_at_us)}"
    reason = f" ({run.reason})" if run.reason else ""
    return row((run.flow.rsplit(".", 1)[-1], "bold"), " ", (state.word, state.colour), took + reason)


def goes_on(run: Run) -> bool:
    """Whether an attempt that begins takes up what an earlier one left; the run may be from just before its claim."""
    return run.attempt.number > 1 or run.state is RunState.WAITING


def next_command(run: Run) -> str:
    """The exact command that a person wants next, or ""."""
    reference = short_id(run.id)
    match run.state:
        case RunState.FAILED | RunState.CANCELLED:
            return f"kapelle retry {reference}"
        case RunState.WAITING:
            return f"kapelle resume {reference}"
        case RunState.RUNNING | RunState.CANCELLING | RunState.QUEUED:
            return f"kapelle logs {reference} --follow"
        case _:
            return ""


def _slowest(groups: list[GroupProgress]) -> list[GroupProgress]:
    inner = [group for group in groups if group.kind != "flow" and _took(group) >= WORTH_TELLING_US]
    return sorted(inner, key=_took, reverse=True)[:SLOWEST] if len(groups) > 1 else []


def _took(group: GroupProgress) -> int:
    return group.duration_us


def _name(group: GroupProgress) -> str:
    return " / ".join(group.path[1:] or group.path)


def _fact(name: str, text: str, style: str = "") -> Row:
    return row((f"  {name:<10}", "dim"), (clean(text), style))
