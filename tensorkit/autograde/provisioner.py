"""A Jupyter kernel provisioner that starts a kernel in a sandbox, or with limits alone.

Its sockets are files in a folder of its own, so a kernel needs no network, and two kernels never
race for a port. When the kernel ends, so does everything that it started, and its folders go.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Bool, Dict, Instance, List, Unicode

from . import sandbox
from .caches import offer
from .intake import put
from .job import Limits
from .preload import SHORT, Nursery, nursery
from .watch import Usage, stored, usage

KERNEL = "tensorkit.autograde.kernel"


class SandboxProvisioner(LocalProvisioner):
    """Starts the kernel of one notebook apart from everything else."""

    mode = Unicode("auto", config=True, help="required, auto or off")
    hide = List(Unicode(), config=True, help="folders that no sandbox shows")
    limits = Instance(Limits, args=())
    files = Dict(help="the submission's files, by path")
    private = Dict(help="modules that only checks import, by path")
    orders = Unicode("{}", help="which cells are checks")
    variables = Dict(help="more variables of the environment")
    trusted = Bool(False, help="whether the kernel may fill the caches that others read")
    preload = List(Unicode(), help="modules that are loaded before a kernel is forked")

    box: sandbox.Box | None = None
    is_sandboxed = False
    _nursery: Nursery | None = None

    async def pre_launch(self, **options: Any) -> dict[str, Any]:
        """Make the folders and the command. Raises NotReady without a required sandbox."""
        self.is_sandboxed = sandbox.is_used(self.mode)
        environment = {"TENSORKIT_GRADING": self.orders, **self.variables}
        if self.mode == "off":
            options["cwd"] = str(self._open().work)
            options["env"] = {**os.environ, **environment}
            return await super().pre_launch(**options)
        manager: Any = self.parent
        is_python = "ipykernel_launcher" in manager.kernel_spec.argv
        if self.is_sandboxed and is_python and self.preload and not self.trusted:
            self._nursery = nursery(self.preload, self.hide, self.limits)
        box = self._open()
        manager.transport = "ipc"
        manager.ip = str(box.run / "s")
        manager.connection_file = str(box.run / "kernel.json")
        # a signal would end bubblewrap; the kernel interrupts itself when it is asked to
        manager.kernel_spec.interrupt_mode = "message"
        options = await super().pre_launch(**{**options, "env": dict(os.environ)})
        caches = offer(box, self.private, trusted=self.trusted)
        kernel = self._kernel(options["cmd"], box)
        environment = {**sandbox.variables(), **environment}
        for folder in (box.run, box.home, box.work):
            box.give(folder)
        if self.is_sandboxed:
            options["cmd"] = sandbox.command(
                kernel, box, self.limits, environment, hide=self.hide, caches=caches
            )
            options["env"] = {"PATH": os.environ.get("PATH", os.defpath)}
        else:
            home = str(box.home)
            links = {f"{home}/{name}": source for name, source in caches.items()}
            options["cmd"] = sandbox.confined(kernel, self.limits, caches=links)
            options["env"] = {k: v.replace(sandbox.HOME, home) for k, v in environment.items()}
        self._fork = (box, environment, kernel, caches)
        options["cwd"] = str(box.work)
        options["stdin"] = subprocess.DEVNULL
        return options

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        """Start the kernel: fork it where its modules are loaded, run the command elsewhere."""
        if self._nursery is not None:
            box, environment, kernel, caches = self._fork
            forked: Any = self._nursery.fork(box, self.limits, environment, kernel[4:], caches)
            self.process, self.pid, self.cwd = forked, forked.pid, str(box.work)
            return self.connection_info
        if self.mode == "off":
            return await super().launch_kernel(cmd, **options)
        assert self.box is not None
        # a limit on the size of files binds it as well
        with (self.box.top / "log").open("ab") as log:
            return await super().launch_kernel(cmd, **{**options, "stdout": log, "stderr": log})

    def _open(self) -> sandbox.Box:
        """Make the folders of the sandbox and put the files in place."""
        if self.box is None:
            above = self._nursery.nest if self._nursery else SHORT
            top = Path(tempfile.mkdtemp(prefix="tk-", dir=above))
            owner = sandbox.user() if self.is_sandboxed else None
            self.box = sandbox.Box(top, owner)
            for folder in (self.box.run, self.box.work, self.box.home):
                folder.mkdir()
                os.chmod(folder, 0o755)  # whatever the umask: bubblewrap has to enter them
            (self.box.home / "work").mkdir()  # where `work` is shown
            put(self.files, self.box.work)
            if owner is not None:
                os.chmod(top, 0o711)
        return self.box

    def _kernel(self, command: list[str], box: sandbox.Box) -> list[str]:
        """Start our kernel in the place of ipykernel; kernels of other languages stay."""
        outside = str(box.run / "kernel.json")
        inside = outside
        if self.is_sandboxed:
            facts = json.loads((box.run / "kernel.json").read_text("utf-8"))
            facts["ip"] = f"{sandbox.RUN}/s"
            (box.run / "inside.json").write_text(json.dumps(facts), encoding="utf-8")
            inside = f"{sandbox.RUN}/inside.json"
        if "ipykernel_launcher" in command:
            at = command.index("ipykernel_launcher")
            command = [sys.executable, "-P", "-m", KERNEL, *command[at + 1 :]]
        return [
            inside if os.path.realpath(word) == os.path.realpath(outside) else word
            for word in command
        ]

    def usage(self) -> Usage:
        """Return what the kernel and everything that it started use now."""
        return usage(self.pid) if self.process and self.pid else Usage(0, 0)

    def stored(self, most: int) -> int:
        """Return how many bytes lie in the kernel's own folders, as far as ``most``."""
        return stored(str(self.box.top), most) if self.box is not None else 0

    def last_words(self) -> str:
        """Return the end of what the kernel's process wrote outside of cells."""
        if self.box is None or not (self.box.top / "log").exists():
            return ""
        with open(self.box.top / "log", "rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - 2000))
            return log.read().decode("utf-8", "replace").strip()

    async def wait(self) -> int | None:
        """Wait for a kernel that was killed; it is gone in milliseconds."""
        until = time.monotonic() + 0.1
        while self.process is not None and time.monotonic() < until:
            if await self.poll() is not None:
                break
            time.sleep(0.002)
        return await super().wait()

    async def send_signal(self, signum: int) -> None:
        """Signal bubblewrap, which takes everything inside with it; interrupts go by message."""
        if self.is_sandboxed and signum == signal.SIGINT:
            return
        await super().send_signal(signum)

    def close(self) -> None:
        """Remove the folders of the sandbox."""
        if self.box is not None:
            top, self.box = self.box.top, None
            shutil.rmtree(top, ignore_errors=True)
            if top.exists():  # nested deeper than Python can follow, or without rights
                for words in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
                    subprocess.run([*words, "--", str(top)], check=False, capture_output=True)
