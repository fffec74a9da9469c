"""The code digest changes with what a function computes, and with nothing else."""

from __future__ import annotations

import functools
import importlib
import os
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kapelle.engine.values.code import code_digest

BASE = {
    "flows.py": """
import helpers
from helpers import Shape, scale, LIMIT
from json import dumps

FACTOR = 3
SETTINGS = {"a": 1}

def unrelated():
    return 1

class Task:
    def __init__(self, fn):
        self.fn = fn

def task(**options):
    return Task

def logged(fn):
    import functools
    @functools.wraps(fn)
    def inner(*args):
        return fn(*args)
    return inner

def step(x):
    return scale(x) + FACTOR + LIMIT + helpers.offset(x)

def other(x):
    return 2

@logged
def noisy(x):
    return scale(x)

def outer(x):
    return deep_task(x)

@task(retries=3)
def deep_task(x):
    return even(x)

def even(n):
    return n == 0 or odd(n - 1)

def odd(n):
    return n != 0 and even(n - 1)

def makes(x):
    return Shape(x).area()

def late(x):
    from helpers import offset
    return offset(x)

def with_default(x, y=FACTOR):
    return x

def closing(n):
    def inner(x):
        return x + n
    return inner

squared = lambda x: scale(x) ** 2
""",
    "helpers.py": """
from dataclasses import dataclass
LIMIT = 10
UNUSED = 1

def offset(x):
    return x + inner(x)

def inner(x):
    return 1

def scale(x):
    return x * 2

def lonely(x):
    return 5

class Root:
    def area(self):
        return 1

@dataclass
class Shape(Root):
    x: int = 1
""",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Write the project with some texts replaced, import it, and give the digest of a function of it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    versions = iter(range(1, 1000))

    def digest(name: str = "step", **replaced: str) -> str:
        for file, text in BASE.items():
            for old, new in replaced.items():
                text = text.replace(EDITS[old], new)
            path = tmp_path / file
            path.write_text(text)
            stamp = next(versions)
            os.utime(path, (stamp, stamp))
        for module in ("flows", "helpers"):
            sys.modules.pop(module, None)
        importlib.invalidate_caches()
        return code_digest(getattr(importlib.import_module("flows"), name), is_project(tmp_path))

    yield digest
    for module in ("flows", "helpers"):
        sys.modules.pop(module, None)


@functools.cache
def is_project(folder: Path) -> Any:
    return lambda filename: filename.startswith(str(folder))


EDITS = {
    "step": "def step(x):\n    return scale(x)", "scale": "return x * 2", "factor": "FACTOR = 3", "limit": "LIMIT = 10",
    "inner": "    return 1\n\ndef scale", "lonely": "return 5", "unused": "UNUSED = 1",
    "area": "        return 1", "field": "x: int = 1",
    "options": "retries=3", "odd": "n != 0", "header": "import helpers\n",
    "unrelated": "def unrelated():\n    return 1\n", "wrapper": "        return fn(*args)", "lambda": "** 2",
    "default": "y=FACTOR",
}  # fmt: skip


def test_it_is_short_text_and_the_same_each_time(project: Any) -> None:
    first = project()
    assert len(first) == 32
    int(first, 16)
    assert project() == first
    assert project("other") != first


SAME = {
    "a comment": {"step": "# a comment\ndef step(x):\n    # another\n    return scale(x)"},
    "a docstring": {"step": 'def step(x):\n    """Say what it does."""\n    return scale(x)'},
    "annotations": {"step": "def step(x: 'int') -> 'int':\n    return scale(x)"},
    "formatting": {"step": "def step(  x  ):\n\n\n    return (scale( x )\n   )"},
    "an unrelated function gone": {"unrelated": ""},
    "an unrelated function before it": {"step": "def fresh():\n    return 1\n\ndef step(x):\n    return scale(x)"},
    "a helper that it does not reach": {"lonely": "return 6"},
    "a constant that it does not reach": {"unused": "UNUSED = 2"},
    "lines moved": {"header": "\n\n\nimport helpers\n"},
}
DIFFERENT = {
    "itself": {"step": "def step(x):\n    return scale(x + 1)"},
    "a helper by name": {"scale": "return x * 3"},
    "a constant of its module": {"factor": "FACTOR = 4"},
    "the type of a constant": {"factor": "FACTOR = 3.0"},
    "a constant from elsewhere": {"limit": "LIMIT = 11"},
    "a helper of a helper, by way of a module": {"inner": "    return 2\n\ndef scale"},
}


@pytest.mark.parametrize("edit", SAME)
def test_what_does_not_change_it(project: Any, edit: str) -> None:
    assert project(**SAME[edit]) == project()


@pytest.mark.parametrize("edit", DIFFERENT)
def test_what_changes_it(project: Any, edit: str) -> None:
    assert project(**DIFFERENT[edit]) != project()


REACHED = {
    "a method of a class": ("makes", {"area": "        return 2"}),
    "a field of a class": ("makes", {"field": "x: int = 2"}),
    "the type of a field": ("makes", {"field": "x: float = 1"}),
    "a task inside": ("outer", {"odd": "n > 0"}),
    "a function in a cycle": ("even", {"odd": "n > 0"}),
    "an import inside": ("late", {"inner": "    return 2\n\ndef scale"}),
    "a lambda": ("squared", {"lambda": "** 3"}),
    "what a lambda reaches": ("squared", {"scale": "return x * 3"}),
    "what is behind a wrapper": ("noisy", {"scale": "return x * 3"}),
    "the wrapper": ("noisy", {"wrapper": "        return -fn(*args)"}),
    "a constant in a default": ("with_default", {"factor": "FACTOR = 4"}),
    "a task object itself": ("deep_task", {"odd": "n > 0"}),
}


@pytest.mark.parametrize("case", REACHED)
def test_what_is_reached_on_other_ways(project: Any, case: str) -> None:
    name, edit = REACHED[case]
    assert project(name, **edit) != project(name)


def test_closures_count_with_their_values(project: Any) -> None:
    project()
    closing = sys.modules["flows"].closing
    assert code_digest(closing(1)) == code_digest(closing(1))
    assert code_digest(closing(1)) != code_digest(closing(2))
    assert code_digest(closing([1])) != code_digest(closing([2]))


def test_functions_that_close_over_themselves() -> None:
    def make(n: int) -> Any:
        table: list[Any] = []

        def fact(x: int) -> Any:
            return n if x == 0 else x * fact(x - 1)

        table.append(fact)
        return lambda x: (table, fact(x))

    assert code_digest(make(1)) == code_digest(make(1))


def test_options_of_our_own_decorators_do_not_count() -> None:
    texts = ["@flow(retries=1)\ndef f(x):\n    return x\n", "@flow(retries=2, name='z')\ndef f(x):\n    return x\n"]
    digests = set()
    for number, text in enumerate(texts):
        digests.add(code_digest(made(text, f"ours{number}", flow=fake_decorator("kapelle.authoring"))))
    assert len(digests) == 1


def test_options_of_other_decorators_do() -> None:
    texts = ["@flow(retries=1)\ndef f(x):\n    return x\n", "@flow(retries=2, name='z')\ndef f(x):\n    return x\n"]
    digests = set()
    for number, text in enumerate(texts):
        digests.add(code_digest(made(text, f"theirs{number}", flow=fake_decorator("other"))))
    assert len(digests) == 2


def fake_decorator(module: str) -> Any:
    def decorator(**options: Any) -> Any:
        return lambda fn: fn

    decorator.__module__ = module
    return decorator


def made(text: str, name: str, **scope: Any) -> Any:
    """A function of source text that `linecache` knows."""
    import linecache

    filename = f"<{name}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    scope["__name__"] = "made"
    exec(compile(text, filename, "exec"), scope)
    return scope["f"]


def test_without_source_the_bytecode_stands_for_it() -> None:
    def compiled(text: str) -> Any:
        scope: dict[str, Any] = {"__name__": "nowhere"}
        exec(compile(text, "<nowhere>", "exec"), scope)
        return scope["f"]

    one, same = compiled("def f(x): return x + 1"), compiled("def f(x):\n  # comment\n  return (x + 1)")
    assert code_digest(one) == code_digest(same)
    assert code_digest(one) != code_digest(compiled("def f(x): return x + 2"))
    calls = "def g(x): return {0}\ndef f(x): return g(x)"
    everything = functools.partial(code_digest, is_project=anything)
    assert everything(compiled(calls.format(1))) != everything(compiled(calls.format(2)))


def anything(filename: str) -> bool:
    return True


def test_the_search_ends_at_installed_packages() -> None:
    def uses_json(x: Any) -> Any:
        return subprocess.run(x)

    assert len(code_digest(uses_json)) == 32


def test_the_same_in_every_process(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "from kapelle.engine.values.code import code_digest\n"
        "KNOWN = frozenset({'a', 'b', 'c', 'd'})\n"
        "def a(x): return b(x) in KNOWN or x in {'x', 'y', 'z'}\n"
        "def b(x): return c(x)\n"
        "def c(x): return a(x) if x else Thing\n"
        "class Thing: kind = 'thing'\n"
        "print(code_digest(a), code_digest(b), code_digest(c), code_digest(Thing))\n"
    )
    path = os.pathsep.join(filter(None, sys.path))
    answers = {
        subprocess.run(
            [sys.executable, str(tmp_path / "script.py")], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
        ).stdout
        for seed in ("0", "1")
    }  # fmt: skip
    assert len(answers) == 1
    assert len(set(answers.pop().split())) == 4


def test_methods_and_partials_are_followed() -> None:
    class Thing:
        def method(self) -> int:
            return 1

    assert code_digest(Thing().method) == code_digest(Thing.method)
    assert code_digest(functools.partial(made("def f(x): return x\n", "part"), 1)) == code_digest(
        made("def f(x): return x\n", "part")
    )
    assert len(code_digest(types.SimpleNamespace())) == 32
