"""`python -m kapelle` is the command `kapelle`."""

from __future__ import annotations

from kapelle.cli.main import main

if __name__ == "__main__":
    main()
