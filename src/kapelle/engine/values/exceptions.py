"""Exceptions to records and back, so that the same `except` matches live and replayed.

An exception that does not come back equal is replaced by a `TaskFailed` *the first time too* (`raisable`): what the
flow sees never depends on whether this is the first life of the run or the second.
"""

from __future__ import annotations

import pickle
import traceback
from typing import Any

from kapelle.engine.values.extras import required
from kapelle.engine.values.fingerprint import fingerprint_value
from kapelle.engine.values.naming import module_name
from kapelle.engine.values.pickle_codec import dump
from kapelle.engine.values.project import is_ours
from kapelle.model.errors import KapelleError, TaskFailed
from kapelle.model.failures import PACKED_BYTES_MAX, TRACEBACK_BYTES_MAX, Failure

MESSAGE_CHARS_MAX = 16 * 1024


def encode_exception(exc: BaseException) -> Failure:
    """The record of an exception. Never raises, whatever the exception's own methods do."""
    kind = type(exc)
    return Failure(
        type=kind.__qualname__,
        module=module_name(kind.__module__),
        message=_clean(_bounded(_text(exc), MESSAGE_CHARS_MAX)),
        traceback=_clean(_bounded(_traceback(exc), TRACEBACK_BYTES_MAX)),
        packed=_pack(exc),
        notes=tuple(_clean(str(note)) for note in getattr(exc, "__notes__", None) or ()),
    )


def decode_exception(failure: Failure) -> BaseException:
    """The exception of a record: itself, or the `TaskFailed` that stands for it."""
    if failure.packed:
        try:
            required("cloudpickle")
            found = pickle.loads(failure.packed)
        except Exception:  # its class is gone: the record still says what happened
            return _stand_in(failure)
        if isinstance(found, BaseException):
            if failure.notes and not hasattr(found, "__notes__"):  # a `__reduce__` of its own may forget them
                found.__notes__ = list(failure.notes)
            return found
    return _stand_in(failure)


def raisable(exc: BaseException) -> tuple[BaseException, Failure]:
    """What to raise live for an exception, and its record: the two that replay will give again."""
    failure = encode_exception(exc)
    if failure.packed:
        return exc, failure
    stand_in = _stand_in(failure)
    stand_in.__cause__ = exc
    return stand_in, failure


def _stand_in(failure: Failure) -> TaskFailed:
    made = TaskFailed(
        failure.headline,
        cause="the exception itself could not be stored, so this one stands for it",
        hint="give the exception class plain arguments and pass them all to `super().__init__`",
    )
    for note in failure.notes:
        made.add_note(note)
    return made


def _text(exc: BaseException) -> str:
    try:
        return str(exc)
    except Exception as error:
        return f"<its text cannot be had: {type(error).__name__}>"


def _clean(text: str) -> str:
    """Text that every store takes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _pack(exc: BaseException) -> bytes:
    try:
        data = dump(exc)
        if len(data) > PACKED_BYTES_MAX:
            return b""
        return data if _same(exc, pickle.loads(data)) else b""
    except Exception:  # whatever its parts raise, they do not survive
        return b""


def _same(one: BaseException, other: Any) -> bool:
    if type(one) is not type(other) or str(one) != str(other):
        return False
    if one.__dict__.keys() - {"__notes__"} != other.__dict__.keys() - {"__notes__"}:
        return False
    if isinstance(one, BaseExceptionGroup) and isinstance(other, BaseExceptionGroup):
        parts = zip(one.exceptions, other.exceptions, strict=True)
        return one.message == other.message and all(
            _same(mine, its) and getattr(mine, "__notes__", None) == getattr(its, "__notes__", None)
            for mine, its in parts
        )
    return _equal(one.args, other.args)


def _equal(one: Any, other: Any) -> bool:
    try:
        if one == other:
            return True
    except Exception:  # arrays do not compare to one truth
        pass
    digest = fingerprint_value(one)
    return digest is not None and digest == fingerprint_value(other)


def _traceback(exc: BaseException) -> str:
    try:
        shown = traceback.TracebackException.from_exception(exc)
        if not _is_our_bug(exc, shown):
            _fold(shown, set())
        return "".join(shown.format())
    except Exception as error:  # a traceback is a help, never a reason to fail
        return f"<the traceback cannot be had: {type(error).__name__}>"


def _is_our_bug(exc: BaseException, shown: traceback.TracebackException) -> bool:
    """True if our own code failed, as opposed to telling the author of a mistake: then all frames are shown."""
    return bool(shown.stack) and is_ours(shown.stack[-1].filename) and not isinstance(exc, KapelleError)


def _fold(shown: traceback.TracebackException, seen: set[int]) -> None:
    if id(shown) in seen:
        return
    seen.add(id(shown))
    kept = [frame for frame in shown.stack if not is_ours(frame.filename)]
    shown.stack = traceback.StackSummary.from_list(kept)
    for inner in (shown.__cause__, shown.__context__, *(getattr(shown, "exceptions", None) or ())):
        if inner is not None:
            _fold(inner, seen)


def _bounded(text: str, size_max: int) -> str:
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= size_max:
        return text
    mark = "\n  … the middle was cut …\n"
    half = (size_max - len(mark.encode())) // 2
    head, tail = data[:half].decode("utf-8", "ignore"), data[-half:].decode("utf-8", "ignore")
    return head + mark + tail
