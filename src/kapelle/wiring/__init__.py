"""Settings become concrete parts: the only files that name them, one file per kind of process.

Put together and hand over, nothing more: no rule, no loop, no state. Who needs a part receives it, typed as its port.
"""
