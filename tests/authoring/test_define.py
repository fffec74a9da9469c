"""What the decorators make of a function, and what they refuse."""

import asyncio
import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kapelle import Cache, Limit, Retry, flow, task
from kapelle.authoring import define
from kapelle.authoring.flows import AsyncFlow, Flow
from kapelle.authoring.tasks import AsyncTask, Task
from kapelle.model.errors import DefinitionError, DuplicateName, UsageError


def load(day: str, session: object = None) -> str:
    """Load a day."""
    return f"loaded {day}"


async def fetch(day: str) -> str:
    return f"fetched {day}"


def hook(info: object) -> None: ...


@pytest.fixture(autouse=True)
def _no_names_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(define, "_registered", {})


def made(**options: Any) -> Any:
    """What the options of a task come to."""
    return task(**options)(load).definition


@pytest.mark.parametrize(
    ("decorator", "kind", "plain", "with_async"), [(task, "task", Task, AsyncTask), (flow, "flow", Flow, AsyncFlow)]
)
def test_a_decorator_is_written_with_parentheses_or_without(
    decorator: Any, kind: str, plain: Any, with_async: Any
) -> None:
    for one in (decorator(load), decorator()(load), decorator(tags=["x"])(load)):
        assert type(one) is plain
        assert (one.definition.kind, one.fn, one.definition.is_async) == (kind, load, False)
    for one in (decorator(fetch), decorator()(fetch), decorator(tags=["x"])(fetch)):
        assert type(one) is with_async
        assert one.definition.is_async


def test_a_task_looks_like_its_function() -> None:
    one: Any = task(load)
    assert (one.__name__, one.__doc__, one.__wrapped__) == ("load", "Load a day.", load)
    assert one.definition.doc == "Load a day."
    assert repr(one) == "<task tests.authoring.test_define.load>"


def test_a_name_is_the_module_path_and_the_qualified_name() -> None:
    def inner() -> None: ...

    class Job:
        @task
        def work(self) -> None: ...

    here = "tests.authoring.test_define"
    assert task(load).name == f"{here}.load"
    assert task(inner).name == f"{here}.test_a_name_is_the_module_path_and_the_qualified_name.inner"
    assert Job.work.name.endswith(".Job.work")
    assert task(name="load a day")(load).name == "load a day"


def test_a_definition_says_where_its_function_stands() -> None:
    definition = task(load).definition
    assert (definition.file, definition.line) == (__file__, load.__code__.co_firstlineno)


def test_a_definition_knows_the_parameters() -> None:
    def wide(first: int, /, second: int, *rest: int, last: int = 3, **more: int) -> None: ...

    definition = task(wide).definition
    assert definition.parameters == ("first", "second", "rest", "last", "more")
    assert (definition.spread, definition.keywords, definition.positional_only) == ("rest", "more", 1)
    assert (definition.keyword_only, definition.defaults, definition.plain) == (frozenset({"last"}), {"last": 3}, False)
    assert made().plain


def test_without_options_a_task_is_tried_once_in_a_thread() -> None:
    definition = made()
    assert (definition.retry, definition.timeout_s, definition.isolation) == (Retry(), None, "thread")
    assert (definition.cache, definition.limit, definition.external, definition.results) == (None, None, False, None)
    assert (definition.when, definition.allow_failure, definition.index) == ("all_success", False, False)
    assert (definition.interruptions, definition.grace_s, definition.run_name) == (3, 5.0, "")
    assert not definition.hooks


def rule(outcomes: object) -> bool:
    return True


@pytest.mark.parametrize(
    ("options", "field", "wanted"),
    [
        ({"retries": 3}, "retry", Retry(count=3)),
        ({"retries": Retry(count=2, jitter=False)}, "retry", Retry(count=2, jitter=False)),
        ({"retries": 1, "retry_delay": "1m30s"}, "retry", Retry(count=1, delay_s=(90.0,))),
        ({"retries": 2, "retry_delay": [1, "500ms"]}, "retry", Retry(count=2, delay_s=(1.0, 0.5))),
        ({"retries": 1, "retry_on": OSError}, "retry", Retry(count=1, on=(OSError,))),
        ({"retries": 1, "retry_on": [OSError, KeyError]}, "retry", Retry(count=1, on=(OSError, KeyError))),
        ({"timeout": "2h"}, "timeout_s", 7200.0),
        ({"grace": 1}, "grace_s", 1.0),
        ({"isolation": "process"}, "isolation", "process"),
        ({"cache": True}, "cache", Cache()),
        ({"cache": Cache(ttl="1d")}, "cache", Cache(ttl="1d")),
        ({"cache": False}, "cache", None),
        ({"ignore": ["session"]}, "ignore", frozenset({"session"})),
        ({"mutates": ["day"]}, "mutates", ("day",)),
        ({"effects": "external"}, "external", True),
        ({"limit": 4}, "limit", Limit(4)),
        ({"limit": Limit(4, "api")}, "limit", Limit(4, "api")),
        ({"when": "all_done"}, "when", "all_done"),
        ({"when": rule}, "when", rule),
        ({"tags": ["a", "b"]}, "tags", ("a", "b")),
        ({"aliases": ["old"]}, "aliases", ("old",)),
        ({"results": "keep"}, "results", "keep"),
    ],
    ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", str(value)),
)
def test_an_option_says_what_it_says(options: dict[str, Any], field: str, wanted: object) -> None:
    assert getattr(made(**options), field) == wanted


