"""Words that may not stand in the repository: unfinished work, waiting by the clock, the places where it was made.

The words are put together here from parts, so that this file does not find itself.
"""

import ast
import re
from collections.abc import Iterator

from tests.house.tree import Module, listing, python_files, source, text_files

UNFINISHED = re.compile(
    "|".join(
        rf"\b{''.join(parts)}\b" for parts in (("TO", "DO"), ("FIX", "ME"), ("X", "XX"), ("NotImplemented", "Error"))
    )
)
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("anaconda", "org"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("proxy.golang", "org"),
        ("maven.apache", "org"),
        ("deb.debian", "org"),
    )
)
MACHINE_PATHS = re.compile(r"(?<![\w.$}])/(?:wo" r"rk|ro" r"ot)(?![\w-])")
SLEEPERS = {"time", "asyncio"}
MAY_SLEEP = "tests/faults/flows/"  # flows that are run in processes of their own, to be killed while they wait


def test_the_source_has_no_unfinished_work() -> None:
    found = [
        f"{module.where}:{number} {line.strip()}"
        for module in source()
        for number, line in enumerate(module.text.splitlines(), start=1)
        if UNFINISHED.search(line)
    ]
    assert not found, f"finish it, or leave it out:{listing(found)}"


def test_no_test_waits_by_the_clock() -> None:
    tests = [module for module in python_files("tests") if not module.where.startswith(MAY_SLEEP)]
    found = [f"{module.where}:{line}" for module in tests for line in sleeps(module)]
    assert not found, f"wait for a named moment, or hand in a clock; these sleep:{listing(found)}"


def test_no_file_names_a_package_registry() -> None:
    found = [f"{name} names {host}" for name, text in text_files() for host in REGISTRIES if host in text.lower()]
    assert not found, f"where packages come from is the business of each machine:{listing(found)}"


def test_no_file_names_a_path_of_one_machine() -> None:
    found = [
        f"{name}:{number} {line.strip()[:100]}"
        for name, text in text_files()
        for number, line in enumerate(text.splitlines(), start=1)
        if MACHINE_PATHS.search(line)
    ]
    assert not found, f"a path of the machine it was written on:{listing(found)}"


def sleeps(module: Module) -> Iterator[int]:
    """The lines that sleep, by whatever name; `asyncio.sleep(0)` only gives way and is none."""
    names = {f"{clock}.sleep" for clock in SLEEPERS}
    for node in ast.walk(module.tree):
        match node:
            case ast.Import(names=aliases):
                names |= {f"{each.asname}.sleep" for each in aliases if each.name in SLEEPERS and each.asname}
            case ast.ImportFrom(module=origin, names=aliases) if origin in SLEEPERS:
                names |= {each.asname or each.name for each in aliases if each.name == "sleep"}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names and not gives_way(node):
            yield node.lineno


def gives_way(call: ast.Call) -> bool:
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="asyncio")), args=[ast.Constant(value=0)]):
            return True
        case _:
            return False
