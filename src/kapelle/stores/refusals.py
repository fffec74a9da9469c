"""What every store says when it refuses: one wording, so that nobody has to know which store was asked."""

from __future__ import annotations

from kapelle.model.errors import NotFound, StaleAttempt, StoreError
from kapelle.model.runs import Attempt, Run, RunState


def no_run(run_id: str) -> NotFound:
    """The run is not there, or not there for this scope: the two cannot be told apart."""
    return NotFound(f"there is no run {run_id!r}", hint="`kapelle ls` lists the runs that you can see")


def no_project(project: str) -> NotFound:
    """The project is not there for this scope."""
    return NotFound(f"there is no project {project!r}", hint="check its name, and whether you have access to it")


def not_current(run: Run, attempt: Attempt, verb: str) -> StaleAttempt:
    """An attempt that is not the run's current one wanted to `verb`."""
    return StaleAttempt(
        f"run {run.id}: attempt {attempt.number} of generation {attempt.generation} may not {verb}",
        cause=_why_not(run, attempt),
        hint="this process lost the run; `kapelle show` says who has it",
    )


def no_attempt(run: Run, generation: int, attempt_id: str) -> StaleAttempt:
    """No attempt can begin on the run as it is."""
    now = f"generation {run.generation} is {run.state}"
    if run.attempt.id and generation == run.generation:
        now += f", its current attempt is number {run.attempt.number}"
    return StaleAttempt(
        f"run {run.id}: no attempt ({attempt_id!r}) can begin on generation {generation}",
        cause=now,
        hint="an ended run goes on only by a retry, as its next generation",
    )


def not_ended(run: Run, generation: int) -> StaleAttempt:
    """No next generation can follow `generation`."""
    return StaleAttempt(
        f"run {run.id}: generation {generation} cannot be retried",
        cause=f"generation {run.generation} is {run.state}",
        hint="a retry follows the end of the newest generation, once",
    )


def not_an_end(state: RunState) -> StoreError:
    """A generation was to end in a state that is no end."""
    return StoreError(f"a run cannot end as {state}", hint="the ends are succeeded, failed and cancelled")


def not_a_beginning(state: RunState) -> StoreError:
    """A run was to be created in the middle of its life."""
    return StoreError(f"a run cannot be created as {state}", hint="create it as scheduled or queued")


def reading_only() -> StoreError:
    """A verb that writes was used in `store.read()`."""
    return StoreError("nothing can be written in a read transaction", hint="use `with store.write()`")


def is_over() -> StoreError:
    """A transaction, or something that reads through it, was used after its block."""
    return StoreError("this transaction is over", hint="use it, and what it returned to be read, inside its block")


def nested_write() -> StoreError:
    """A thread that writes wanted to write beside itself, and would have waited for itself."""
    return StoreError("this thread has a write transaction open already", hint="use the one that is open")


def require_whole_lines(lines: bytes, offset: int) -> None:
    """Raise StoreError for bytes that are not whole lines at a possible offset."""
    if offset < 0:
        raise StoreError(f"lines cannot begin at byte {offset}")
    if lines and not lines.endswith(b"\n"):
        raise StoreError("only whole lines can be kept", cause=f"the last one has no end: …{lines[-40:]!r}")


def _why_not(run: Run, attempt: Attempt) -> str:
    if attempt.generation != run.generation:
        return f"the run is in generation {run.generation}"
    if attempt.id != run.attempt.id:
        return f"attempt {run.attempt.number} has taken over" if run.attempt.id else "no attempt has begun"
    return f"the run is {run.state}"
