"""Calls: what happens between `extract(day)` and its value.

A call is *admitted*: bound to an identity, looked up (this generation's journal, the generation before, the cache) and,
if nothing answers, written down as started. Then its function runs, as often as its retries allow, and the call is
*closed*: its value encoded, its end written, before anybody sees the value. `perform` and `perform_async` are the two
thin shells around these steps; no other place runs a task's function.
"""

from __future__ import annotations

import asyncio
from typing import Any

from kapelle.core.attempts import crashed_too_often
from kapelle.core.journal import STATE_LETTERS, Recorded
from kapelle.core.retry import REUSED
from kapelle.engine import caching, closing, invoking
from kapelle.engine.call import NO_INPUTS, Call, Settled
from kapelle.engine.limits import limiter_of
from kapelle.engine.strand import Strand
from kapelle.engine.values.change import snapshot
from kapelle.engine.values.fingerprint import Fingerprint, fingerprint_arguments
from kapelle.model.definitions import Definition
from kapelle.model.errors import TaskCrashed, UnrepeatableInput
from kapelle.model.journal import Ended


def perform(
    strand: Strand,
    definition: Definition,
    values: tuple[Any, ...],
    key: str = "",
    *,
    shielded: bool = False,
    inputs: Fingerprint | None = None,
) -> Any:
    """Run a call in this thread and return its value. `shielded`: even while the run is being cancelled."""
    call = admit(strand, definition, values, key, shielded=shielded, inputs=inputs)
    if isinstance(call, Settled):
        return call.get()
    engine, lane = strand.engine, strand.lane
    limiter = limiter_of(engine, definition) if definition.limit is not None and not key else None
    try:
        while True:
            if limiter is not None:
                limiter.acquire(engine, lane)
            try:
                if call.not_before_us:
                    engine.pause((call.not_before_us - engine.clock.now_us()) / 1e6, lane)
                return closing.succeed(call, invoking.invoke(call))
            except BaseException as error:
                delay_s = closing.fail(call, error)
            finally:
                if limiter is not None:
                    limiter.release()
            engine.pause(delay_s, lane)
            closing.next_attempt(call)
    finally:
        if not call.closed:
            closing.abandon(call)


async def perform_async(
    strand: Strand,
    definition: Definition,
    values: tuple[Any, ...],
    key: str = "",
    *,
    shielded: bool = False,
    inputs: Fingerprint | None = None,
) -> Any:
    """Run a call of an async function in this event loop and return its value."""
    call = admit(strand, definition, values, key, shielded=shielded, inputs=inputs)
    if isinstance(call, Settled):
        return call.get()
    engine = strand.engine
    limiter = limiter_of(engine, definition) if definition.limit is not None and not key else None
    try:
        while True:
            if limiter is not None:
                await limiter.acquire_async()
            try:
                if call.not_before_us:
                    await asyncio.sleep((call.not_before_us - engine.clock.now_us()) / 1e6)
                return closing.succeed(call, await invoking.invoke_async(call))
            except BaseException as error:
                delay_s = closing.fail(call, error)
            finally:
                if limiter is not None:
                    limiter.release()
            await asyncio.sleep(delay_s)
            engine.check_cancelled()
            closing.next_attempt(call)
    finally:
        if not call.closed:
            closing.abandon(call)


def admit(
    strand: Strand,
    definition: Definition,
    values: tuple[Any, ...],
    key: str = "",
    *,
    shielded: bool = False,
    inputs: Fingerprint | None = None,
) -> Call | Settled:
    """Give the call its identity; answer it from what is recorded, or write down that it starts.

    `inputs` replaces the fingerprint of the values, for a call whose inputs depend on the order of arrival.
    """
    engine = strand.engine
    if not shielded and engine.cancelled is not None:
        engine.check_cancelled()
    entry = engine.entry(definition)
    if inputs is None:
        inputs = fingerprint_arguments(definition.parameters, values, definition.ignore)
    occurrence = 0 if key else strand.slot(entry).occurrence(inputs.digest)
    group = strand.group.children.get(definition.name) or strand.group.child(definition.name, definition.kind)
    call = Call(strand, entry, key, occurrence, values, inputs, group)
    known = engine.index.by_id.get(call.id) if engine.replays else None
    if known is not None:
        settled = _replayed(call, known)
        if settled is not None:
            return settled
        call.number = known.number
    call.started_us = engine.now_us()
    if engine.reuse is not None and not strand.is_detached:
        settled = _reused(call)
        if settled is not None:
            return settled
    if definition.cache is not None:
        settled = _cached(call)
        if settled is not None:
            return settled
    _start(call)
    if inputs.left_out and definition.kind != "flow":
        _tell_left_out(call)
    if known is not None:
        _go_on(call, known)
    if definition.external:
        engine.recorder.wait_recorded()
    if not inputs.immutable:
        call.snapshot = snapshot(
            definition.parameters, values, inputs, engine.options.look_closely, definition.unwatched
        )
    return call


