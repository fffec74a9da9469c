"""Handles: one lock, connections made when they are needed, threads, and children that were forked."""

import fcntl
import gc
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.conformance.samples import ALL, StoppedClock, everything, new_run, queued

from kapelle.model.errors import StoreError, StoreUnwritable
from kapelle.model.runs import RunState
from kapelle.stores.sqlite import SqliteStore
from kapelle.stores.sqlite.lock import OwnerLock

# Newer Pythons warn of a fork in a process with threads, and a test runner may have some of its own.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


@pytest.fixture
def lock_path(tmp_path: Path) -> Path:
    return tmp_path / "store.db.lock"


def in_child(work: Callable[[], None]) -> None:
    """Do something in a forked child, which must get to its end."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def open_files() -> set[str]:
    return {os.readlink(entry) for entry in Path("/proc/self/fd").iterdir() if entry.exists()}


# -- the lock --


def test_a_lock_is_one_owners_at_a_time(lock_path: Path) -> None:
    first, second = OwnerLock(lock_path), OwnerLock(lock_path)
    first.acquire()
    assert not second.try_acquire()
    first.release()
    assert second.try_acquire()
    second.close()
    first.close()


def test_who_waits_gets_the_lock_when_it_is_given_back(lock_path: Path) -> None:
    first, second = OwnerLock(lock_path), OwnerLock(lock_path)
    first.acquire()
    waiting = threading.Thread(target=second.acquire)
    waiting.start()
    while not any(thread.name == "kapelle-store-lock" for thread in threading.enumerate()):
        pass
    first.release()
    waiting.join(10)
    assert not waiting.is_alive()
    assert not first.try_acquire()
    second.close()
    first.close()


def test_who_waits_too_long_is_told_who_holds_the_lock_and_can_try_again(lock_path: Path) -> None:
    first, second = OwnerLock(lock_path), OwnerLock(lock_path, wait_s_max=0.02)
    first.acquire()
    for _ in range(2):
        with pytest.raises(StoreUnwritable, match=r"store\.db is held") as refused:
            second.acquire()
        assert f"process {os.getpid()}" in refused.value.cause
    first.release()
    for thread in threading.enumerate():
        if thread.name == "kapelle-store-lock":
            thread.join(10)
    second.acquire()
    second.close()
    first.close()


def test_a_lock_that_was_given_up_is_not_kept_by_the_helper(lock_path: Path) -> None:
    first, second = OwnerLock(lock_path), OwnerLock(lock_path, wait_s_max=0.01)
    first.acquire()
    with pytest.raises(StoreUnwritable):
        second.acquire()
    helpers = [thread for thread in threading.enumerate() if thread.name == "kapelle-store-lock"]
    first.close()
    for helper in helpers:
        helper.join(10)
    third = OwnerLock(lock_path)
    assert third.try_acquire()
    third.close()


def test_an_interrupted_wait_leaves_no_lock_behind(lock_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = OwnerLock(lock_path), OwnerLock(lock_path)
    first.acquire()
    join = threading.Thread.join

    def interrupted(thread: threading.Thread, timeout: float | None = None) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "join", interrupted)
        with pytest.raises(KeyboardInterrupt):
            second.acquire()
    helpers = [thread for thread in threading.enumerate() if thread.name == "kapelle-store-lock"]
    first.release()
    for helper in helpers:
        join(helper, 10)
    assert first.try_acquire()
    first.close()
    assert second.try_acquire()
    second.close()


def test_writing_takes_the_lock_and_reading_does_not(store: SqliteStore, path: Path) -> None:
    queued(store)
    with path.with_name("store.db.lock").open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert "run1" in everything(store)
        fcntl.flock(other, fcntl.LOCK_UN)
        with store.write() as tx:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(other, fcntl.LOCK_UN)
            tx.runs.get(ALL, "run1")
            with pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_whatever_goes_wrong_gives_the_lock_back(store: SqliteStore, path: Path) -> None:
    queued(store)
    with pytest.raises(KeyboardInterrupt):
        interrupted_write(store)
    with path.with_name("store.db.lock").open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    queued(store, "run3")
    assert "run2" not in everything(store)


def interrupted_write(store: SqliteStore) -> None:
    with store.write() as tx:
        tx.runs.create(ALL, new_run("run2"), RunState.QUEUED)
        raise KeyboardInterrupt


# -- connections --


def test_two_stores_of_one_process_share_a_file(store: SqliteStore, path: Path) -> None:
    other = SqliteStore(path, StoppedClock())
    for number in range(10):
        queued(store, f"a{number}")
        queued(other, f"b{number}")
    assert len([name for name in everything(store) if name[0] in "ab"]) == 20
    other.close()
    queued(store, "after")


def test_nothing_stays_open_after_close(store: SqliteStore, path: Path) -> None:
    queued(store)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: everything(store), range(20)))
    with store.read() as tx:
        tx.runs.get(ALL, "run1")
        store.close()
        assert tx.runs.get(ALL, "run1").id == "run1"
    gc.collect()
    assert not [name for name in open_files() if str(path) in name]


def test_readers_of_several_threads_do_not_wait_for_one_another(store: SqliteStore) -> None:
    queued(store)
    together = threading.Barrier(3)

    def look() -> str:
        with store.read() as tx:
            together.wait(10)
            return tx.runs.get(ALL, "run1").id

    with ThreadPoolExecutor(3) as pool:
        assert [each.result() for each in [pool.submit(look) for _ in range(3)]] == ["run1"] * 3


# -- children --


def test_a_forked_child_opens_handles_of_its_own(store: SqliteStore) -> None:
    queued(store)
    everything(store)

    def work() -> None:
        assert "run1" in everything(store)
        queued(store, "child")
        store.close()

    in_child(work)
    assert "child" in everything(store)
    queued(store, "parent")
    assert {"child", "parent", "run1"} <= set(everything(store))


def test_a_child_that_was_forked_while_its_parent_writes_neither_commits_nor_unlocks(
    store: SqliteStore, path: Path
) -> None:
    queued(store)
    with store.write() as tx:
        tx.runs.create(ALL, new_run("run2"), RunState.QUEUED)

        def work() -> None:
            with pytest.raises(StoreError, match="over"):
                tx.runs.get(ALL, "run2")
            assert "run2" not in everything(store)

        in_child(work)
        with path.with_name("store.db.lock").open("r+b") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert "run2" in everything(store)


def test_the_block_of_a_transaction_that_ends_in_a_forked_child_commits_nothing(store: SqliteStore) -> None:
    queued(store)
    parent = os.getpid()
    try:
        with store.write() as tx:
            tx.runs.create(ALL, new_run("run2"), RunState.QUEUED)
            pid = os.fork()
            if pid:
                assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
                assert "run2" not in everything(store)
    except StoreError:
        os._exit(7)
    finally:
        if os.getpid() != parent:
            os._exit(1)
    assert "run2" in everything(store)


def test_a_parents_lock_does_not_live_on_in_its_child(store: SqliteStore, path: Path) -> None:
    queued(store)
    with store.write() as tx:
        tx.runs.get(ALL, "run1")
        in_child(lambda: require_closed(path.with_name("store.db.lock")))


def require_closed(path: Path) -> None:
    assert str(path) not in open_files()
