"""What bad input gets: one clear message, the documented exit code, a traceback only when asked for, nothing lost.

Every case runs the command as a person would, in a folder and a home of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import apsw
import pytest

FLOWS = """
from datetime import date
from kapelle import flow, task

@task
def add(a: int, b: int) -> int:
    return a + b

@task
def gives_a_generator():
    return (n for n in range(3))

@task
def changes(rows: list[int]) -> int:
    rows.append(1)
    return len(rows)

@flow
def daily(day: date, count: int = 1) -> int:
    return add(count, 1)

@flow
def wrong_call() -> int:
    return add(1)

@flow
def bad_result() -> object:
    return gives_a_generator()

@flow
def changed() -> int:
    return changes([1])
"""

TWICE = """
from kapelle import flow, task

@task
def load(): return 1

@task
def load(): return 2

@flow
def daily(): return load()
"""


class Answer(NamedTuple):
    """What the command said."""

    code: int
    out: str
    err: str


class Desk:
    """A person's folder, home and shell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        (folder / "flows.py").write_text(FLOWS)
        (folder / "twice.py").write_text(TWICE)
        (folder / "broken.py").write_text("from kapelle import flow\nimport no_such_package\n")
        (folder / "torn.py").write_text("from kapelle import flow\n@flow\ndef daily()\n    pass\n")

    def kapelle(self, *args: str, **environ: str) -> Answer:
        """Run a command."""
        env = {**os.environ, "KAPELLE_HOME": str(self.home), "PYTHONWARNINGS": "default", **environ}
        done = subprocess.run(
            [sys.executable, "-m", "kapelle", *args],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


CASES = {
    "a wrong value": (["run", "flows.py:daily", "-p", "day=yesterday"], 5, ["day", "'yesterday'", "date"]),
    "a missing value": (["run", "flows.py:daily"], 5, ["needs a value for day", "-p day="]),
    "an unknown parameter": (
        ["run", "flows.py:daily", "-p", "dya=2026-01-01"],
        5,
        ["no parameter dya", "did you mean day?"],
    ),
    "an unknown flow": (["run", "flows.py:dayly"], 3, ["no flow 'dayly'", "did you mean daily?"]),
    "an unknown file": (["run", "flow.py:daily"], 3, ["no file flow.py", "did you mean flows.py?"]),
    "no flow named": (["run", "flows.py"], 2, ["has 4 flows", "flows.py:daily"]),
    "a task for a flow": (["run", "flows.py:add"], 3, ["is a task, not a flow"]),
    "a file that does not import": (
        ["run", "broken.py:daily"],
        1,
        ["does not import", "no_such_package", "broken.py:2"],
    ),
    "a file with a syntax error": (["run", "torn.py:daily"], 1, ["does not import", "SyntaxError", "torn.py:3"]),
    "two tasks of one name": (["run", "twice.py:daily"], 2, ["carry the name", "twice.py:4 and", "twice.py:7"]),
    "wrong arguments of a task": (
        ["run", "flows.py:wrong_call"],
        10,
        ["does not take", "missing a required argument: 'b'"],
    ),
    "a result that no codec takes": (["run", "flows.py:bad_result"], 10, ["is a generator", "return a list"]),
    "a changed argument": (["run", "flows.py:changed"], 10, ["changed its argument rows in place", "mutates="]),
    "an unknown run": (["show", "zzzz"], 3, ["there is no run 'zzzz'"]),
    "no run yet": (["resume", "@last"], 3, ["no run has been made yet"]),
    "an unknown command": (["rum"], 2, ["no command 'rum'", "run"]),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_gets_one_clear_message(desk: Desk, case: str) -> None:
    args, code, told = CASES[case]
    answer = desk.kapelle(*args)
    assert answer.code == code, answer
    for part in told:
        assert part in answer.err, answer.err
    assert "Traceback" not in answer.err
    assert answer.out == ""


def test_a_traceback_is_shown_when_it_is_asked_for(desk: Desk) -> None:
    assert "Traceback" in desk.kapelle("run", "broken.py:daily", KAPELLE_DEBUG="1").err


def test_a_store_of_a_newer_program_is_refused_and_left_alone(desk: Desk) -> None:
    assert desk.kapelle("run", "flows.py:daily", "-p", "day=2026-01-01").code == 0
    file = desk.home / "kapelle.db"
    connection = apsw.Connection(str(file))
    connection.execute("PRAGMA user_version = 9999").fetchall()
    connection.close()
    before = file.read_bytes()
    answer = desk.kapelle("run", "flows.py:daily", "-p", "day=2026-01-01")
    assert answer.code == 5
    assert "newer" in answer.err
    assert "Traceback" not in answer.err
    assert file.read_bytes() == before


def test_a_home_that_cannot_be_written_says_which_and_what_to_do(desk: Desk) -> None:
    desk.home.write_text("a file in place of the folder")
    answer = desk.kapelle("run", "flows.py:daily", "-p", "day=2026-01-01")
    assert answer.code == 1
    assert "KAPELLE_HOME" in answer.err
    assert str(desk.home) in answer.err
    assert "Traceback" not in answer.err


def test_what_was_recorded_before_bad_input_is_still_there(desk: Desk) -> None:
    assert desk.kapelle("run", "flows.py:daily", "-p", "day=2026-01-01", "--name", "first").code == 0
    desk.kapelle("run", "flows.py:changed")
    desk.kapelle("run", "broken.py:daily")
    shown = desk.kapelle("runs", "--json")
    assert shown.code == 0
    assert '"first"' in shown.out
