"""Trouble with the disk and the store: one clear message, nothing that was recorded is lost, and the run goes on."""

import fcntl
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import pytest
from tests.faults.harness import Story

from kapelle.model.runs import RunState

Mount = Callable[[Path, str], None]


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Puts a small disk in a place."""
    mounted: list[Path] = []

    def put(place: Path, size: str) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can mount a small disk")
        place.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
        mounted.append(place)

    yield put
    for place in reversed(mounted):
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def enlarge(place: Path) -> None:
    """Make room on a small disk."""
    subprocess.run(["mount", "-o", "remount,size=200m", str(place)], check=True)


@contextmanager
def held(store: Path) -> Iterator[None]:
    """Nobody else can write to the store: neither through Kapelle's lock nor through SQLite's own."""
    with open(f"{store}.lock", "rb+") as lock, closing(apsw.Connection(str(store))) as connection:
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection.set_busy_timeout(10_000)
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@pytest.mark.slow
def test_a_run_goes_on_while_another_process_holds_the_store(tmp_path: Path) -> None:
    story = Story(tmp_path / "story", "bulk.py:bulk", environ={"FAULTS_GATE": str(tmp_path / "opened")})
    living = story.begin()
    living.until(lambda: story.length >= 10, "the first calls")
    with held(story.home / "kapelle.db"):
        living.until(story.saw("start", "wait"), "the last call: the run does not wait for the store")
        story.bell.pass_time(3)
        (tmp_path / "opened").touch()
        living.until(story.saw("end", "wait"), "its end")
    assert living.end().code == 0
    assert story.result() == 300 * 4000
    assert story.run.counts.succeeded == 301


@pytest.mark.slow
def test_a_full_disk_stops_the_run_with_one_message_and_it_goes_on_when_there_is_room(
    tmp_path: Path, mount: Mount
) -> None:
    story = Story(tmp_path / "story", "bulk.py:bulk")
    mount(story.home / "runs", "600k")
    life = story.begin().end()
    story.note()
    assert life.code == 1, life.err
    assert life.err.count("error: no room to write down what the run does  [E4003]") == 1, life.err
    assert "make room" in life.err
    assert "Traceback" not in life.err
    assert story.run.state is RunState.WAITING
    ended = story.times("page", "end")
    assert 20 < ended < 300
    enlarge(story.home / "runs")
    assert story.finish().code == 0
    assert story.result() == 300 * 4000
    assert story.times("page") <= 301, "only the call that could not be written down runs again"


@pytest.mark.slow
def test_a_full_disk_under_the_store_loses_nothing_that_the_spool_has(tmp_path: Path, mount: Mount) -> None:
    story = Story(tmp_path / "story", "bulk.py:bulk", environ={"FAULTS_CALLS": "600"})
    mount(story.home, "1m")
    (tmp_path / "roomy").mkdir()
    (story.home / "runs").symlink_to(tmp_path / "roomy", target_is_directory=True)
    life = story.begin().end()
    assert life.code == 1, life.err
    assert "the disk is full" in life.err
    assert "Traceback" not in life.err
    enlarge(story.home)
    assert story.finish().code == 0 or story.has_ended
    assert story.result() == 600 * 4000
    assert story.times("page") == 600, "the spool has every call"
