"""Isolated tasks: a process of their own, whose time is exact and whose death is a failure with a name."""

import os
import signal
import sys
import threading

import pytest
from tests.kit import Bench

from kapelle import TaskCrashed, TaskTimedOut, current_task, flow, task
from kapelle.model.calls import CallState


class OutOfStock(Exception):
    """An error of the project's own."""


@task(isolation="process")
def where(number: int) -> tuple[int, int]:
    return number, os.getpid()


@task(isolation="process", timeout=0.4, grace=0.2)
def deaf() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Event().wait(600)  # in the child, which is killed


@task(isolation="process")
def dies(how: str) -> None:
    if how == "signal":
        os.kill(os.getpid(), signal.SIGSEGV)
    os._exit(7)


@task(isolation="process")
def says() -> None:
    print("to out")
    print("to err", file=sys.stderr)
    current_task().logger.info("to the log")


@task(isolation="process", mutates=("rows",))
def adds(rows: list[int]) -> int:
    rows.append(len(rows))
    return len(rows)


@task(isolation="process")
def sells() -> None:
    raise OutOfStock("bread", 3)


@task(isolation="process")
async def later(number: int) -> int:
    return number + 1


def test_it_runs_in_another_process_and_gives_its_value(bench: Bench) -> None:
    @flow
    def daily() -> tuple[int, int]:
        return where(3)

    number, pid = bench.run(daily).result
    assert number == 3
    assert pid != os.getpid()


def test_its_time_is_exact_even_when_it_does_not_listen(bench: Bench) -> None:
    @flow
    def daily() -> str:
        try:
            deaf()
        except TaskTimedOut as error:
            return str(error)
        return "not stopped"

    life = bench.run(daily)
    assert "deaf did not end within 0.4 s" in life.result
    assert life.states("deaf") == [CallState.FAILED]


@pytest.mark.parametrize(("how", "told"), [("signal", "SIGSEGV (signal 11)"), ("exit", "exit code 7")])
def test_its_death_is_a_failure_that_says_how(bench: Bench, how: str, told: str) -> None:
    @flow
    def daily(how: str) -> str:
        try:
            dies(how)
        except TaskCrashed as error:
            return str(error)
        return "alive"

    assert told in bench.run(daily, how).result


def test_what_it_prints_and_logs_is_the_output_of_its_call(bench: Bench) -> None:
    @flow
    def daily() -> None:
        says()

    lines = bench.run(daily).output
    told = {(line.stream, line.text) for line in lines if line.task.endswith("says")}
    assert told == {("out", "to out"), ("err", "to err"), ("log", "to the log")}


def test_arguments_that_it_may_change_are_changed_here(bench: Bench) -> None:
    @flow
    def daily() -> list[int]:
        rows = [0]
        adds(rows)
        return rows

    assert bench.run(daily).result == [0, 1]


def test_an_error_of_the_projects_own_keeps_its_class(bench: Bench) -> None:
    @flow
    def daily() -> tuple[object, ...]:
        try:
            sells()
        except OutOfStock as error:
            return error.args
        return ()

    life = bench.run(daily)
    assert life.result == ("bread", 3)
    assert bench.resume(life, life.ends(1)).result == ("bread", 3)


def test_an_async_function_runs_in_a_loop_of_its_own(bench: Bench) -> None:
    @flow
    async def daily() -> int:
        return await later(1)

    assert bench.run(daily).result == 2
