"""Lets nbgrader and formgrader, started at the root of the repository, find the course folder.

nbgrader reads a file of this name in the folder it is started in; JupyterLab is usually started
here, the nbgrader command in assignments/. The settings themselves are there, once.
"""

load_subconfig("assignments/nbgrader_config.py")  # noqa: F821 - the loader provides it
