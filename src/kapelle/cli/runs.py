"""`kapelle runs`: what ran, newest first."""

from __future__ import annotations

import shutil
import sys

import click

from kapelle.cli.answers import json_option, print_json, print_rows, tell
from kapelle.cli.homes import settle
from kapelle.console.documents import run_document
from kapelle.console.rows import clean, row
from kapelle.console.table import Cell, table
from kapelle.console.terminal import is_terminal
from kapelle.console.words import ago, count, duration, look, short_id
from kapelle.model.access import Scope
from kapelle.model.runs import Run, RunState
from kapelle.ports.storage.listings import RunFilter
from kapelle.wiring.local import open_home

STATES = [state.value for state in RunState]
HEADINGS = ("RUN", "STATE", "FLOW", "NAME", "STARTED", "TOOK", "CALLS", "")


@click.command("runs")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in RunState]),
    help="Only in this state.",
)
@click.option("--flow", help="Only of this flow: its name or the last part of it.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="At most so many.")
@json_option
def command(states: tuple[str, ...], flow: str | None, limit: int, as_json: bool) -> None:
    """List runs, newest first."""
    with open_home() as home:
        settle(home)
        where = RunFilter(flow=flow, states=frozenset(RunState(state) for state in states))
        with home.store.read() as tx:
            page = tx.listings.runs(Scope.system(), where, limit=limit)
        now_us = home.clock.now_us()
    if as_json:
        print_json([run_document(run) for run in page.runs])
        return
    if not page.runs:
        narrowed = bool(states or flow)
        tell([row("no run is like that" if narrowed else "no runs yet: `kapelle run FILE.py:flow` makes one")])
        return
    columns = shutil.get_terminal_size().columns if is_terminal(sys.stdout) else None
    print_rows(table(HEADINGS, [_cells(run, now_us) for run in page.runs], columns, flexible=(7, 3, 2)))
    if page.next is not None:
        tell([row((f"the newest {count(len(page.runs), 'run')}; more with --limit", "dim"))])


def _cells(run: Run, now_us: int) -> list[Cell]:
    state = look(run.state.value)
    if run.started_at_us is None:
        took = ""
    else:
        took = duration((run.ended_at_us or now_us) - run.started_at_us) if _has_length(run) else ""
    why = run.failure.headline if run.failure and run.state is RunState.FAILED else run.reason
    return [
        Cell(short_id(run.id), "cyan"),
        Cell(f"{state.symbol} {state.word}", state.colour),
        Cell(run.flow.rsplit(".", 1)[-1]),
        Cell(clean(run.name)),
        Cell(ago(run.started_at_us or run.created_at_us, now_us)),
        Cell(took),
        Cell(f"{run.counts.ended:,}", right=True),
        Cell(clean(why), "dim"),
    ]


def _has_length(run: Run) -> bool:
    return run.ended_at_us is not None or run.state in (RunState.RUNNING, RunState.CANCELLING)
