"""Isolated calls: a task's function in a process of its own, so that its timeout is exact and its death is survived.

The child (`isolated`) gets the arguments over a socket, imports the function by name, and sends back what it printed,
logged, returned or raised. It leads a session of its own: what it started dies with it. In a child a task is just its
function, so calls inside an isolated task are plain calls.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import cloudpickle
import msgspec

from kapelle.engine.call import Call
from kapelle.engine.messages import Ask, Failed, Printed, Returned, receive, send
from kapelle.engine.output import emit
from kapelle.engine.results import restore_into
from kapelle.engine.values.codecs import decode
from kapelle.engine.values.exceptions import decode_exception
from kapelle.engine.values.naming import module_name
from kapelle.model.errors import RunCancelled, TaskCrashed, TaskTimeout, ValueRefused

KILL_AFTER_S = 2.0
"""Seconds between the polite and the final signal to a child whose time is over."""


def run_isolated(call: Call) -> Any:
    """Run the call's function in a child process; returns its value or raises what it raised."""
    ask = _ask(call)
    ours, theirs = socket.socketpair()
    with ours, _child(theirs) as child, _stoppable(call, child):
        theirs.close()
        try:
            send(ours, ask)
            answer = _listen(call, ours)
        except OSError:
            answer = None
        if call.expired:
            raise TaskTimeout
        if answer is None:
            _end(child)
            if call.engine.cancelled is not None:
                raise RunCancelled(call.engine.cancelled)
            raise _crash(call, child.wait())
    return _unpack(call, answer)


def _ask(call: Call) -> Ask:
    """What the child needs: the function by name where that leads to it, else by value; the arguments pickled."""
    definition = call.definition
    fn = definition.fn
    main = sys.modules["__main__"]
    main_file = getattr(main, "__file__", None) or ""
    by_name = "<" not in fn.__qualname__ and (fn.__module__ != "__main__" or bool(main_file))
    module = fn.__module__
    sys.modules.setdefault("__kapelle_main__", main)
    return Ask(
        module=module,
        qualname=fn.__qualname__ if by_name else "",
        function=b"" if by_name else cloudpickle.dumps(fn, protocol=5),
        main_file=main_file if module == "__main__" or main_file else "",
        main_name=module_name("__main__"),
        path=list(sys.path),
        arguments=_packed(call.values, f"the arguments of {call.entry.name}"),
        is_async=definition.is_async,
        mutates=[definition.parameters.index(name) for name in definition.mutates],
        task=call.entry.name,
        spread=definition.parameters.index(definition.spread) if definition.spread else -1,
        keywords=definition.parameters.index(definition.keywords) if definition.keywords else -1,
        keyword_only=[definition.parameters.index(name) for name in definition.keyword_only],
        names=list(definition.parameters),
        info=_packed(call.info(), "the run's parameters"),
    )


def _packed(value: Any, what: str) -> bytes:
    try:
        return pickle.dumps(value, protocol=5)
    except Exception:
        pass
    try:
        return bytes(cloudpickle.dumps(value, protocol=5))
    except Exception as error:
        raise ValueRefused(
            f"{what} cannot be sent to a process of its own",
            cause=f"{type(error).__name__}: {error}",
            hint='pass plain data and open connections inside the task, or drop isolation="process"',
        ) from error


@contextlib.contextmanager
def _child(theirs: socket.socket) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "KAPELLE_ISOLATED": str(theirs.fileno())}
    child = subprocess.Popen(
        [sys.executable, "-m", "kapelle.engine.isolated"],
        pass_fds=[theirs.fileno()],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        env=environment,
    )
    try:
        yield child
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """See that the child and all that it started are gone."""
    _signal(child, signal.SIGKILL)
    child.wait()


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(child.pid, number)
    except (ProcessLookupError, PermissionError):
        pass


@contextlib.contextmanager
def _stoppable(call: Call, child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Stop the child when the call's time is over or the run is cancelled: politely first, then for good."""
    engine = call.engine
    deadlines: list[int] = []

    def stop(grace_s: float) -> None:
        _signal(child, signal.SIGTERM)
        deadlines.append(engine.deadlines.at(grace_s, lambda: _signal(child, signal.SIGKILL)))

    def expire() -> None:
        call.expired = True
        stop(min(KILL_AFTER_S, call.definition.grace_s))

    if call.definition.timeout_s is not None:
        deadlines.append(engine.deadlines.at(call.definition.timeout_s, expire))
    engine.cancel_hooks[child] = lambda: stop(engine.options.grace_s)
    try:
        yield
    finally:
        engine.cancel_hooks.pop(child, None)
        for number in deadlines:
            engine.deadlines.cancel(number)


def _listen(call: Call, ours: socket.socket) -> Returned | Failed | None:
    """Pass on what the child prints until it answers; None when it is gone without an answer."""
    while True:
        try:
            message = receive(ours)
        except (EOFError, ConnectionError, msgspec.MsgspecError):
            return None
        if isinstance(message, (Returned, Failed)):
            return message
        if isinstance(message, Printed):
            emit(call.engine, call, message.stream, message.level, message.logger, message.text)


def _crash(call: Call, code: int) -> TaskCrashed:
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        cause = f"its process was killed by {name} (signal {-code})"
        hint = "look for native code that crashes"
        if -code == signal.SIGKILL:
            hint = "the system kills processes this way when memory runs out; give the task less to hold at once"
    else:
        cause, hint = f"its process left with exit code {code}", "look for os._exit or sys.exit in the task"
    return TaskCrashed(
        f"{call.entry.name} died", cause=cause, where=f"{call.definition.file}:{call.definition.line}", hint=hint
    )


def _unpack(call: Call, answer: Returned | Failed) -> Any:
    if isinstance(answer, Failed):
        raise decode_exception(answer.failure)
    for name, (codec, data) in zip(call.definition.mutates, answer.mutated, strict=True):
        target = call.values[call.definition.parameters.index(name)]
        restore_into(target, decode(codec, data))
    return decode(answer.codec, answer.data)
