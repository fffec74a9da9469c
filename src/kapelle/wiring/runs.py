"""Runs that a person starts by hand: started, resumed, planned and retried in this process."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kapelle.authoring.parameters import parse_parameters
from kapelle.core.journal import CallView, JournalIndex, index_of, views_of
from kapelle.core.retry import RetryPlan, RetryRules, ReuseMode, make_plan
from kapelle.engine.execute import Ending
from kapelle.engine.previews import preview
from kapelle.engine.results import fetch_value, store_value
from kapelle.engine.values.code import code_digest
from kapelle.engine.values.project import is_project_file
from kapelle.model.access import Scope
from kapelle.model.definitions import Definition
from kapelle.model.errors import UsageError, ValueRefused
from kapelle.model.ids import text_id
from kapelle.model.journal import Retried
from kapelle.model.runs import NewRun, Run, RunState
from kapelle.model.version import VERSION
from kapelle.ports.blobs import Blobs
from kapelle.ports.progress import Display
from kapelle.supervisor.leftovers import settle
from kapelle.supervisor.rundir import RunDir
from kapelle.wiring.attempts import LocalAttempt, Retry, begin
from kapelle.wiring.clock import SystemChance
from kapelle.wiring.loading import Loaded, definitions_of
from kapelle.wiring.local import LocalHome

_MANNERS = frozenset({"-q", "--quiet", "-v", "--verbose", "--json"})
"""Words of the command line that say how a run is shown."""


@dataclass(frozen=True)
class RunOptions:
    """What a person may say about a new run."""

    name: str = ""
    tags: tuple[str, ...] = ()
    cache: bool = True


class ProjectBlobs:
    """The blobs of one project, for values that are stored outside a run's own engine."""

    def __init__(self, blobs: Blobs, project: str) -> None:
        self._blobs = blobs
        self._project = project

    def put_blob(self, data: bytes) -> str:
        """Keep the bytes; returns their digest."""
        return self._blobs.put(self._project, data)

    def get_blob(self, digest: str) -> bytes:
        """The bytes."""
        return self._blobs.get(self._project, digest)


def create_run(
    home: LocalHome, loaded: Loaded, parameters: Mapping[str, Any], options: RunOptions
) -> tuple[Run, RunDir]:
    """Keep a new run, and take its lock."""
    definition = loaded.definition
    stored = store_value(ProjectBlobs(home.blobs, loaded.project), dict(parameters), keep_large=True)
    run_id = text_id(SystemChance().token())
    folder = RunDir(home.runs, run_id)
    folder.acquire()
    try:
        new = NewRun(
            id=run_id,
            project=loaded.project,
            flow=definition.name,
            name=options.name or _run_name(definition, parameters, run_id),
            entry=loaded.entry,
            parameters=stored,
            parameters_text=preview(tuple(parameters), tuple(parameters.values())),
            created_at_us=home.clock.now_us(),
            tags=tuple(dict.fromkeys((*definition.tags, *options.tags))),
            kapelle_version=VERSION,
        )
        with home.store.write() as tx:
            run = tx.runs.create(Scope.system(), new, RunState.QUEUED)
            begin(home, tx, run)
            return tx.runs.get(Scope.system(), run_id), folder
    except BaseException:
        folder.remove()
        folder.release()
        raise


def _run_name(definition: Definition, parameters: Mapping[str, Any], run_id: str) -> str:
    short = definition.name.rsplit(".", 1)[-1]
    if not definition.run_name:
        return f"{short}-{run_id[:6]}"
    try:
        return definition.run_name.format(**parameters)
    except Exception as error:
        raise UsageError(
            f"run_name={definition.run_name!r} does not fit the parameters",
            cause=f"{type(error).__name__}: {error}",
            where=f"{definition.file}:{definition.line}",
            hint="it may name the flow's parameters: " + ", ".join(definition.parameters),
        ) from None


def start_run(
    home: LocalHome, loaded: Loaded, parameters: Mapping[str, Any], options: RunOptions, display: Display | None
) -> Run:
    """Start a run and stay with it to its end; returns it as it ended.

    Raises KapelleError only for what keeps it from starting or from being recorded.
    """
    run, folder = create_run(home, loaded, parameters, options)
    attempt = LocalAttempt(
        home,
        run,
        folder,
        loaded.definition,
        dict(parameters),
        display=display,
        use_cache=options.cache,
        go_on=_resume_argv,
    )
    return _drive(attempt)[0]


def resume_run(home: LocalHome, run: Run, loaded: Loaded, display: Display | None) -> Run:
    """Go on with a run whose process is gone, where it was. RunBusy while it is alive, UsageError when it has ended."""
    return _drive(prepare_resume(home, run, loaded, display, _resume_argv))[0]


def prepare_resume(home: LocalHome, run: Run, loaded: Loaded, display: Display | None, go_on: Any) -> LocalAttempt:
    """The next attempt of a run whose process is gone."""
    folder = RunDir(home.runs, run.id)
    folder.acquire()
    try:
        settle(home.store, folder, home.clock.now_us())
        with home.store.read() as tx:
            run = tx.runs.get(Scope.system(), run.id)
        if run.state.is_end:
            raise UsageError(
                f"the run {run.name} has ended ({run.state.value}); there is nothing to resume",
                hint=f"`kapelle retry {run.id[:8]}` makes a new try that takes what has succeeded",
            )
        index = read_index(home, run, run.generation)
        attempt = LocalAttempt(
            home, run, folder, loaded.definition, _parameters(home, run, loaded), index=index,
            retry=_retry_of(home, run, index), display=display, go_on=go_on,
        )  # fmt: skip
        _tell_changes(attempt, run, loaded)
        return attempt
    except BaseException:
        folder.release()
        raise


