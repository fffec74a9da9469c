"""The import graph: what makes a house readable. The storeys themselves are contracts in `.importlinter`."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.house.imports import circles, graph, imports_of
from tests.house.tree import PACKAGE, ROOT, Module, listing, source

MAY_IMPORT_IN_FUNCTIONS = (
    "src/kapelle/__init__.py",  # the public names, found when they are first asked for
    "src/kapelle/authoring/start.py",  # the start-up door: a flow called outside of any run
    "src/kapelle/cli/",  # commands, loaded when they are called
)
THIRD_PARTY_ALLOWED = {"model": {"msgspec"}, "core": {"msgspec"}, "ports": {"msgspec"}}
NOT_LOADED_BY_IMPORT = {"pydantic", "apsw", "click", "rich", "cloudpickle", "numpy", "asyncio"}


def test_no_modules_import_one_another_in_a_circle() -> None:
    edges = graph(source())
    found = [
        "\n    ".join(f"{name} → {', '.join(sorted(edges[name] & set(group)))}" for name in group)
        for group in circles(edges)
    ]
    assert not found, f"these import one another (in functions and for types count as well):{listing(found)}"


def test_our_modules_are_imported_at_the_top() -> None:
    found = [
        f"{each.where} imports {each.asked}"
        for module in source()
        if not module.where.startswith(MAY_IMPORT_IN_FUNCTIONS)
        for each in imports_of(module)
        if each.in_function and each.is_ours
    ]
    assert not found, f"imports of our own inside functions; turn the dependency round instead:{listing(found)}"


def test_the_places_that_may_import_in_functions_exist() -> None:
    gone = [place for place in MAY_IMPORT_IN_FUNCTIONS if not (ROOT / place).exists()]
    assert not gone, f"exceptions for places that are not there:{listing(gone)}"


def test_inside_the_package_everything_is_named_by_its_own_module() -> None:
    known = {module.name: module for module in source()}
    found = [
        f"{each.where} imports {each.asked}"
        for module in known.values()
        if module.name != PACKAGE
        for each in imports_of(module)
        if each.target(known) == PACKAGE
    ]
    assert not found, f"the public names are for users; import from the module that defines them:{listing(found)}"


@pytest.mark.parametrize("storey", sorted(THIRD_PARTY_ALLOWED))
def test_a_pure_storey_stands_on_few_libraries(storey: str) -> None:
    found = [
        f"{each.where} imports {each.asked}"
        for module in source()
        if module.name.split(".")[1:2] == [storey]
        for each in imports_of(module)
        if each.is_third_party and each.top not in THIRD_PARTY_ALLOWED[storey]
    ]
    allowed = ", ".join(sorted(THIRD_PARTY_ALLOWED[storey]))
    assert not found, f"{storey} may use {allowed} and nothing else from outside:{listing(found)}"


def test_import_kapelle_loads_little() -> None:
    program = "import json, sys, kapelle; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, f"`import kapelle` fails:\n{done.stderr}"
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)} & NOT_LOADED_BY_IMPORT
    assert not loaded, f"`import kapelle` loads {sorted(loaded)}; see who: python -X importtime -c 'import kapelle'"


# -- the graph reader itself --


def parsed(name: str, text: str) -> Module:
    path = ROOT / "src" / (name.replace(".", "/") + ".py")
    return Module(path=Path(path), name=name, text=text, tree=ast.parse(text))


def test_a_circle_is_found_through_functions_types_and_literal_names() -> None:
    modules = [
        parsed("kapelle.a", "def f():\n    from kapelle import b\n"),
        parsed("kapelle.b", "if TYPE_CHECKING:\n    from kapelle.c import Thing\n"),
        parsed("kapelle.c", "import importlib\nimportlib.import_module('kapelle.a')\n"),
        parsed("kapelle.d", "import kapelle.a\n"),
    ]
    assert circles(graph(modules)) == [["kapelle.a", "kapelle.b", "kapelle.c"]]


def test_a_ladder_is_no_circle() -> None:
    modules = [
        parsed("kapelle.a", "from . import b, c\n"),
        parsed("kapelle.b", "from .c import thing\n"),
        parsed("kapelle.c", "import json\n"),
    ]
    assert graph(modules) == {"kapelle.a": {"kapelle.b", "kapelle.c"}, "kapelle.b": {"kapelle.c"}, "kapelle.c": set()}
    assert circles(graph(modules)) == []
