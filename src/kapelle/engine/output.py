"""Output: what a run prints and logs, written line by line to its output spool, with the call that said it.

While a run goes on, `sys.stdout`, `sys.stderr` and the root logger also write here. A line is attributed to the call of
the context that wrote it. What a person sees is up to the display; without one the lines go where they always went.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, TextIO

import msgspec

from kapelle.engine.call import Call
from kapelle.engine.spool import Spool
from kapelle.engine.strand import Strand
from kapelle.model.journal import OutputLine
from kapelle.ports.session import current

TEXT_MAX = 16_384
"""Characters of one line that are kept."""

REST_MAX = 1 << 20
"""Characters that may wait for the newline of their line."""

Sink = Callable[[OutputLine], None]


class Output:
    """The output of one run. A full disk silences it, never the run."""

    def __init__(self, spool: Spool, now_us: Callable[[], int], sink: Sink | None) -> None:
        self._spool = spool
        self._now_us = now_us
        self._sink = sink
        self._lock = threading.RLock()
        self._encode = msgspec.json.Encoder().encode
        self._broken = False

    def line(self, call: Call | None, stream: str, level: int, name: str, text: str) -> None:
        """Keep one line, and show it."""
        if len(text) > TEXT_MAX:
            text = text[:TEXT_MAX] + f"… ({len(text) - TEXT_MAX} more characters)"
        number, attempt = (call.number, call.attempt) if call is not None else (-1, 0)
        task = call.entry.name if call is not None else ""
        kept = OutputLine(self._now_us(), number, attempt, stream, level, name, text, task)
        with self._lock:
            if not self._broken:
                try:
                    self._spool.write(self._encode(kept))
                except Exception as error:
                    self._broken = True
                    sys.__stderr__ and sys.__stderr__.write(f"kapelle: output is not kept any more: {error}\n")
            if self._sink is not None:
                self._sink(kept)

    @property
    def is_shown(self) -> bool:
        """Whether a display shows the lines."""
        return self._sink is not None

    @property
    def offset(self) -> int:
        """How far the spool reaches."""
        return self._spool.offset

    def close(self) -> None:
        """Keep nothing more."""
        with self._lock:
            self._broken = True
            self._spool.close()


def emit(engine: Any, call: Call | None, stream: str, level: int, name: str, text: str) -> None:
    """A line of output of a call that another process ran."""
    if engine.output is not None:
        engine.output.line(call, stream, level, name, text)


def _call_here() -> Call | None:
    strand = current.get()
    return strand.around if isinstance(strand, Strand) else None


def _shown(line: str) -> str:
    """What a terminal leaves of a line whose beginning was written over (a progress bar's)."""
    return line.rstrip("\r").rpartition("\r")[2] if "\r" in line else line


class _Tee(io.TextIOBase):
    """Stands in for a standard stream: whole lines go to the output, text without a newline waits for one."""

    def __init__(self, output: Output, original: TextIO, stream: str, level: int) -> None:
        self._output = output
        self._original = original
        self._stream = stream
        self._level = level
        self._rest = threading.local()

    def write(self, text: str) -> int:
        rest: str = getattr(self._rest, "text", "")
        *lines, last = (rest + text).split("\n")
        for line in lines:
            self._line(_shown(line))
        self._rest.text = last if len(last) <= REST_MAX else _shown(last)[-REST_MAX:]
        return len(text)

    def _line(self, line: str) -> None:
        self._output.line(_call_here(), self._stream, self._level, "", line)
        if not self._output.is_shown:
            self._original.write(line + "\n")

    def flush(self) -> None:
        self._original.flush()

    def finish(self) -> None:
        """Let go of a last line without a newline (of this thread)."""
        rest: str = getattr(self._rest, "text", "")
        if rest:
            self._rest.text = ""
            self._line(rest)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._original.isatty()

    def fileno(self) -> int:
        return self._original.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._original.encoding

    @property
    def buffer(self) -> Any:
        """The bytes below, for who writes bytes; they are shown and not kept."""
        return self._original.buffer


class _Handler(logging.Handler):
    """Keeps log records as output."""

    def __init__(self, output: Output) -> None:
        super().__init__(logging.INFO)
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
            if record.exc_info:
                text += "\n" + logging.Formatter().formatException(record.exc_info)
            self._output.line(_call_here(), "log", record.levelno, record.name, text)
        except Exception:
            self.handleError(record)


@contextlib.contextmanager
def captured(output: Output) -> Iterator[None]:
    """Inside the block, what this process prints and logs is the run's output."""
    root = logging.getLogger()
    ours = logging.getLogger("kapelle")
    before = sys.stdout, sys.stderr, root.level, ours.level
    out, err = _Tee(output, sys.stdout, "out", 20), _Tee(output, sys.stderr, "err", 30)
    handler = _Handler(output)
    sys.stdout, sys.stderr = out, err
    root.addHandler(handler)
    if ours.level == logging.NOTSET:
        ours.setLevel(logging.INFO)
    try:
        yield
    finally:
        out.finish()
        err.finish()
        root.removeHandler(handler)
        ours.setLevel(before[3])
        sys.stdout, sys.stderr = before[0], before[1]
