"""Measurements of what DESIGN budgets, each beside a floor that is taken in the same run.

`python -m benchmarks` runs them. A benchmark is a module with a function `measure`, which starts fresh processes and
gives rows; what those processes execute lies in `programs/`. Nothing here asserts anything: a budget that is missed is
a line in the table.
"""
