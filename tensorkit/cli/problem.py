"""A problem is one sentence for the person at the keyboard: no traceback, exit status 1."""


class Problem(Exception):
    """What went wrong and what to do, told by `tensorkit` on one line."""
