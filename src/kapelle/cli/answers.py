"""How commands answer: rows and documents to stdout, everything else to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from kapelle.console.errors import error_document, error_rows
from kapelle.console.rows import Row, text_of, write_lines
from kapelle.console.terminal import wants_colour

F = TypeVar("F", bound=Callable[..., Any])


def print_rows(rows: Iterable[Row], *, at_once: bool = False) -> None:
    """Rows to stdout, in colour where a person looks; `at_once` where more will come later."""
    colour = wants_colour(sys.stdout, os.environ)
    for row in rows:
        _write(text_of(row, colour=colour) + "\n")
    if at_once:
        sys.stdout.flush()


def print_json(document: Any) -> None:
    """A document to stdout."""
    _write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def print_json_line(document: Any) -> None:
    """A document on one line to stdout, at once: one of many."""
    _write(json.dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def tell(rows: Iterable[Row]) -> None:
    """Rows to stderr: what is said beside the data."""
    colour = wants_colour(sys.stderr, os.environ)
    write_lines(sys.stderr, [text_of(row, colour=colour) for row in rows])


def print_error(error: BaseException, *, as_json: bool = False, tracebacks: bool = False) -> None:
    """An error to stderr."""
    if as_json:
        document = error_document(error, tracebacks=tracebacks)
        write_lines(sys.stderr, [json.dumps(document, ensure_ascii=False)])
    else:
        tell(error_rows(error, tracebacks=tracebacks))


def json_option(command: F) -> F:
    """The option `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")(command)


def verbose_option(command: F) -> F:
    """The option `-v`."""
    text = "Show tracebacks (KAPELLE_DEBUG=1 does the same)."
    return click.option("-v", "--verbose", is_flag=True, help=text)(command)


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding or "ascii"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
