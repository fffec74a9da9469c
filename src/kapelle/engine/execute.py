"""Executing a run: the flow's own code from its first line to the line that says how it ended.

The engine waits, before that last line, for everything that the flow started; and after it, for the store's word that
all of it is recorded. A cancelled run gives what still runs its grace time first.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import Any

from kapelle.core.journal import Recorded
from kapelle.engine import blame
from kapelle.engine.binding import unbind
from kapelle.engine.futures import finish, finish_async
from kapelle.engine.groups import total
from kapelle.engine.hooks import call_hooks
from kapelle.engine.interrupts import NO_LANE
from kapelle.engine.loops import branch_factory, cancel_tasks
from kapelle.engine.results import store_value
from kapelle.engine.session import RunStrand
from kapelle.engine.state import Engine, Parts
from kapelle.engine.values.exceptions import raisable
from kapelle.model.definitions import Definition
from kapelle.model.errors import Interrupt, RunCancelled, StoreError, TaskTimedOut, TaskTimeout
from kapelle.model.journal import Counted, Finished, Noted
from kapelle.model.runs import CallCounts, RunState
from kapelle.ports.progress import Progress
from kapelle.ports.session import current, process_session


@dataclass
class Ending:
    """How the flow's code ended: with a value, or with an exception."""

    state: RunState
    value: Any = None
    error: BaseException | None = None
    reason: str = ""


