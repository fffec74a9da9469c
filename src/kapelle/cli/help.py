"""`kapelle help`: a command's own help, or a topic."""

from __future__ import annotations

import difflib

import click

from kapelle.cli.answers import print_rows
from kapelle.cli.exits import EXIT_CODES
from kapelle.console.rows import Row, row
from kapelle.model.errors import NotFound

TOPICS = ("exit-codes",)


@click.command("help")
@click.argument("topic", required=False)
@click.pass_context
def command(ctx: click.Context, topic: str | None) -> None:
    """Explain a command, or a topic.

    The topics: exit-codes.
    """
    parent = ctx.parent or ctx
    group = parent.command
    if topic is None:
        click.echo(group.get_help(parent))
    elif topic in TOPICS:
        print_rows(_exit_codes())
    elif isinstance(group, click.Group) and (found := group.get_command(parent, topic)) is not None:
        with click.Context(found, info_name=topic, parent=parent) as inner:
            click.echo(found.get_help(inner))
    else:
        known = [*TOPICS, *(group.list_commands(parent) if isinstance(group, click.Group) else ())]
        close = difflib.get_close_matches(topic, known, n=2)
        hint = f"did you mean {' or '.join(close)}?" if close else f"the topics are: {', '.join(TOPICS)}"
        raise NotFound(f"there is no help on {topic!r}", hint=hint)


def _exit_codes() -> list[Row]:
    return [row((f"{code:>4}", "bold"), "  ", meaning) for code, meaning in EXIT_CODES.items()]
