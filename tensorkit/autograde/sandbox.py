"""A sandbox is what a kernel can see: the system, read-only, and folders of its own.

bubblewrap makes one from Linux namespaces: no network, no other process, no home, no course folder.
Nothing is hidden by a list of what is secret; only what is listed here can be seen at all.
"""

from __future__ import annotations

import functools
import json
import os
import secrets
import shutil
import site
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import zmq

from .job import Limits, NotReady

PACKAGE = Path(__file__).resolve().parents[1]
CONFINE = Path(__file__).with_name("confine.py")
HOME = "/home/student"
WORK = f"{HOME}/work"
RUN = "/run/kernel"
PRIVATE = "private"  # in the home, read-only: the modules of hidden checks
SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin")
ETC = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts", "/etc/localtime", "/etc/mime.types")


@dataclass(frozen=True)
class Box:
    """The folders of one sandbox on the host; a kernel may write to them, and to no others."""

    top: Path
    user: int | None  # the user that owns them, where we are root

    @property
    def run(self) -> Path:
        """Where the kernel's sockets are; inside it is RUN."""
        return self.top / "run"

    @property
    def work(self) -> Path:
        """The submission's files, without its notebooks."""
        return self.top / "work"

    @property
    def home(self) -> Path:
        """The kernel's home: its caches, and the modules of hidden checks."""
        return self.top / "home"

    def give(self, folder: Path) -> None:
        """Make the sandbox's user the owner of a folder and of all in it."""
        if self.user is None:
            return
        for base, folders, files in os.walk(folder):
            for name in (*folders, *files):
                os.chown(os.path.join(base, name), self.user, self.user, follow_symlinks=False)
        os.chown(folder, self.user, self.user)


