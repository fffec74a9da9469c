"""One attempt of a run in this process: everything is put together, driven, and taken apart again."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from kapelle.core.journal import JournalIndex
from kapelle.core.retry import RetryRules, Reuse
from kapelle.engine.asking import questions
from kapelle.engine.execute import Ending, Execution
from kapelle.engine.output import Output, captured
from kapelle.engine.recorder import Recorder
from kapelle.engine.spool import Spool
from kapelle.engine.state import Options, Parts
from kapelle.engine.values.fingerprint import FINGERPRINT_VERSION
from kapelle.engine.values.project import is_project_file
from kapelle.model.access import Scope
from kapelle.model.definitions import Definition
from kapelle.model.errors import KapelleError, StaleAttempt, StoreError
from kapelle.model.journal import JOURNAL_VERSION, Opened, OutputLine, Retried
from kapelle.model.runs import ABANDONED, Attempt, Run, RunState
from kapelle.model.version import VERSION
from kapelle.ports.progress import Display
from kapelle.ports.storage.store import Transaction
from kapelle.runners.threads import ThreadRunner
from kapelle.supervisor.local import LocalSupervisor
from kapelle.supervisor.rundir import RunDir
from kapelle.supervisor.shipping import Shipper
from kapelle.wiring.clock import SystemChance
from kapelle.wiring.installed import environment_digest
from kapelle.wiring.local import LocalHome
from kapelle.wiring.replacing import Replacer
from kapelle.wiring.signals import interruptible

SWITCH_S = 0.001
"""How long a busy thread keeps the interpreter while the supervisor waits for it, in seconds (Python's default: 0.005).

The journal is written without a system call, so nothing else makes a flow that only computes let go of the interpreter.
"""


class Retry:
    """What a retry brings: the generation before, and the rules by which its outcomes are taken."""

    def __init__(self, before: JournalIndex, rules: RetryRules, generation: int) -> None:
        self.reuse = Reuse(before, rules)
        self.rules = rules
        self.generation = generation


def begin(home: LocalHome, tx: Transaction, run: Run) -> Attempt:
    """Make an attempt of this process the run's current one; the caller has the run's lock."""
    token = SystemChance().token().hex()
    return tx.runs.begin_attempt(Scope.system(), run.id, run.generation, token, home.clock.now_us())


class LocalAttempt:
    """An attempt that this process drives. `run` must be locked by `folder`, which is given back at the end."""

    def __init__(
        self,
        home: LocalHome,
        run: Run,
        folder: RunDir,
        definition: Definition,
        parameters: dict[str, Any],
        *,
        index: JournalIndex | None = None,
        retry: Retry | None = None,
        display: Display | None = None,
        use_cache: bool = True,
        go_on: Callable[[str], list[str]] | None = None,
    ) -> None:
        self._home = home
        self._run = run
        self._folder = folder
        self._display = display
        self._stack = ExitStack()
        self._stack.callback(folder.release)
        index = index or JournalIndex()
        try:
            self.attempt = self._claim()
            self._supervisor = self._supervise()
            recorder = self._open(index, retry)
            self.execution = self._prepare(recorder, definition, parameters, index, retry, use_cache)
            self.execution.engine.on_stuck = Replacer(self.execution, self._supervisor, go_on)
            self._output = self._capture()
        except BaseException:
            self._stack.close()
            raise

    # Putting together

    def _claim(self) -> Attempt:
        if self._run.state is RunState.RUNNING:
            return self._run.attempt  # begun in the transaction that made the run or its generation
        with self._home.store.write() as tx:
            attempt = begin(self._home, tx, self._run)
            self._run = tx.runs.get(Scope.system(), self._run.id)
        return attempt

    def _supervise(self) -> LocalSupervisor:
        home, folder = self._home, self._folder
        shipper = Shipper(
            home.store, self._run.project, self.attempt, folder.journal(self.attempt), folder.output(self.attempt)
        )
        supervisor = LocalSupervisor(shipper, home.store, home.blobs, self._run.project, home.clock.monotonic_s)
        supervisor.start()
        self._stack.callback(supervisor.close)
        return supervisor

    def _open(self, index: JournalIndex, retry: Retry | None) -> Recorder:
        spool = Spool(self._folder.journal(self.attempt))
        self._stack.callback(spool.close)
        recorder = Recorder(spool, self._supervisor, index)
        opened = Opened(
            version=JOURNAL_VERSION,
            run_id=self._run.id,
            generation=self.attempt.generation,
            attempt=self.attempt.number,
            attempt_id=self.attempt.id,
            at_us=self._home.clock.now_us(),
            pid=os.getpid(),
            host=socket.gethostname(),
            kapelle=VERSION,
            fingerprints=FINGERPRINT_VERSION,
        )
        recorder.write(opened)
        if retry is not None and index.retried is None:
            rules = retry.rules
            recorder.write(Retried(retry.generation, rules.mode, tuple(sorted(rules.again)), rules.also_handled))
        return recorder

    def _prepare(
        self,
        recorder: Recorder,
        definition: Definition,
        parameters: dict[str, Any],
        index: JournalIndex,
        retry: Retry | None,
        use_cache: bool,
    ) -> Execution:
        home, run = self._home, self._run
        parts = Parts(
            attempt=self.attempt,
            name=run.name,
            flow=run.flow,
            project=run.project,
            parameters=parameters,
            tags=run.tags,
            recorder=recorder,
            supervisor=self._supervisor,
            clock=home.clock,
            chance=SystemChance(),
            runner=ThreadRunner(home.settings.threads),
            index=index,
            reuse=retry.reuse if retry is not None else None,
            options=Options(
                use_cache=use_cache,
                look_closely=home.settings.look_closely,
                environment=environment_digest,
                is_project=is_project_file,
            ),
        )
        return Execution(parts, definition, tuple(parameters[name] for name in definition.parameters))

    def _capture(self) -> Output:
        sink: Callable[[OutputLine], None] | None = self._display.output if self._display is not None else None
        output = Output(Spool(self._folder.output(self.attempt)), self._home.clock.now_us, sink)
        self.execution.engine.output = output
        self._stack.callback(output.close)
        return output

    # Driving

    def drive(self) -> tuple[Run, Ending]:
        """Run a sync flow to its end."""
        with self._stack:
            self._show_start()
            with self._surroundings():
                ending = self.execution.run()
            return self._finish(ending), ending

    async def drive_async(self) -> tuple[Run, Ending]:
        """Run an async flow to its end, in the running loop."""
        with self._stack:
            self._show_start()
            with self._surroundings():
                ending = await self.execution.run_async()
            return self._finish(ending), ending

    @contextmanager
    def _surroundings(self) -> Iterator[None]:
        """What the flow's code finds around it: its output is kept, Ctrl-C cancels, questions reach the person."""
        pause = self._display.pause if self._display is not None else _nothing
        resume = self._display.resume if self._display is not None else _nothing
        streams = sys.stdout, sys.stderr
        interval_s = sys.getswitchinterval()
        sys.setswitchinterval(min(interval_s, SWITCH_S))
        self._stack.callback(sys.setswitchinterval, interval_s)
        with captured(self._output), questions(streams, pause, resume), interruptible(self.execution, self._display):
            yield

    def _show_start(self) -> None:
        if self._display is not None:
            self._display.started(self.execution, self._run)

    def _finish(self, ending: Ending) -> Run:
        """Ship the rest, say how the run stands, and remove what the store has."""
        self._output.close()
        complete = self._supervisor.close()
        scope, store = Scope.system(), self._home.store
        run = self._run
        try:
            with store.read() as tx:
                run = tx.runs.get(scope, run.id)
            if not run.state.is_end and run.attempt.id == self.attempt.id:
                with store.write() as tx:
                    run = tx.runs.abandon(scope, self.attempt, _why(ending), self._home.clock.now_us())
            if complete:
                self._folder.remove_spools(self.attempt)
                self._folder.remove()
        except StoreError:
            pass  # what is missing in the store is in the spools, and `settle` takes it from there
        if self._display is not None:
            self._display.ended(run)
        return run


def _nothing() -> None:
    """There is no display to pause."""


def _why(ending: Ending) -> str:
    """Why a run whose process is alive has not ended."""
    if isinstance(ending.error, StaleAttempt):
        return ABANDONED
    return ending.error.what if isinstance(ending.error, KapelleError) else ABANDONED
