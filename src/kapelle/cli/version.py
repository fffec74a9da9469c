"""`kapelle version`: the versions that matter in a report."""

from __future__ import annotations

import platform

import apsw
import click

from kapelle.cli.answers import json_option, print_json, print_rows
from kapelle.console.rows import row
from kapelle.model.version import VERSION


@click.command("version")
@json_option
def command(as_json: bool) -> None:
    """Show the versions of Kapelle, Python and SQLite."""
    versions = {"kapelle": VERSION, "python": platform.python_version(), "sqlite": apsw.sqlite_lib_version()}
    if as_json:
        print_json({**versions, "platform": platform.platform()})
    else:
        print_rows([row(f"kapelle {VERSION} (Python {versions['python']}, SQLite {versions['sqlite']})")])
