"""Frozen values: what the parts of Kapelle say to one another.

Nothing here acts: no input or output, no clock, no chance, no imports of ours outside this package. A value that goes
into a journal or a row is a frozen `msgspec.Struct`; a value that lives only in one process is a frozen dataclass.
"""
