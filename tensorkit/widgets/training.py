"""Training that is watched while it runs: a bar, a button that stops it, and the picture.

It runs as a task of the kernel's own event loop, a snapshot at a time, so the button is heard
between two of them and other cells can be run meanwhile. What was learned so far stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

from tensorkit.nn.losses import BCELoss
from tensorkit.nn.module import Module
from tensorkit.nn.watching import Snapshot, train
from tensorkit.optim import SGD, Optimizer
from tensorkit.pictures.scene import Scene
from tensorkit.pictures.training import training_scene
from tensorkit.widgets.stepper import Stepper


class Training:
    """A model, what it learns from, and the snapshots that were taken so far.

    ``x`` (n, ...) and ``y`` (n, ...) are arrays. ``run()`` trains here and now; ``start()`` trains
    in the background of a notebook, with a button that stops it. Both go on where the last ended.
    """

    def __init__(
        self,
        model: Module,
        x: Any,
        y: Any,
        loss: Module | None = None,
        optimizer: Optimizer | None = None,
        epochs: int = 100,
        batch: int | None = None,
        every: int | None = None,
    ) -> None:
        if epochs < 1 or (every is not None and every < 1):
            raise ValueError(f"epochs={epochs}, every={every}: both count from 1")
        self.model, self.x, self.y = model, x, y
        self.loss = BCELoss() if loss is None else loss
        self.optimizer = SGD(list(model.parameters()), lr=0.5) if optimizer is None else optimizer
        self.epochs, self.batch = epochs, batch
        self.every = max(1, epochs // 40) if every is None else every
        self.snapshots: list[Snapshot] = []
        self.task: asyncio.Task[None] | None = None

    def run(self) -> Stepper:
        """Train to the end, with a progress bar, and return a stepper through the snapshots."""
        from tqdm.auto import tqdm

        # a saved notebook should not keep a bar that ended, so only what takes long has one
        with tqdm(range(self.epochs), desc="epochs", leave=False, delay=10) as bar:
            for _ in self.snapshots_of(bar):
                pass
        return self.stepper()

    def start(self) -> Any:
        """Train in the background and return a widget that shows it. Stop it there, or ``stop()``.

        Raises RuntimeError where no event loop runs, as in a script: use ``run()`` there.
        """
        import ipywidgets
        from tqdm.notebook import tqdm

        from tensorkit.widgets.live import LiveStepper

        if self.running:
            raise RuntimeError("this training is running already: stop() it first")
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError(
                "start() needs a notebook, whose kernel goes on while it trains: use run() here"
            ) from None
        bar = tqdm(range(self.epochs), desc="epochs", display=False)
        # a picture has to be there before the first epoch
        taken = self.snapshots_of(bar)
        next(taken)
        shown = LiveStepper(self.scene())
        button = ipywidgets.Button(description="Stop", icon="stop", tooltip="Stop training")

        async def follow() -> None:
            try:
                for _ in taken:
                    shown.show(self.scene())
                    shown.step = len(self.scene().steps) - 1
                    await asyncio.sleep(0)  # let the kernel hear the button, and other cells run
            finally:
                taken.close()
                bar.close()
                button.disabled, button.description = True, "Ended"

        self.task = loop.create_task(follow())
        button.on_click(lambda _: self.stop())
        return ipywidgets.VBox([ipywidgets.HBox([button, bar.container]), shown])

    @property
    def running(self) -> bool:
        """Whether it trains in the background now."""
        return self.task is not None and not self.task.done()

    def stop(self) -> None:
        """Stop after the epoch that is running; what was learned stays."""
        if self.task is not None:
            self.task.cancel()

    def scene(self) -> Scene:
        """Return the picture of the snapshots so far. Raises ValueError before the first."""
        return training_scene(self.snapshots, self.x, self.y)

    def stepper(self) -> Stepper:
        """Return a stepper through the snapshots so far."""
        return Stepper(self.scene())

    def snapshots_of(self, bar: Any) -> Generator[Snapshot, None, None]:
        """Train over the epochs of ``bar`` and yield each snapshot as it is taken."""
        done = self.snapshots[-1].epoch if self.snapshots else 0
        run = train(
            self.model, self.loss, self.optimizer, self.x, self.y, bar, self.batch, self.every
        )
        for snapshot in run:
            if done and snapshot.epoch == 0:
                yield self.snapshots[-1]  # it was taken when the last run ended
                continue
            self.snapshots.append(snapshot.after(done))
            yield self.snapshots[-1]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        if not self.snapshots:
            return {"text/plain": repr(self)}
        return self.stepper()._repr_mimebundle_()

    def __repr__(self) -> str:
        if not self.snapshots:
            return f"Training of {self.epochs} epochs: run() it, or start() it in a notebook"
        last = self.snapshots[-1]
        right = f"{last.right} of {last.total} right"
        return f"Training(epoch {last.epoch}, loss {last.loss:.4g}, {right})"
