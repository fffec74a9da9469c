"""Replacing the process: for a call whose time is over and that cannot be stopped.

Its outcome is written down, everything is shipped, and the process executes itself again: same process id, terminal and
folder, no threads of before. The run goes on by replay. Where a process cannot be replaced (a notebook, a test), the
call has failed all the same, and its thread is left behind with a warning.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from kapelle.engine import closing
from kapelle.engine.execute import Execution
from kapelle.model.errors import KapelleError, StoreError, TaskTimedOut
from kapelle.model.journal import Replaced
from kapelle.supervisor.local import LocalSupervisor


class Replacer:
    """Called by the engine with the call that does not come back."""

    def __init__(
        self, execution: Execution, supervisor: LocalSupervisor, go_on: Callable[[str], list[str]] | None
    ) -> None:
        self._execution = execution
        self._supervisor = supervisor
        self._go_on = go_on

    def __call__(self, call: Any) -> None:
        """Give the call up, and replace the process if that is possible."""
        engine = self._execution.engine
        argv = self._go_on(engine.info.id) if self._go_on is not None else []
        where = f"{call.entry.name} does not stop although its time is over"
        if not argv:
            engine.note(f"{where}; its thread is left behind and may still act", call=call.number)
            return
        engine.note(f"{where}; this process is replaced and the run goes on", call=call.number)
        try:
            closing.fail(call, self._timed_out(call))
        except BaseException as error:
            if isinstance(error, StoreError):
                return
        try:
            engine.recorder.write(Replaced(call.number, engine.clock.now_us()))
            engine.recorder.wait_recorded()
        except (KapelleError, RuntimeError):
            pass  # the spool has it
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(argv[0], argv)

    def _timed_out(self, call: Any) -> TaskTimedOut:
        definition = call.definition
        return TaskTimedOut(
            f"{call.entry.name} did not end in {definition.timeout_s:g} s, nor in {definition.grace_s:g} s of grace",
            where=f"{definition.file}:{definition.line}",
            hint='isolation="process" ends such a task exactly in time, without replacing the whole process',
        )
