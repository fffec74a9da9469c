"""Several processes on one file: nothing is lost, nobody starves, and kill -9 takes nothing that was acknowledged."""

import json
import random
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import apsw
import pytest
from tests.conformance.samples import ALL, StoppedClock

from kapelle.model.runs import Attempt
from kapelle.stores.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]


def writer(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.stores.writers", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def numbers(store: SqliteStore, run_id: str) -> list[int]:
    with store.read() as tx:
        return [json.loads(line)[0] for line in b"".join(tx.journal.read(ALL, run_id, 1)).splitlines()]


def write_together(path: Path, processes: int, count: int) -> list[dict[str, float]]:
    """Let so many processes write at once; what each says of its transactions."""
    with ExitStack() as stack:
        running = [stack.enter_context(writer("batches", path, f"run{number}", count)) for number in range(processes)]
        for each in running:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for each in running:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        said = [json.loads(each.communicate()[0]) for each in running]
        assert [each.returncode for each in running] == [0] * processes
    store = SqliteStore(path, StoppedClock())
    for number in range(processes):
        assert numbers(store, f"run{number}") == list(range(count))
    store.close()
    require_sound(path)
    return said


def require_sound(path: Path) -> None:
    connection = apsw.Connection(str(path))
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        connection.close()


def test_two_processes_lose_nothing(path: Path) -> None:
    write_together(path, processes=2, count=30)


@pytest.mark.slow
def test_eight_processes_lose_nothing_and_nobody_starves(path: Path) -> None:
    said = write_together(path, processes=8, count=200)
    assert max(each["max_s"] for each in said) < 3
    totals = [each["total_s"] for each in said]
    assert min(totals) > max(totals) / 4, f"some were served much sooner than others: {totals}"


def kill_after(process: subprocess.Popen[str], acknowledged: int) -> list[int]:
    """Kill a writer once it has said so many numbers; all the numbers that it said."""
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(acknowledged)]
    process.kill()
    said += process.stdout.readlines()
    process.wait()
    return [int(line) for line in said if line.endswith("\n")]


def test_a_killed_writer_loses_nothing_that_was_acknowledged(path: Path) -> None:
    with writer("until-killed", path, "run0") as process:
        said = kill_after(process, 20)
    store = SqliteStore(path, StoppedClock())
    kept = numbers(store, "run0")
    assert kept[: len(said)] == said
    assert len(kept) <= len(said) + 1
    store.close()
    require_sound(path)


@pytest.mark.slow
def test_writers_killed_many_times_side_by_side_lose_nothing_and_leave_no_lock(path: Path) -> None:
    chance = random.Random(20240229)
    store = SqliteStore(path, StoppedClock())
    for turn in range(25):
        with ExitStack() as stack:
            running = [stack.enter_context(writer("until-killed", path, f"run{turn}-{n}")) for n in range(2)]
            said = [kill_after(process, chance.randrange(1, 60)) for process in running]
        for n, acknowledged in enumerate(said):
            kept = numbers(store, f"run{turn}-{n}")
            assert kept[: len(acknowledged)] == acknowledged
            assert len(kept) <= len(acknowledged) + 1
        attempt = Attempt(f"run{turn}-0", 1, 2, f"after-{turn}")
        with store.write() as tx:
            tx.runs.begin_attempt(ALL, attempt.run_id, 1, attempt.id, 5)
            assert tx.journal.append(ALL, attempt, 0, b"[-1]\n", []) == 5
        require_sound(path)
    store.close()
