"""The store's file: how it is made, and what is said of one that cannot be used. Never a traceback of SQLite's."""

import os
import stat
import subprocess
from pathlib import Path

import apsw
import pytest
from tests.conformance.samples import ALL, StoppedClock, everything, new_run, queued

from kapelle.model.errors import KapelleError, StoreError, StoreTooNew, StoreUnwritable
from kapelle.model.runs import RunState
from kapelle.stores.sqlite import SqliteStore


def refusal(path: Path) -> KapelleError:
    """What a store says when it is written to, and that it says the same when it is read."""
    store = SqliteStore(path, StoppedClock())
    try:
        with pytest.raises(StoreError) as refused:
            queued(store)
        with pytest.raises(type(refused.value)):
            everything(store)
    finally:
        store.close()
    assert refused.value.hint
    return refused.value


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nothing_is_made_before_the_store_is_used(store: SqliteStore, path: Path) -> None:
    with store.write():
        pass
    assert not path.parent.exists()


def test_the_file_and_its_folder_are_for_their_owner_only(store: SqliteStore, path: Path) -> None:
    umask = os.umask(0)
    try:
        queued(store)
    finally:
        os.umask(umask)
    assert mode(path.parent) == 0o700
    assert {file.name: mode(file) for file in path.parent.iterdir()} == dict.fromkeys(
        ("store.db", "store.db-wal", "store.db-shm", "store.db.lock"), 0o600
    )


def test_a_folder_that_is_there_keeps_its_rights(store: SqliteStore, path: Path) -> None:
    path.parent.mkdir(mode=0o755)
    path.parent.chmod(0o755)
    queued(store)
    assert mode(path.parent) == 0o755


def test_the_settings_are_the_durable_ones(store: SqliteStore, path: Path) -> None:
    queued(store)
    writer = store._open.writer()
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "mmap_size": 0, "trusted_schema": 0}
    assert {name: writer.pragma(name) for name in wanted} == wanted
    assert 0 < int(str(writer.pragma("journal_size_limit"))) <= 64 << 20
    strict = writer.execute("SELECT name FROM pragma_table_list WHERE schema = 'main' AND NOT strict").fetchall()
    assert [name for (name,) in strict if not str(name).startswith("sqlite_")] == []


def test_closing_moves_the_log_into_the_file(store: SqliteStore, path: Path) -> None:
    queued(store)
    store.close()
    assert path.with_name("store.db-wal").stat().st_size == 0
    alone = path.with_name("alone.db")
    alone.write_bytes(path.read_bytes())
    copy = SqliteStore(alone, StoppedClock())
    assert "run1" in everything(copy)
    copy.close()


def test_a_store_can_be_used_again_after_it_was_closed(store: SqliteStore) -> None:
    queued(store)
    store.close()
    assert "run1" in everything(store)


def test_a_newer_file_is_refused_with_what_to_install(store: SqliteStore, path: Path) -> None:
    queued(store)
    store.close()
    newer = apsw.Connection(str(path))
    newer.execute("INSERT INTO schema_changes VALUES (9, 'later', '7.3.0', 1); PRAGMA user_version = 9").fetchall()
    newer.close()
    before = path.read_bytes()
    said = refusal(path)
    assert isinstance(said, StoreTooNew)
    assert "7.3.0" in said.cause
    assert 'pip install "kapelle>=7.3.0"' in said.hint
    assert path.read_bytes() == before


def test_a_file_that_becomes_newer_while_it_is_open_is_refused(store: SqliteStore, path: Path) -> None:
    queued(store)
    newer = apsw.Connection(str(path))
    newer.execute("INSERT INTO schema_changes VALUES (9, 'later', '7.3.0', 1); PRAGMA user_version = 9").fetchall()
    newer.close()
    for _ in range(2):
        with pytest.raises(StoreTooNew, match="newer Kapelle"):
            queued(store, "run2")


@pytest.mark.parametrize(
    ("content", "cause"),
    [(b"name,rate\n" * 100, "not a database"), (b"x", "not a database"), (b"SQLite format 3\x00" + b"\xff" * 4080, "")],
    ids=["a table", "one byte", "a damaged header"],
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, content: bytes, cause: str) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    said = refusal(path)
    assert isinstance(said, StoreUnwritable)
    assert cause in said.cause
    assert path.read_bytes() == content