@pytest.mark.parametrize("event", ["start", "success", "failure", "cancel"])
def test_hooks_are_one_function_or_several(event: str) -> None:
    assert getattr(made(**{f"on_{event}": hook}).hooks, event) == (hook,)
    assert getattr(made(**{f"on_{event}": [hook, hook]}).hooks, event) == (hook, hook)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"retries": -1}, "retries=-1 is not a number of retries"),
        ({"retries": True}, "retries=True is not a number of retries"),
        ({"retries": "3"}, "retries='3' is not a number of retries"),
        ({"retry_delay": "soon"}, "retry_delay='soon' is not a duration"),
        ({"retry_delay": [1, "5 parsecs"]}, "retry_delay='5 parsecs' is not a duration"),
        ({"retry_delay": -1}, "retry_delay=-1 is not a positive duration"),
        ({"retry_on": 3}, "retry_on has 3, which is not an exception type"),
        ({"retry_on": [OSError, int]}, "retry_on has <class 'int'>, which is not an exception type"),
        ({"timeout": ""}, "timeout='' is not a duration"),
        ({"timeout": "5 minutes"}, "timeout='5 minutes' is not a duration"),
        ({"timeout": True}, "timeout=True is not a duration"),
        ({"timeout": float("nan")}, "timeout=nan is not a positive duration"),
        ({"grace": float("inf")}, "grace=inf is not a positive duration"),
        ({"isolation": "container"}, "isolation='container' is not known"),
        ({"effects": "some"}, "effects='some' is not known"),
        ({"results": "drop"}, "results='drop' is not known"),
        ({"when": "sometimes"}, "when='sometimes' is not known"),
        ({"when": None}, "when=None is not known"),
        ({"ignore": ["sesion"]}, "ignore= names sesion"),
        ({"mutates": ["rows", "day", "cols"]}, "mutates= names cols, rows"),
        ({"cache": True, "mutates": ["day"]}, "cache= and mutates= do not go together"),
        ({"limit": 0}, "limit=0 is not a number of calls"),
        ({"limit": True}, "limit=True is not a number of calls"),
    ],
    ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", str(value)),
)
def test_a_wrong_option_is_refused_where_it_is_written(options: dict[str, Any], told: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        made(**options)
    assert refused.value.what == told


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"isolation": "container"}, "one of: 'thread', 'process'"),
        ({"results": "drop"}, "one of: 'keep', 'recompute'"),
        ({"ignore": ["sesion"]}, "its parameters are day, session"),
    ],
    ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", str(value)),
)
def test_a_refusal_says_where_and_what_would_be_right(options: dict[str, Any], hint: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        made(**options)
    assert refused.value.hint == hint
    assert refused.value.where == f"{__file__}:{load.__code__.co_firstlineno}"


@pytest.mark.parametrize("option", ["retries", "cache", "when", "isolation", "nonsense"])
def test_a_flow_has_options_of_its_own(option: str) -> None:
    options: dict[str, Any] = {option: 1}
    with pytest.raises(DefinitionError, match=f"@flow has no option {option}"):
        flow(**options)(load)
    with pytest.raises(DefinitionError, match=f"@flow has no option {option}") as refused:
        flow(load).with_options(**options)
    assert "a flow has aliases, name, on_cancel" in refused.value.hint


def items() -> Any:
    yield 1


async def items_later() -> Any:
    yield 1


@pytest.mark.parametrize("decorator", [task, flow])
@pytest.mark.parametrize("fn", [items, items_later])
def test_generator_functions_are_refused(decorator: Any, fn: Callable[..., Any]) -> None:
    with pytest.raises(DefinitionError, match=f"{fn.__name__} is a generator function") as refused:
        decorator(fn)
    assert refused.value.where.startswith(__file__)


def test_a_builtin_that_shows_no_signature_takes_everything() -> None:
    one: Any = task(max)
    assert one.definition.parameters == ("args", "kwargs")
    assert one(1, 2) == 2


@pytest.mark.parametrize("decorator", [task, flow])
@pytest.mark.parametrize("given", [3, "load", int])
def test_what_is_no_function_is_refused(decorator: Any, given: object) -> None:
    with pytest.raises(DefinitionError, match="it decorates functions"):
        decorator(given)


def test_a_lambda_needs_a_name() -> None:
    with pytest.raises(DefinitionError, match="a lambda has no name of its own"):
        task(lambda: 1)
    assert task(name="one")(lambda: 1).name == "one"


ONE = "@task\ndef load(): ...\n"


def execute(source: str, file: Path, **module: Any) -> dict[str, Any]:
    """The globals of a module after its source ran, decorated functions and all."""
    module = {"__name__": file.stem, "task": task, "flow": flow, **module}
    exec(compile(source, str(file), "exec"), module)
    return module


def test_two_functions_of_one_name_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "twice.py"
    with pytest.raises(DuplicateName, match=r"two tasks carry the name twice\.load") as refused:
        execute(ONE + ONE, file)
    assert refused.value.where == f"{file}:1 and {file}:3"
    assert refused.value.hint == 'rename one, or give it a name: @task(name="…")'


def test_two_files_may_not_share_a_name(tmp_path: Path) -> None:
    named = '@task(name="load")\ndef one(): ...\n'
    execute(named, tmp_path / "one.py")
    with pytest.raises(DuplicateName, match="two tasks carry the name load"):
        execute(named, tmp_path / "other.py")


def test_another_name_makes_room_for_two(tmp_path: Path) -> None:
    execute(ONE + '@task(name="other")\ndef load(): ...\n', tmp_path / "room.py")
    assert [definition.name for definition in define.registered()] == ["room.load", "other"]


def test_a_file_may_be_executed_again_also_after_an_edit(tmp_path: Path) -> None:
    file = tmp_path / "again.py"
    first = execute(ONE, file)
    execute(ONE, file)
    newest = execute("\n\n" + ONE, file)
    assert define.registered() == (newest["load"].definition,)
    execute("\n\n" + ONE, file, __name__=first["__name__"])


def test_functions_inside_functions_may_share_a_name() -> None:
    for number in (1, 2):
        if number == 1:

            @task
            def one() -> int:
                return 1

        else:

            @task
            def one() -> int:
                return 2

        assert one() == number


def test_a_function_may_be_made_many_times() -> None:
    def maker(number: int) -> Task[[], int]:
        @task
        def work() -> int:
            return number

        return work

    assert (maker(1)(), maker(2)()) == (1, 2)


def test_other_options_leave_the_task_and_its_name_as_they_are() -> None:
    one = task(retries=1, tags=["x"])(load)
    other = one.with_options(retries=5)
    third = other.with_options(timeout=9)
    assert [each.definition.retry.count for each in (one, other, third)] == [1, 5, 5]
    assert [each.definition.timeout_s for each in (one, other, third)] == [None, None, 9.0]
    assert {each.name for each in (one, other, third)} == {one.name}
    assert {each.definition.tags for each in (one, other, third)} == {("x",)}
    assert define.registered() == (one.definition,)


def test_other_options_keep_the_type_and_are_checked() -> None:
    assert type(task(fetch).with_options(retries=1)) is AsyncTask
    assert type(flow(load).with_options(tags=["x"])) is Flow
    assert type(flow(fetch).with_options(tags=["x"])) is AsyncFlow
    with pytest.raises(DefinitionError, match="retries=-1"):
        task(load).with_options(retries=-1)


def test_outside_a_run_a_task_is_its_function() -> None:
    one = task(retries=3, timeout=1)(load)
    assert one("monday") == "loaded monday"
    assert one.submit("monday").result() == "loaded monday"
    assert one.submit("monday").done()
    assert one.submit(one.submit("monday")).result() == "loaded loaded monday"
    assert asyncio.run(one.aio("monday")) == "loaded monday"


def test_outside_a_run_an_async_task_is_its_function() -> None:
    one = task(fetch)
    assert asyncio.run(one("monday")) == "fetched monday"
    assert asyncio.run(one.aio("monday")) == "fetched monday"


def test_outside_a_run_a_task_raises_what_its_function_raises() -> None:
    @task(retries=3)
    def fail() -> None:
        raise KeyError("once")

    with pytest.raises(KeyError, match="once"):
        fail()
    with pytest.raises(KeyError, match="once"):
        fail.submit()


def test_a_map_needs_a_run() -> None:
    with pytest.raises(UsageError, match=r"load\.map needs a run") as refused:
        task(load).map(["monday"])
    assert "@flow" in refused.value.hint


def test_a_method_is_called_on_its_object() -> None:
    class Store:
        def __init__(self, root: str) -> None:
            self.root = root

        @task
        def path(self, name: str) -> str:
            return f"{self.root}/{name}"

    store: Any = Store("data")
    assert store.path("x") == "data/x"
    assert store.path.submit("x").result() == "data/x"
    assert asyncio.run(store.path.aio("x")) == "data/x"
    assert Store.path(store, "x") == "data/x"


def test_a_wrapped_function_stands_where_the_author_wrote_it() -> None:
    @functools.wraps(load)
    def wrapper(*args: Any, **kwargs: Any) -> str:
        return load(*args, **kwargs).upper()

    one = task(wrapper)
    assert one.definition.line == load.__code__.co_firstlineno
    assert one.definition.parameters == ("day", "session")
    assert one("monday") == "LOADED MONDAY"
