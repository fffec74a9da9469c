"""Every call of a run, as its journal has it: for `kapelle show --calls`."""

from __future__ import annotations

from collections.abc import Sequence

from kapelle.console.documents import Document, failure_document, seconds_between, value_document
from kapelle.console.rows import Row, clean, row
from kapelle.console.table import Cell, table
from kapelle.console.words import duration, iso, look
from kapelle.core.journal import CallView
from kapelle.model.calls import CallState


def call_rows(views: Sequence[CallView], columns: int | None) -> list[Row]:
    """Every call as a line of a table."""
    if not views:
        return [row(), row("no calls")]
    lines = [_call_cells(view) for view in views]
    headings = ("CALL", "TASK", "STATE", "TRIES", "TOOK", "INPUTS", "")
    return [row(), *table(headings, lines, columns, flexible=(6, 5, 1))]


def _call_cells(view: CallView) -> list[Cell]:
    state = look("cut off" if view.state is CallState.PENDING else view.mark or view.state.value)
    took = duration(view.ended_at_us - view.started_at_us) if view.ended_at_us is not None else ""
    return [
        Cell(f"{view.call:,}", right=True),
        Cell("/".join(view.path)),
        Cell(f"{state.symbol} {state.word}", state.colour),
        Cell(f"{view.attempts}", right=True),
        Cell(took),
        Cell(clean(view.inputs)),
        Cell(clean(view.failure.headline if view.failure else view.reason), "dim"),
    ]


def view_document(view: CallView) -> Document:
    """Any call, as its journal has it."""
    names = ("id", "call", "parent", "task", "kind", "mark", "attempts", "interruptions", "reason", "inputs")
    return {
        **{name: getattr(view, name) for name in names},
        "path": list(view.path),
        "state": view.state.value,
        "notes": list(view.notes),
        "started_at": iso(view.started_at_us),
        "ended_at": iso(view.ended_at_us),
        "duration_s": seconds_between(view.started_at_us, view.ended_at_us),
        "failure": failure_document(view.failure),
        "value": value_document(view.value),
    }
