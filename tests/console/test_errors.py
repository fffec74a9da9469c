"""Errors as people and programs read them."""

import pytest
from tests.console.samples import texts

from kapelle.console.errors import error_document, error_rows, exit_code, wants_traceback
from kapelle.model import errors


def test_four_parts_and_a_code():
    error = errors.ParameterError(
        "limit has a wrong value", cause="given 'x'\nwanted int", where="flows.py:3", hint="-p limit=3"
    )
    assert texts(error_rows(error)) == [
        "error: limit has a wrong value  [E1004]",
        "cause: given 'x'",
        "       wanted int",
        "where: flows.py:3",
        "hint:  -p limit=3",
    ]


def test_parts_that_are_missing_take_no_row():
    assert texts(error_rows(errors.NotFound("there is no run 'x'"))) == ["error: there is no run 'x'  [E2001]"]


def raised() -> BaseException:
    try:
        return 1 / 0  # type: ignore[return-value]
    except ZeroDivisionError as error:
        return error


def test_an_error_that_nobody_expected_says_so():
    first, where, hint = texts(error_rows(raised()))
    assert first == "error: something unexpected went wrong: ZeroDivisionError: division by zero  [E0000]"
    assert where.startswith("where: ")
    assert where.endswith(" in raised")
    assert "KAPELLE_DEBUG=1" in hint


def test_tracebacks_only_when_asked_for():
    assert any("return 1 / 0" in line for line in texts(error_rows(raised(), tracebacks=True)))
    assert wants_traceback({"KAPELLE_DEBUG": "1"})
    assert not wants_traceback({"KAPELLE_DEBUG": "0"})
    assert wants_traceback({}, verbose=True)


def test_of_a_file_that_does_not_import_the_users_own_frames_are_shown():
    error = errors.ImportFailed("bad.py does not import", traceback='  File "bad.py", line 1\n')
    assert texts(error_rows(error, tracebacks=True))[-1] == '  File "bad.py", line 1'


def test_for_programs():
    document = error_document(errors.NotFound("no", hint="look"))
    assert document == {"error": {"code": "E2001", "message": "no", "cause": "", "where": "", "hint": "look"}}


@pytest.mark.parametrize(
    ("error", "code"),
    [(errors.UsageError("x"), 2), (errors.NotFound("x"), 3), (errors.ParameterError("x"), 5), (errors.RunBusy("x"), 5),
     (errors.RunFailed("x"), 10), (errors.ImportFailed("x"), 1), (KeyError("x"), 1), (KeyboardInterrupt(), 130)],
)  # fmt: skip
def test_exit_codes(error, code):
    assert exit_code(error) == code
