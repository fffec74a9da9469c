"""Where submitted calls of a run are executed: one kind of place to a file, unknown to one another.

A runner is handed work and gives back outcomes. It knows nothing of flows, identities, retries or journals, and reaches
neither a store nor the supervisor.
"""
