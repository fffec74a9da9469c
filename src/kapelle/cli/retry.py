"""`kapelle retry`: another try of a run that has ended, after showing what it will do."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import click

from kapelle.cli.answers import json_option, print_json, print_rows, tell, verbose_option
from kapelle.cli.homes import settle
from kapelle.cli.run import imports_aside
from kapelle.cli.watching import Watching
from kapelle.console.rows import Row, clean, row
from kapelle.console.table import Cell, table
from kapelle.console.terminal import is_terminal
from kapelle.console.words import count, short_id
from kapelle.core.journal import short_name
from kapelle.core.retry import PlannedCall, RetryPlan, ReuseMode
from kapelle.model.runs import Run
from kapelle.wiring.loading import load_entry
from kapelle.wiring.local import open_home
from kapelle.wiring.runs import plan_retry, retry_run

REASONS_SHOWN = 3


@click.command("retry")
@click.argument("reference", metavar="RUN")
@click.option("--plan", "only_plan", is_flag=True, help="Show what would be reused and what would run again, no more.")
@click.option(
    "--reuse",
    type=click.Choice(["all", "unchanged", "none"]),
    default="unchanged",
    show_default=True,
    help="Which successes stand: all, those whose code is unchanged, or none.",
)
@click.option("--task", "again", multiple=True, metavar="NAME", help="Run the calls of this task again in any case.")
@click.option("--also-handled", is_flag=True, help="Run calls again whose failures the flow had handled.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("-q", "--quiet", is_flag=True, help="Only the output of the flow, its result and its failure.")
@verbose_option
@json_option
def command(
    reference: str,
    only_plan: bool,
    reuse: ReuseMode,
    again: tuple[str, ...],
    also_handled: bool,
    yes: bool,
    quiet: bool,
    verbose: bool,
    as_json: bool,
) -> int:
    """Try an ended run again; what succeeded is reused.

    The plan is shown first. On a terminal you are asked; elsewhere the retry goes on.
    """
    watching = Watching(as_json, quiet, verbose)
    with open_home() as home:
        settle(home)
        run = home.find(reference)
        with imports_aside(as_json):
            loaded = load_entry(run.entry, run.flow)
        plan = plan_retry(home, run, loaded, reuse=reuse, again=again, also_handled=also_handled)
        if only_plan:
            print_json(plan_document(plan)) if as_json else print_rows(plan_rows(run, plan))
            return 0
        if as_json:
            watching.events().emit("plan", **plan_document(plan))
        elif not quiet:
            tell(plan_rows(run, plan))
        asks = not yes and not as_json and is_terminal(sys.stdin) and is_terminal(sys.stderr)
        if asks and not click.confirm("Retry now?", default=True, err=True):
            tell([row("nothing was run")])
            return 0
        return watching.finish(home, retry_run(home, run, loaded, plan, watching.display(home)))


def plan_rows(run: Run, plan: RetryPlan) -> list[Row]:
    """The plan by task: how many calls are reused, how many run again, and why."""
    flow = run.flow.rsplit(".", 1)[-1]
    rows = [row("retry of ", (flow, "bold"), f" ({clean(run.name)}, {short_id(run.id)}): generation {plan.generation}")]
    by_task: dict[str, list[PlannedCall]] = {}
    for call in plan.calls:
        by_task.setdefault(call.task, []).append(call)
    lines = [_task_cells(task, calls) for task, calls in by_task.items()]
    if lines:
        rows += [row("  ", *made) for made in table(("TASK", "REUSED", "RUNS AGAIN", "WHY"), lines)]
    else:
        rows.append(row("  no call had begun; the whole flow runs"))
    for task in plan.changed:
        rows.append(row("  code changed: ", (clean(task), "yellow")))
    actions = Counter(call.action for call in plan.calls)
    total = f"{count(actions['reuse'], 'call')} reused, {actions['run']:,} run again"
    rows.append(row(f"  {total}; calls that the flow newly makes are not in the plan"))
    return rows


def plan_document(plan: RetryPlan) -> dict[str, Any]:
    """The plan for programs, call by call."""
    names = ("id", "task", "call", "action", "reason")
    return {
        "run_id": plan.run_id,
        "generation": plan.generation,
        "changed": list(plan.changed),
        "calls": [{name: getattr(call, name) for name in names} for call in plan.calls],
    }


def _task_cells(task: str, calls: Sequence[PlannedCall]) -> list[Cell]:
    actions = Counter(call.action for call in calls)
    reasons = Counter(call.reason for call in calls if call.action == "run" or not actions["run"])
    several = len(reasons) > 1
    texts = [f"{reason} ({number:,})" if several else reason for reason, number in reasons.most_common(REASONS_SHOWN)]
    again = actions["run"]
    return [
        Cell(clean(short_name(task)), "bold" if again else ""),
        Cell(f"{actions['reuse']:,}", "green" if actions["reuse"] else "dim", right=True),
        Cell(f"{again:,}", "yellow" if again else "dim", right=True),
        Cell(", ".join(texts) + (", …" if len(reasons) > REASONS_SHOWN else ""), "dim"),
    ]
