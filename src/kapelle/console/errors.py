"""Errors as people and programs read them: what, why, where, what to do; a traceback only when asked for.

Imports nothing heavy: every start of the command line passes here.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from kapelle.console.rows import Row, clean, row
from kapelle.model.errors import ImportFailed, KapelleError

DEBUG_VARIABLE = "KAPELLE_DEBUG"
UNEXPECTED_CODE = "E0000"
REPORT_HINT = f"run it again with {DEBUG_VARIABLE}=1 for the traceback, and report it: this is a fault of Kapelle's"


def wants_traceback(environ: Mapping[str, str], *, verbose: bool = False) -> bool:
    """Whether tracebacks are asked for."""
    return verbose or environ.get(DEBUG_VARIABLE, "") not in ("", "0")


def exit_code(error: BaseException) -> int:
    """What a command ends with when nobody handles the error."""
    if isinstance(error, KeyboardInterrupt):
        return 130
    return error.exit_code if isinstance(error, KapelleError) else 1


def error_rows(error: BaseException, *, tracebacks: bool = False) -> list[Row]:
    """The rows of an error: `error: …`, `cause: …`, `where: …`, `hint: …`."""
    told = error_parts(error)
    rows = [row(("error", "red bold"), ": ", *_first(told["message"]), ("  [" + told["code"] + "]", "dim"))]
    rows += [row("       ", clean(line)) for line in told["message"].splitlines()[1:]]
    for name, style in (("cause", "bold"), ("where", "bold"), ("hint", "yellow")):
        first, *more = told[name].splitlines() or [""]
        if first:
            rows.append(row((name, style), ":" + " " * (6 - len(name)), clean(first)))
            rows += [row("       ", clean(line)) for line in more]
    if tracebacks:
        rows += [row((clean(line), "dim")) for line in traceback_of(error).rstrip().splitlines()]
    return rows


def error_document(error: BaseException, *, tracebacks: bool = False) -> dict[str, Any]:
    """The same for programs, as `{"error": {…}}`."""
    told: dict[str, Any] = dict(error_parts(error))
    if tracebacks:
        told["traceback"] = traceback_of(error)
    return {"error": told}


def error_parts(error: BaseException) -> dict[str, str]:
    """Code, message, cause, place and hint of an error of any type."""
    if isinstance(error, KapelleError):
        parts = (error.code, error.what, error.cause, error.where, error.hint)
    elif isinstance(error, KeyboardInterrupt):
        parts = ("E0130", "interrupted", "", "", "")
    else:
        message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        parts = (UNEXPECTED_CODE, f"something unexpected went wrong: {message}", "", _place(error), REPORT_HINT)
    return dict(zip(("code", "message", "cause", "where", "hint"), parts, strict=True))


def traceback_of(error: BaseException) -> str:
    """The traceback that helps: the user's own frames where the error is about a user's file, else all."""
    if isinstance(error, ImportFailed) and error.traceback:
        return error.traceback
    return "".join(traceback.format_exception(error))


def _first(message: str) -> list[str]:
    return [clean(line) for line in message.splitlines()[:1]]


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
