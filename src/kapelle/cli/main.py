"""The command `kapelle`: finds the command that is meant, and ends with its exit code.

`kapelle --help` must be instant, so this module imports click and the words of errors, and a command's own module only
when that command is called. The table below is the list of commands.
"""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from kapelle.cli.answers import print_error
from kapelle.console.errors import exit_code, wants_traceback
from kapelle.model.errors import KapelleError, UsageError
from kapelle.model.version import VERSION

COMMANDS = {
    "run": "Run a flow and watch it.",
    "resume": "Go on with a run whose process is gone, where it was.",
    "retry": "Try an ended run again; what succeeded is reused.",
    "runs": "List runs, newest first.",
    "show": "Show one run: how it stands, why, and what to do.",
    "logs": "Show what a run printed and logged.",
    "doctor": "Check this installation and its home.",
    "version": "Show the versions that matter.",
    "help": "Explain a command, or a topic: exit-codes.",
}
"""The commands in the order in which people meet them; each lives in the module of its name."""

EPILOG = """\b
RUN is the beginning of a run's id, its name, @last or @last-failed.
Data goes to stdout, progress and messages to stderr; --json is for programs.
Exit codes: kapelle help exit-codes
"""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, and listed without."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command's own, from its module."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"kapelle.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant; for an unknown one the error names those that come close."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], COMMANDS, n=2)
            hint = f"did you mean {' or '.join(close)}?" if close else "`kapelle --help` lists the commands"
            if args[0].split(":")[0].endswith(".py"):
                hint = f"did you mean `kapelle run {args[0]}`?"
            raise UsageError(f"there is no command {args[0]!r}", hint=hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--version", is_flag=True, help="Show the version and exit.")
@click.pass_context
def kapelle(ctx: click.Context, version: bool) -> None:
    """Workflows in plain typed Python that survive anything."""
    if version:
        click.echo(f"kapelle {VERSION}")
        ctx.exit()
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit code."""
    sys.exit(answer(sys.argv[1:] if argv is None else argv))


def answer(argv: Sequence[str]) -> int:
    """Run the command line; the exit code. Whatever goes wrong becomes one message."""
    options = list(argv[: argv.index("--")] if "--" in argv else argv)
    as_json = "--json" in options
    tracebacks = wants_traceback(os.environ, verbose="-v" in options or "--verbose" in options)
    try:
        code = kapelle.main(args=list(argv), prog_name="kapelle", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        _forget_stdout()
        return 0
    except click.ClickException as error:
        told = _told(error)
        print_error(told, as_json=as_json)
        return told.exit_code
    except (click.Abort, KeyboardInterrupt):
        if as_json:
            print_error(KeyboardInterrupt(), as_json=True)
        return 130
    except Exception as error:
        print_error(error, as_json=as_json, tracebacks=tracebacks)
        return exit_code(error)


def _told(error: click.ClickException) -> KapelleError:
    """What click found wrong, as an error of ours."""
    command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "kapelle"
    return UsageError(error.format_message(), hint=f"see `{command} --help`")


def _forget_stdout() -> None:
    """Nobody reads any more: what is left must not raise once again when Python flushes it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
