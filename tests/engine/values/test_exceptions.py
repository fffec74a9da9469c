"""Exceptions: the same `except` matches live and on replay, and the record reads well."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.engine.values.shapes import Fine, Odd

from kapelle.engine.values.codecs import decode
from kapelle.engine.values.exceptions import decode_exception, encode_exception, raisable
from kapelle.model.errors import Skip, TaskFailed, TaskTimedOut, TemporaryError
from kapelle.model.failures import PACKED_BYTES_MAX, TRACEBACK_BYTES_MAX, Failure


def raised(exc: BaseException) -> BaseException:
    try:
        raise exc
    except BaseException as caught:
        return caught


SURVIVORS = [
    ValueError("no rows"), KeyError("k"), OSError(2, "No such file", "x"),
    UnicodeDecodeError("utf-8", b"a", 0, 1, "bad"),
    Fine(7), ZeroDivisionError(), Exception(1, [2], {"a": (3,)}), StopIteration(5), AssertionError("no"),
    TaskTimedOut("late", hint="raise the timeout"), TemporaryError("busy", delay_s=3.0), Skip("nothing to do"),
    json.JSONDecodeError("bad", "doc", 1), subprocess.CalledProcessError(1, ["ls"]),
    ExceptionGroup("two", [ValueError("a"), ExceptionGroup("inner", [Fine(1)])]), Exception(float("nan")),
    ValueError("\ud800"),
]  # fmt: skip


@pytest.mark.parametrize("exc", SURVIVORS, ids=lambda exc: type(exc).__name__)
def test_exceptions_come_back_with_type_arguments_text_and_notes(exc: Exception) -> None:
    exc.add_note("while reading page 3")
    live, failure = raisable(raised(exc))
    assert live is exc
    back = decode_exception(failure)
    assert type(back) is type(exc)
    assert repr(back) == repr(exc)
    assert str(back) == str(exc)
    assert back.__notes__ == ["while reading page 3"]
    assert failure.notes == ("while reading page 3",)
    assert back.__dict__.keys() == exc.__dict__.keys()
    assert back.__traceback__ is None


def test_attributes_come_back() -> None:
    error = decode_exception(encode_exception(TemporaryError("busy", delay_s=3.0)))
    assert isinstance(error, TemporaryError)
    assert error.delay_s == 3.0
    late = decode_exception(encode_exception(TaskTimedOut("late", hint="raise the timeout")))
    assert isinstance(late, TaskTimedOut)
    assert late.hint == "raise the timeout"


def not_packable() -> list[BaseException]:
    class Silent(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    return [
        Odd(3, "home"),
        ValueError(threading.Lock()),
        ValueError(object()),
        ValueError("x" * PACKED_BYTES_MAX),
        ExceptionGroup("two", [ValueError("a"), Odd(3, "home")]),
        Silent(),
    ]


@pytest.mark.parametrize("exc", not_packable(), ids=lambda exc: type(exc).__name__)
def test_what_does_not_survive_is_a_task_failed_live_and_replayed(exc: BaseException) -> None:
    exc.add_note("a note")
    live, failure = raisable(raised(exc))
    assert isinstance(live, TaskFailed)
    assert live.__cause__ is exc
    assert failure.packed == b""
    replayed = decode_exception(failure)
    assert type(replayed) is TaskFailed
    assert str(replayed) == str(live)
    assert replayed.__notes__ == live.__notes__ == ["a note"]
    assert type(exc).__qualname__ in str(live)
    again, second = raisable(replayed)  # it survives itself, on its way up through parent calls
    assert again is replayed
    assert str(decode_exception(second)) == str(live)


def test_the_stand_in_names_type_and_message() -> None:
    live, failure = raisable(Odd(3, "home"))
    assert "tests.engine.values.shapes.Odd: odd 3 at home" in str(live)
    assert failure.headline == "tests.engine.values.shapes.Odd: odd 3 at home"
    assert (failure.type, failure.module, failure.message) == ("Odd", "tests.engine.values.shapes", "odd 3 at home")


def test_an_exception_whose_class_is_gone_still_says_what_happened() -> None:
    failure = Failure("Gone", "old.module", "it broke", packed=b"cold.module\nGone\n.")
    assert "old.module.Gone: it broke" in str(decode_exception(failure))


def test_the_traceback_shows_the_authors_frames_and_the_cause() -> None:
    def author() -> None:
        try:
            decode("tomorrow", b"")  # raises inside kapelle
        except Exception as error:
            raise ValueError("author") from error

    try:
        author()
    except ValueError as error:
        text = encode_exception(error).traceback
    assert "in author" in text
    assert "ValueError: author" in text
    assert "direct cause" in text
    assert "codecs.py" not in text


def test_a_bug_of_ours_shows_all_frames() -> None:
    try:
        decode("json", None)  # type: ignore[arg-type]
    except Exception as error:
        bug = error.__cause__
    assert bug is not None
    assert "json_codec.py" in encode_exception(bug).traceback


def test_long_texts_lose_their_middle() -> None:
    text = encode_exception(ValueError("start " + "x" * 100_000 + " end"))
    assert len(text.traceback.encode()) <= TRACEBACK_BYTES_MAX
    assert "the middle was cut" in text.traceback
    assert text.traceback.endswith(" end\n")
    assert text.message.startswith("start ")


def test_exceptions_of_local_classes_survive_in_this_process() -> None:
    class Local(Exception):
        pass

    exc = Local(1)
    live, failure = raisable(exc)
    assert live is exc
    assert type(decode_exception(failure)) is Local


def test_exceptions_of_a_script_are_caught_where_it_is_a_module(tmp_path: Path) -> None:
    (tmp_path / "daily.py").write_text(
        "import sys\n"
        "from kapelle.engine.values import naming\n"
        "from kapelle.engine.values.exceptions import encode_exception\n"
        "class Broken(Exception):\n"
        "    pass\n"
        "if __name__ == '__main__':\n"
        "    naming.declare_main('daily')\n"
        "    sys.stdout.write(encode_exception(Broken(5)).packed.hex())\n"
    )
    run = {"capture_output": True, "text": True, "check": True}
    path = {"PYTHONPATH": ":".join([str(tmp_path), *filter(None, sys.path)])}
    packed = subprocess.run([sys.executable, str(tmp_path / "daily.py")], env=path, **run).stdout  # type: ignore[call-overload]
    program = (
        "import daily\n"
        "from kapelle.engine.values.exceptions import decode_exception\n"
        "from kapelle.model.failures import Failure\n"
        f"found = decode_exception(Failure('Broken', packed=bytes.fromhex('{packed}')))\n"
        "print(type(found) is daily.Broken, found.args)\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], env=path, **run).stdout  # type: ignore[call-overload]
    assert answer == "True (5,)\n"
