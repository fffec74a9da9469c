"""The reference is complete: what users can name, the pages name. What is undocumented fails."""

import dataclasses
import importlib
import inspect
import re
from functools import cache
from pathlib import Path
from typing import get_args

import click
import msgspec
import pytest
from tests.docs.pages import ROOT

import kapelle
from kapelle.authoring import flows, tasks
from kapelle.authoring.define import define
from kapelle.cli.exits import EXIT_CODES
from kapelle.cli.main import COMMANDS
from kapelle.cli.main import kapelle as command_line
from kapelle.console import errors as shown_errors
from kapelle.model import errors, journal
from kapelle.model.policies import WHEN_RULES

REFERENCE = ROOT / "docs" / "reference"
INTERNAL_OPTIONS = {"register"}
SOURCES = sorted((ROOT / "src" / "kapelle").rglob("*.py"))

TASK_OPTIONS = sorted(
    name
    for name, parameter in inspect.signature(define).parameters.items()
    if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name not in INTERNAL_OPTIONS
)
FLOW_OPTIONS = ("name", "aliases", "run_name", "tags", "timeout", "on_start", "on_success", "on_failure", "on_cancel")
OPTIONS = [
    (name, option) for name in COMMANDS for option in importlib.import_module(f"kapelle.cli.{name}").command.params
]
ERRORS = [one for one in vars(errors).values() if isinstance(one, type) and one.__module__ == errors.__name__]
LINES = get_args(journal.AnyLine)


@cache
def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def section(name: str, heading: str) -> str:
    """The part of a page below a heading, up to the next of its rank."""
    marks = heading.split(" ")[0]
    _, found, rest = page(name).partition(f"\n{heading}\n")
    assert found, f"docs/reference/{name} has no heading {heading!r}"
    return re.split(rf"\n#{{1,{len(marks)}}} ", rest)[0]


def row_of(name: str, first: str) -> str:
    """The row of a table that begins with this cell."""
    found = [line for line in page(name).splitlines() if line.startswith(f"| {first} |")]
    assert found, f"docs/reference/{name} has no table row that begins with {first}"
    return found[0]


# -- the API --


@pytest.mark.parametrize("name", kapelle.__all__)
def test_every_public_name_has_a_paragraph(name: str) -> None:
    assert len(section("api.md", f"### `{name}`").strip()) > 20


@pytest.mark.parametrize("option", TASK_OPTIONS)
def test_every_option_of_a_task_is_described(option: str) -> None:
    assert f"| `{option}=` |" in section("api.md", "### `task`")
    assert re.search(rf"\b{option}\b", tasks.task.__doc__ or "")


@pytest.mark.parametrize("option", FLOW_OPTIONS)
def test_every_option_of_a_flow_is_described(option: str) -> None:
    assert f"`{option}=`" in section("api.md", "### `flow`")


def test_the_options_of_a_flow_are_those_of_its_docstring() -> None:
    words = set(re.findall(r"[a-z_]+", flows.flow.__doc__ or ""))
    assert words.issuperset(FLOW_OPTIONS)
    told = set(re.findall(r"`([a-z_]+)=`", section("api.md", "### `flow`")))
    assert told == set(FLOW_OPTIONS)