def test_the_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE runs (id)").fetchall()
    other.close()
    before = path.read_bytes()
    assert "another program" in refusal(path).cause
    assert path.read_bytes() == before


def test_a_damaged_file_is_refused(store: SqliteStore, path: Path) -> None:
    for number in range(50):
        queued(store, f"run{number}")
    store.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    said = refusal(path)
    assert isinstance(said, StoreUnwritable)
    assert "damaged" in said.cause
    assert ".backup" in said.hint


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "store.db", tmp_path / "file" / "deeper" / "store.db"):
        assert isinstance(refusal(path), StoreUnwritable)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path).what


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc here")
def test_a_folder_in_which_nothing_can_be_made_is_refused() -> None:
    assert isinstance(refusal(Path("/proc/kapelle/store.db")), StoreUnwritable)
    assert isinstance(refusal(Path("/proc/store.db")), StoreUnwritable)


def test_a_disk_that_became_read_only_is_refused_and_goes_on_afterwards(small_disk: Path) -> None:
    store = SqliteStore(small_disk / "store.db", StoppedClock())
    queued(store)
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert isinstance(refusal(small_disk / "store.db"), StoreUnwritable)
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    queued(store, "run2")
    assert {"run1", "run2"} <= set(everything(store))
    store.close()


def test_a_full_disk_is_refused_keeps_what_was_acknowledged_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    store = SqliteStore(small_disk / "store.db", StoppedClock())
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\0" * 300_000)
    kept: list[str] = []

    def fill() -> None:
        for number in range(1_000):
            queued(store, f"run{number}", parameters_text=f"{number} " * 1_000)
            kept.append(f"run{number}")

    with pytest.raises(StoreUnwritable, match=r"store\.db") as refused:
        fill()
    assert "full" in refused.value.cause
    assert "room" in refused.value.hint
    assert kept
    assert set(kept) == {name for name in everything(store) if name.startswith("run")}
    ballast.unlink()
    queued(store, "after")
    assert "after" in everything(store)
    assert store._open.writer().execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    store.close()


def test_a_store_whose_file_was_removed_begins_anew_instead_of_writing_to_nowhere(
    store: SqliteStore, path: Path
) -> None:
    queued(store)
    everything(store)
    for file in path.parent.iterdir():
        file.unlink()
    queued(store, "run2")
    found = everything(store)
    assert "run2" in found
    assert "run1" not in found
    other = SqliteStore(path, StoppedClock())
    assert everything(other) == found
    other.close()


def test_a_text_that_no_database_takes_is_refused_and_the_rest_is_kept(store: SqliteStore) -> None:
    with store.write() as tx:
        tx.runs.create(ALL, new_run(), RunState.QUEUED)
        for odd in ({"name": "half \ud800"}, {"tags": ("half \ud800",)}, {"created_at_us": 2**70}):
            with pytest.raises(StoreError, match="cannot be stored"):
                tx.runs.create(ALL, new_run("run2", **odd), RunState.QUEUED)
    assert "run1" in everything(store)


def test_a_reply_that_was_lost_after_the_commit_can_be_asked_for_again(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(store)
    commit = store._commit

    def lost(connection: apsw.Connection) -> None:
        commit(connection)
        raise apsw.IOError("the reply was lost")

    monkeypatch.setattr(store, "_commit", lost)
    with pytest.raises(StoreUnwritable, match="cannot be used"), store.write() as tx:
        attempt = tx.runs.begin_attempt(ALL, "run1", 1, "first", 5)
    monkeypatch.undo()
    with store.write() as tx:
        assert tx.runs.begin_attempt(ALL, "run1", 1, "first", 5) == attempt


def test_a_commit_that_failed_keeps_nothing(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(connection: apsw.Connection) -> None:
        raise apsw.FullError("no room")

    queued(store)
    before = everything(store)
    monkeypatch.setattr(store, "_commit", failing)
    with pytest.raises(StoreUnwritable, match="cannot be used"):
        queued(store, "run2")
    monkeypatch.undo()
    assert everything(store) == before
    queued(store, "run2")
