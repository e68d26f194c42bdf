"""Set the limits of a process, give up rights, then become the kernel. Started as a script.

Limits are set here, inside the sandbox, so that they bind the learner's code and not bubblewrap.
It imports only what Python has, because it also runs where nothing else is visible.
"""

import json
import os
import sys

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment, unused-ignore]


def limit(orders: dict[str, int]) -> None:
    """Set each limit, never above what is allowed already; then change to the given user."""
    if resource is not None:
        names = {
            "memory": "RLIMIT_AS",
            "cpu": "RLIMIT_CPU",
            "processes": "RLIMIT_NPROC",
            "file": "RLIMIT_FSIZE",
        }
        for name, constant in {**names, "core": "RLIMIT_CORE"}.items():
            kind = getattr(resource, constant, None)
            if kind is None or (name not in orders and name != "core"):
                continue
            allowed = resource.getrlimit(kind)[1]
            wanted = orders.get(name, 0)
            if allowed != resource.RLIM_INFINITY:
                wanted = min(wanted, allowed)
            try:
                resource.setrlimit(kind, (wanted, wanted))
            except (ValueError, OSError):
                continue  # macOS knows the name of the memory limit, but not the limit
    if "user" in orders:
        os.setgroups([])
        os.setresgid(orders["user"], orders["user"], orders["user"])
        os.setresuid(orders["user"], orders["user"], orders["user"])
    os.umask(0o077)


def link(caches: dict[str, str]) -> None:
    """Fill folders with links to the files of others: they are read there, and written here."""
    for target, source in caches.items():
        for base, folders, names in os.walk(source):
            place = os.path.join(target, os.path.relpath(base, source))
            for folder in folders:
                os.makedirs(os.path.join(place, folder), exist_ok=True)
            for name in names:
                os.symlink(os.path.join(base, name), os.path.join(place, name))


def main() -> None:
    """Take orders as JSON and a command: ``confine.py ORDERS COMMAND...``."""
    orders = json.loads(sys.argv[1])
    caches = orders.pop("caches", {})
    limit(orders)
    link(caches)  # as the user that the folders are for
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
