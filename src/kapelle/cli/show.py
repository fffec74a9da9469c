"""`kapelle show`: one run, answer first: how it stands, why, and what to do."""

from __future__ import annotations

import shutil
import sys

import click

from kapelle.cli.answers import json_option, print_json, print_rows
from kapelle.cli.dossier import collect
from kapelle.cli.every_call import call_rows, view_document
from kapelle.cli.homes import settle
from kapelle.console.documents import (
    call_document,
    group_document,
    output_document,
    run_document,
)
from kapelle.console.report import Dossier, report_rows
from kapelle.console.summary import next_command
from kapelle.console.terminal import is_terminal
from kapelle.console.tree import state_of
from kapelle.wiring.local import open_home
from kapelle.wiring.runs import calls_of


@click.command("show")
@click.argument("reference", metavar="RUN")
@click.option("--calls", "every_call", is_flag=True, help="List every call of the current generation.")
@json_option
def command(reference: str, every_call: bool, as_json: bool) -> None:
    """Show one run: how it stands, why, and what to do."""
    with open_home() as home:
        settle(home)
        run = home.find(reference)
        found = collect(home, run)
        views = calls_of(home, run) if every_call else []
    if as_json:
        more = {"every_call": [view_document(view) for view in views]} if every_call else {}
        print_json({**document(found), **more})
        return
    columns = shutil.get_terminal_size().columns if is_terminal(sys.stdout) else None
    print_rows(report_rows(found, columns))
    if every_call:
        print_rows(call_rows(views, columns))


def document(found: Dossier) -> dict[str, object]:
    """All of it for programs."""
    failed = [
        {
            **call_document(one.call),
            "alike": one.alike,
            "output": [output_document(line) for line in one.lines],
        }
        for one in found.failed
    ]
    return {
        **run_document(found.run),
        "usual_s": found.usual_us / 1e6 if found.usual_us else None,
        "groups": [group_document(group, state_of(group, over=not found.alive)) for group in found.groups],
        "failed_calls": failed,
        "result_preview": found.result,
        "next": next_command(found.run),
    }
