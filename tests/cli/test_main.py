"""The command line as a whole."""

import json
import subprocess
import sys

import click
import pytest
from tests.console.samples import run

from kapelle.cli.exits import EXIT_CODES, exit_code_of
from kapelle.cli.main import COMMANDS
from kapelle.cli.main import kapelle as group
from kapelle.model import errors
from kapelle.model.runs import RunState
from kapelle.model.version import VERSION

HEAVY = {"rich", "pydantic", "apsw", "msgspec", "cloudpickle", "asyncio"}


def test_help_lists_every_command_with_an_example_of_nothing_heavy(kapelle):
    answer = kapelle("--help")
    assert answer.code == 0
    assert all(f"  {name}" in answer.out for name in COMMANDS)
    assert kapelle().out == answer.out


def test_help_imports_nothing_heavy():
    program = (
        "import json, sys\n"
        "from kapelle.cli.main import answer\n"
        "answer(['--help'])\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stderr))
    assert not loaded & HEAVY
    assert not {name for name in loaded if name.startswith(("kapelle.engine", "kapelle.wiring", "kapelle.stores"))}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_of_its_own(kapelle, name):
    answer = kapelle(name, "--help")
    assert answer.code == 0
    assert answer.out.startswith(f"Usage: kapelle {name}")
    assert kapelle("help", name).out == answer.out


def test_each_command_calls_itself_by_its_name():
    context = click.Context(group)
    for name in COMMANDS:
        found = group.get_command(context, name)
        assert found is not None
        assert found.name == name


def test_an_unknown_command_names_the_one_that_is_meant(kapelle):
    answer = kapelle("rnu")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.splitlines() == ["error: there is no command 'rnu'  [E1000]", "hint:  did you mean run?"]
    assert kapelle("flows.py:daily").err.splitlines()[1] == "hint:  did you mean `kapelle run flows.py:daily`?"


def test_versions(kapelle):
    assert kapelle("--version").out == f"kapelle {VERSION}\n"
    assert kapelle("version").out.startswith(f"kapelle {VERSION} (Python ")
    assert set(kapelle("version", "--json").json) == {"kapelle", "python", "sqlite", "platform"}


def test_exit_codes_are_explained(kapelle):
    lines = kapelle("help", "exit-codes").out.splitlines()
    assert [int(line.split()[0]) for line in lines] == list(EXIT_CODES)
    assert kapelle("help", "exit-code").code == 3


def test_every_error_ends_with_a_documented_code():
    found = [errors.KapelleError]
    for kind in found:
        found.extend(kind.__subclasses__())
    assert {kind.exit_code for kind in found} <= set(EXIT_CODES)


@pytest.mark.parametrize(
    ("state", "reason", "code"),
    [
        (RunState.SUCCEEDED, "", 0),
        (RunState.FAILED, "", 10),
        (RunState.FAILED, "timed out", 12),
        (RunState.CANCELLED, "Ctrl-C", 11),
        (RunState.WAITING, "abandoned", 13),
    ],
)
def test_how_a_run_ended_is_the_exit_code(state, reason, code):
    assert exit_code_of(run(state, reason=reason)) == code


def test_what_nobody_expected_is_one_message(kapelle, monkeypatch):
    def broken(*_):
        raise RuntimeError("boom")

    monkeypatch.setattr("kapelle.cli.runs.open_home", broken)
    answer = kapelle("runs")
    assert answer.code == 1
    assert answer.err.startswith("error: something unexpected went wrong: RuntimeError: boom  [E0000]")
    assert "Traceback" not in answer.err
    monkeypatch.setenv("KAPELLE_DEBUG", "1")
    assert "Traceback" in kapelle("runs").err


def test_a_reader_that_leaves_is_no_error(kapelle, monkeypatch):
    def closed(*_, **__):
        raise BrokenPipeError

    forgotten = []
    monkeypatch.setattr("kapelle.cli.runs.print_json", closed)
    monkeypatch.setattr("kapelle.cli.main._forget_stdout", lambda: forgotten.append(True))
    answer = kapelle("runs", "--json")
    assert (answer.code, answer.err, forgotten) == (0, "", [True])
