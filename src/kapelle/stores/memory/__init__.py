"""The store that keeps everything in memory: for tests, simulations and runs that nobody wants to keep.

It is the fake that ships. The conformance suite holds it to the same promises as the real stores, except that it
forgets when its process ends.
"""

from kapelle.stores.memory.store import MemoryStore

__all__ = ["MemoryStore"]
