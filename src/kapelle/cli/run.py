"""`kapelle run`: start a flow and stay with it."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from kapelle.authoring.parameters import parse_parameters
from kapelle.cli.answers import json_option, verbose_option
from kapelle.cli.watching import Watching
from kapelle.model.errors import NotFound, ParameterError, UsageError
from kapelle.wiring.loading import load_flow
from kapelle.wiring.local import open_home
from kapelle.wiring.runs import RunOptions, start_run


@click.command("run")
@click.argument("target", metavar="FILE.py:FLOW")
@click.option("-p", "--param", "texts", multiple=True, metavar="NAME=VALUE", help="A parameter of the flow.")
@click.option("--params", "file", metavar="FILE.json", help="Parameters as a JSON object; - reads stdin.")
@click.option("--name", default="", help="A name for this run.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A tag for this run.")
@click.option("--no-cache", is_flag=True, help="Take nothing from the cache.")
@click.option("-q", "--quiet", is_flag=True, help="Only the output of the flow, its result and its failure.")
@verbose_option
@json_option
def command(
    target: str,
    texts: tuple[str, ...],
    file: str | None,
    name: str,
    tags: tuple[str, ...],
    no_cache: bool,
    quiet: bool,
    verbose: bool,
    as_json: bool,
) -> int:
    """Run a flow and watch it to its end.

    FILE.py:FLOW is a file and a flow in it; FILE.py alone will do when there is one, and so will package.module:flow.
    The flow's result goes to stdout.

    \b
      kapelle run flows.py:daily -p day=2026-01-01 -p rates='[0.1, 0.01]'
      kapelle run flows.py:daily --params daily.json --name nightly
    """
    watching = Watching(as_json, quiet, verbose)
    with imports_aside(as_json):
        loaded = load_flow(target)
    parameters = parse_parameters(loaded.definition, _texts(texts), _values(file))
    with open_home() as home:
        ended = start_run(home, loaded, parameters, RunOptions(name, tags, not no_cache), watching.display(home))
        return watching.finish(home, ended)


@contextlib.contextmanager
def imports_aside(as_json: bool) -> Iterator[None]:
    """With `--json`, what a file prints while it is imported must not stand between the events."""
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        yield


def _texts(pairs: tuple[str, ...]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"-p {pair!r} is not NAME=VALUE", hint="for example: -p day=2026-01-01")
        texts[name.strip()] = text
    return texts


def _values(file: str | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        values = json.loads(sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise NotFound(f"the file of parameters {file} cannot be read", cause=error.strerror or str(error)) from error
    except ValueError as error:
        raise ParameterError("the parameters are not JSON", cause=str(error), where=file) from error
    if not isinstance(values, dict):
        raise ParameterError(
            "the parameters are no JSON object", where=file, hint='write {"name": value, …}, a name for each parameter'
        )
    return values
