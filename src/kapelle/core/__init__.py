"""Decisions: plain functions from a state and an event to a new state and what must now be done.

No input or output, no clock, no chance, no threads: time, identities and seeds are handed in. A lifecycle is a table
with the reasoning above it, so that every rule stands in one place and a test can walk each row. What acts on a
decision lives in `engine` or above; what has to be remembered of one is a value of `model`.
"""
