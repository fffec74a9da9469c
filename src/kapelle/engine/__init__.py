"""Executes one attempt of a run in this process: calls, branches, futures, values, and the spool they are written to.

What may happen is decided in `core`; the engine does it, and writes it down before it goes on. It never opens a store
and never talks to the network: what it needs from outside it asks of its supervisor, through a port.
"""
