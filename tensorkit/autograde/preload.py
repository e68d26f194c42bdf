"""The worker's side of the nursery: one for each process, started when it is first needed."""

from __future__ import annotations

import array
import atexit
import contextlib
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import sandbox
from .caches import folders, offer
from .job import Limits

READY = b"ready"
PATIENCE = 60.0  # seconds for imports, and for a fork
PRIVATE = ("/tmp/", "/dev/shm/")  # a fork gets empty ones, and could import nothing from there
SHORT = "/tmp" if os.path.isdir("/tmp") else None


class Lifeline:
    """A kernel that was forked, in the shape of a subprocess: it lives while this is open."""

    stdin = stdout = stderr = None

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        self.line.setblocking(False)
        self.pid = 0
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return None while the kernel lives."""
        if self.returncode is None:
            try:
                if not self.line.recv(16):
                    self.end()
            except BlockingIOError:
                return None
            except OSError:
                self.end()
        return self.returncode

    def wait(self) -> int | None:
        """Return how it ended."""
        return self.poll()

    def send_signal(self, number: int) -> None:
        """End it, whatever the signal: an interrupt goes by message."""
        self.end()

    def kill(self) -> None:
        """End it and all that it started."""
        self.end()

    def end(self) -> None:
        """Close the line."""
        if self.returncode is None:
            self.returncode = -9
            self.line.close()


class Nursery:
    """A sandboxed process with modules loaded; ``fork`` makes kernels of it."""

    def __init__(self, modules: Sequence[str], hide: Sequence[str], limits: Limits) -> None:
        """Start it. Raises OSError where it cannot be."""
        self.nest = Path(tempfile.mkdtemp(prefix="tk-", dir=SHORT))
        os.chmod(self.nest, 0o711)
        self._box = sandbox.Box(self.nest / "own", None)
        for folder in (self._box.top, self._box.run, self._box.home, self._box.work):
            folder.mkdir()
        (self._box.home / "work").mkdir()
        self._caches = offer(self._box, {})
        self._asking = threading.Lock()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        program = [sys.executable, "-P", "-m", "tensorkit.autograde.nursery"]
        command = sandbox.nest(
            [*program, str(theirs.fileno()), *modules],
            self._box,
            self.nest,
            limits,
            hide,
            self._caches,
        )
        with theirs, (self.nest / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        atexit.register(self.close)
        self._control.settimeout(PATIENCE)
        try:
            if self._control.recv(16) != READY:
                raise OSError("it ended at once")
            # one fork for nothing tells whether the system allows what a fork needs
            self.fork(self._box, limits, {}, [], {}, probe=True).end()
        except OSError as error:
            words = (self.nest / "log").read_text("utf-8", "replace").strip()[-300:]
            self.close()
            raise OSError(f"the nursery did not start: {error} {words}") from error

    @property
    def is_alive(self) -> bool:
        """Whether it can still be forked."""
        return self._process.poll() is None

    def fork(
        self,
        box: sandbox.Box,
        limits: Limits,
        environment: Mapping[str, str],
        arguments: Sequence[str],
        caches: Mapping[str, str],
        probe: bool = False,
    ) -> Lifeline:
        """Fork a kernel into a box below ``nest``. Raises OSError."""
        bounds = {"memory": limits.memory, "cpu": limits.cpu, "file": limits.file}
        bounds["processes"] = limits.processes
        if box.user is not None:
            bounds["user"] = box.user
        orders: dict[str, Any] = {
            "box": box.top.name,
            "home": sandbox.HOME,
            "work": sandbox.WORK,
            "run": sandbox.RUN,
            "disk": limits.disk,
            "limits": bounds,
            "caches": sandbox.inside(caches),
            "environment": dict(environment),
            "arguments": ["--version"] if probe else list(arguments),
        }
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        ours.settimeout(PATIENCE)
        log = os.open(box.top / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            with theirs, self._asking:
                data = json.dumps(orders).encode()
                socket.send_fds(self._control, [data], [theirs.fileno(), log])
            answer, extra, _, _ = ours.recvmsg(512, socket.CMSG_SPACE(12))
        except OSError:
            ours.close()
            raise
        finally:
            os.close(log)
        if answer != READY:
            ours.close()
            raise OSError(f"a fork failed: {answer.decode('utf-8', 'replace')}")
        made = Lifeline(ours)
        for _, kind, credentials in extra:
            if kind == socket.SCM_CREDENTIALS:
                made.pid = struct.unpack("3i", array.array("i", credentials).tobytes())[0]
        return made

    def close(self) -> None:
        """End it; kernels that were forked end with their own lines."""
        atexit.unregister(self.close)
        self._control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.nest, ignore_errors=True)


_nurseries: dict[tuple[Any, ...], Nursery | str] = {}
_starting = threading.Lock()


def nursery(modules: Sequence[str], hide: Sequence[str], limits: Limits) -> Nursery | None:
    """Return the nursery of this process for these modules, or None where there can be none."""
    key = (tuple(modules), tuple(hide))
    with _starting:
        found = _nurseries.get(key)
        if isinstance(found, Nursery) and not found.is_alive:
            found.close()
            found = None
        if found is None:
            try:
                shown = sandbox.shown(map(str, folders().values()))
                buried = [path for path in shown if path.startswith(PRIVATE)]
                if buried:
                    raise OSError(f"{buried[0]} lies in a folder of which each kernel has its own")
                found = Nursery(modules, hide, limits)
            except OSError as error:
                found = str(error)
            _nurseries[key] = found
        return found if isinstance(found, Nursery) else None


def why_not() -> list[str]:
    """Return why nurseries could not be started here."""
    return [reason for reason in _nurseries.values() if isinstance(reason, str)]
