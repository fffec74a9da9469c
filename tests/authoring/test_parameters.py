"""Parameters of flows: what they are converted to, and what a person is told about a wrong one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from kapelle import Secret, flow
from kapelle.authoring.parameters import model_of, parse_parameters, validate_call
from kapelle.model.errors import CallError, DefinitionError, ImportFailed, KapelleError, ParameterError


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Window(BaseModel):
    first: date
    days: int = 1


@dataclass
class Point:
    x: int
    y: int


def definition_of(fn: Callable[..., Any]) -> Any:
    return flow(name=fn.__name__)(fn).definition


def daily(day: date, count: int = 3, rates: list[float] = [], who: str | None = None) -> None: ...  # noqa: B006


DAILY = definition_of(daily)


def called(*args: Any, **kwargs: Any) -> dict[str, Any]:
    return validate_call(DAILY, args, kwargs)


def read(texts: dict[str, str], **values: Any) -> dict[str, Any]:
    return parse_parameters(DAILY, texts, values)


def refused(kind: type[KapelleError], ask: Callable[[], object]) -> KapelleError:
    with pytest.raises(kind) as caught:
        ask()
    return caught.value


def test_arguments_come_by_name_converted_and_with_defaults() -> None:
    wanted = {"day": date(2025, 1, 2), "count": 3, "rates": [], "who": None}
    assert called("2025-01-02") == called(day="2025-01-02") == called(date(2025, 1, 2)) == wanted
    assert called("2025-01-02", "7", ("1", 2), who="me") == {**wanted, "count": 7, "rates": [1.0, 2.0], "who": "me"}


def test_what_an_annotation_says_is_what_the_flow_gets() -> None:
    def wide(
        a: Colour, b: Window, c: Point, d: Path, e: timedelta, f: Literal[1, 2], g: dict[str, set[int]]
    ) -> None: ...

    given = ["red", {"first": "2025-01-02"}, {"x": "1", "y": 2}, "a/b", "PT5M", 2, {"k": [1, 1]}]
    assert list(validate_call(definition_of(wide), tuple(given), {}).values()) == [
        Colour.RED, Window(first=date(2025, 1, 2)), Point(1, 2), Path("a/b"), timedelta(minutes=5), 2, {"k": {1}},
    ]  # fmt: skip


def test_without_an_annotation_everything_goes() -> None:
    marker = object()

    def bare(x, y=1): ...

    assert validate_call(definition_of(bare), (marker,), {}) == {"x": marker, "y": 1}


def test_a_parameter_with_an_underscore_is_passed_on_as_it_is() -> None:
    def work(_n: int, m: int) -> None: ...

    assert validate_call(definition_of(work), ("1", "2"), {}) == {"_n": "1", "m": 2}


def test_an_annotation_may_be_a_text() -> None:
    def work(n: "list[int]") -> None: ...

    assert validate_call(definition_of(work), (["1"],), {}) == {"n": [1]}
    told = refused(ParameterError, lambda: validate_call(definition_of(work), (3,), {}))
    assert told.cause.startswith("n: given 3, wanted list[int] (")


def test_objects_that_pydantic_does_not_know_are_checked_by_their_class() -> None:
    class Session: ...

    def work(session: Session) -> None: ...

    session = Session()
    assert validate_call(definition_of(work), (session,), {}) == {"session": session}
    told = refused(ParameterError, lambda: validate_call(definition_of(work), (3,), {}))
    assert "session: given 3, wanted Session" in told.cause


@pytest.mark.parametrize(
    ("args", "cause"),
    [
        ((), "missing a required argument: 'day'"),
        (("2025-01-02", 1, [], None, 5), "too many positional arguments"),
    ],
)
def test_arguments_that_do_not_fit_the_signature_are_refused(args: tuple[Any, ...], cause: str) -> None:
    told = refused(CallError, lambda: called(*args))
    assert told.what == "the flow daily was called with arguments that it does not take"
    assert told.cause == cause
    assert told.where == f"{__file__}:{daily.__code__.co_firstlineno}"
    assert told.hint.startswith("its signature is daily(day: datetime.date, count: int = 3")


def test_an_unknown_argument_is_refused() -> None:
    assert "unexpected keyword argument 'm'" in refused(CallError, lambda: called("2025-01-02", m=1)).cause


def test_a_flow_itself_refuses_before_any_run_begins() -> None:
    one: Any = flow(name="daily")(daily)
    assert "missing a required argument" in refused(CallError, one).cause
    assert "missing a required argument" in refused(CallError, one.run).cause
    assert "given 'soon', wanted date" in refused(ParameterError, lambda: one("soon")).cause


def test_a_wrong_value_is_told_with_parameter_given_and_wanted() -> None:
    told = refused(ParameterError, lambda: called("2025-01-02", count="many"))
    assert told.what == "daily cannot run with this value of count"
    assert told.cause.startswith("count: given 'many', wanted int (Input should be a valid integer")
    assert told.where == f"{__file__}:{daily.__code__.co_firstlineno}"
    assert told.exit_code == 5


def test_several_wrong_values_are_told_at_once() -> None:
    told = refused(ParameterError, lambda: called("soon", count="many", who=3))
    assert told.what == "daily cannot run with this value of day, count, who"
    parts = told.cause.split("; ")
    assert [part.split(" (")[0] for part in parts] == [
        "day: given 'soon', wanted date",
        "count: given 'many', wanted int",
        "who: given 3, wanted str | None",
    ]


def test_a_wrong_element_is_told_with_its_place() -> None:
    told = refused(ParameterError, lambda: called("2025-01-02", rates=[1, "a", "b"]))
    assert told.what.endswith("this value of rates"), "named once, however many elements are wrong"
    assert "rates.1: given 'a'" in told.cause
    assert "rates.2: given 'b'" in told.cause


def test_a_long_value_is_shown_by_its_beginning() -> None:
    told = refused(ParameterError, lambda: called("2025-01-02", count="x" * 5000))
    assert f"given '{'x' * 78}…, wanted int" in told.cause


def bounded(n: Annotated[int, Field(ge=1, le=5)], mode: Literal["a", "b"] = "a") -> None: ...


def test_bounds_and_choices_of_an_annotation_hold() -> None:
    definition = definition_of(bounded)
    assert validate_call(definition, ("4",), {"mode": "b"}) == {"n": 4, "mode": "b"}
    told = refused(ParameterError, lambda: validate_call(definition, (9,), {"mode": "c"}))
    assert "n: given 9, wanted int (Input should be less than or equal to 5)" in told.cause
    assert "mode: given 'c', wanted Literal['a', 'b']" in told.cause
    assert told.hint == "its signature is bounded(n, mode)", "bounds would fill the hint"


def test_the_model_has_a_schema_for_tools() -> None:
    schema = model_of(definition_of(bounded)).model_json_schema()
    assert schema["title"] == "bounded"
    assert schema["required"] == ["n"]
    assert schema["properties"]["n"] == {"maximum": 5, "minimum": 1, "title": "N", "type": "integer"}


def test_a_secret_is_no_parameter() -> None:
    def login(user: str, token: Secret) -> None: ...

    told = refused(DefinitionError, lambda: validate_call(definition_of(login), ("me", Secret("x")), {}))
    assert told.what == "login: the parameter token is a Secret"
    assert told.hint == "fetch the secret where it is needed, inside a task"


def test_annotations_that_cannot_be_read_are_told() -> None:
    def unknown(x: "Nowhere") -> None:  # type: ignore[name-defined]  # noqa: F821
        ...

    told = refused(ImportFailed, lambda: validate_call(definition_of(unknown), (1,), {}))
    assert told.what == "the annotations of unknown cannot be read"
    assert told.cause == "NameError: name 'Nowhere' is not defined"


def test_values_may_be_texts_of_a_command_line() -> None:
    texts = {"day": "2025-01-02", "count": "4", "rates": "[0.1, 2]", "who": "me"}
    assert read(texts) == {"day": date(2025, 1, 2), "count": 4, "rates": [0.1, 2.0], "who": "me"}


@pytest.mark.parametrize("text", ["12", "null", "[1]", "true", "", '"quoted"'])
def test_a_text_is_taken_as_it_is_where_the_annotation_allows_that(text: str) -> None:
    assert read({"day": "2025-01-02", "who": text})["who"] == text


@pytest.mark.parametrize(
    ("annotation", "text", "wanted"),
    [
        (bool, "true", True),
        (bool, "no", False),
        (float, "1e3", 1000.0),
        (Path, "a/b", Path("a/b")),
        (Colour, "blue", Colour.BLUE),
        (int | None, "null", None),
        (int | str, "x", "x"),
        (list[str], '["a", "b"]', ["a", "b"]),
        (dict[str, int], '{"a": 1}', {"a": 1}),
        (Window, '{"first": "2025-01-02", "days": 2}', Window(first=date(2025, 1, 2), days=2)),
        (Point, '{"x": 1, "y": 2}', Point(1, 2)),
        (Any, "[1]", [1]),
        (Any, "plain", "plain"),
    ],
    ids=str,
)
def test_a_text_is_read_as_the_annotation_wants_it(annotation: Any, text: str, wanted: object) -> None:
    def work(x): ...

    work.__annotations__["x"] = annotation
    assert parse_parameters(definition_of(work), {"x": text}, {}) == {"x": wanted}


def test_a_text_that_does_not_fit_is_told_as_it_was_written() -> None:
    told = refused(ParameterError, lambda: read({"day": "2025-01-02", "count": "[many"}))
    assert told.cause.startswith("count: given '[many', wanted int")


def test_a_text_wins_over_a_value_of_its_name() -> None:
    assert read({"count": "4"}, day="2025-01-02", count=9, who="me") == {
        "day": date(2025, 1, 2),
        "count": 4,
        "rates": [],
        "who": "me",
    }


def test_an_unknown_parameter_is_told_with_what_was_perhaps_meant() -> None:
    told = refused(ParameterError, lambda: read({"day": "2025-01-02", "coun": "1"}, zzz=2))
    assert told.what == "daily has no parameter coun"
    assert told.cause == "given: coun, zzz"
    assert told.hint == "did you mean count? its parameters are day, count, rates, who"
    assert refused(ParameterError, lambda: read({"zzz": "1"})).hint == "its parameters are day, count, rates, who"


def test_a_flow_without_parameters_says_so() -> None:
    def nothing() -> None: ...

    assert validate_call(definition_of(nothing), (), {}) == {}
    told = refused(ParameterError, lambda: parse_parameters(definition_of(nothing), {"x": "1"}, {}))
    assert told.hint == "its parameters are none"


def test_all_missing_parameters_are_told_with_how_to_give_them() -> None:
    def copy_table(source: str, target: str, rows: int = 1) -> None: ...

    told = refused(ParameterError, lambda: parse_parameters(definition_of(copy_table), {"rows": "2"}, {}))
    assert told.what == "copy_table needs a value for source, target"
    assert told.hint == "-p source=… -p target=…"


def test_a_flow_that_takes_any_name_takes_any_name() -> None:
    def wide(a: int, *rest: int, b: int = 2, **more: Any) -> None: ...

    assert parse_parameters(definition_of(wide), {"a": "1", "c": "[5]"}, {"d": 6}) == {
        "a": 1,
        "rest": (),
        "b": 2,
        "c": [5],
        "d": 6,
    }
