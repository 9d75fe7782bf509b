"""The packages that are compared, a module each, and their objects for the scenarios, a class each.

A class is made once, in the process that compares, under a name of its own; pickled, it goes to the processes that
are measured, and opens there what they ask it for.
"""
