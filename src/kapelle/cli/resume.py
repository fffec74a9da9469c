"""`kapelle resume`: go on with a run whose process is gone."""

from __future__ import annotations

import click

from kapelle.cli.answers import json_option, verbose_option
from kapelle.cli.homes import settle
from kapelle.cli.run import imports_aside
from kapelle.cli.watching import Watching
from kapelle.wiring.loading import load_entry
from kapelle.wiring.local import open_home
from kapelle.wiring.runs import resume_run


@click.command("resume")
@click.argument("reference", metavar="RUN")
@click.option("-q", "--quiet", is_flag=True, help="Only the output of the flow, its result and its failure.")
@verbose_option
@json_option
def command(reference: str, quiet: bool, verbose: bool, as_json: bool) -> int:
    """Go on with a run whose process is gone, where it was.

    Every call that ended stands, whatever the code says now; what was cut off runs again.
    """
    watching = Watching(as_json, quiet, verbose)
    with open_home() as home:
        settle(home)
        run = home.find(reference)
        with imports_aside(as_json):
            loaded = load_entry(run.entry, run.flow)
        ended = resume_run(home, run, loaded, watching.display(home))
        return watching.finish(home, ended)
