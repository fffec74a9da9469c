"""Migrations: numbered, each in a transaction, and a copy of the file before."""

import shutil
from pathlib import Path

import apsw
import pytest
from tests.conformance.samples import StoppedClock, everything, queued

from kapelle.model.errors import StoreUnwritable
from kapelle.stores.sqlite import SqliteStore, schema

LATER = "-- kapelle: 9.0.0\nALTER TABLE runs ADD COLUMN later TEXT NOT NULL DEFAULT 'x'; CREATE TABLE more (a) STRICT;"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of migrations that can be added to."""
    copy = tmp_path / "migrations"
    shutil.copytree(Path(schema.__file__).parent / "migrations", copy)
    monkeypatch.setattr(schema, "migrations", lambda: schema.read_migrations(copy))
    return copy


def version(path: Path) -> int:
    connection = apsw.Connection(str(path))
    try:
        return int(str(connection.pragma("user_version")))
    finally:
        connection.close()


def test_an_older_file_is_copied_and_then_changed(store: SqliteStore, path: Path, folder: Path) -> None:
    queued(store)
    before = everything(store)
    store.close()
    (folder / "0002_later.sql").write_text(LATER.replace("(a)", "(a TEXT)"))
    later = SqliteStore(path, StoppedClock())
    assert everything(later) == before
    later.close()
    assert version(path) == 2
    (backup,) = path.parent.glob("*.backup")
    assert backup.stat().st_mode & 0o777 == 0o600
    assert version(backup) == 1
    (folder / "0002_later.sql").unlink()
    old = SqliteStore(backup, StoppedClock())
    assert everything(old) == before
    old.close()


def test_a_new_file_needs_no_copy(store: SqliteStore, path: Path) -> None:
    queued(store)
    assert list(path.parent.glob("*.backup")) == []


def test_copies_go_where_they_are_wanted_and_the_last_three_are_kept(path: Path, folder: Path, tmp_path: Path) -> None:
    wanted = tmp_path / "copies"
    clock = StoppedClock()
    for number in range(2, 8):
        store = SqliteStore(path, clock, wanted)
        queued(store, f"run{number}")
        store.close()
        (folder / f"{number:04d}_more.sql").write_text(
            f"-- kapelle: 9.{number}.0\nCREATE TABLE more{number} (a TEXT) STRICT;"
        )
        clock.at_us += 1
    store = SqliteStore(path, clock, wanted)
    everything(store)
    store.close()
    assert [version(copy) for copy in sorted(wanted.glob("*.backup"))] == [4, 5, 6]


def test_a_migration_that_fails_leaves_the_file_as_it_was(store: SqliteStore, path: Path, folder: Path) -> None:
    queued(store)
    before = everything(store)
    store.close()
    (folder / "0002_bad.sql").write_text(
        "-- kapelle: 9.0.0\nCREATE TABLE half (a TEXT) STRICT; DROP TABLE calls; INSERT INTO nowhere VALUES (1);"
    )
    broken = SqliteStore(path, StoppedClock())
    with pytest.raises(Exception, match="nowhere"):
        everything(broken)
    broken.close()
    (folder / "0002_bad.sql").unlink()
    assert version(path) == 1
    assert everything(store) == before


def test_without_room_for_a_copy_nothing_is_changed(small_disk: Path, folder: Path) -> None:
    path = small_disk / "store.db"
    store = SqliteStore(path, StoppedClock())
    queued(store)
    before = everything(store)
    store.close()
    (folder / "0002_later.sql").write_text(LATER.replace("(a)", "(a TEXT)"))
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space"):
        ballast.write_bytes(b"\0" * 2_000_000)
    full = SqliteStore(path, StoppedClock())
    with pytest.raises(StoreUnwritable):
        everything(full)
    full.close()
    assert [file.name for file in small_disk.iterdir() if "backup" in file.name or "unfinished" in file.name] == []
    ballast.unlink()
    assert version(path) == 1
    assert everything(SqliteStore(path, StoppedClock())) == before


def test_each_migration_says_which_version_brought_it() -> None:
    assert [step.number for step in schema.migrations()] == list(range(1, len(schema.migrations()) + 1))
    assert all(step.kapelle[0].isdigit() for step in schema.migrations())


def test_a_file_names_its_format(store: SqliteStore, path: Path) -> None:
    queued(store)
    store.close()
    assert path.read_bytes()[68:72] == b"Kapl"
