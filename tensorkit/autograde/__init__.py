"""Grading a class on top of nbgrader: in parallel, in sandboxes, and to be stopped at any moment.

Read `job` first, then `run`: one submission, graded by a function that needs no gradebook. `engine`
runs many of them, here or on a cluster; `book` is the only writer of the gradebook.
"""
