"""Names of tasks and flows: the module path from the project's root plus the qualified name.

The name is the same whether the file is imported or run as a script, so that what one process recorded another finds.
"""

from __future__ import annotations

import sys
import sysconfig
from functools import cache
from pathlib import Path

ROOT_MARKS = ("pyproject.toml", ".git", "kapelle.toml", "setup.py")
_INSTALLED = tuple(
    {path for name, path in sysconfig.get_paths().items() if name in ("stdlib", "platstdlib", "purelib", "platlib")}
)


@cache
def project_root(file: str) -> Path:
    """The folder that a file's project begins at: the nearest one above with a mark of a project, else its own."""
    folder = Path(file).resolve().parent
    for candidate in (folder, *folder.parents):
        if any((candidate / mark).exists() for mark in ROOT_MARKS):
            return candidate
    return folder


@cache
def module_path(file: str) -> str:
    """The dotted path of a project's file from its root ("flows.daily"); "" for a file that is no project's."""
    if not file or file.startswith("<"):
        return ""
    path = Path(file).resolve()
    if str(path).startswith(_INSTALLED) or "site-packages" in path.parts:
        return ""
    parts = list(path.relative_to(project_root(file)).with_suffix("").parts)
    if parts[0] == "src" and len(parts) > 1:
        parts = parts[1:]
    if parts[-1] == "__init__" and len(parts) > 1:
        parts = parts[:-1]
    return ".".join(parts)


def full_name(module: str, qualname: str, file: str) -> str:
    """The name of a function."""
    path = module_path(file) or ("" if module == "__main__" else module)
    short = qualname.replace("<locals>.", "")
    return f"{path}.{short}" if path else short


def main_module_path() -> str:
    """The dotted path of the script that this process runs; "" when there is none."""
    return module_path(getattr(sys.modules.get("__main__"), "__file__", None) or "")
