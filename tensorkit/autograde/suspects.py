"""Sources that a person should look at: they reach for what grades them. No points depend on it.

A check runs in the learner's process, so somebody who tries hard enough can lie to it. Such code
has to name what it uses; this finds the names.
"""

from __future__ import annotations

import ast
import re

ATTRIBUTES = {
    "_getframe": "reads the frames of its caller",
    "currentframe": "reads the frames of its caller",
    "f_back": "reads the frames of its caller",
    "ast_transformers": "changes how cells are run",
    "input_transformers_post": "changes how cells are run",
    "displayhook": "changes how results are shown",
    "display_formatter": "changes how results are shown",
    "set_custom_exc": "changes how errors are shown",
    "get_objects": "searches the memory of Python",
    "get_referrers": "searches the memory of Python",
    "__subclasses__": "searches the classes of Python",
    "__code__": "replaces the code of a function",
    "settrace": "watches what others run",
    "setprofile": "watches what others run",
    "pub_socket": "sends messages in the name of the kernel",
    "iopub_socket": "sends messages in the name of the kernel",
    "execute_result": "sends messages in the name of the kernel",
    "fork": "starts processes",
    "kill": "stops processes",
}
MODULES = {
    "ctypes": "reaches below Python",
    "gc": "searches the memory of Python",
    "builtins": "changes Python's builtins",
    "inspect": "reads the source of others",
    "socket": "looks for a network",
    "subprocess": "starts processes",
    "multiprocessing": "starts processes",
    "mock": "replaces what others use",
    "tensorkit_hidden": "reads the hidden checks",
    "grading": "uses the checks themselves",
}
TEXT = {
    r"gradebook\.db": "names the gradebook",
    r"NBGRADER_EXECUTION": "asks whether it is being graded",
    r"/proc/": "looks at processes",
    r"HIDDEN TESTS": "names hidden tests",
}
PATCHED = {"np", "numpy", "testing", "math", "tk", "tensorkit", "builtins", "sys", "__builtins__"}


def suspects(source: str) -> list[str]:
    """Return what is remarkable about a learner's cell, each sentence once."""
    found = [words for pattern, words in TEXT.items() if re.search(pattern, source)]
    try:
        tree = ast.parse(re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return found
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES:
            found.append(ATTRIBUTES[node.attr])
        elif isinstance(node, ast.Import):
            parts = [part for name in node.names for part in name.name.split(".")]
            found += [MODULES[part] for part in parts if part in MODULES]
        elif isinstance(node, ast.ImportFrom):
            parts = [*(node.module or "").split("."), *(name.name for name in node.names)]
            found += [MODULES[part] for part in parts if part in MODULES]
            found += [ATTRIBUTES[part] for part in parts if part in ATTRIBUTES]
        elif isinstance(node, ast.Name) and node.id in ("__builtins__", "exec", "eval"):
            found.append(f"uses {node.id}")
        elif isinstance(node, ast.Assign):
            found += [
                f"sets {ast.unparse(target)}"
                for target in node.targets
                if isinstance(target, ast.Attribute) and _root(target) in PATCHED
            ]
    return list(dict.fromkeys(found))


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
