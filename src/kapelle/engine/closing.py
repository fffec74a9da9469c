"""Closing a call: from what its function returned or raised to the line that ends it.

A value is encoded and written before the flow sees it; a failure is written after its last retry. What is raised live
is what a replay will raise.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import Any

from kapelle.core.attempts import retry_delay_s
from kapelle.core.journal import STATE_LETTERS
from kapelle.engine import caching, hooks
from kapelle.engine.blame import letter_of, tag
from kapelle.engine.call import Call, Settled
from kapelle.engine.futures import cancelled_outcome
from kapelle.engine.previews import preview
from kapelle.engine.results import fetch_value, restore_into, store_value
from kapelle.engine.values.change import changed
from kapelle.engine.values.exceptions import decode_exception, raisable
from kapelle.model.calls import SLOW_CALL_US, CallRow, CallState
from kapelle.model.errors import (
    ArgumentChanged,
    Interrupt,
    KapelleError,
    Skip,
    StoreError,
    TaskFailed,
    TaskSkipped,
    TaskTimedOut,
    TaskTimeout,
    UpstreamFailed,
    UsageError,
    ValueRefused,
)
from kapelle.model.failures import Failure
from kapelle.model.journal import Ended, EndedPlainly, EndedRow, Tried
from kapelle.model.outcomes import Outcome
from kapelle.model.values import StoredValue

UPSTREAM = "upstream: "
"""How the reason of a call begins that was skipped because of what it depends on."""

NOT_RETRIED = (UsageError, ValueRefused, StoreError)
"""Errors of ours that another try would only repeat."""


def succeed(call: Call, result: Any) -> Any:
    """Encode and write down the value of a call; returns it. Raises where no codec takes it or an argument changed."""
    engine, definition = call.engine, call.definition
    if call.entry.is_simple and call.snapshot is None and not call.tried and _is_plain(result):
        _write_plain_end(call, result)
        return result
    stored = store_value(
        engine.supervisor,
        result,
        keep_large=definition.external or definition.results == "keep",
        bound=engine.options.persist_bytes,
    )
    if not stored.is_kept and definition.results is None:
        engine.note(
            f"{call.entry.name}: a result of {stored.size:,} bytes is not kept; the call runs again if it is needed; "
            'say results="keep" or results="recompute" on the task',
            call=call.number,
        )
    reusable = call.snapshot is None or _arguments_intact(call)
    mutated: tuple[StoredValue, ...] = ()
    if definition.mutates:
        by_name = dict(zip(definition.parameters, call.values, strict=True))
        mutated = tuple(store_value(engine.supervisor, by_name[name], keep_large=True) for name in definition.mutates)
    now = engine.clock.now_us()
    _write_end(call, Ended(call.number, "S", now, stored, None, "", "", reusable, mutated))
    if call.cache_key is not None and stored.is_kept and reusable:
        caching.remember(call, stored, now)
    if definition.hooks.success:
        hooks.run(call, definition.hooks.success, result=result)
    return result


def _is_plain(result: Any) -> bool:
    """Whether the JSON of a result can stand in its line without a codec having looked at it."""
    if type(result) is int:
        return -(1 << 63) <= result < 1 << 63
    return result is None or result is True or result is False


def _write_plain_end(call: Call, result: Any) -> None:
    """The end of a call like most: it succeeded at once, with a plain value, and nobody wants to hear of it."""
    engine = call.engine
    recorder = engine.recorder
    now = engine.now_us()
    duration_us = now - call.started_us
    if duration_us >= SLOW_CALL_US:
        _write_end(call, Ended(call.number, "S", now, store_value(call.engine.supervisor, result)))
        return
    data = recorder.encode(EndedPlainly(call.number, "S", now, ("json", result)))
    group = call.group
    with recorder.lock:
        recorder.put(data)
        call.closed = True
        group.running -= 1
        group.succeeded += 1
        group.last_us = now
        group.duration_us += duration_us
    call.engine.supervisor.written(recorder.spool.offset)


def _arguments_intact(call: Call) -> bool:
    definition = call.definition
    names = [
        name for name in changed(call.snapshot, definition.parameters, call.values) if name not in definition.mutates
    ]
    if not names:
        return True
    text = f"{call.entry.name} changed its argument {', '.join(names)} in place"
    if call.engine.options.strict:
        raise ArgumentChanged(
            text,
            cause="a replay skips the call and would go on with the unchanged argument",
            where=f"{definition.file}:{definition.line}",
            hint=f"work on a copy and return it, or declare mutates=({', '.join(repr(name) for name in names)},)",
        )
    call.engine.note(f"{text}: the call is not reusable and runs again on replay", call=call.number)
    return False


def fail(call: Call, error: BaseException, *, final: bool = False) -> float:
    """What follows from an exception: the seconds until the next attempt, or the end of the call, which raises.

    `final`: no retry, whatever the policy says.
    """
    if call.closed or isinstance(error, StoreError):
        raise error
    if isinstance(error, TaskTimeout) and call.expired:
        error = _timed_out(call)
    elif isinstance(error, Skip):
        _end_skipped(call, error)
    elif isinstance(error, SystemExit):
        cause, error = error, TaskFailed(f"{call.entry.name} called sys.exit({error.code!r})")
        error.__cause__ = cause
    elif not isinstance(error, Exception):
        _end_cancelled(call, error)
    raised, failure = raisable(error)
    delay_s = None if final or isinstance(error, NOT_RETRIED) else _delay_s(call, error)
    if delay_s is not None:
        _write_tried(call, failure, delay_s)
        return delay_s
    _write_end(call, Ended(call.number, "F", call.engine.clock.now_us(), None, failure), error=failure.headline)
    tag(raised, call.number, "F")
    if call.definition.hooks.failure:
        hooks.run(call, call.definition.hooks.failure, error=raised)
    raise raised


def _delay_s(call: Call, error: BaseException) -> float | None:
    """What the call's policy says; a `retry_if` of the author's that raises says no."""
    try:
        return retry_delay_s(call.definition.retry, error, call.attempt, call.engine.chance.fraction())
    except Exception as broken:
        text = f"{call.entry.name} is not tried again: its retry_if raised {type(broken).__name__}: {broken}"
        call.engine.note(text, call=call.number)
        return None


def _timed_out(call: Call) -> TaskTimedOut:
    call.expired = False
    return TaskTimedOut(
        f"{call.entry.name} did not end within {call.definition.timeout_s:g} s",
        where=f"{call.definition.file}:{call.definition.line}",
        hint="raise timeout=, or look at what it waits for",
    )


def _end_skipped(call: Call, error: Skip) -> None:
    reason = str(error) or "it raised Skip"
    _write_end(call, Ended(call.number, "K", call.engine.clock.now_us(), reason=reason))
    skipped = TaskSkipped(f"{call.entry.name} was skipped", cause=reason)
    tag(skipped, call.number, "K")
    raise skipped from None


def _end_cancelled(call: Call, error: BaseException) -> None:
    reason = call.engine.cancelled or ("a call around it was stopped" if isinstance(error, Interrupt) else "cancelled")
    _write_end(call, Ended(call.number, "C", call.engine.clock.now_us(), reason=reason))
    if call.definition.hooks.cancel:
        hooks.run(call, call.definition.hooks.cancel, error=error)
    raise error


def next_attempt(call: Call) -> None:
    """The pause before the next attempt is over."""
    call.tried += 1
    call.not_before_us = 0
    call.expired = False
    with call.engine.recorder.lock:
        call.group.retrying -= 1
        call.group.running += 1


def abandon(call: Call) -> None:
    """An exception leaves the call between attempts, or the spool is gone: count it as over, and say so if possible."""
    if call.closed:
        return
    call.closed = True
    with call.engine.recorder.lock:
        if call.group.retrying:
            call.group.retrying -= 1
        else:
            call.group.running -= 1
    if call.engine.cancelled is not None:
        try:
            call.engine.recorder.write(
                Ended(call.number, "C", call.engine.clock.now_us(), reason=call.engine.cancelled)
            )
        except (KapelleError, RuntimeError, OSError):
            pass  # the one that stopped the recorder is told elsewhere


def _write_tried(call: Call, failure: Failure, delay_s: float) -> None:
    now = call.engine.clock.now_us()
    line = Tried(call.number, call.attempt, now, now + int(delay_s * 1e6), failure)
    recorder = call.engine.recorder
    with recorder.lock:
        recorder.put(recorder.encode(line))
        call.group.running -= 1
        call.group.retrying += 1
    call.engine.supervisor.written(recorder.spool.offset)


def _write_end(call: Call, ended: Ended, error: str = "") -> None:
    recorder = call.engine.recorder
    state = STATE_LETTERS[ended.state]
    duration_us = ended.at_us - call.started_us
    definition = call.definition
    if (
        ended.state == "S"
        and not call.tried
        and duration_us < SLOW_CALL_US
        and not definition.run_name
        and not definition.index
    ):
        data = recorder.encode(ended)
    else:
        data = recorder.encode(EndedRow(ended, _row(call, ended, state)))
    with recorder.lock:
        recorder.put(data)
        call.closed = True
        call.group.running -= 1
        call.group.ended(state, ended.mark, call.started_us, ended.at_us, error)
    call.engine.supervisor.written(recorder.spool.offset)


def _row(call: Call, ended: Ended, state: CallState) -> CallRow:
    return CallRow(
        id=call.id.hex(),
        call=call.number,
        task=call.entry.name,
        name=call.name,
        state=state,
        started_at_us=call.started_us,
        ended_at_us=ended.at_us,
        attempts=call.attempt,
        mark=ended.mark,
        reason=ended.reason,
        inputs=preview(call.definition.parameters, call.values),
        failure=ended.failure,
    )


def copy_in(call: Call, ended: Ended) -> Settled | None:
    """Write a call that did not run here (reused, cached, skipped) as started and ended at once.

    None, and nothing written, when its value cannot be read any more: then the call has to run.
    """
    try:
        settled = settle(call, ended)
    except (ValueRefused, KapelleError):
        return None
    recorder = call.engine.recorder
    call.strand.define()
    with recorder.lock:
        if call.number < 0:
            call.number = recorder.new_call()
        end = Ended(
            call.number,
            ended.state,
            ended.at_us,
            ended.value,
            ended.failure,
            ended.reason,
            ended.mark,
            True,
            ended.mutated,
        )
        recorder.put(recorder.encode(call.start_line()))
        recorder.put(recorder.encode(end))
        call.group.ended(STATE_LETTERS[ended.state], ended.mark, call.started_us, ended.at_us)
    call.engine.supervisor.written(recorder.spool.offset)
    settled.number = call.number
    return settled


def settle(call: Call, ended: Ended) -> Settled:
    """The recorded end of a call as the flow is given it: its value, its failure raised again, or its cancellation."""
    state = STATE_LETTERS[ended.state]
    if state is CallState.SUCCEEDED:
        supervisor = call.engine.supervisor
        value = fetch_value(supervisor, ended.value) if ended.value is not None else None
        if ended.mutated:
            by_name = dict(zip(call.definition.parameters, call.values, strict=True))
            for name, stored in zip(call.definition.mutates, ended.mutated, strict=True):
                restore_into(by_name[name], fetch_value(supervisor, stored))
        return Settled(Outcome(state, value), call.number)
    error: BaseException
    if state is CallState.FAILED:
        assert ended.failure is not None
        error = decode_exception(ended.failure)
    elif state is CallState.SKIPPED:
        kind = UpstreamFailed if ended.reason.startswith(UPSTREAM) else TaskSkipped
        error = kind(f"{call.entry.name} was skipped", cause=ended.reason.removeprefix(UPSTREAM))
    else:
        error = asyncio.CancelledError() if call.strand.is_async else concurrent.futures.CancelledError()
    tag(error, call.number, ended.state)
    return Settled(Outcome(state, None, error, ended.reason), call.number)


def outcome_of(error: BaseException) -> Outcome[Any]:
    """How the call ended that raised `error`."""
    if isinstance(error, (Interrupt, asyncio.CancelledError, concurrent.futures.CancelledError)):
        return cancelled_outcome(str(error) or "cancelled")
    state = STATE_LETTERS[letter_of(error)]
    reason = error.cause if isinstance(error, TaskSkipped) else ""
    return Outcome(state, None, error, reason)