@pytest.mark.parametrize("rule", sorted(WHEN_RULES))
def test_every_rule_is_described(rule: str) -> None:
    assert f"`{rule}`" in section("api.md", "### `task`")
    assert f"| `{rule}` |" in (ROOT / "docs" / "how-to" / "run-rules.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["Cache", "Retry", "Limit", "Secret", "RunInfo", "TaskInfo", "Outcome"])
def test_every_field_of_a_value_is_described(name: str) -> None:
    kind = getattr(kapelle, name)
    fields = {one.name for one in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else set()
    missing = {
        one for one in fields | public_members(kind) if not re.search(rf"\b{one}\b", section("api.md", f"### `{name}`"))
    }
    assert not missing - {"ttl_s"}


@pytest.mark.parametrize("name", ["Task", "Future", "run"])
def test_every_method_is_described(name: str) -> None:
    found = getattr(kapelle, name)
    members = public_members(found if isinstance(found, type) else type(found))
    missing = {one for one in members if not re.search(rf"\b{one}\b", section("api.md", f"### `{name}`"))}
    assert not missing


def public_members(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


# -- commands --


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_section(name: str) -> None:
    assert f"kapelle {name}" in section("cli.md", f"## `kapelle {name}`")


@pytest.mark.parametrize(("name", "option"), OPTIONS, ids=[f"{name} {option.name}" for name, option in OPTIONS])
def test_every_option_of_a_command_is_described(name: str, option: click.Parameter) -> None:
    if isinstance(option, click.Option):
        told = section("cli.md", f"## `kapelle {name}`")
        for spelling in (*option.opts, *option.secondary_opts):
            assert re.search(rf"`{spelling}[` ]", told), f"{spelling} of kapelle {name}"
        if isinstance(option.type, click.Choice):
            assert all(str(choice) in told for choice in option.type.choices)


def test_the_options_of_the_command_line_itself_are_described() -> None:
    for option in command_line.params:
        assert any(f"`kapelle {spelling}`" in page("cli.md") for spelling in option.opts), option.name


@pytest.mark.parametrize("name", COMMANDS)
def test_no_option_is_described_that_is_gone(name: str) -> None:
    known = {spelling for command, option in OPTIONS if command == name for spelling in option.opts}
    rows = [
        line.split(" | ")[0]
        for line in section("cli.md", f"## `kapelle {name}`").splitlines()
        if line.startswith("| `-")
    ]
    told = {spelling for row in rows for spelling in re.findall(r"`(--?[a-z-]+)", row)}
    assert told <= known


@pytest.mark.parametrize("code", EXIT_CODES)
def test_every_exit_code_is_listed(code: int) -> None:
    assert f"{code:>4}  {EXIT_CODES[code]}" in section("cli.md", "## Exit codes")


# -- errors --


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_is_described(kind: type[BaseException]) -> None:
    row = row_of("errors.md", f"`{kind.__name__}`")
    if issubclass(kind, errors.KapelleError):
        assert row.startswith(f"| `{kind.__name__}` | {kind.code} | {kind.exit_code} |")


def test_the_codes_of_commands_are_described() -> None:
    assert row_of("errors.md", shown_errors.UNEXPECTED_CODE)
    assert row_of("errors.md", shown_errors.error_parts(KeyboardInterrupt())["code"])


def test_no_two_errors_share_a_code() -> None:
    codes = [kind.code for kind in ERRORS if issubclass(kind, errors.KapelleError)]
    assert len(codes) == len(set(codes))


# -- settings and the journal --


def test_every_setting_is_described() -> None:
    read = {name for path in SOURCES for name in re.findall(r"\bKAPELLE_[A-Z]+\b", path.read_text(encoding="utf-8"))}
    missing = {name for name in read if f"`{name}`" not in page("settings.md")}
    assert not missing
    assert set(re.findall(r"\bKAPELLE_[A-Z]+\b", page("settings.md"))) == read


@pytest.mark.parametrize("kind", LINES, ids=lambda kind: kind.__name__)
def test_every_line_of_a_journal_is_described(kind: type[msgspec.Struct]) -> None:
    tag = kind.__struct_config__.tag
    row = row_of("journal.md", f"`{tag}`")
    assert row.startswith(f"| `{tag}` | `{kind.__name__}` | {', '.join(kind.__struct_fields__)} |")


def test_pages_are_all_in_the_index() -> None:
    docs = ROOT / "docs"
    index = (docs / "index.md").read_text(encoding="utf-8")
    pages = [path.relative_to(docs) for path in docs.rglob("*.md") if path.name != "index.md"]
    missing = [path for path in pages if path.parent != Path("decisions") and f"]({path.as_posix()})" not in index]
    assert not missing