class Execution:
    """One attempt of a run in this process; also what a display watches."""

    def __init__(self, parts: Parts, flow: Definition, values: tuple[Any, ...]) -> None:
        self.engine = Engine(parts, RunStrand, flow)
        self.flow = flow
        self.values = values
        self.state = RunState.RUNNING
        self._root: RunStrand | None = None

    # Running

    def run(self) -> Ending:
        """Run a sync flow in this thread."""
        engine = self.engine
        lane = engine.lane()
        root = self._begin(RunStrand(engine, None, None, "", engine.root, lane, False))
        token = current.set(root)
        args, kwargs = unbind(self.flow, self.values)
        deadline = self._arm()
        try:
            try:
                lane.enter_user()
                value = self.flow.fn(*args, **kwargs)
                lane.leave_user()
                finish(root)
                engine.check_cancelled()  # its calls were stopped, and the flow's code did not mind
                ending = Ending(RunState.SUCCEEDED, value)
            except BaseException as error:
                lane.received()
                ending = self._ended_by(error)
                self._finish_rest(root, ending)
            return self._close(ending)
        finally:
            engine.deadlines.cancel(deadline)
            current.reset(token)
            self._end()

    async def run_async(self) -> Ending:
        """Run an async flow in the loop of the current task."""
        engine = self.engine
        loop = asyncio.get_running_loop()
        factory = loop.get_task_factory()
        engine.loop, engine.main_task = loop, asyncio.current_task()
        engine.cancel_hooks["loop"] = lambda: cancel_tasks(engine)
        loop.set_task_factory(branch_factory(engine, factory))
        root = self._begin(RunStrand(engine, None, None, "", engine.root, NO_LANE, True))
        token = current.set(root)
        args, kwargs = unbind(self.flow, self.values)
        try:
            try:
                async with asyncio.timeout(self.flow.timeout_s) as limit:
                    value = await self.flow.fn(*args, **kwargs)
                await finish_async(root)
                engine.check_cancelled()
                ending = Ending(RunState.SUCCEEDED, value)
            except BaseException as error:
                timed_out = isinstance(error, TimeoutError) and limit.expired()
                ending = self._ended_by(self._flow_timed_out() if timed_out else error)
                await self._finish_rest_async(root, ending)
            return self._close(ending)
        finally:
            loop.set_task_factory(factory)
            current.reset(token)
            self._end()

    def _begin(self, root: RunStrand) -> RunStrand:
        self._root = root
        process_session.append(root)
        if self.flow.hooks.start:
            call_hooks(self.flow.hooks.start, self.engine.info, None)
        return root

    def _arm(self) -> int:
        """The soft timeout of a sync flow."""
        engine, lane = self.engine, self.engine.lane()
        if self.flow.timeout_s is None:
            return -1

        def expire() -> None:
            engine.deadlines.interrupt(lane, TaskTimeout)
            engine.wake_waiters()

        return engine.deadlines.at(self.flow.timeout_s, expire)

    def _flow_timed_out(self) -> TaskTimedOut:
        return TaskTimedOut(
            f"the flow {self.flow.name} did not end within {self.flow.timeout_s:g} s",
            where=f"{self.flow.file}:{self.flow.line}",
            hint="raise timeout=, or look at which call took so long with `kapelle show @last --calls`",
        )

    def _ended_by(self, error: BaseException) -> Ending:
        engine = self.engine
        if isinstance(error, SystemExit) and not error.code:
            return Ending(RunState.SUCCEEDED)
        if isinstance(error, TaskTimeout):
            error = self._flow_timed_out()
        if isinstance(error, TaskTimedOut) and engine.cancelled is None:
            return Ending(RunState.FAILED, error=error, reason="timed out")
        if engine.cancelled is not None or isinstance(error, (RunCancelled, KeyboardInterrupt, asyncio.CancelledError)):
            return Ending(RunState.CANCELLED, error=error, reason=engine.cancelled or "cancelled")
        return Ending(RunState.FAILED, error=error)

    def _finish_rest(self, root: RunStrand, ending: Ending) -> None:
        """The flow's code is over; what it started is not."""
        try:
            finish(root, ending.error)
        except BaseException as error:
            if not isinstance(error, (Interrupt, StoreError)):
                raise
        self._let_go()

    async def _finish_rest_async(self, root: RunStrand, ending: Ending) -> None:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        try:
            await finish_async(root, ending.error)
        except (Interrupt, StoreError, asyncio.CancelledError):
            pass
        await asyncio.to_thread(self._let_go)

    def _let_go(self) -> None:
        """Of a cancelled run: wait for what still runs, at most the grace time."""
        engine = self.engine
        if engine.cancelled is None:
            return
        over = threading.Event()
        end = engine.clock.monotonic_s() + engine.options.grace_s
        while any(group.running for group in engine.root.walk()) and engine.clock.monotonic_s() < end:
            over.wait(0.01)

    # Ending

    def _close(self, ending: Ending) -> Ending:
        """Write down how the run ended, and wait until that is recorded."""
        engine, error = self.engine, ending.error
        if isinstance(error, StoreError):
            return ending  # nothing more can be written; the run is not over, it can be resumed
        value = failure = None
        if ending.state is RunState.SUCCEEDED:
            try:
                value = store_value(engine.supervisor, ending.value, keep_large=True)
            except Exception as refused:
                ending.state, ending.error, error = RunState.FAILED, refused, refused
        if ending.state is RunState.FAILED and error is not None:
            ending.error, failure = raisable(error) if isinstance(error, Exception) else (error, _failure_of(error))
        unclaimed = self._note_unclaimed() if ending.state is RunState.SUCCEEDED else 0
        now = engine.clock.now_us()
        fatal = tuple(sorted(blame.calls_of(error))) if ending.state is RunState.FAILED else ()
        counted = Counted(tuple(group.row() for group in engine.root.walk()))
        finished = Finished(ending.state.value, now, ending.reason, value, failure, fatal, unclaimed)
        try:
            engine.recorder.write(counted, finished)
            engine.recorder.wait_recorded()
        except StoreError as refused:
            ending.error = ending.error or refused
            ending.reason = ending.reason or "not recorded"
            return ending
        self.state = ending.state
        self._call_end_hooks(ending)
        return ending

    def _call_end_hooks(self, ending: Ending) -> None:
        hooks, info = self.flow.hooks, self.engine.info
        if ending.state is RunState.SUCCEEDED:
            call_hooks(hooks.success, info, ending.value)
        elif ending.state is RunState.FAILED:
            call_hooks(hooks.failure, info, ending.error)
        else:
            call_hooks(hooks.cancel, info, ending.error)

    def _note_unclaimed(self) -> int:
        """Recorded successes that this replay did not ask for: a sign of a flow that does not repeat itself."""
        engine, index = self.engine, self.engine.index
        if not engine.replays:
            return 0

        def asked_for(call: Recorded) -> bool:
            return call.claimed or any(parent.claimed and parent.ended is not None for parent in index.parents(call))

        left = [call for call in index.calls.values() if call.ended is not None and not asked_for(call)]
        left = [call for call in left if not index.branches[call.branch].key.startswith("detached:")]
        if left:
            names = sorted({index.tasks[call.task].name for call in left})
            engine.recorder.write(
                Noted(
                    engine.clock.now_us(), -1, 30,
                    f"{len(left)} recorded calls were not asked for by the replay ({', '.join(names[:5])}): between "
                    "its tasks a flow should only compute; use run.now(), run.uuid(), run.random() or step(…)",
                )
            )  # fmt: skip
        return len(left)

    def _end(self) -> None:
        engine = self.engine
        if self._root in process_session:
            process_session.remove(self._root)
        if engine.loop_thread is not None:
            engine.loop_thread.close()
        engine.runner.close()
        engine.deadlines.close()
        engine.recorder.close()

    # Watching

    def cancel(self, reason: str) -> None:
        """Ask the run to stop in order."""
        self.engine.cancel(reason)

    def counts(self) -> CallCounts:
        """Counts over all calls so far."""
        return total(self.engine.root.walk())

    def progress(self) -> Progress:
        """A snapshot for a display."""
        engine = self.engine
        state = "cancelling" if engine.cancelled is not None and self.state is RunState.RUNNING else self.state.value
        return Progress(
            run_id=engine.info.id,
            name=engine.info.name,
            flow=engine.info.flow,
            state=state,
            generation=engine.info.generation,
            started_us=engine.started_us,
            now_us=engine.clock.now_us(),
            groups=tuple(group.progress() for group in engine.root.walk()),
            replaying=engine.replays,
        )


def _failure_of(error: BaseException) -> Any:
    """A failure that is no Exception (SystemExit with a code, say), as it is kept."""
    told = RuntimeError(f"the flow left with {type(error).__name__}({error})")
    return raisable(told)[1]
