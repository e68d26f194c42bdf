"""A process that has imported what notebooks import, and is forked for each of them.

Most of the time of a small notebook is spent on starting a kernel and importing the same modules
again. This process, in a sandbox without a learner's file, does that once. For each notebook it
forks; the child leaves all namespaces, covers what it must not see, drops its rights and becomes
the kernel. No learner's code ever runs in this process itself.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import socket
import sys
import warnings
from typing import Any

from . import kernel, namespaces
from .confine import limit, link
from .sandbox import PRIVATE

NEST = "/nest"  # where the folders of all sandboxes are; a child covers it
READY = b"ready"


def main(control: int, modules: list[str]) -> None:
    """Import, then fork whenever asked, until the worker is gone."""
    kernel.load()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    asked = socket.socket(fileno=control)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    asked.send(READY)
    while True:
        data, handles, _, _ = socket.recv_fds(asked, 1 << 20, 2)
        if not data:
            return
        if os.fork() == 0:
            asked.detach()
            os.close(control)
            _child(json.loads(data), *handles)
        for handle in handles:
            os.close(handle)


def _child(orders: dict[str, Any], lifeline: int, log: int) -> None:
    """Build the sandbox, start the first process of its own, and end."""
    line = socket.socket(fileno=lifeline)
    try:
        namespaces.unshare()
        top = f"{NEST}/{orders['box']}"
        namespaces.bind(f"{top}/home", orders["home"])
        namespaces.bind(f"{top}/home/{PRIVATE}", private := f"{orders['home']}/{PRIVATE}")
        namespaces.read_only(private)
        namespaces.bind(f"{top}/work", orders["work"])
        namespaces.bind(f"{top}/run", orders["run"])
        for place in ("/tmp", "/dev/shm", *orders["caches"]):
            namespaces.temporary(place, orders["disk"], "1777")
        namespaces.temporary(NEST, 4096, "0000")
        if os.fork() == 0:
            _first(orders, line, log)
    except BaseException as error:
        line.send(f"{type(error).__name__}: {error}"[:500].encode())
    os._exit(0)


def _first(orders: dict[str, Any], line: socket.socket, log: int) -> None:
    """Be process 1 of the sandbox: end with the kernel or with the worker, and all ends."""
    try:
        namespaces.processes()
        if "user" in orders["limits"]:
            # while this is still allowed; the limits are the kernel's alone
            limit({"user": orders["limits"]["user"]})
        namespaces.give_up_rights()
        started = os.fork()
        if started == 0:
            _kernel(orders, line, log)
        os.close(log)
        watched: Any = os.pidfd_open(started)
        line.send(READY)
        while True:
            ready, _, _ = select.select([line.fileno(), watched], [], [])
            if watched in ready or not line.recv(16):
                break
    except BaseException as error:
        with contextlib.suppress(OSError):
            line.send(f"{type(error).__name__}: {error}"[:500].encode())
    os._exit(0)


def _kernel(orders: dict[str, Any], line: socket.socket, log: int) -> None:
    """Become the kernel."""
    status = 1
    try:
        for stream in (1, 2):
            os.dup2(log, stream)
        line.detach()
        os.closerange(3, 1024)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        limit({name: value for name, value in orders["limits"].items() if name != "user"})
        link(orders["caches"])
        os.environ.update(orders["environment"])
        os.chdir(orders["work"])
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed()  # or all children would draw the same numbers
        sys.argv = ["kernel", *orders["arguments"]]
        kernel.main(orders["arguments"])
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(status)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
