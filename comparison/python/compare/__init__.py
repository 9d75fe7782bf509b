"""Measures memlane's Python package beside what one would take instead, as ratios within one run.

`goals` says what is compared with what, `scenarios` what is done, `peers` with which objects, `pair` in which
processes; `imports` and `deaths` are the two comparisons of another kind.
"""