@functools.lru_cache(maxsize=1)
def missing() -> str:
    """Say why bubblewrap cannot be used here; an empty string where it can."""
    if not sys.platform.startswith("linux"):
        return "bubblewrap exists on Linux only"
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed (sudo apt-get install bubblewrap)"
    probe = [*_namespaces(), "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"]
    done = subprocess.run(probe, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        reason = done.stderr.strip().split("\n")[-1]
        return f"bubblewrap cannot make namespaces here ({reason})"
    return ""


def is_used(sandbox: str) -> bool:
    """Decide by the option ``sandbox``. Raises NotReady where it is required and impossible."""
    if sandbox == "off":
        return False
    reason = missing()
    if reason and sandbox == "required":
        raise NotReady(f"no sandbox, and --sandbox required: {reason}")
    closed = "" if reason else unreadable()
    if closed:
        raise NotReady(
            f"parts of {closed} can be read by root alone, and a sandbox is another user's: "
            f"chmod -R a+rX {closed}, or grade as another user"
        )
    return not reason


@functools.lru_cache(maxsize=1)
def unreadable() -> str:
    """As root, name a folder of Python or of packages that a sandbox's user could not read."""
    if os.geteuid() != 0:
        return ""
    above = shown(())
    for part in (sys.executable, os.__file__, zmq.__file__, str(CONFINE)):
        path = os.path.realpath(part)
        root = max((top for top in above if path.startswith(f"{top}/")), key=len, default=path)
        while True:
            wanted = 0o005 if os.path.isdir(path) else 0o004
            if os.stat(path).st_mode & wanted != wanted:
                return root
            if path in (root, "/"):
                break
            path = os.path.dirname(path)
    return ""


def user() -> int | None:
    """Choose a user of its own for a sandbox, where we are root and may become anybody.

    The kernel counts processes by user: with one for each sandbox, a fork bomb stops only itself.
    """
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    try:
        lines = Path("/proc/self/uid_map").read_text("ascii").split("\n")
    except OSError:
        return 65534
    ranges = [[int(part) for part in line.split()] for line in lines if line]
    most = max((first + length for first, _, length in ranges), default=0)
    lowest, highest = 1 << 29, min(most, (1 << 31) - 1)
    return lowest + secrets.randbelow(highest - lowest) if highest > lowest else 65534


def command(
    kernel: Sequence[str],
    box: Box,
    limits: Limits,
    environment: Mapping[str, str],
    *,
    hide: Iterable[str] = (),
    caches: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Return the command that runs ``kernel`` in a sandbox of its own.

    ``caches`` are folders of the home to be filled with links, and where these lead.
    """
    words = [*_namespaces(), "--die-with-parent", *_view(box, limits, hide, caches)]
    for name, value in environment.items():
        words += ["--setenv", name, value]
    return [*words, "--", *confined(kernel, limits, box.user, caches=inside(caches), alone=True)]


def nest(
    program: Sequence[str],
    box: Box,
    folder: Path,
    limits: Limits,
    hide: Iterable[str],
    caches: Mapping[str, str],
) -> list[str]:
    """Return the command for the nursery: a sandbox that may make sandboxes inside itself.

    It ends with its worker because its line to it ends.
    """
    words = [*_namespaces(), *_view(box, limits, hide, caches)]
    for right in ("SYS_ADMIN", "SETUID", "SETGID", "SETPCAP"):
        words += ["--cap-add", f"CAP_{right}"]
    words += ["--bind", str(folder), "/nest"]
    for name, value in variables().items():
        words += ["--setenv", name, value]
    return [*words, "--", *program]


def variables() -> dict[str, str]:
    """Return what a kernel may know: nothing of the host, no secret, no proxy."""
    # one thread each: as many notebooks run as there are cores
    single = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    return {
        **dict.fromkeys(single, "1"),
        "HOME": HOME,
        "USER": "student",
        "LOGNAME": "student",
        "PATH": f"{os.path.dirname(sys.executable)}:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join([f"{HOME}/{PRIVATE}", str(PACKAGE.parent)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TENSORKIT_CACHE": f"{HOME}/kernels",
        "MPLCONFIGDIR": f"{HOME}/matplotlib",
        "IPYTHONDIR": f"{HOME}/ipython",
        "JUPYTER_RUNTIME_DIR": f"{HOME}/runtime",
    }


def inside(caches: Mapping[str, str]) -> dict[str, str]:
    """Name the folders of caches as a kernel sees them."""
    return {f"{HOME}/{name}": source for name, source in caches.items()}


def _view(box: Box, limits: Limits, hide: Iterable[str], caches: Mapping[str, str]) -> list[str]:
    """Write what can be seen."""
    show = list(caches.values())
    words = ["--clearenv", "--chdir", WORK]
    words += ["--proc", "/proc", "--dev", "/dev"]
    for place in ("/tmp", "/dev/shm"):
        words += ["--perms", "1777", "--size", str(limits.disk), "--tmpfs", place]
    made = {"/", "/tmp", "/dev", "/dev/shm", "/proc"}
    for path in shown(show):
        words += _parents(path, made)
        if os.path.islink(path) and path in SYSTEM:
            words += ["--symlink", os.readlink(path), path]
        else:
            words += ["--ro-bind", path, path]
    words += [*_parents(RUN, made), "--bind", str(box.run), RUN]
    words += [*_parents(HOME, made), "--bind", str(box.home), HOME, "--bind", str(box.work), WORK]
    words += ["--ro-bind", str(box.home / PRIVATE), f"{HOME}/{PRIVATE}"]
    for place in inside(caches):
        words += ["--perms", "1777", "--size", str(limits.disk), "--tmpfs", place]
    for path in _hidden(hide, [*SYSTEM, *shown(show)]):
        words += ["--perms", "0000", "--size", "4096", "--tmpfs", path]
    return words


def confined(
    kernel: Sequence[str],
    limits: Limits,
    user: int | None = None,
    *,
    caches: Mapping[str, str] = MappingProxyType({}),
    alone: bool = False,
) -> list[str]:
    """Return the command that runs ``kernel`` with limits alone."""
    orders: dict[str, Any] = {"memory": limits.memory, "cpu": limits.cpu, "file": limits.file}
    orders["caches"] = dict(caches)
    if alone:
        # elsewhere the limit would count every process of the person who grades
        orders["processes"] = limits.processes
    if user is not None:
        orders["user"] = user
    return [sys.executable, "-I", "-S", str(CONFINE), json.dumps(orders), *kernel]


def _namespaces() -> list[str]:
    words = ["bwrap", "--new-session", "--hostname", "sandbox"]
    words += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    words += ["--unshare-cgroup-try", "--cap-drop", "ALL"]
    if os.geteuid() == 0:
        # confine.py changes to the sandbox's user, then these are gone as well
        return [*words, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    return [*words, "--unshare-user"]


def shown(show: Iterable[str]) -> list[str]:
    """List what every sandbox shows: the system, this Python, its packages, this package."""
    return list(_shown(tuple(show), tuple(sys.path)))


@functools.lru_cache(maxsize=64)  # a hundred looks at the disk, alike for every submission
def _shown(show: tuple[str, ...], path_of_python: tuple[str, ...]) -> tuple[str, ...]:
    python = [sys.prefix, sys.base_prefix, os.path.dirname(os.path.realpath(sys.executable))]
    packages = [path for path in path_of_python if os.path.basename(path).endswith("-packages")]
    if site.ENABLE_USER_SITE:
        packages.append(site.getusersitepackages())
    found: list[str] = []
    for path in (*SYSTEM, *ETC, *python, *packages, str(PACKAGE), *show):
        inside = any(path.startswith(f"{known}/") for known in found if not os.path.islink(known))
        if os.path.exists(path) and path not in found and not inside:
            found.append(path)
    return tuple(found)


def _parents(path: str, made: set[str]) -> list[str]:
    """Make the folders above a path, which bubblewrap would make for its owner alone."""
    words = []
    for parent in reversed(Path(path).parents):
        if str(parent) not in made:
            made.add(str(parent))
            words += ["--perms", "0755", "--dir", str(parent)]
    made.add(path)
    return words


def _hidden(hide: Iterable[str], shown: Sequence[str]) -> list[str]:
    """List the folders to cover: those that would be seen because a folder above them is shown."""
    # an installed kit carries the homework with its solutions
    folders = [str(PACKAGE / "_shipped"), *hide]
    below = [p for p in folders if any(p.startswith(f"{path}/") for path in shown)]
    return [path for path in dict.fromkeys(below) if os.path.isdir(path)]
