"""What a person sees: states in words, a run while it goes on, tables and errors as text.

Everything here is handed values of `model` and `ports` and writes text; nothing reads a store or starts a run. How
something looks is computed first, as rows of spans without a terminal (`words`, `rows`, `tree`, `frame`, `summary`),
and written afterwards (`screen`, `live`, `plain`, `jsonl`), so that the looks are tested as plain text.
"""
