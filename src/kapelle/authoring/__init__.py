"""What authors write with: flows, tasks, their policies and parameters, and what they ask of the run they are in.

A definition is a description. Making one has no side effect, and calling one hands the call to the session of the run
around it. Nothing here executes, stores or schedules; the only way to the parts that do is `start`, which opens a
local run when a flow is called outside of any.
"""
