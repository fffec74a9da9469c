"""The command line: one command to a file, imported when it is asked for.

A command reads its arguments, asks one question of what `wiring` gives it, and shows the answer, with `--json` for
programs. No decision and no storage lives here, and nothing below may import it.
"""
