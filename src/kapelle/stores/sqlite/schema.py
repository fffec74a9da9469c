"""The schema: numbered migrations, and what happens to a file that is older, newer or not ours.

A file says in its header how many migrations it has (`user_version`) and that it is ours (`application_id`); the table
`schema_changes` says which version of Kapelle each came with. Before an existing file is changed it is copied whole.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import apsw

from kapelle.model.errors import StoreTooNew, StoreUnwritable

APPLICATION_ID = 0x4B61706C
"""The letters "Kapl", by which `file` and we know the format."""

BACKUPS_KEPT = 3

_FOLDER = Path(__file__).parent / "migrations"
_FILE = re.compile(r"(\d{4})_(\w+)\.sql")
_SINCE = re.compile(r"-- kapelle: (\S+)")

_HISTORY = """
CREATE TABLE IF NOT EXISTS schema_changes (
    number        INTEGER PRIMARY KEY,
    name          TEXT    NOT NULL,
    kapelle       TEXT    NOT NULL,
    applied_at_us INTEGER NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """A step of the schema. `kapelle` is the first version that knows it."""

    number: int
    name: str
    kapelle: str
    sql: str


@cache
def migrations() -> tuple[Migration, ...]:
    """All migrations that this version knows, in order."""
    return read_migrations(_FOLDER)


def read_migrations(folder: Path) -> tuple[Migration, ...]:
    """The migrations of a folder, in order."""
    found = []
    for path in sorted(folder.iterdir()):
        if (match := _FILE.fullmatch(path.name)) is None:
            continue
        sql = path.read_text(encoding="utf-8")
        since = _SINCE.match(sql)
        assert since is not None, f"{path.name} does not begin with `-- kapelle: <version>`"
        found.append(Migration(int(match[1]), match[2], since[1], sql))
    assert [step.number for step in found] == list(range(1, len(found) + 1)), "migrations are numbered without gaps"
    return tuple(found)


def is_current(connection: apsw.Connection, path: Path) -> bool:
    """Whether there is nothing to migrate. Raises for a file that is newer, or not ours."""
    # In one transaction, lest another process makes the file between two looks at it.
    connection.execute("BEGIN").fetchall()
    try:
        version = _number(connection, "user_version")
        ours = _number(connection, "application_id") == APPLICATION_ID
        tables = _number(connection, "schema_version")
    finally:
        connection.execute("ROLLBACK").fetchall()
    if not ours and (version or tables):
        raise StoreUnwritable(
            f"{path} is not a store of Kapelle",
            cause="it is a database of another program",
            hint="name another file; this one was left as it is",
        )
    if version > len(migrations()):
        raise _too_new(connection, path, version)
    return version == len(migrations())


def require_known(connection: apsw.Connection, path: Path) -> None:
    """Raise StoreTooNew if a newer Kapelle has changed the file since this process opened it."""
    version = _number(connection, "user_version")
    if version > len(migrations()):
        raise _too_new(connection, path, version)


def migrate(connection: apsw.Connection, path: Path, backup_dir: Path, now_us: int) -> None:
    """Bring the file to this version's schema, each step in a transaction of its own. The owner's lock is held."""
    if is_current(connection, path):
        return
    version = _number(connection, "user_version")
    if version:
        back_up(connection, path, backup_dir, version, now_us)
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    for step in migrations()[version:]:
        connection.execute("BEGIN IMMEDIATE").fetchall()
        try:
            connection.execute(step.sql).fetchall()
            connection.execute(_HISTORY).fetchall()
            connection.execute(
                "INSERT INTO schema_changes VALUES (?, ?, ?, ?)", (step.number, step.name, step.kapelle, now_us)
            ).fetchall()
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}").fetchall()
            connection.execute(f"PRAGMA user_version = {step.number}").fetchall()
            connection.execute("COMMIT").fetchall()
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK").fetchall()
            raise


def back_up(connection: apsw.Connection, path: Path, backup_dir: Path, version: int, now_us: int) -> Path:
    """Copy the file as it is; it is complete when it has its name. Older copies but the last few are removed."""
    backup_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = backup_dir / f"{path.name}.{now_us:016d}-schema-{version:04d}.backup"
    unfinished = target.with_suffix(".unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_WRONLY, 0o600))
        connection.execute("VACUUM INTO ?", (str(unfinished),)).fetchall()
        _flush(unfinished)
        unfinished.replace(target)
        _flush(backup_dir)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    copies = sorted(backup_dir.glob(f"{_literal(path.name)}.*-schema-*.backup"))
    for old in copies[:-BACKUPS_KEPT]:
        old.unlink(missing_ok=True)
    return target


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _literal(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)


def _number(connection: apsw.Connection, pragma: str) -> int:
    value = connection.pragma(pragma)
    assert isinstance(value, int)
    return value


def _too_new(connection: apsw.Connection, path: Path, version: int) -> StoreTooNew:
    try:
        rows = connection.execute("SELECT kapelle FROM schema_changes ORDER BY number DESC LIMIT 1").fetchall()
    except apsw.SQLError:
        rows = []
    wrote = str(rows[0][0]) if rows else "a newer version"
    wanted = f'pip install "kapelle>={wrote}"' if rows else "pip install --upgrade kapelle"
    return StoreTooNew(
        f"the store {path} was written by a newer Kapelle",
        cause=f"it was changed by Kapelle {wrote} (schema {version}); this one knows schema {len(migrations())}",
        hint=f"{wanted}, or name another store; the backups of before the change end in `.backup`",
    )
