"""The program of an isolated call's process: one question over the inherited socket, one answer, then it leaves.

The user's script is imported under another name than `__main__`, so its guard does not run. A script without a guard
would start its flow again here; that first call to a flow ends the import instead, with all functions above it defined.
"""

from __future__ import annotations

import asyncio
import ctypes
import importlib
import io
import logging
import os
import pickle
import signal
import socket
import sys
import threading
import types
from typing import Any

from kapelle.engine.messages import Ask, Failed, Message, Printed, Returned, receive, send
from kapelle.engine.values.codecs import encode
from kapelle.engine.values.exceptions import raisable
from kapelle.engine.values.naming import declare_main
from kapelle.ports.session import FlowCalledInImport, importing, isolated_call

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Answer the one question."""
    die_with_parent()
    connection = socket.socket(fileno=int(os.environ.pop("KAPELLE_ISOLATED")))
    lock = threading.Lock()

    def say(message: Message) -> None:
        with lock:
            send(connection, message)

    ask = receive(connection)
    assert isinstance(ask, Ask)
    sys.stdout, sys.stderr = _Lines(say, "out", 20), _Lines(say, "err", 30)
    logging.basicConfig(level=logging.INFO, handlers=[_Records(say)])
    answer = _answer(ask)
    sys.stdout.flush()
    sys.stderr.flush()
    say(answer)
    connection.close()
    os._exit(0)


def die_with_parent() -> None:
    """Have the kernel kill this process when the run's process dies (Linux)."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    except (OSError, AttributeError):
        pass
    if os.getppid() == 1:
        os._exit(1)


def _answer(ask: Ask) -> Message:
    try:
        fn = _find(ask)
        isolated_call.append(pickle.loads(ask.info))
        values = pickle.loads(ask.arguments)
        result = fn(*_positional(ask, values), **_by_name(ask, values))
        if ask.is_async:
            result = asyncio.run(result)
        codec, data = encode(result)
        mutated = [encode(values[index]) for index in ask.mutates]
        return Returned(codec, bytes(data), [(one, bytes(other)) for one, other in mutated])
    except SystemExit as leave:
        os._exit(leave.code if isinstance(leave.code, int) else int(leave.code is not None))
    except BaseException as error:
        return Failed(raisable(error)[1])


def _find(ask: Ask) -> Any:
    sys.path[:] = ask.path
    if ask.main_file:
        declare_main(ask.main_name)
        _import_main(ask.main_file)
    if not ask.qualname:
        return pickle.loads(ask.function)
    found: Any = sys.modules["__main__"] if ask.module == "__main__" else importlib.import_module(ask.module)
    for part in ask.qualname.split("."):
        found = getattr(found, part)
    return getattr(found, "fn", found)


def _import_main(file: str) -> None:
    """Run the script's definitions, not its guard, in a module that stands in for `__main__` here."""
    module = types.ModuleType("__kapelle_main__")
    module.__file__ = file
    sys.modules["__main__"] = sys.modules["__kapelle_main__"] = module
    with io.open_code(file) as source:
        code = compile(source.read(), file, "exec")
    importing.append(file)
    try:
        exec(code, module.__dict__)
    except FlowCalledInImport:
        pass
    finally:
        importing.pop()


def _positional(ask: Ask, values: tuple[Any, ...]) -> list[Any]:
    named = {*ask.keyword_only, ask.keywords}
    args: list[Any] = []
    for index, value in enumerate(values):
        if index == ask.spread:
            args.extend(value)
        elif index not in named:
            args.append(value)
    return args


def _by_name(ask: Ask, values: tuple[Any, ...]) -> dict[str, Any]:
    kwargs = {ask.names[index]: values[index] for index in ask.keyword_only}
    if ask.keywords >= 0:
        kwargs.update(values[ask.keywords])
    return kwargs


class _Lines(io.TextIOBase):
    """A text stream that sends each line when it is whole."""

    def __init__(self, say: Any, stream: str, level: int) -> None:
        self._say = say
        self._stream = stream
        self._level = level
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._say(Printed(self._stream, self._level, "", line))
        return len(text)

    def flush(self) -> None:
        if self._rest:
            rest, self._rest = self._rest, ""
            self._say(Printed(self._stream, self._level, "", rest))

    def writable(self) -> bool:
        return True


class _Records(logging.Handler):
    """Sends log records."""

    def __init__(self, say: Any) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
            if record.exc_info:
                text += "\n" + logging.Formatter().formatException(record.exc_info)
            self._say(Printed("log", record.levelno, record.name, text))
        except Exception:
            self.handleError(record)


if __name__ == "__main__":
    main()
