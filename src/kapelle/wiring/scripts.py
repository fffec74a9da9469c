"""Flows that a script calls: `python flow.py` is a run like any other.

The call returns the flow's value or raises what the flow raised. A script whose process had to be replaced executes
from its first line again; the flows that it calls then go on with the runs of before, in the order of the calls.
"""

from __future__ import annotations

import asyncio
import os
import sys
from types import TracebackType
from typing import Any

from kapelle.console.choose import choose_display
from kapelle.engine.execute import Ending
from kapelle.engine.values.exceptions import decode_exception
from kapelle.engine.values.project import is_ours, is_project_file
from kapelle.model.access import Scope
from kapelle.model.definitions import Definition
from kapelle.model.errors import RunCancelled, RunFailed
from kapelle.model.runs import Run, RunState
from kapelle.ports.progress import Display
from kapelle.wiring.attempts import LocalAttempt
from kapelle.wiring.loading import Loaded, entry_of, project_name
from kapelle.wiring.local import LocalHome, open_home
from kapelle.wiring.runs import RunOptions, create_run, prepare_resume, result_of
from kapelle.wiring.signals import EXIT_CANCELLED

_made: list[str] = []
"""The runs that this process has made, in order."""


def call_flow(definition: Definition, values: dict[str, Any], *, wait: bool = False) -> Any:
    """Run a flow; an async one is a coroutine that does so, unless `wait`."""
    if not definition.is_async:
        return _call(definition, values)
    if wait:
        return asyncio.run(_call_async(definition, values))
    return _call_async(definition, values)


def _call(definition: Definition, values: dict[str, Any]) -> Any:
    with open_home() as home:
        prepared = _prepare(home, definition, values)
        if isinstance(prepared, Run):
            return _recorded(home, prepared)
        return _give(*prepared.drive())


async def _call_async(definition: Definition, values: dict[str, Any]) -> Any:
    with open_home() as home:
        prepared = _prepare(home, definition, values)
        if isinstance(prepared, Run):
            return _recorded(home, prepared)
        return _give(*await prepared.drive_async())


def _prepare(home: LocalHome, definition: Definition, values: dict[str, Any]) -> LocalAttempt | Run:
    """The attempt that this call drives, or the run that had ended before the process was replaced."""
    loaded = Loaded(definition, _entry(definition), project_name(definition.file))
    number = len(_made)
    if number < len(home.settings.go_on_with):
        with home.store.read() as tx:
            run = tx.runs.get(Scope.system(), home.settings.go_on_with[number])
        _made.append(run.id)
        if run.state.is_end:
            return run
        return prepare_resume(home, run, loaded, _display(home), _again_argv)
    run, folder = create_run(home, loaded, values, RunOptions())
    _made.append(run.id)
    return LocalAttempt(home, run, folder, definition, values, display=_display(home), go_on=_again_argv)


def _entry(definition: Definition) -> Any:
    qualname = definition.fn.__qualname__
    if "<locals>" in qualname:
        qualname = ""
    return entry_of(definition.file if qualname else "", qualname, tuple(sys.argv))


def _display(home: LocalHome) -> Display | None:
    return choose_display(sys.stdout, sys.stderr, os.environ, quiet=home.settings.quiet, home=str(home.settings.home))


def _again_argv(run_id: str) -> list[str]:
    """The command that executes this script again; empty where there is no script."""
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    if file is None or hasattr(sys, "ps1") or not is_project_file(file) or not sys.orig_argv:
        return []
    os.environ["KAPELLE_CONTINUE"] = ",".join(_made)
    return [sys.executable, *sys.orig_argv[1:]]


def _recorded(home: LocalHome, run: Run) -> Any:
    """What the call of a run that has ended already gives."""
    if run.state is RunState.SUCCEEDED:
        return result_of(home, run)
    if run.failure is not None:
        raise decode_exception(run.failure)
    raise RunFailed(f"the run {run.name} ended {run.state.value}", cause=run.reason)


def _give(run: Run, ending: Ending) -> Any:
    """Return or raise what the flow returned or raised."""
    if ending.state is RunState.CANCELLED and not isinstance(ending.error, asyncio.CancelledError):
        if hasattr(sys, "ps1"):
            raise RunCancelled(ending.reason)
        raise SystemExit(EXIT_CANCELLED)
    if ending.error is not None:
        raise ending.error.with_traceback(_users_frames(ending.error.__traceback__))
    return ending.value


def _users_frames(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback without our own frames between those of the author's code."""
    kept: list[TracebackType] = []
    while traceback is not None:
        if not is_ours(traceback.tb_frame.f_code.co_filename):
            kept.append(traceback)
        traceback = traceback.tb_next
    folded: TracebackType | None = None
    for one in reversed(kept):
        folded = TracebackType(folded, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return folded