def _replayed(call: Call, known: Recorded) -> Settled | None:
    """The recorded end of this call in this generation, if it has one that can be taken again."""
    known.claimed = True
    ended = known.ended
    if ended is None or not ended.reusable or (ended.value is not None and not ended.value.is_kept):
        return None
    call.number = known.number
    settled = closing.settle(call, ended)
    with call.engine.recorder.lock:
        call.group.taken_from_record(STATE_LETTERS[ended.state], ended.mark)
    return settled


def _reused(call: Call) -> Settled | None:
    """The end of this call in the generation before, if the retry takes it; then it is copied into this journal."""
    engine, strand = call.engine, call.strand
    assert engine.reuse is not None
    parent = strand.around.id if strand.around is not None else None
    known = engine.reuse.find(call.id, parent, call.entry.name, call.inputs.digest.hex(), call.entry.code)
    if known is None or known.ended is None:
        return None
    old = known.ended
    copy = Ended(-1, old.state, call.started_us, old.value, old.failure, old.reason, REUSED, True, old.mutated)
    return closing.copy_in(call, copy)


def _cached(call: Call) -> Settled | None:
    """The project's cached result of this call, if there is one; else the key under which to keep its own."""
    engine, definition = call.engine, call.definition
    if call.inputs.left_out:
        raise UnrepeatableInput(
            f"{definition.name} has cache=, but its result cannot be looked up",
            cause=f"no fingerprint for {', '.join(call.inputs.left_out)}",
            where=f"{definition.file}:{definition.line}",
            hint="name the argument in ignore=(…), or give the class a __kapelle_key__ method",
        )
    if not engine.options.use_cache:
        return None
    call.cache_key = caching.key_of(call)
    found, why = caching.look_up(engine, call.entry.name, call.cache_key)
    if found is not None:
        settled = closing.copy_in(call, Ended(-1, "S", call.started_us, found.value, mark="cached"))
        if settled is not None:
            return settled
        why = "its value is gone"
    call.cache_key.miss = why
    return None


def _start(call: Call) -> None:
    """Write down that the call starts, and count it as running."""
    engine, strand = call.engine, call.strand
    recorder = engine.recorder
    if strand.branch < 0:
        strand.define()
    with recorder.lock:
        if call.number < 0:
            call.number = recorder.new_call()
        recorder.put(recorder.encode(call.start_line()))
        group = call.group
        group.running += 1
        if not group.first_us:
            group.first_us = call.started_us
    call.engine.supervisor.written(recorder.spool.offset)
    if call.cache_key is not None and call.cache_key.miss:
        call.engine.note(f"{call.entry.name} not cached: {call.cache_key.miss}", call=call.number, level=20)


def _go_on(call: Call, known: Recorded) -> None:
    """An earlier attempt of this generation began the call: count its tries on, give up after too many deaths."""
    call.tried = len(known.tried)
    if known.tried:
        call.not_before_us = known.tried[-1].next_at_us
    if call.definition.kind != "flow" and crashed_too_often(known.interruptions, call.definition.interruptions):
        error = TaskCrashed(
            f"{call.entry.name} was cut off {known.interruptions} times by the death of its process",
            cause="each time the process died while this call was running",
            where=f"{call.definition.file}:{call.definition.line}",
            hint='look for a crash or too little memory in the task; isolation="process" says how it dies',
        )
        closing.fail(call, error, final=True)


def _tell_left_out(call: Call) -> None:
    names = ", ".join(call.inputs.left_out)
    call.engine.note(
        f"{call.entry.name}: {names} cannot be fingerprinted and is no part of the call's identity; "
        "name it in ignore=(…) to say that this is right"
    )


def skip(strand: Strand, definition: Definition, key: str, reason: str, *, upstream_failed: bool) -> Settled:
    """Write down that a submitted call will not run, unless an earlier attempt did."""
    engine = strand.engine
    entry = engine.entry(definition)
    call = Call(strand, entry, key, 0, (), NO_INPUTS, strand.group.child(definition.name, definition.kind))
    known = engine.index.by_id.get(call.id) if engine.replays else None
    now = call.started_us = engine.clock.now_us()
    if known is not None and known.ended is not None:
        return _replayed(call, known) or closing.settle(call, known.ended)
    if known is not None:
        call.number = known.number
    settled = closing.copy_in(call, Ended(-1, "K", now, reason=(closing.UPSTREAM if upstream_failed else "") + reason))
    assert settled is not None
    return settled