def _parameters(home: LocalHome, run: Run, loaded: Loaded) -> dict[str, Any]:
    """The run's parameters, if the flow as it is now still takes them. ParameterError, with what differs, if not."""
    return parse_parameters(loaded.definition, {}, parameters_of(home, run))


def _tell_changes(attempt: LocalAttempt, run: Run, loaded: Loaded) -> None:
    """A resume takes what is recorded without comparing code, so it says when the code is not that of the start."""
    if run.entry.digest and loaded.entry.digest and run.entry.digest != loaded.entry.digest:
        attempt.execution.engine.note(
            f"{run.entry.file} has changed since this run began; what is recorded is taken as it is. "
            "`kapelle retry` compares the code of each task instead."
        )


def _retry_of(home: LocalHome, run: Run, index: JournalIndex) -> Retry | None:
    """The retry that this generation is, as its journal says; a process that died before it could say took no rules."""
    line = index.retried
    if line is None and run.generation == 1:
        return None
    line = line or Retried(run.generation - 1, "unchanged", (), False)
    rules = RetryRules(line.mode, frozenset(line.again), line.also_handled)  # type: ignore[arg-type]
    retry = Retry(read_index(home, run, line.before), rules, line.before)
    retry.reuse.claim_taken(index)
    return retry


def plan_retry(
    home: LocalHome,
    run: Run,
    loaded: Loaded,
    *,
    reuse: ReuseMode = "unchanged",
    again: Sequence[str] = (),
    also_handled: bool = False,
) -> RetryPlan:
    """What a retry of the run will take and what will run again. UsageError when the run has not ended, or when a
    chosen task is none of the run's."""
    if not run.state.is_end:
        raise UsageError(
            f"the run {run.name} has not ended ({run.state.value})",
            hint=f"`kapelle resume {run.id[:8]}` goes on with it"
            if run.state is RunState.WAITING
            else "cancel it first",
        )
    index = read_index(home, run, run.generation)
    rules = RetryRules(reuse, frozenset(again), also_handled)
    names = {index.tasks[call.task].name for call in index.calls.values()}
    unknown = [one for one in again if one not in names and one not in {name.rsplit(".", 1)[-1] for name in names}]
    if unknown:
        raise UsageError(
            f"the run has no task {unknown[0]!r}", hint=f"its tasks are: {', '.join(sorted(names)) or 'none'}"
        )
    definitions = definitions_of(loaded)

    def code_now(name: str) -> str | None:
        definition = definitions.get(name)
        if definition is not None:
            return code_digest(definition.fn, is_project_file)
        recorded = next(task for task in index.tasks.values() if task.name == name)
        return recorded.code if recorded.kind == "step" or "<" in name else None

    return make_plan(run.id, run.generation, index, rules, code_now)


def retry_run(home: LocalHome, run: Run, loaded: Loaded, plan: RetryPlan, display: Display | None) -> Run:
    """Make the next generation of an ended run, by a plan. Validated parameters are taken as they were."""
    before = read_index(home, run, run.generation)
    folder = RunDir(home.runs, run.id)
    folder.acquire()
    try:
        with home.store.write() as tx:
            run = tx.runs.next_generation(Scope.system(), run.id, run.generation, home.clock.now_us())
            begin(home, tx, run)
            run = tx.runs.get(Scope.system(), run.id)
        attempt = LocalAttempt(
            home, run, folder, loaded.definition, _parameters(home, run, loaded),
            retry=Retry(before, plan.rules, run.generation - 1), display=display, go_on=_resume_argv,
        )  # fmt: skip
    except BaseException:
        folder.release()
        raise
    return _drive(attempt)[0]


def _drive(attempt: LocalAttempt) -> tuple[Run, Ending]:
    if attempt.execution.flow.is_async:
        run, ending = asyncio.run(attempt.drive_async())
    else:
        run, ending = attempt.drive()
    if not run.state.is_end and isinstance(ending.error, Exception):
        raise ending.error
    return run, ending


def _resume_argv(run_id: str) -> list[str]:
    """The command that goes on with a run in place of this process, as talkative as this one."""
    return [sys.executable, "-m", "kapelle", "resume", run_id, *(word for word in sys.argv[1:] if word in _MANNERS)]


def read_index(home: LocalHome, run: Run, generation: int) -> JournalIndex:
    """The journal of a generation as the store has it."""
    collects = gc.isenabled()
    gc.disable()  # a large index is all live objects: looking through them again and again is a third of the time
    try:
        with home.store.read() as tx:
            return index_of(tx.journal.read(Scope.system(), run.id, generation))
    finally:
        if collects:
            gc.enable()


def parameters_of(home: LocalHome, run: Run) -> dict[str, Any]:
    """The parameters that the run was created with."""
    value = fetch_value(ProjectBlobs(home.blobs, run.project), run.parameters)
    if not isinstance(value, dict):
        raise ValueRefused(f"the parameters of the run {run.name} are damaged")
    return value


def result_of(home: LocalHome, run: Run) -> object:
    """The result of a run that succeeded."""
    if run.result is None:
        return None
    return fetch_value(ProjectBlobs(home.blobs, run.project), run.result)


def calls_of(home: LocalHome, run: Run) -> list[CallView]:
    """Every call of the current generation, from the journal."""
    return views_of(read_index(home, run, run.generation), alive=run.state is RunState.RUNNING)
