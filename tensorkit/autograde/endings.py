"""A cell ends once. A kernel that says so twice was not the only one who said it.

A learner's code can send messages in the kernel's name, also a result and the end of a cell that
still runs. What the kernel itself says about that cell then comes later, and is heard here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

PATIENCE = 10.0  # seconds; a kernel that is idle answers in milliseconds


class Endings:
    """Listens to a client of a kernel and counts the ends of each cell."""

    def __init__(self) -> None:
        self._heard: Counter[tuple[str, str]] = Counter()
        self._cells: dict[str, int] = {}

    def listen(self, client: Any) -> None:
        """Hear what a client receives from now on."""
        for channel in (client.shell_channel, client.iopub_channel):
            channel.get_msg = self._through(channel.get_msg)

    def executed(self, reply: dict[str, Any], cell: int) -> None:
        """Take note of a cell that has ended for the first time."""
        self._cells[_parent(reply)] = cell

    async def settle(self, client: Any) -> bool:
        """Let the kernel say what it still has to say; tell whether it came to an end of that."""
        asked = client.execute("", silent=True)

        async def rest() -> None:
            while not self._heard[asked, "execute_reply"]:
                await client.shell_channel.get_msg()
            while not self._heard[asked, "idle"]:
                await client.iopub_channel.get_msg()

        try:
            await asyncio.wait_for(rest(), PATIENCE)
        except Exception:
            return False
        return True

    def doubted(self) -> list[int]:
        """Return the cells that ended more than once."""
        twice = {parent for (parent, _), count in self._heard.items() if count > 1}
        return sorted(cell for parent, cell in self._cells.items() if parent in twice)

    def _through(self, receive: Any) -> Any:
        async def get_msg(*args: Any, **options: Any) -> Any:
            message = await receive(*args, **options)
            kind = message["msg_type"]
            if kind == "status" and message["content"].get("execution_state") == "idle":
                kind = "idle"
            if kind in ("idle", "execute_reply"):
                self._heard[_parent(message), kind] += 1
            return message

        return get_msg


def _parent(message: dict[str, Any]) -> str:
    return str(message["parent_header"].get("msg_id"))
