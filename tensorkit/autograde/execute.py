"""Run a notebook so that only what is at fault is lost, whatever its cells do.

A cell that kills the kernel, or cannot be interrupted, or takes all memory, gets an error; the
cells before it are run again in a new kernel and the notebook goes on after it. What a cell prints
is cut. What fails before the first line of a learner's own raises NotReady: then no one gets zeros.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

import zmq
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, v4
from nbgrader.preprocessors import Execute
from traitlets import Unicode

from .caches import take
from .checks import orders
from .endings import Endings
from .intake import collect
from .job import CUT, Clean, Limits, NotReady
from .provisioner import SandboxProvisioner

MESSAGE = 8 << 20  # bytes: a larger message from a kernel is not received
WAITING = 200  # messages that may wait for us


class Manager(AsyncKernelManager):
    """Makes clients that a flood of messages cannot drown."""

    def client(self, **options: Any) -> Any:
        """Return a client that refuses large messages."""
        made = super().client(**options)
        made.context.setsockopt(zmq.MAXMSGSIZE, MESSAGE)
        made.context.setsockopt(zmq.RCVHWM, WAITING)
        return made


class SandboxedExecute(Execute):  # type: ignore[misc]
    """nbgrader's own step of execution, in a sandbox, and not to be stopped by a cell."""

    sandbox = Unicode("auto", help="required, auto or off").tag(config=True)

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("kernel_manager_class", Manager)
        super().__init__(*args, **options)
        self.limits = Limits()
        self.clean: Clean | None = None
        self.files: Mapping[str, bytes] = {}
        self.private: Mapping[str, bytes] = {}
        self.environment: Mapping[str, str] = {}
        self.hide: tuple[str, ...] = ()
        self.trusted = False
        self.preload: tuple[str, ...] = ()
        self.modules: frozenset[str] = frozenset()  # what a trusted notebook has imported
        self.changed: dict[int, list[str]] = {}  # what was put back before a check, by cell
        self.meanwhile: dict[int, list[str]] = {}  # what was changed while a check ran
        self.notes: list[str] = []
        self.provisioner: SandboxProvisioner | None = None

    def preprocess(
        self, nb: NotebookNode, resources: Any = None, km: Any = None
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run all cells; see the module. Raises NotReady."""
        NotebookClient.__init__(self, nb, km)
        self.reset_execution_trackers()
        self._check_assign_resources(resources)
        self.changed, self.meanwhile, self.notes = {}, {}, []
        self._until = time.monotonic() + self.limits.deadline
        self._printed: dict[int, int] = {}
        self._all_printed = 0
        try:
            # one event loop for the whole run, closed with it, in whatever thread this is
            asyncio.run(self._run())
        finally:
            self._keep_files()
        self.set_widgets_metadata()
        return self.nb, self.resources

    async def _run(self) -> None:
        """Run all cells; after a cell that ended the kernel, go on in a new one without it."""
        released = self._released()
        cells = self.nb.cells
        skipped: set[int] = set()
        died: set[int] = set()
        start = 0
        while True:
            at = -1
            try:
                await self._open()
                for at, cell in enumerate(cells):
                    if at >= start:
                        self._check_deadline()
                        await self.async_execute_cell(cell, at, store_history=True)
                    elif at not in skipped:
                        await self.async_execute_cell(_copy(cell), at, store_history=True)
                        cells[at] = cell
                if self.trusted:
                    await self._learn_modules()
                elif not await self._endings.settle(self.kc):
                    self._doubt([self._last])
                return
            except Exception as error:
                name, reason = _reason(error, self._trouble)
                if at < 0 or all(cell.source in released for cell in cells[: at + 1]):
                    words = self.provisioner.last_words() if self.provisioner else ""
                    raise NotReady(
                        f"the kernel failed before any of the learner's cells: {reason} {words}"
                    ) from error
                if isinstance(error, DeadKernelError) and not self._trouble and at not in died:
                    # something else may have ended it: only a cell that does it again is to blame
                    died.add(at)
                    start = max(start, at)
                    self.code_cells_executed = 0
                    continue
                if at >= start:
                    _fail(cells[at], name, reason)
                    start = at + 1
                skipped.add(at)
                self._trouble = ""
                self.notes.append(f"cell {at + 1} stopped the notebook: {reason}")
                if len(skipped) > self.limits.recoveries or time.monotonic() > self._until:
                    self._give_up(start)
                    return
                self.code_cells_executed = 0
            finally:
                self._doubt(self._endings.doubted())
                if self.km is not None:
                    await self._async_cleanup_kernel()

    async def _open(self) -> None:
        """Start a kernel and learn its language, as nbclient does."""
        self.create_kernel_manager()
        await self.async_start_new_kernel()
        client: Any = await self.async_start_new_kernel_client()
        self._endings = Endings()
        self._endings.listen(client)
        message: Any = await self.async_wait_for_reply(client.kernel_info())
        self.nb.metadata["language_info"] = message["content"]["language_info"]

    async def _learn_modules(self) -> None:
        """Ask the kernel of the reference what it has imported."""
        client: Any = self.kc
        question = {"modules": "' '.join(__import__('sys').modules)"}
        asked = client.execute("", silent=True, user_expressions=question)
        reply: Any = await self.async_wait_for_reply(asked)
        answer = reply["content"].get("user_expressions", {}).get("modules", {})
        text = answer.get("data", {}).get("text/plain", "")
        self.modules = frozenset(text.strip("'\"").split())

    _trouble = ""
    _last = 0
    _endings = Endings()
    written: Mapping[str, bytes]

    def _released(self) -> set[str]:
        """Return the sources that are not the learner's; an empty cell is nobody's."""
        sources = {""}
        if self.clean is not None:
            sources |= {cell.source for cell in self.clean.cells if cell.locked}
            sources |= {
                "".join(cell["source"]) for cell in json.loads(self.clean.template)["cells"]
            }
        return sources

    def create_kernel_manager(self) -> Any:
        """Make a manager whose kernel starts in the sandbox."""
        manager: Any = super().create_kernel_manager()
        checks = self.clean
        if self.provisioner is not None:
            self.provisioner.close()  # a new kernel starts from the files as handed in
        self.provisioner = SandboxProvisioner(
            kernel_spec=manager.kernel_spec,
            parent=manager,
            mode=self.sandbox,
            limits=self.limits,
            files=dict(self.files),
            private=dict(self.private),
            hide=list(self.hide),
            orders=orders(self.nb, checks, self.limits.output, self.private) if checks else "{}",
            variables={"NBGRADER_EXECUTION": "autograde", **self.environment},
            trusted=self.trusted,
            preload=list(self.preload),
        )
        manager.provisioner = self.provisioner
        return manager

    def _check_deadline(self) -> None:
        if time.monotonic() > self._until:
            self._trouble = f"the whole notebook took more than {self.limits.deadline:g} seconds"
            raise DeadKernelError(self._trouble)

    def _get_timeout(self, cell: NotebookNode | None) -> int | None:
        left = max(1, int(self._until - time.monotonic()))
        chosen = super()._get_timeout(cell)
        return min(chosen, left) if chosen else left

    async def _async_check_alive(self) -> None:
        """Look after a kernel each second: end one that takes more than its share."""
        await super()._async_check_alive()
        if self.provisioner is None or self.sandbox == "off":
            return
        use = self.provisioner.usage()
        if use.memory > self.limits.memory:
            self._trouble = f"it took more than {self.limits.memory >> 20} MB of memory"
        elif use.processes > 2 * self.limits.processes:
            self._trouble = f"it started more than {self.limits.processes} processes"
        elif not self.trusted and self.provisioner.stored(self.limits.disk) > self.limits.disk:
            self._trouble = f"it wrote more than {self.limits.disk >> 20} MB"
        else:
            return
        await self.provisioner.kill()
        raise DeadKernelError(self._trouble)

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        """Take a message of the kernel, unless the cell has printed its fill."""
        kind = msg["msg_type"]
        if kind not in ("status", "execute_input"):
            size = len(json.dumps(msg["content"], default=str))
            before = self._printed.get(cell_index, 0)
            self._printed[cell_index] = before + size
            self._all_printed += size
            text = str(msg["content"].get("text", "")) if kind == "stream" else ""
            too_much = (
                before + size > self.limits.shown or self._all_printed > 8 * self.limits.shown
            )
            if CUT in text or (too_much and before <= self.limits.shown):
                self.notes.append(f"cell {cell_index + 1} printed more than is kept")
            if too_much:
                if before <= self.limits.shown:
                    cell.outputs.append(v4.new_output("stream", name="stdout", text=CUT))
                self._printed[cell_index] = self.limits.shown + 1
                return None
        return super().process_message(msg, cell, cell_index)

    def on_cell_executed(self, **event: Any) -> None:
        """Note what the kernel had to put back before a check, and after it."""
        super().on_cell_executed(**event)
        self._last = event["cell_index"]
        self._endings.executed(event["execute_reply"], self._last)
        reply, at = event["execute_reply"]["content"], self._last
        for key, found in (("changed", self.changed), ("meanwhile", self.meanwhile)):
            names = reply.get(key)
            if isinstance(names, list) and names:
                found[at] = [str(name)[:80] for name in names[:20]]

    def _doubt(self, cells: Iterable[int]) -> None:
        """Believe no result of cells that ended twice, or after which the kernel was silent."""
        for at in cells:
            self.meanwhile.setdefault(at, ["what the kernel says"])

    def _give_up(self, start: int) -> None:
        self.notes.append("the cells after it were not run")
        for cell in self.nb.cells[start:]:
            if cell.cell_type == "code" and cell.source.strip():
                _fail(cell, "NotRun", "an earlier cell stopped the notebook too often")

    def _keep_files(self) -> None:
        self.written = {}
        if self.provisioner is not None and self.provisioner.box is not None:
            box = self.provisioner.box
            self.written, notes = collect(box.work, self.files, self.limits)
            self.notes += notes
            if self.trusted:
                take(box)
            self.provisioner.close()


def _copy(cell: NotebookNode) -> NotebookNode:
    return NotebookNode({**cell, "outputs": [], "metadata": NotebookNode(cell.metadata)})


def _reason(error: Exception, trouble: str) -> tuple[str, str]:
    """Name what happened to a kernel, for the learner."""
    if trouble:
        return "TooMuch", trouble
    if isinstance(error, DeadKernelError):
        return "DeadKernelError", "the kernel died"
    if isinstance(error, CellTimeoutError):
        return "CellTimeoutError", "it ran too long and could not be interrupted"
    return type(error).__name__, f"the kernel could not be understood: {str(error)[:200]}"


def _fail(cell: NotebookNode, name: str, reason: str) -> None:
    """Put an error where a result would be; nbgrader then gives a check no points."""
    if cell.cell_type == "code":
        words = f"{name}: {reason}"
        cell.outputs = [v4.new_output("error", ename=name, evalue=reason, traceback=[words])]
