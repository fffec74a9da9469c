"""Loading flows: from "FILE.py:flow" to its definition.

A file is imported under its module path in the project, so a script's `if __name__ == "__main__"` does not run; a file
that calls its flow without such a guard is read up to that call.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
import traceback
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from kapelle.authoring.define import registered
from kapelle.authoring.naming import module_path, project_root
from kapelle.model.definitions import Definition
from kapelle.model.errors import ImportFailed, KapelleError, NotFound, UsageError
from kapelle.model.runs import Entry
from kapelle.ports.session import FlowCalledInImport, importing


@dataclass(frozen=True)
class Loaded:
    """A flow, where it came from, and the project that it belongs to."""

    definition: Definition
    entry: Entry
    project: str


def load_flow(target: str) -> Loaded:
    """The flow of "FILE.py:flow", "FILE.py" (the only flow in it) or "package.module:flow".

    NotFound for a file or flow that is not there, ImportFailed for a file that raises, UsageError for anything else.
    """
    place, _, name = target.rpartition(":") if ":" in target else (target, "", "")
    if not place:
        raise UsageError(f"{target!r} names no file", hint="write FILE.py:flow, for example flows.py:daily")
    if place.endswith(".py") or os.sep in place or Path(place).is_file():
        file = Path(place).resolve()
        if not file.is_file():
            raise NotFound(f"there is no file {place}", where=str(Path.cwd()), hint=_close_files(place))
        module = import_file(file)
    else:
        module = _import_module(place)
        file = Path(getattr(module, "__file__", "") or "")
    return _loaded(module, file, name)


def load_entry(entry: Entry, flow: str) -> Loaded:
    """The flow of a recorded run, imported again. NotFound when the file or the flow is gone."""
    if not entry.file:
        raise NotFound(
            f"the flow {flow} was defined in no file (a notebook or a prompt), so it cannot be imported again",
            hint="call the flow again where it is defined",
        )
    file = Path(entry.file)
    if not file.is_file():
        raise NotFound(f"the file of the flow {flow} is gone", where=entry.file, hint="put it back, or start a new run")
    return _loaded(import_file(file), file, entry.flow)


def import_file(file: Path) -> ModuleType:
    """Import a file under its module path in its project; its folder and the project's root can be imported from."""
    root, name = project_root(str(file)), module_path(str(file)) or file.stem
    for folder in (root / "src", root, file.parent):
        if folder.is_dir() and str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(file):
        return known
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise UsageError(f"{file.name} is no Python file", where=str(file), hint="flows live in .py files")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    importing.append(str(file))
    try:
        spec.loader.exec_module(module)
    except FlowCalledInImport:
        pass
    except KapelleError:
        del sys.modules[name]
        raise
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _import_failed(file, error) from error
    finally:
        importing.pop()
    return module


def _import_module(name: str) -> ModuleType:
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise NotFound(
                f"there is no file or module {name}", where=str(Path.cwd()), hint=_close_files(name)
            ) from None
        raise _import_failed(Path(name), error) from error
    except (Exception, SystemExit) as error:
        raise _import_failed(Path(name), error) from error


def _import_failed(file: Path, error: BaseException) -> ImportFailed:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    ours = str(Path(__file__).parent)
    frames = [frame for frame in frames if not frame.filename.startswith(ours)]
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else str(file)
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{error.filename}:{error.lineno}"
    missing = isinstance(error, ModuleNotFoundError)
    text = "Traceback (most recent call last):\n" + "".join(traceback.format_list(frames))
    text += "".join(traceback.format_exception_only(error))
    return ImportFailed(
        f"{file.name} does not import",
        cause=f"{type(error).__name__}: {error}",
        where=place,
        hint=f"install {error.name}, or run with the Python that has it" if missing else "mend the file; -v shows more",  # type: ignore[attr-defined]
        traceback=text,
    )


def flows_in(module: ModuleType) -> dict[str, Any]:
    """The flows that a module defines itself, by the name of the attribute."""
    found: dict[str, Any] = {}
    for name, value in vars(module).items():
        definition = getattr(value, "definition", None)
        if isinstance(definition, Definition) and definition.kind == "flow":
            found[name] = value
    own = {name: flow for name, flow in found.items() if flow.definition.file == getattr(module, "__file__", None)}
    return own or found


def definitions_of(loaded: Loaded) -> dict[str, Definition]:
    """The tasks and flows that exist now that a flow has been imported, by name and alias."""
    found: dict[str, Definition] = {}
    for definition in registered():
        for name in (*definition.aliases, definition.name):
            found[name] = definition
    found[loaded.definition.name] = loaded.definition
    return found


def _loaded(module: ModuleType, file: Path, name: str) -> Loaded:
    flows = flows_in(module)
    if not name:
        if len(flows) != 1:
            listed = ", ".join(flows) or "none"
            raise UsageError(
                f"{file.name} has {len(flows)} flows, so one must be named" if flows else f"{file.name} has no flow",
                cause=f"flows: {listed}",
                hint=f"write {file.name}:{next(iter(flows))}" if flows else "decorate a function with @flow",
            )
        name = next(iter(flows))
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    definition = getattr(found, "definition", None)
    if not isinstance(definition, Definition) or definition.kind != "flow":
        close = get_close_matches(name, flows, n=1)
        what = f"{name} in {file.name} is a {definition.kind}, not a flow" if isinstance(definition, Definition) else ""
        raise NotFound(
            what or f"{file.name} has no flow {name!r}",
            where=str(file),
            hint=f"did you mean {close[0]}?" if close else f"its flows are: {', '.join(flows) or 'none'}",
        )
    return Loaded(definition, entry_of(str(file), name), project_name(str(file)))


def entry_of(file: str, flow: str, argv: tuple[str, ...] = ()) -> Entry:
    """Where a flow is found again."""
    if not file or not os.path.isfile(file):
        return Entry(flow=flow, argv=argv)
    digest = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    return Entry(str(Path(file).resolve()), flow, str(project_root(file)), digest, argv)


def project_name(file: str) -> str:
    """The name of the project that a file belongs to: that of its root folder."""
    if not file or not os.path.isfile(file):
        return "default"
    return project_root(file).name or "default"


def _close_files(place: str) -> str:
    names = [path.name for path in Path(place).parent.glob("*.py")] if Path(place).parent.is_dir() else []
    close = get_close_matches(Path(place).name, names, n=1)
    return f"did you mean {close[0]}?" if close else "write FILE.py:flow, for example flows.py:daily"
