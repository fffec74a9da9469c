"""Storage, by domain: one Protocol a file, each of which fits on a screen.

A `Store` gives transactions; a `Transaction` spans the domains. Verbs speak of the lifecycle, never of rows. Every verb
takes a `Scope` first. Implementations (memory, SQLite, PostgreSQL) pass one conformance suite.
"""
