"""The statements in `queries/*.sql`: each is named, described, used, and understood by SQLite."""

import re
from pathlib import Path

import pytest
from tests.conformance.samples import queued

from kapelle.stores.sqlite import SqliteStore, queries
from kapelle.stores.sqlite.queries import statement, statement_names

PACKAGE = Path(queries.__file__).parent
FILES = sorted(path.stem for path in (PACKAGE / "queries").glob("*.sql"))
ALL_NAMES = [(file, name) for file in FILES for name in statement_names(file)]


def text(file: str) -> str:
    return (PACKAGE / "queries" / f"{file}.sql").read_text(encoding="utf-8")


def is_part(file: str, name: str) -> bool:
    """Whether a statement is only used inside others."""
    return text(file).split(f"-- name: {name}\n", 1)[1].startswith(("-- Fragment", "-- Predicate"))


@pytest.mark.parametrize(("file", "name"), ALL_NAMES)
def test_a_statement_says_what_it_is_for_and_is_used(file: str, name: str) -> None:
    below = text(file).split(f"-- name: {name}\n", 1)[1]
    assert below.startswith("-- "), "there is no description below its name"
    code = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.glob("*.py"))
    includes = "".join(text(each) for each in FILES)
    assert f'"{name}"' in code or f"{{{{{name}}}}}" in includes or f"{{{{{file}.{name}}}}}" in includes


@pytest.mark.parametrize("file", FILES)
def test_names_are_given_once(file: str) -> None:
    names = re.findall(r"^-- name: (\w+)$", text(file), re.MULTILINE)
    assert len(names) == len(set(names)) == len(statement_names(file))


@pytest.mark.parametrize(("file", "name"), [each for each in ALL_NAMES if not is_part(*each)])
def test_sqlite_understands_the_statement(store: SqliteStore, file: str, name: str) -> None:
    queued(store)
    sql = statement(file, name)
    assert "{{" not in sql
    nothing = dict.fromkeys(re.findall(r":(\w+)", sql))
    store._open.writer().execute(f"EXPLAIN {sql}", nothing).fetchall()


@pytest.mark.parametrize(
    ("predicates", "index"),
    [
        ((), "runs_by_age"),
        (("where_project",), "runs_by_project"),
        (("where_seen",), "runs_by_age"),
        (("where_seen", "where_only"), "runs_by_project"),
        (("where_project", "where_state"), "runs_by_project_state"),
        (("where_name",), "runs_by_name"),
        (("where_project", "where_flow"), "runs_by_flow"),
        (("where_id_prefix",), "sqlite_autoindex_runs_1"),
    ],
)
def test_a_listing_is_found_by_its_index(store: SqliteStore, predicates: tuple[str, ...], index: str) -> None:
    queued(store)
    sql = "\n".join(statement("listings", name) for name in ("runs", *predicates, "newest_first"))
    nothing = dict.fromkeys(re.findall(r":(\w+)", sql))
    plan = store._open.writer().execute(f"EXPLAIN QUERY PLAN {sql}", nothing).fetchall()
    assert any(index in str(step) for step in plan), plan
