"""Names of files are nouns of the domain, and what is public says what it is for."""

import ast
from collections.abc import Iterator

from tests.house.tree import ROOT, FunctionNode, Module, files, listing, source

DRAWERS = {"base", "common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}


def test_no_file_is_a_drawer() -> None:
    found = sorted(
        path.relative_to(ROOT).as_posix()
        for path in files()
        if path.suffix == ".py"
        if {part.strip("_") for part in path.relative_to(ROOT).with_suffix("").parts} & DRAWERS
    )
    assert not found, f"name a file after what is in it, not after its being shared:{listing(found)}"


def test_packages_say_what_may_live_in_them() -> None:
    found = [module.where for module in source() if module.is_package and not ast.get_docstring(module.tree)]
    assert not found, f"a package begins with what belongs in it and what does not:{listing(found)}"


def test_public_functions_and_classes_say_what_they_are_for() -> None:
    found = [
        f"{module.where}:{node.lineno} {node.name}"
        for module in source()
        for node in public(module.tree.body)
        if not ast.get_docstring(node)
    ]
    assert not found, f"public, and without a docstring:{listing(found)}"


def test_every_method_of_a_port_says_its_duties() -> None:
    found = [
        f"{module.where}:{method.lineno} {owner.name}.{method.name}"
        for module in ports()
        for owner in public(module.tree.body)
        if isinstance(owner, ast.ClassDef)
        for method in public(owner.body)
        if not ast.get_docstring(method)
    ]
    assert not found, f"a port is its docstrings; these methods have none:{listing(found)}"


def ports() -> list[Module]:
    found = [module for module in source() if module.name.startswith("kapelle.ports")]
    assert len(found) > 1, "no port found under src/kapelle/ports"
    return found


def public(body: list[ast.stmt]) -> Iterator[FunctionNode | ast.ClassDef]:
    """What a module or class defines for others; of an overloaded function the definition that counts."""
    for node in body:
        if isinstance(node, FunctionNode | ast.ClassDef) and not node.name.startswith("_") and not is_overload(node):
            yield node


def is_overload(node: FunctionNode | ast.ClassDef) -> bool:
    return any(ast.unparse(decorator).split(".")[-1] == "overload" for decorator in node.decorator_list)
