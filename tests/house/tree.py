"""The files of this repository, read and parsed once, as the tidiness tests look at them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "kapelle"
SOURCE = ROOT / "src" / PACKAGE

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, eq=False)
class Module:
    """A Python file of ours: where it is, what it is called when imported, and its syntax tree."""

    path: Path
    name: str
    text: str
    tree: ast.Module

    @property
    def where(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def line_count(self) -> int:
        return len(self.text.splitlines())

    def functions(self) -> Iterator[FunctionNode]:
        for node in ast.walk(self.tree):
            if isinstance(node, FunctionNode):
                yield node

    def classes(self) -> Iterator[ast.ClassDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                yield node


@cache
def python_files(folder: str) -> tuple[Module, ...]:
    """Every Python file below a folder of the repository, `src` named as it is imported."""
    top = ROOT / folder
    import_root = ROOT / "src" if folder.startswith("src") else ROOT
    return tuple(_read(path, import_root) for path in files() if path.suffix == ".py" and path.is_relative_to(top))


def source() -> tuple[Module, ...]:
    """The package itself."""
    found = python_files("src")
    assert found, "no Python file found under src: the tidiness tests look at nothing"
    return found


@cache
def files() -> tuple[Path, ...]:
    """Every file that belongs to the repository: all but what .gitignore names, and git's own folder."""
    return tuple(_walk(ROOT, _ignored()))


def text_files() -> Iterator[tuple[str, str]]:
    """The name and content of every file of the repository that is text."""
    for path in files():
        try:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def line_span(node: ast.stmt) -> int:
    """How many lines a definition takes, its docstring included, its decorators not."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def listing(findings: list[str]) -> str:
    """Findings as the lines of a failure message."""
    return "\n  " + "\n  ".join(findings)


def _read(path: Path, import_root: Path) -> Module:
    parts = list(path.relative_to(import_root).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    text = path.read_text(encoding="utf-8")
    return Module(path=path, name=".".join(parts), text=text, tree=ast.parse(text, filename=str(path)))


def _walk(folder: Path, ignored: tuple[str, ...]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        relative = "/" + path.relative_to(ROOT).as_posix()
        if any(fnmatch(relative, pattern) or fnmatch(path.name, pattern) for pattern in ignored):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path, ignored)
        elif path.is_file():
            yield path


def _ignored() -> tuple[str, ...]:
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.strip().rstrip("/") for line in lines if line.strip() and not line.startswith("#")]
    refused = [pattern for pattern in patterns if pattern.startswith("!")]
    assert not refused, f".gitignore takes something back, which this reader does not understand: {refused}"
    return (".git", *patterns)
