"""The home as commands use it: opened, and with what dead processes left taken in."""

from __future__ import annotations

from kapelle.cli.answers import tell
from kapelle.console.errors import error_rows
from kapelle.console.rows import row
from kapelle.model.errors import KapelleError
from kapelle.wiring.local import LocalHome


def settle(home: LocalHome) -> None:
    """Take in what dead processes left. What keeps that from being done is told and stops nobody from looking."""
    try:
        home.settle()
    except KapelleError as error:
        tell([row(("what ended processes left is not taken in:", "yellow")), *error_rows(error)])
