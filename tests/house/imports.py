"""Who imports whom in the package: every import, wherever it stands, and the circles they form."""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.house.tree import PACKAGE, Module


@dataclass(frozen=True)
class Import:
    """One import as it is written: the full dotted name that is asked for, and where."""

    importer: Module
    asked: str
    line: int
    in_function: bool

    @property
    def where(self) -> str:
        return f"{self.importer.where}:{self.line}"

    @property
    def top(self) -> str:
        return self.asked.partition(".")[0]

    @property
    def is_ours(self) -> bool:
        return self.top == PACKAGE

    @property
    def is_third_party(self) -> bool:
        return not self.is_ours and self.top not in sys.stdlib_module_names

    def target(self, known: Mapping[str, Module]) -> str | None:
        """The module of ours that this reaches: the longest known beginning of the name that is asked for."""
        name = self.asked
        while name:
            if name in known:
                return name
            name = name.rpartition(".")[0]
        return None


def imports_of(module: Module) -> Iterator[Import]:
    """All imports of a module: in functions, under `if TYPE_CHECKING`, and through importlib by a literal name."""
    yield from _walk(module, module.tree, in_function=False)


def graph(modules: Iterable[Module]) -> dict[str, set[str]]:
    """Module → the modules that it imports, ours only."""
    known = {module.name: module for module in modules}
    edges: dict[str, set[str]] = {name: set() for name in known}
    for name, module in known.items():
        targets = {found.target(known) for found in imports_of(module)}
        edges[name] = {target for target in targets if target is not None and target != name}
    return edges


def circles(edges: Mapping[str, set[str]]) -> list[list[str]]:
    """The groups of modules that all reach one another (Tarjan's strongly connected components, larger than one)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        open_.append(name)
        for target in sorted(edges[name]):
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in open_:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            at = open_.index(name)
            group = open_[at:]
            del open_[at:]
            if len(group) > 1:
                found.append(sorted(group))

    for name in sorted(edges):
        if name not in index:
            visit(name)
    return found


def _walk(module: Module, node: ast.AST, *, in_function: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        for asked in _asked(module, child):
            yield Import(module, asked, getattr(child, "lineno", 0), in_function)
        inside = in_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _walk(module, child, in_function=inside)


def _asked(module: Module, node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=base, names=names, level=level):
            start = _origin(module, base, level)
            yield from (f"{start}.{alias.name}" for alias in names)
        case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]) if _imports_by_name(func):
            yield name


def _origin(module: Module, base: str | None, level: int) -> str:
    if not level:
        return base or ""
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    for _ in range(level - 1):
        package = package.rpartition(".")[0]
    return f"{package}.{base}" if base else package


def _imports_by_name(func: ast.expr) -> bool:
    match func:
        case ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"):
            return True
        case _:
            return False
